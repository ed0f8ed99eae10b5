-- name: lock_products
-- Locks products, and with them their stock and their queues, in order; new ones have no row yet.
select sku, waiting, unfinished, policy_version, policy_digest, policy
from bo_worker.product
where sku = any($1::text[])
order by sku
for update;

-- name: load_stock
-- The stock of products at all locations. The products are locked.
select sku, location, on_hand, allocated from bo_worker.stock where sku = any($1::text[]);

-- name: update_products
-- Stores how many units wait. The products are locked.
update bo_worker.product as mine set waiting = new.waiting
from unnest($1::text[], $2::bigint[]) as new (sku, waiting)
where mine.sku = new.sku;

-- name: mark_unfinished
-- Says (or, with null, no longer says) that a cause must be finished before anything else touches the products.
update bo_worker.product set unfinished = $2 where sku = any($1::text[]);

-- name: update_stock
-- Stores counters. The products are locked.
update bo_worker.stock as mine set on_hand = new.on_hand, allocated = new.allocated
from unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[]) as new (sku, location, on_hand, allocated)
where mine.sku = new.sku and mine.location = new.location;

-- name: load_lane_heads
-- The first lines of queues, until as many units wait as may come free. At most $4 lines a lane, $5 in all.
-- The products are locked, so nobody enters or leaves these queues.
select lane.sku, lane.pin, head.order_id, head.position, head.backordered
from unnest($1::text[], $2::text[], $3::bigint[]) as lane (sku, pin, units)
cross join lateral (
    select
        first.*,
        coalesce(sum(first.backordered) over (
            order by first.priority desc, first.placed_at, first.order_id, first.position
            rows between unbounded preceding and 1 preceding
        ), 0) as ahead
    from (
        select order_id, position, backordered, priority, placed_at
        from bo_worker.order_line
        where sku = lane.sku and pin = lane.pin and backordered > 0
        order by priority desc, placed_at, order_id, position
        limit least(lane.units, $4::bigint)
    ) as first
) as head
where head.ahead < lane.units
limit $5::bigint;
