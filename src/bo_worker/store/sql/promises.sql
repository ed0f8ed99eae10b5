-- name: save_promises
-- Keeps the first day that customers were told, and counts those that followed until the line was served or given up.
-- $7 is the day of telling, null where customers do not hear that a day holds.
insert into bo_worker.promise as mine (order_id, position, sku, level, made_on, promised_to, heard_on)
select order_id, position, sku, $4::real, $5::date, promised_to, $7::date
from unnest($1::text[], $2::integer[], $3::text[], $6::date[]) as told (order_id, position, sku, promised_to)
on conflict (order_id, position) do update
set moves = mine.moves + 1, heard_on = coalesce(excluded.heard_on, mine.heard_on)
where mine.kept_on is null and mine.withdrawn_on is null;

-- name: move_promises
-- Counts that customers were told that there is no day any more.
update bo_worker.promise as mine
set moves = moves + 1
from unnest($1::text[], $2::integer[]) as told (order_id, position)
where mine.order_id = told.order_id and mine.position = told.position
    and kept_on is null and withdrawn_on is null;

-- name: end_promises
-- Keeps on which day lines were served whole, or given up. Only the first end counts. Their orders are locked.
update bo_worker.promise as mine
set kept_on = case when ended.kept then $4::date end, withdrawn_on = case when not ended.kept then $4::date end
from unnest($1::text[], $2::integer[], $3::boolean[]) as ended (order_id, position, kept)
where mine.order_id = ended.order_id and mine.position = ended.position
    and kept_on is null and withdrawn_on is null;

-- name: forget_told_days
-- Forgets the day that customers knew of lines which they heard wait once more: the next one is news to them, if it is
-- the same. Their orders are locked.
update bo_worker.order_line as mine
set told_to = null
from unnest($1::text[], $2::integer[]) as undated (order_id, position)
where mine.order_id = undated.order_id and mine.position = undated.position;

-- name: report_promises
-- What came of all promises until today ($1), by the level at which they were made. A share is of those whose day has
-- passed: promises that were kept early are known sooner than those that are broken.
select
    level::numeric::double precision as level,
    count(*) as made,
    count(*) filter (where state = 'open') as open,
    count(*) filter (where state = 'held') as held,
    count(*) filter (where state = 'broken') as broken,
    count(*) filter (where state = 'withdrawn') as withdrawn,
    count(*) filter (where is_judged) as judged,
    round(avg((state = 'held')::integer) filter (where is_judged), 3)::double precision as share_held,
    round(avg(days_late) filter (where state = 'broken'), 1)::double precision as mean_days_late,
    max(days_late) filter (where state = 'broken') as worst_days_late,
    round(avg(moves), 2)::double precision as moves_per_promise
from (
    select
        level, moves, state, promised_to < $1::date and state <> 'withdrawn' as is_judged,
        coalesce(kept_on, withdrawn_on, $1::date) - promised_to as days_late
    from bo_worker.promise
    cross join lateral bo_worker.promise_state(promised_to, kept_on, withdrawn_on, $1::date) as state
) as promise
group by level
order by level;
