-- Which waiting orders the truck of a purchase order is planned to serve.

-- What was told last of a purchase order in transit and an order. Without lines it is planned no more; the row keeps
-- its revision until the purchase order ends. lines: [position, sku, quantity, expected_from, expected_to, line id,
-- units of it that came] each. Written under the lock of the order.
create table bo_worker.cross_dock_plan (
    purchase_order_id text collate "C" not null,
    order_id text collate "C" not null,
    location text collate "C" not null,
    revision integer not null check (revision > 0),
    expected_from date,
    expected_to date,
    skus text[] collate "C" not null,
    lines jsonb not null,
    primary key (purchase_order_id, order_id)
) with (fillfactor = 80);
create index cross_dock_plan_skus on bo_worker.cross_dock_plan using gin (skus);
