-- name: load_plans
-- The plans with lines of SKUs, and those of pairs of a purchase order and an order. Read without a lock: a plan is
-- written only by who has locked its order.
select purchase_order_id, order_id, location, revision, lines::text
from bo_worker.cross_dock_plan
where skus && $1::text[]
union
select plan.purchase_order_id, plan.order_id, plan.location, plan.revision, plan.lines::text
from unnest($2::text[], $3::text[]) as wanted (purchase_order_id, order_id)
join bo_worker.cross_dock_plan as plan using (purchase_order_id, order_id);

-- name: find_planned_orders
-- The orders that purchase orders are planned to serve with SKUs other than those given.
select purchase_order_id, order_id
from bo_worker.cross_dock_plan
where purchase_order_id = any($1::text[]) and not skus <@ $2::text[];

-- name: save_plans
-- Stores plans. Their orders are locked.
insert into bo_worker.cross_dock_plan (
    purchase_order_id, order_id, location, revision, expected_from, expected_to, skus, lines
)
select
    purchase_order_id, order_id, location, revision, expected_from, expected_to,
    array(select jsonb_array_elements_text(skus)), lines
from unnest($1::text[], $2::text[], $3::text[], $4::integer[], $5::date[], $6::date[], $7::jsonb[], $8::jsonb[])
    as new (purchase_order_id, order_id, location, revision, expected_from, expected_to, skus, lines)
on conflict (purchase_order_id, order_id) do update
set
    location = excluded.location, revision = excluded.revision, expected_from = excluded.expected_from,
    expected_to = excluded.expected_to, skus = excluded.skus, lines = excluded.lines;

-- name: delete_ended_plans
-- Forgets plans without lines of those purchase orders that bring nothing any more.
delete from bo_worker.cross_dock_plan as plan
where plan.purchase_order_id = any($1::text[]) and plan.skus = '{}' and not exists (
    select
    from bo_worker.supply
    where supply.purchase_order_id = plan.purchase_order_id
        and supply.status not in ('cancelled', 'closed') and supply.quantity > supply.received
);
