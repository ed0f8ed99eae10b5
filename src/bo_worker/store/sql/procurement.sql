-- name: update_procurement
-- Stores what purchasing was told, and whether lines may wait. The products are locked.
update bo_worker.product as mine
set
    procurement_sequence = new.procurement_sequence, reorder_told = new.reorder_told,
    expedite_told = new.expedite_told, closed_reason = new.closed_reason, review_on = new.review_on
from unnest($1::text[], $2::integer[], $3::boolean[], $4::bigint[], $5::text[], $6::date[])
    as new (sku, procurement_sequence, reorder_told, expedite_told, closed_reason, review_on)
where mine.sku = new.sku;

-- name: describe_queues
-- Who waits for products: how many orders, the earliest need, the latest promise, whether a line has none, since when.
-- Lines that are not served as they are not paid need no promise. The products are locked.
select wanted.sku, queue.orders, queue.need_by, queue.promised_to, queue.is_unpromised, queue.placed_at
from unnest($1::text[]) as wanted (sku)
cross join lateral (
    select
        count(distinct line.order_id) as orders, min(line.need_by) as need_by, max(line.expected_to) as promised_to,
        bool_or(line.expected_to is null and left(line.pin, 1) <> '!') as is_unpromised, min(line.placed_at) as placed_at
    from bo_worker.order_line as line
    where line.sku = wanted.sku and line.backordered > 0
) as queue
where queue.orders > 0;

-- name: sum_waiting
-- The units that wait for products, by pin, also of lines that are not paid. The products are locked.
select wanted.sku, queue.pin, queue.units
from unnest($1::text[]) as wanted (sku)
cross join lateral (
    select ltrim(line.pin, '!') as pin, sum(line.backordered)::bigint as units
    from bo_worker.order_line as line
    where line.sku = wanted.sku and line.backordered > 0
    group by 1
) as queue;

-- name: add_backorder_day
-- Counts units that began to wait today, or were cancelled while they waited. The products are locked.
insert into bo_worker.backorder_day as mine (sku, day, backordered, cancelled)
select new.sku, $4::date, new.backordered, new.cancelled
from unnest($1::text[], $2::bigint[], $3::bigint[]) as new (sku, backordered, cancelled)
on conflict (sku, day) do update
set backordered = mine.backordered + excluded.backordered, cancelled = mine.cancelled + excluded.cancelled;

-- name: sum_backorder_days
-- What was counted of products after a day ($2). The products are locked.
select wanted.sku, coalesce(sum(days.backordered), 0)::bigint, coalesce(sum(days.cancelled), 0)::bigint
from unnest($1::text[]) as wanted (sku)
join bo_worker.backorder_day as days on days.sku = wanted.sku and days.day > $2::date
group by wanted.sku;

-- name: drop_backorder_days
-- Forgets what counts no longer. The products are locked.
delete from bo_worker.backorder_day where sku = any($1::text[]) and day <= $2::date;

-- name: find_reviews
-- Products of which it is due today ($1) to ask whether lines may wait, and that wait for no unfinished cause.
select sku from bo_worker.product
where review_on <= $1::date and unfinished is null
order by review_on, sku
limit $2::bigint;
