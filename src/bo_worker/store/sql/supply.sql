-- name: lock_purchase_orders
-- Locks purchase orders, and with them their lines, in order; new ones have no row yet.
select purchase_order_id, version, digest, supplier_id, location, status
from bo_worker.purchase_order
where purchase_order_id = any($1::text[])
order by purchase_order_id
for update;

-- name: load_purchase_order_lines
-- All lines of purchase orders. The purchase orders are locked.
select
    purchase_order_id, line_id, sku, supplier_id, location, status, quantity, received, expected_from, expected_to,
    due_on, promised_on, last_received_on, is_overdue
from bo_worker.supply
where purchase_order_id = any($1::text[])
order by purchase_order_id, line_id, sku;

-- name: load_supply
-- The supply of products that counts. The products are locked, and nobody changes it who has not locked them.
select
    purchase_order_id, line_id, sku, supplier_id, location, status, quantity, received, expected_from, expected_to,
    due_on, promised_on, last_received_on, is_overdue
from bo_worker.supply
where sku = any($1::text[]) and status in ('confirmed', 'in_transit') and quantity > received and not is_overdue
order by purchase_order_id, line_id, sku;

-- name: insert_purchase_orders
-- Stores new purchase orders, in order. They were not there to be locked: of two that met the same one, the later fails.
insert into bo_worker.purchase_order (purchase_order_id, version, digest, supplier_id, location, status)
select * from unnest($1::text[], $2::bigint[], $3::bytea[], $4::text[], $5::text[], $6::text[]);

-- name: update_purchase_orders
-- Stores purchase orders that changed. They are locked.
update bo_worker.purchase_order as mine
set
    version = new.version, digest = new.digest, supplier_id = new.supplier_id, location = new.location,
    status = new.status
from unnest($1::text[], $2::bigint[], $3::bytea[], $4::text[], $5::text[], $6::text[])
    as new (purchase_order_id, version, digest, supplier_id, location, status)
where mine.purchase_order_id = new.purchase_order_id;

-- name: save_supply
-- Stores supply that is new or changed. Its purchase orders or its products are locked.
insert into bo_worker.supply (
    purchase_order_id, line_id, sku, supplier_id, location, status, quantity, received, expected_from, expected_to,
    due_on, promised_on, last_received_on, is_overdue
)
select * from unnest(
    $1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::bigint[], $9::date[],
    $10::date[], $11::date[], $12::date[], $13::date[], $14::boolean[]
)
on conflict (purchase_order_id, line_id, sku) do update
set
    supplier_id = excluded.supplier_id, location = excluded.location, status = excluded.status,
    quantity = excluded.quantity, received = excluded.received, expected_from = excluded.expected_from,
    expected_to = excluded.expected_to, due_on = excluded.due_on, promised_on = excluded.promised_on,
    last_received_on = excluded.last_received_on, is_overdue = excluded.is_overdue;

-- name: save_deliveries
-- Remembers when the last units of purchase order lines came.
insert into bo_worker.delivery (purchase_order_id, line_id, sku, supplier_id, due_on, received_on)
select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::date[], $6::date[])
on conflict (purchase_order_id, line_id, sku) do update
set supplier_id = excluded.supplier_id, due_on = excluded.due_on, received_on = excluded.received_on;

-- name: mark_suppliers
-- Says that deliveries of suppliers have ended, or that their open supply is to be estimated anew for another reason.
-- Purchase orders and products are locked before suppliers.
insert into bo_worker.supplier (supplier_id, deliveries_due)
select supplier_id, true from unnest($1::text[]) as given (supplier_id)
on conflict (supplier_id) do update set deliveries_due = true;

-- name: find_suppliers_due
-- A supplier whose open supply is to be estimated anew today ($1), and after which purchase order.
select supplier_id, coalesce(estimated_to, '') as estimated_to
from bo_worker.supplier
where deliveries_due or estimated_to is not null or estimated_on is distinct from $1::date
order by supplier_id
limit 1;

-- name: find_open_supply
-- The next purchase orders of a supplier with supply that counts.
select distinct purchase_order_id
from bo_worker.supply
where supplier_id = $1 and purchase_order_id > $2
    and status in ('confirmed', 'in_transit') and quantity > received and not is_overdue
order by purchase_order_id
limit $3::bigint;

-- name: update_supplier
-- Says how far the open supply of a supplier was estimated anew. What was due when that was begun is due no more.
update bo_worker.supplier
set
    deliveries_due = deliveries_due and estimated_to is not null, estimated_to = $2::text,
    estimated_on = case when $2::text is null then $3::date else estimated_on end
where supplier_id = $1;

-- name: load_histories
-- How many days late the latest deliveries of suppliers were, at most $3 of each. Twice: of the SKU, and of all.
select wanted.supplier_id, wanted.sku, true as own, past.late_days
from unnest($1::text[], $2::text[]) as wanted (supplier_id, sku)
cross join lateral (
    select received_on - due_on as late_days
    from bo_worker.delivery
    where supplier_id = wanted.supplier_id and sku = wanted.sku
    order by received_on desc
    limit $3::bigint
) as past
union all
select wanted.supplier_id, '', false, past.late_days
from (select distinct supplier_id from unnest($1::text[]) as given (supplier_id)) as wanted
cross join lateral (
    select received_on - due_on as late_days
    from bo_worker.delivery
    where supplier_id = wanted.supplier_id
    order by received_on desc
    limit $3::bigint
) as past;

-- name: update_promises
-- Stores what lines are promised. Their product is locked.
update bo_worker.order_line as mine
set
    expected_from = new.expected_from, expected_to = new.expected_to, told_to = new.told_to,
    is_promised = mine.is_promised or new.told_to is not null
from unnest($1::text[], $2::integer[], $3::date[], $4::date[], $5::date[])
    as new (order_id, position, expected_from, expected_to, told_to)
where mine.order_id = new.order_id and mine.position = new.position;

-- name: find_promises_due
-- Products whose promises may have moved, or passed before today ($1), and that wait for no unfinished cause.
select sku
from (
    (select sku from bo_worker.product where promises_due and unfinished is null order by sku limit $2::bigint)
    union
    (
        select sku from bo_worker.product
        where earliest_promise_on < $1::date and unfinished is null
        order by earliest_promise_on
        limit $2::bigint
    )
) as due
order by sku
limit $2::bigint;

-- name: find_earliest_promises
-- The earliest day, from today ($2) on, that a waiting line of a product is promised. The products are locked.
select given.sku, earliest.expected_to
from unnest($1::text[]) as given (sku)
cross join lateral (
    select expected_to
    from bo_worker.order_line as line
    where line.sku = given.sku and backordered > 0 and expected_to >= $2::date
    order by expected_to
    limit 1
) as earliest;

-- name: find_lapsed
-- Purchase orders with lines on which we relied for a day before today ($1).
select distinct purchase_order_id
from (
    select purchase_order_id
    from bo_worker.supply
    where status in ('confirmed', 'in_transit') and quantity > received and not is_overdue and promised_on < $1::date
    limit $2::bigint
) as lapsed;
