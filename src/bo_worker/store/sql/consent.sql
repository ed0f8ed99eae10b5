-- name: load_delay_walk
-- How far the daily look for lines whose agreed day comes near is.
select promises_to, ended_on, sku, pin, priority from bo_worker.delay_walk where only_row;

-- name: save_delay_walk
-- Stores how far that look is.
insert into bo_worker.delay_walk (promises_to, ended_on, sku, pin, priority) values ($1, $2, $3, $4, $5)
on conflict (only_row) do update set
    promises_to = excluded.promises_to, ended_on = excluded.ended_on, sku = excluded.sku, pin = excluded.pin,
    priority = excluded.priority;

-- name: watch_promises
-- Has lines looked at today ($3) whose promised day passed since $1 and before $2, at most $4; returns how many.
with watched as (
    insert into bo_worker.delay_watch (order_id, position, check_on)
    select order_id, position, $3::date
    from bo_worker.promise as told
    where greatest(promised_to, made_on) >= $1::date and greatest(promised_to, made_on) < $2::date
        and coalesce(kept_on, withdrawn_on) is null
        and not exists (
            select from bo_worker.delay_watch as known
            where known.order_id = told.order_id and known.position = told.position
        )
    limit $4::bigint
    on conflict do nothing
    returning 1
)
select count(*) from watched;

-- name: walk_lanes
-- The next lanes of queues, each with lines of one priority, after one of them ($1, $2, $3), at most $4.
with recursive lane as (
    select $1::text collate "C" as sku, $2::text collate "C" as pin, $3::smallint as priority, 0 as number
    union all
    select next.sku, next.pin, next.priority, lane.number + 1
    from lane
    cross join lateral (
        select * from (
            (
                select sku, pin, priority, 1 as step
                from bo_worker.order_line
                where sku = lane.sku and pin = lane.pin and priority < lane.priority and backordered > 0
                order by priority desc
                limit 1
            )
            union all
            (
                select sku, pin, priority, 2 as step
                from bo_worker.order_line
                where (sku, pin) > (lane.sku, lane.pin) and backordered > 0
                order by sku, pin, priority desc
                limit 1
            )
        ) as either
        order by step
        limit 1
    ) as next
    where lane.number < $4::integer
)
select sku, pin, priority from lane where number > 0 order by number;

-- name: watch_lanes
-- Has those lines of lanes looked at ($6) that were placed $5 days, or the fewer days of their product's window, before
-- a day ($4), at most $7; returns how many. Read from the index of the queue.
with watched as (
    insert into bo_worker.delay_watch (order_id, position, check_on)
    select old.order_id, old.position, $6::date
    from unnest($1::text[], $2::text[], $3::smallint[]) as lane (sku, pin, priority)
    cross join lateral (
        select least($5::integer, (policy::jsonb ->> 'window_days')::integer) as days
        from bo_worker.product
        where product.sku = lane.sku
    ) as least
    cross join lateral (
        select order_id, position
        from bo_worker.order_line as line
        where line.sku = lane.sku and line.pin = lane.pin and line.priority = lane.priority and line.backordered > 0
            and line.placed_at < ($4::date + 1 - least.days)::timestamp at time zone 'utc'
            and not exists (
                select from bo_worker.delay_watch as known
                where known.order_id = line.order_id and known.position = line.position
            )
    ) as old
    limit $7::bigint
    on conflict do nothing
    returning 1
)
select count(*) from watched;

-- name: watch_moved
-- Has lines looked at today ($4) whose promises moved: those that are expected later than promised at first, that lost
-- their day, or whose customers were told of a delay before; and those that are promised a day for the first time, but
-- one later than $5 days, or the fewer days of their product's window, after they were placed. Their products are locked.
insert into bo_worker.delay_watch as mine (order_id, position, check_on)
select moved.order_id, moved.position, $4::date
from unnest($1::text[], $2::integer[], $3::date[]) as moved (order_id, position, expected_to)
left join bo_worker.promise as told on told.order_id = moved.order_id and told.position = moved.position
left join bo_worker.delay_watch as known on known.order_id = moved.order_id and known.position = moved.position
where known.order_id is not null
    or (told.order_id is not null and (moved.expected_to is null or moved.expected_to > told.promised_to))
    or (
        told.made_on = $4::date
        and exists (
            select from bo_worker.order_line as line
            join bo_worker.product using (sku)
            where line.order_id = moved.order_id and line.position = moved.position
                and moved.expected_to > (line.placed_at at time zone 'utc')::date
                    + least($5::integer, (policy::jsonb ->> 'window_days')::integer)
        )
    )
on conflict (order_id, position) do update set check_on = excluded.check_on;

-- name: find_delays_due
-- Orders with lines that are to be looked at by a day.
select order_id
from (
    select order_id from bo_worker.delay_watch where check_on <= $1::date order by check_on, order_id limit $2::bigint
) as due
group by order_id;

-- name: find_silences_due
-- Orders with lines for which the time for an answer is over.
select order_id
from (
    select order_id from bo_worker.delay_watch
    where respond_by < $1::timestamptz
    order by respond_by, order_id
    limit $2::bigint
) as due
group by order_id;

