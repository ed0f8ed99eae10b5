-- name: find_waiting_lanes
-- Which of these lanes have lines that wait. The products are locked.
select lane.sku, lane.pin
from unnest($1::text[], $2::text[]) as lane (sku, pin)
cross join lateral (
    select from bo_worker.order_line where sku = lane.sku and pin = lane.pin and backordered > 0 limit 1
) as line;

-- name: find_queue_ends, ranked
-- The last line that waits for each product without a pin, and whether others wait with one. The products are locked.
select last.*, exists (
    select from bo_worker.order_line where sku = given.sku and pin > '' and backordered > 0
) as has_pins
from unnest($1::text[]) as given (sku)
cross join lateral (
    select sku, priority, placed_at, need_by, order_id, position
    from bo_worker.order_line
    where sku = given.sku and pin = '' and backordered > 0
    order by priority, placed_at desc, order_id desc, position desc
    limit 1
) as last;

-- name: load_runs, ranked
-- Queues in rank, with lines of one pin that follow each other as one row: that of the last of them, with the units
-- that wait up to there in all lanes that are read. Of each lane, as many lines are read as there are units on their
-- way, at most $4; where that was the end, the row says so (is_cut). Lines of the orders in $5 are left out. These and
-- the ranks in $6 to $11 end a row, as every line does if $12. The products are locked, so nobody enters or leaves
-- these queues.
select sku, pin, priority, placed_at, need_by, order_id, position, units_to, is_cut
from (
    select
        place.*,
        sum(units) over ranked::bigint as units_to,
        lead(pin) over ranked is distinct from pin or $12::boolean as is_end
    from (
        select
            sku, case when not order_id = any($5::text[]) then pin end as pin,
            case when order_id = any($5::text[]) then 0 else backordered end as units,
            priority, placed_at, need_by, order_id, position, is_cut
        from unnest($1::text[], $2::text[], $3::bigint[]) as lane (sku, pin, units)
        cross join lateral (
            select first.*, row_number() over () = $4::bigint as is_cut
            from (
                select priority, placed_at, need_by, order_id, position, backordered
                from bo_worker.order_line
                where sku = lane.sku and pin = lane.pin and backordered > 0
                order by priority desc, placed_at, order_id, position
                limit least(lane.units, $4::bigint)
            ) as first
        ) as head
        union all
        select sku, null, 0, priority, placed_at, need_by, order_id, position, false
        from unnest($6::text[], $7::smallint[], $8::timestamptz[], $9::timestamptz[], $10::text[], $11::integer[])
            as mark (sku, priority, placed_at, need_by, order_id, position)
    ) as place
    window ranked as (
        partition by sku order by priority desc, placed_at, order_id, position
        rows between unbounded preceding and current row
    )
) as run
where (is_end and pin is not null) or is_cut
order by sku, priority desc, placed_at, order_id, position;

-- name: find_moved, ranked
-- Of lanes, the lines with another promise than what is on its way covers, or that are to be told of it, and the last
-- line of each lane that it may be for (is_end); ends first, then in rank, at most $13. Of a lane, as many lines are
-- read as there are units on their way for it, at most $12. $1 to $7: the lanes, their units, and what a line is promised
-- that is not covered: a day, another one where its own has passed, and between which days it keeps its own. $8 to $11:
-- per lane (its number), up to how many units it is covered, and the days; one before today ($15) moves nobody. The
-- products are locked.
with share as (
    select
        number, array_agg(units_to order by units_to) as units_to,
        array_agg(expected_from order by units_to) as expected_from,
        array_agg(expected_to order by units_to) as expected_to
    from unnest($8::integer[], $9::bigint[], $10::date[], $11::date[])
        as given (number, units_to, expected_from, expected_to)
    group by number
),
lane as materialized (
    select given.*, share.units_to, share.expected_from, share.expected_to
    from unnest($1::text[], $2::text[], $3::bigint[], $4::date[], $5::date[], $6::date[], $7::date[])
        with ordinality as given (sku, pin, units, day, late_day, kept_from, kept_to, number)
    left join share on share.number = given.number
)
select *
from (
    select
        lane.sku, lane.pin, head.*,
        case when is_kept then head.expected_from else coalesce(covered_from, other_day) end as new_from,
        case when is_kept then head.expected_to else coalesce(covered_to, other_day) end as new_to,
        head.units_to >= lane.units or head.is_last as is_end
    from lane
    cross join lateral (
        select
            first.*,
            sum(backordered) over ranked::bigint as units_to,
            lead(order_id) over ranked is null as is_last
        from (
            select
                order_id, position, backordered, priority, placed_at, need_by, expected_from, expected_to, told_to
            from bo_worker.order_line
            where sku = lane.sku and pin = lane.pin and backordered > 0
            order by priority desc, placed_at, order_id, position
            limit least(lane.units, $12::bigint)
        ) as first
        window ranked as (
            order by priority desc, placed_at, order_id, position rows between unbounded preceding and current row
        )
    ) as head
    cross join lateral (select width_bucket(head.units_to - 1, lane.units_to) + 1 as part) as found
    cross join lateral (
        select lane.expected_from[part] as covered_from, lane.expected_to[part] as covered_to
    ) as covered
    cross join lateral (
        select
            coalesce(
                covered_to < $15::date
                or (covered_to is null and head.expected_to between lane.kept_from and lane.kept_to), false
            ) as is_kept,
            case when head.expected_to < $15 then lane.late_day else lane.day end as other_day
    ) as otherwise
    where head.units_to - head.backordered < lane.units
) as line
where is_end
    or new_from is distinct from expected_from or new_to is distinct from expected_to
    or (told_to is null) <> (new_to is null) or abs(new_to - told_to) >= $14::integer
