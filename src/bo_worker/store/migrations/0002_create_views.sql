-- Views that stay stable for reports and other readers (contract, section 4).

create view bo_worker.order_line_status as
select
    order_id, line_id, sku, nullif(pin, '') as location, quantity,
    backordered, held, released, shipped, cancelled, rejected,
    priority, placed_at, null::date as expected_from, null::date as expected_to
from bo_worker.order_line;

create view bo_worker.allocation_status as
select
    claim.order_id, line.line_id, claim.sku, claim.location,
    sum(claim.held)::bigint as held, sum(claim.released)::bigint as released, sum(claim.shipped)::bigint as shipped
from bo_worker.claim
join bo_worker.order_line as line using (order_id, position)
group by claim.order_id, claim.position, line.line_id, claim.sku, claim.location;

create view bo_worker.stock_status as
select
    stock.sku, stock.location, stock.on_hand, stock.allocated,
    coalesce(product.safety_stock, 0) as safety_stock,
    greatest(0, stock.on_hand - stock.allocated - coalesce(product.safety_stock, 0)) as available
from bo_worker.stock
left join bo_worker.product using (sku);

create view bo_worker.backorder_queue as
select
    sku,
    row_number() over (
        partition by sku order by priority desc, placed_at, order_id, position
    ) as rank,
    order_id, line_id, backordered, priority, placed_at,
    null::date as expected_from, null::date as expected_to
from bo_worker.order_line
where backordered > 0;
