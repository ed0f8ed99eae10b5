-- What is on its way, and what waiting customers were promised because of it.

-- Purchase orders in their latest version. Version -1: goods came for it before it was announced.
create table bo_worker.purchase_order (
    purchase_order_id text collate "C" primary key,
    version bigint not null,
    digest bytea not null,
    supplier_id text collate "C" not null,
    location text collate "C" not null,
    status text not null
) with (fillfactor = 80);

-- Units of one SKU that a purchase order brings. The row is locked by its purchase order and by its product.
-- status repeats the purchase order's, because supply is read by SKU.
create table bo_worker.supply (
    purchase_order_id text collate "C" not null,
    line_id text collate "C" not null,
    sku text collate "C" not null,
    supplier_id text collate "C" not null,
    location text collate "C" not null,
    status text not null,
    quantity bigint not null check (quantity >= 0),
    received bigint not null check (received >= 0),
    expected_from date not null,
    expected_to date not null,
    due_on date not null,
    promised_on date not null,
    last_received_on date,
    is_overdue boolean not null,
    primary key (purchase_order_id, line_id, sku)
) with (fillfactor = 80);
comment on column bo_worker.supply.due_on is 'The earliest expected_to while the units counted; lateness is measured from it.';
comment on column bo_worker.supply.promised_on is 'The day by which the units are here with the wanted probability.';
comment on column bo_worker.supply.is_overdue is 'That day passed and nothing came: the units count no longer.';

-- The supply that counts, by SKU.
create index supply_counted on bo_worker.supply (sku)
    where status in ('confirmed', 'in_transit') and quantity > received and not is_overdue;
-- Of it, what will count no longer from a day on unless something comes.
create index supply_lapses on bo_worker.supply (promised_on)
    where status in ('confirmed', 'in_transit') and quantity > received and received = 0 and not is_overdue;

-- How late purchase order lines were when their last units came: what dates are promised from.
create table bo_worker.delivery (
    purchase_order_id text collate "C" not null,
    line_id text collate "C" not null,
    sku text collate "C" not null,
    supplier_id text collate "C" not null,
    due_on date not null,
    received_on date not null,
    primary key (purchase_order_id, line_id, sku)
);
create index delivery_supplier on bo_worker.delivery (supplier_id, received_on);
create index delivery_supplier_sku on bo_worker.delivery (supplier_id, sku, received_on);

-- What the queue of a product is promised from, and whether its promises must be looked at again.
alter table bo_worker.product
    add column incoming bigint not null default 0 check (incoming >= 0),
    add column promises integer not null default 0,
    add column promises_due boolean not null default false;
comment on column bo_worker.product.incoming is 'Units of purchase orders that count, as in table supply.';
comment on column bo_worker.product.promises is 'How often its promises were looked at again.';
create index product_promises_due on bo_worker.product (sku) where promises_due;

-- expected_from, expected_to: what the line is pegged to now. told_to: the last day that its customer was told.
alter table bo_worker.order_line
    add column expected_from date,
    add column expected_to date,
    add column told_to date;
-- Lines that were pegged, and may have to give up their dates.
create index order_line_pegged on bo_worker.order_line (sku) where backordered > 0 and expected_to is not null;

create or replace view bo_worker.order_line_status as
select
    order_id, line_id, sku, nullif(pin, '') as location, quantity,
    backordered, held, released, shipped, cancelled, rejected,
    priority, placed_at,
    case when backordered > 0 then expected_from end as expected_from,
    case when backordered > 0 then expected_to end as expected_to
from bo_worker.order_line;

create or replace view bo_worker.backorder_queue as
select
    sku,
    row_number() over (
        partition by sku
        order by
            priority desc,
            case when (select rank_by from bo_worker.serving) = 'need_by' then need_by end nulls last,
            placed_at, order_id, position
    ) as rank,
    order_id, line_id, backordered, priority, placed_at, expected_from, expected_to
from bo_worker.order_line
where backordered > 0;