-- name: load_delay_watch
-- The lines of orders that are looked at, with what they were promised first and what they expect now. A line that is
-- not pegged any more expects nothing. The orders' keys are locked.
select
    watch.order_id, watch.position, watch.check_on, watch.respond_by, ship_to_country,
    (line.placed_at at time zone 'utc')::date as placed_on, promised_to,
    coalesce(made_on <= (received_at at time zone 'utc')::date, false) as is_promised_at_once,
    expected_from, expected_to
from bo_worker.delay_watch as watch
join bo_worker.order_line as line on line.order_id = watch.order_id and line.position = watch.position
join bo_worker.sales_order on sales_order.order_id = watch.order_id
left join bo_worker.promise as told on told.order_id = watch.order_id and told.position = watch.position
where watch.order_id = any($1::text[]);

-- name: load_delay_notices
-- What the customers of orders were told of delays, first to last. The orders' keys are locked.
select
    order_id, number, position, quantity, told_at, reason, agreed_to, new_from, new_to, options, respond_by, rule,
    silence, token_hash, answer, response_id, answered_at, outcome
from bo_worker.delay_notice
where order_id = any($1::text[])
order by order_id, number, position;

-- name: save_delay_watch
-- Stores when lines are looked at again. The orders' keys are locked.
insert into bo_worker.delay_watch (order_id, position, check_on, respond_by)
select * from unnest($1::text[], $2::integer[], $3::date[], $4::timestamptz[])
on conflict (order_id, position) do update set check_on = excluded.check_on, respond_by = excluded.respond_by;

-- name: drop_delay_watch
-- Lines that are not looked at any more. The orders' keys are locked.
delete from bo_worker.delay_watch as watch
using unnest($1::text[], $2::integer[]) as gone (order_id, position)
where watch.order_id = gone.order_id and watch.position = gone.position;

-- name: end_delay_notices
-- Stores answers, and what came of notices. The orders' keys are locked.
update bo_worker.delay_notice as mine
set
    answer = new.answer, response_id = new.response_id, answered_at = new.answered_at, outcome = new.outcome,
    ended_at = coalesce(mine.ended_at, $8::timestamptz)
from unnest($1::text[], $2::integer[], $3::integer[], $4::text[], $5::text[], $6::timestamptz[], $7::text[])
    as new (order_id, number, position, answer, response_id, answered_at, outcome)
where mine.order_id = new.order_id and mine.number = new.number and mine.position = new.position;

-- name: keep_refused_answers
-- Keeps answers that were refused at an instant ($10), each content once, until there are 100 of an order: the first
-- ones stay. The orders' keys are locked, so nobody else counts meanwhile.
insert into bo_worker.refused_answer (
    order_id, response_id, digest, line_id, choice, substitute_sku, token_hash, responded_at, error, received_at
)
select
    order_id, response_id, digest, line_id, choice, substitute_sku, token_hash, responded_at, error, $10::timestamptz
from (
    select *, row_number() over (partition by order_id order by place) as number
    from unnest(
        $1::text[], $2::text[], $3::bytea[], $4::text[], $5::text[], $6::text[], $7::bytea[], $8::timestamptz[],
        $9::text[]
    ) with ordinality as given (
        order_id, response_id, digest, line_id, choice, substitute_sku, token_hash, responded_at, error, place
    )
    where not exists (
        select from bo_worker.refused_answer as known
        where known.order_id = given.order_id and known.response_id = given.response_id
            and known.digest = given.digest
    )
) as new
where number + (
    select count(*) from bo_worker.refused_answer as kept where kept.order_id = new.order_id
) <= 100
on conflict do nothing;

-- name: keep_token_secret
-- Stores a secret for tokens unless there is one.
insert into bo_worker.token_secret (secret) values ($1) on conflict do nothing;

-- name: load_token_secret
-- The secret for tokens that all workers share.
select secret from bo_worker.token_secret where only_row;

-- name: report_notices
-- What the customer of an order was told of delays and answered, and what came of it.
select
    notice.number, line.line_id, notice.quantity, notice.told_at, notice.reason, notice.agreed_to, notice.new_from,
    notice.new_to, notice.options, notice.respond_by, notice.rule, notice.silence, notice.answer, notice.response_id,
    notice.answered_at, notice.outcome, notice.ended_at, encode(notice.token_hash, 'hex') as token_sha256
from bo_worker.delay_notice as notice
join bo_worker.order_line as line using (order_id, position)
where order_id = $1
order by notice.number, notice.position;

-- name: report_refused_answers
-- The answers about an order that were refused, in order of time; those of one transaction by their own instants.
select
    response_id, line_id, choice, substitute_sku, responded_at, received_at, error,
    encode(token_hash, 'hex') as token_sha256
from bo_worker.refused_answer
where order_id = $1
order by received_at, responded_at, response_id, digest;

-- name: report_promised
-- What the customer of an order was promised first, line by line, and what came of it.
select
    line.line_id, promise.made_on, promise.promised_to, promise.level::numeric::double precision as level,
    promise.moves, promise.kept_on, promise.withdrawn_on
from bo_worker.promise
join bo_worker.order_line as line using (order_id, position)
where order_id = $1
order by promise.position;

-- name: report_customer
-- The customer of an order as given, and what amendments changed.
select customer, amended from bo_worker.sales_order where order_id = $1;
