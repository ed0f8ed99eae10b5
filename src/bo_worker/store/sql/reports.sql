-- name: allow_any_plan
-- For this transaction: a report may read more of a table than an index gives at once.
select set_config(name, 'on', true) from unnest(array['enable_seqscan', 'enable_hashjoin', 'enable_mergejoin']) as name;

-- name: report_order
-- The head of an order. Of its customer only the id: a report may end up in a ticket.
select
    order_id, placed_at, received_at, priority, ship_complete, need_by, ship_to_country,
    customer::json ->> 'customer_id' as customer_id
from bo_worker.sales_order
where order_id = $1;

-- name: report_order_lines
-- The lines of an order in their order there, with all buckets.
select
    line_id, status.sku, location, status.quantity, status.backordered, status.held, status.released, status.shipped,
    status.cancelled, status.rejected, status.expected_from, status.expected_to
from bo_worker.order_line_status as status
join bo_worker.order_line as line using (order_id, line_id)
where order_id = $1
order by line.position;

-- name: report_allocations
-- What the lines of an order claim: one row per location and instruction (none while units are held).
select
    line.line_id, claim.location, claim.held, claim.released, claim.shipped, claim.fulfillment_id, claim.lot,
    claim.receipt_id
from bo_worker.claim
join bo_worker.order_line as line using (order_id, position)
where order_id = $1
order by position, claim.number;

-- name: report_ranks
-- Where the waiting lines of an order stand in the queues of SKUs, and how many lines wait there.
select line_id, rank, waiting_lines
from (
    select sku, order_id, line_id, rank, count(*) over (partition by sku) as waiting_lines
    from bo_worker.backorder_queue
) as queue
where sku = any($2::text[]) and order_id = $1;

-- name: report_product
-- A product that was ever stocked, ordered or given a policy; how many units and lines wait for it, and how many of
-- its waitlist were not told since units came last.
select
    sku, waiting as waiting_units,
    (select count(*) from bo_worker.backorder_queue as queue where queue.sku = product.sku) as waiting_lines,
    case when has_waitlist then (
        select count(*) from bo_worker.waitlist_entry as entry
        where entry.sku = product.sku and entry.told_round < greatest(product.stock_round, 1)
    ) else 0 end as waitlist_untold,
    policy
from bo_worker.product
where sku = $1;

-- name: report_stock
-- The stock of a product, by location.
select location, on_hand, allocated, safety_stock, available
from bo_worker.stock_status
where sku = $1
order by location;

-- name: report_queue
-- The head of the queue of a product.
select rank, order_id, line_id, backordered, priority, placed_at, expected_from, expected_to
from bo_worker.backorder_queue
where sku = $1
order by rank
limit $2;

-- name: report_order_history
-- What happened to an order, first to last: the journal's entries of its lines.
select
    at, change, journal.quantity, journal.sku, location, line_id, via, fulfillment_id, cause
from bo_worker.journal
left join bo_worker.order_line as line using (order_id, position)
where order_id = $1
order by id;

-- name: report_product_history
-- What happened to a product: the last entries of the journal, first to last.
select at, change, quantity, location, order_id, via, fulfillment_id, cause
from (select * from bo_worker.journal where sku = $1 order by id desc limit $2) as latest
order by id;