order by is_end desc, sku, priority desc, placed_at, order_id, position
limit $13::bigint;

-- name: find_moved_behind
-- The lines that have a promise and rank behind the last line of their lane that what is on its way may be for, or are
-- in a lane without one, where another is right now or is to be told; at most $13, by product and in rank. $1 to $5:
-- products, and what a line is promised that is not covered, as in find_moved. $6 to $12: those last lines. $14: whether
-- the earliest need goes first. Lines that are suspended are promised nothing. The products are locked. A limit for
-- each product keeps it to its own lines: without it, those of all products may be read.
with last as materialized (
    select
        sku, array_agg(pin) as pins, array_agg(-priority) as priority, array_agg(placed_at) as placed_at,
        array_agg(coalesce(need_by, 'infinity')) as need_by, array_agg(order_id) as order_id,
        array_agg(position) as position
    from unnest(
        $6::text[], $7::text[], $8::smallint[], $9::timestamptz[], $10::timestamptz[], $11::text[], $12::integer[]
    ) as given (sku, pin, priority, placed_at, need_by, order_id, position)
    group by sku
)
select line.*, false as is_end
from unnest($1::text[], $2::date[], $3::date[], $4::date[], $5::date[])
    as product (sku, day, late_day, kept_from, kept_to)
left join last on last.sku = product.sku
cross join lateral (
    select pegged.*
    from (
        select
            sku, pin, order_id, position, backordered, priority, placed_at, need_by, expected_from, expected_to, told_to,
            case when is_kept then expected_from else other_day end as new_from,
            case when is_kept then expected_to else other_day end as new_to
        from bo_worker.order_line as line
        cross join lateral (
            select
                array_position(last.pins, line.pin) as lane,
                left(line.pin, 1) <> '!' and coalesce(
                    line.expected_to between product.kept_from and product.kept_to, false
                ) as is_kept,
                case
                    when left(line.pin, 1) = '!' then null
                    when line.expected_to < $16::date then product.late_day
                    else product.day
                end as other_day
        ) as found
        where line.sku = product.sku and line.backordered > 0 and line.expected_to is not null
            and (
                lane is null
                or (
                    -line.priority,
                    case when $14::boolean then coalesce(line.need_by, 'infinity') else line.placed_at end,
                    line.placed_at, line.order_id, line.position
                ) > (
                    last.priority[lane], case when $14 then last.need_by[lane] else last.placed_at[lane] end,
                    last.placed_at[lane], last.order_id[lane], last.position[lane]
                )
            )
    ) as pegged
    where new_from is distinct from expected_from or new_to is distinct from expected_to
        or (told_to is null) <> (new_to is null) or abs(new_to - told_to) >= $15::integer
    order by
        priority desc, case when $14 then coalesce(need_by, 'infinity') else placed_at end, placed_at, order_id,
        position
    limit $13::bigint
) as line
limit $13::bigint;

-- name: load_carried, ranked
-- The lines of lanes ($1 to $3, with the units up to which to read) that get any of some units, and how many units wait
-- ahead of them in their lane: units behind the first $5 and up to $6, counted in rank, of the lane with the number $4.
-- Of each lane, at most $7 lines are read, and the first $8 of those found are returned. The products are locked.
with part as materialized (
    select
        number, array_agg(units_from order by units_from) as units_from,
        array_agg(units_to order by units_to) as units_to
    from unnest($4::integer[], $5::bigint[], $6::bigint[]) as given (number, units_from, units_to)
    group by number
)
select lane.sku, lane.pin, carried.*
from unnest($1::text[], $2::text[], $3::bigint[]) with ordinality as lane (sku, pin, units, number)
join part on part.number = lane.number
cross join lateral (
    select head.*, units_to - backordered as ahead
    from (
        select
            first.*,
            sum(backordered) over (
                order by priority desc, placed_at, order_id, position
                rows between unbounded preceding and current row
            )::bigint as units_to
        from (
            select
                order_id, position, backordered, priority, placed_at, need_by, expected_from, expected_to, told_to
            from bo_worker.order_line
            where sku = lane.sku and pin = lane.pin and backordered > 0
            order by priority desc, placed_at, order_id, position
            limit least(lane.units, $7::bigint)
        ) as first
    ) as head
    where width_bucket(units_to - 1, part.units_from) > width_bucket(units_to - backordered, part.units_to)
    order by priority desc, placed_at, order_id, position
    limit $8::bigint
) as carried;
