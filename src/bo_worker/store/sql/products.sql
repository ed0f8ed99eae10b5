-- name: lock_products
-- Locks products, and with them their stock and their queues, in order; new ones have no row yet.
select
    sku, waiting, unfinished, policy, policy_digest, availability_sequence, procurement_sequence, incoming, promises,
    promises_due, phase, has_waitlist, stock_round, waitlist_told, waitlist_in_stock, waitlist_due, reorder_told,
    expedite_told, closed_reason, review_on, earliest_promise_on
from bo_worker.product
where sku = any($1::text[])
order by sku
for update;

-- name: load_stock
-- The stock of products at all locations. The products are locked.
select sku, location, on_hand, allocated from bo_worker.stock where sku = any($1::text[]);

-- name: update_products
-- Stores how many units wait, and the number of the last availability. The products are locked.
update bo_worker.product as mine
set waiting = new.waiting, availability_sequence = new.availability_sequence
from unnest($1::text[], $2::bigint[], $3::integer[]) as new (sku, waiting, availability_sequence)
where mine.sku = new.sku;

-- name: update_product_supply
-- Stores what is on its way, and what is known of the promises. The products are locked.
update bo_worker.product as mine
set
    incoming = new.incoming, promises = new.promises, promises_due = new.promises_due,
    earliest_promise_on = new.earliest_promise_on
from unnest($1::text[], $2::bigint[], $3::integer[], $4::boolean[], $5::date[])
    as new (sku, incoming, promises, promises_due, earliest_promise_on)
where mine.sku = new.sku;

-- name: update_policies
-- Stores policies that changed, and what their kinds make of the day. The products are locked.
update bo_worker.product as mine
set
    policy = new.policy, policy_digest = new.digest, safety_stock = new.safety_stock, phase = new.phase,
    next_change_on = new.next_change_on
from unnest($1::text[], $2::text[], $3::bytea[], $4::bigint[], $5::text[], $6::date[])
    as new (sku, policy, digest, safety_stock, phase, next_change_on)
where mine.sku = new.sku;

-- name: find_substitutes
-- The policies of products, which may name others that stand in for them. Locks nothing: that may change yet.
select policy from bo_worker.product where sku = any($1::text[]) and policy is not null;

-- name: find_turning
-- Products whose next phase begins by today ($1), and that wait for no unfinished cause.
select sku from bo_worker.product
where next_change_on <= $1::date and unfinished is null
order by next_change_on, sku
limit $2::bigint;

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

-- name: load_lane_heads_by_need_by
-- The same where the earliest need goes first: the first lines of queues, until as many units wait as may come free. At most $4 lines a lane, $5 in all.
-- The products are locked, so nobody enters or leaves these queues.
select lane.sku, lane.pin, head.order_id, head.position, head.backordered
from unnest($1::text[], $2::text[], $3::bigint[]) as lane (sku, pin, units)
cross join lateral (
    select
        first.*,
        coalesce(sum(first.backordered) over (
            order by first.priority desc, first.need_by, first.placed_at, first.order_id, first.position
            rows between unbounded preceding and 1 preceding
        ), 0) as ahead
    from (
        select order_id, position, backordered, priority, need_by, placed_at
        from bo_worker.order_line
        where sku = lane.sku and pin = lane.pin and backordered > 0
        order by priority desc, need_by, placed_at, order_id, position
        limit least(lane.units, $4::bigint)
    ) as first
) as head
where head.ahead < lane.units
limit $5::bigint;

-- name: load_losing_claims
-- The open claims at places in the order in which they give way (held before released, lowest rank first), until
-- they cover as many units as may be missing. At most $4 claims a place. The products are locked.
select place.sku, place.location, last.order_id, last.position, last.number, last.units
from unnest($1::text[], $2::text[], $3::bigint[]) as place (sku, location, units)
cross join lateral (
    select
        claim.order_id, claim.position, claim.number, claim.held + claim.released as units,
        coalesce(sum(claim.held + claim.released) over (
            order by claim.held > 0 desc, line.priority, line.placed_at desc, claim.order_id desc,
                claim.position desc, claim.number desc
            rows between unbounded preceding and 1 preceding
        ), 0) as ahead
    from bo_worker.claim
    join bo_worker.order_line as line
        on line.order_id = claim.order_id and line.position = claim.position
    where claim.sku = place.sku and claim.location = place.location and claim.held + claim.released > 0
    order by ahead
    limit $4::bigint
) as last
where last.ahead < place.units;

-- name: load_losing_claims_by_need_by
-- The same where the earliest need goes first: the open claims at places in the order in which they give way (held before released, lowest rank first), until
-- they cover as many units as may be missing. At most $4 claims a place. The products are locked.
select place.sku, place.location, last.order_id, last.position, last.number, last.units
from unnest($1::text[], $2::text[], $3::bigint[]) as place (sku, location, units)
cross join lateral (
    select
        claim.order_id, claim.position, claim.number, claim.held + claim.released as units,
        coalesce(sum(claim.held + claim.released) over (
            order by claim.held > 0 desc, line.priority, line.need_by desc nulls first, line.placed_at desc, claim.order_id desc,
                claim.position desc, claim.number desc
            rows between unbounded preceding and 1 preceding
        ), 0) as ahead
    from bo_worker.claim
    join bo_worker.order_line as line
        on line.order_id = claim.order_id and line.position = claim.position
    where claim.sku = place.sku and claim.location = place.location and claim.held + claim.released > 0
    order by ahead
    limit $4::bigint
) as last
where last.ahead < place.units;
