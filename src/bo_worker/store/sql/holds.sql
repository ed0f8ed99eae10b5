-- name: find_passed_holds
-- Orders that hold units which have waited for the rest until before a day ($1).
select order_id from bo_worker.sales_order
where hold_until < $1::date
order by hold_until, order_id
limit $2::bigint;

-- name: find_held_orders
-- Those of some orders that hold units which wait for the rest.
select order_id from bo_worker.sales_order where order_id = any($1::text[]) and hold_until is not null;
