-- name: find_order_digests
-- The digests of orders that exist. Their keys are locked.
select order_id, digest from bo_worker.sales_order where order_id = any($1::text[]);

-- name: load_orders
-- Orders that are about to be changed. Their keys are locked.
select
    order_id, placed_at, customer, priority, ship_complete, need_by, amended, hold_until,
    has_payment or authorization_id is not null as has_payment
from bo_worker.sales_order
where order_id = any($1::text[]);

-- name: load_lines
-- All lines of orders. The orders' keys are locked. Whether a line is drop-shipped is asked only where it is promised.
select
    order_id, position, line_id, sku, pin, quantity,
    backordered, held, released, shipped, cancelled, rejected, claim_count, backorder,
    price_amount, price_currency, stands_for, expected_to, is_promised and backordered > 0 as is_promised,
    case
        when expected_to is not null and backordered > 0
            then (select phase = 'drop_ship' from bo_worker.product where product.sku = order_line.sku)
        else false
    end as is_drop_shipped
from bo_worker.order_line
where order_id = any($1::text[])
order by order_id, position;

-- name: load_open_lines
-- The lines of orders on which something waits or is held, without what nobody asks for there. The orders' keys are locked.
select
    order_id, position, line_id, sku, pin, quantity,
    backordered, held, released, shipped, cancelled, rejected, claim_count, backorder,
    null::text as price_amount, null::text as price_currency, null::integer as stands_for, expected_to,
    is_promised and backordered > 0 as is_promised,
    case
        when expected_to is not null and backordered > 0
            then (select phase = 'drop_ship' from bo_worker.product where product.sku = order_line.sku)
        else false
    end as is_drop_shipped
from bo_worker.order_line
where order_id = any($1::text[]) and (backordered > 0 or held > 0)
order by order_id, position;

-- name: load_claims
-- What lines hold or have released. The orders' keys are locked. The condition is not that of the index claim_open:
-- a plan made while there are few claims would read all of that index, and would be kept when there are many.
select claim.order_id, claim.position, number, location, held, released, shipped, fulfillment_id, lot,
    receipt_id, receipt_line, pending_cause
from unnest($1::text[], $2::integer[]) as wanted (order_id, position)
join bo_worker.claim on claim.order_id = wanted.order_id and claim.position = wanted.position
where held > 0 or released > 0
order by claim.order_id, claim.position, number;

-- name: update_orders
-- Stores what an amendment changed, and until when an order waits for the rest of it. The orders' keys are locked.
update bo_worker.sales_order as mine
set
    priority = new.priority, ship_complete = new.ship_complete, need_by = new.need_by, amended = new.amended,
    hold_until = new.hold_until
from unnest($1::text[], $2::smallint[], $3::boolean[], $4::timestamptz[], $5::text[], $6::date[])
    as new (order_id, priority, ship_complete, need_by, amended, hold_until)
where mine.order_id = new.order_id;

-- name: update_lines
-- Stores the buckets of lines that changed. The orders' keys are locked.
update bo_worker.order_line as mine
set
    backordered = new.backordered, held = new.held, released = new.released, shipped = new.shipped,
    cancelled = new.cancelled, rejected = new.rejected, claim_count = new.claim_count,
    priority = new.priority, need_by = new.need_by
from unnest(
    $1::text[], $2::integer[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[],
    $9::integer[], $10::smallint[], $11::timestamptz[]
) as new (
    order_id, position, backordered, held, released, shipped, cancelled, rejected, claim_count, priority, need_by
)
where mine.order_id = new.order_id and mine.position = new.position;

-- name: update_claims
-- Stores claims that changed. The orders' keys are locked.
update bo_worker.claim as mine
set
    held = new.held, released = new.released, shipped = new.shipped, fulfillment_id = new.fulfillment_id,
    lot = new.lot, pending_cause = new.pending_cause
from unnest(
    $1::text[], $2::integer[], $3::integer[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[], $8::text[],
    $9::text[]
) as new (order_id, position, number, held, released, shipped, fulfillment_id, lot, pending_cause)
where mine.order_id = new.order_id and mine.position = new.position and mine.number = new.number;
