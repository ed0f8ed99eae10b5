-- name: explain_rank_by
-- How the workers rank.
select rank_by from bo_worker.serving;

-- name: explain_lines
-- The lines of an order, with what a rank is made of, and how the order leaves.
select
    line.order_id, position, line_id, sku, pin, backordered, held, line.priority, line.placed_at, line.need_by,
    sales_order.ship_complete, sales_order.hold_until
from bo_worker.order_line as line
join bo_worker.sales_order using (order_id)
where order_id = $1
order by position;

-- name: explain_products
-- Products as lock_products reads them, without a lock.
select
    sku, waiting, unfinished, policy, policy_digest, availability_sequence, procurement_sequence, incoming, promises,
    promises_due, phase, has_waitlist, stock_round, waitlist_told, waitlist_in_stock, waitlist_due, reorder_told,
    expedite_told, closed_reason, review_on, earliest_promise_on
from bo_worker.product
where sku = any($1::text[]);

-- name: explain_queue
-- All lines that wait for a product, when their orders came, and whether these were amended.
select
    order_id, position, line_id, pin, backordered, line.priority, line.placed_at, line.need_by, received_at,
    amended::text <> '{}' as is_amended
from bo_worker.order_line as line
join bo_worker.sales_order using (order_id)
where sku = $1 and backordered > 0;

-- name: explain_given
-- When and why the lines of an order were given units, first to last.
select position, at, cause, change, quantity, location
from bo_worker.journal
where order_id = $1 and change in ('claimed', 'filled')
order by id;

-- name: explain_payment
-- Whether the money for what an order is still to be sent is there; no row where nobody follows it.
select
    status = 'captured' or (status = 'authorized' and coalesce(now() < capture_before, true))
    or not exists (
        select from bo_worker.order_line as line
        where line.order_id = payment.order_id and price_amount::numeric > 0 and backordered + held + released > 0
    )
from bo_worker.order_payment as payment
where order_id = $1;
