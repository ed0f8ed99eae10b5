-- Customers who want to hear when a product can be had again, without an order.

-- told_round: the round of the product's stock in which the customer was told last, 0 before that; told_units: of
-- how many free units. The row is locked by its product.
create table bo_worker.waitlist_entry (
    entry_id text collate "C" primary key,
    sku text collate "C" not null,
    quantity bigint not null check (quantity > 0),
    customer text not null,
    joined_at timestamptz not null,
    told_round integer not null default 0,
    told_units bigint not null default 0 check (told_units between 0 and quantity),
    told_at timestamptz
) with (fillfactor = 80);
create index waitlist_entry_turn on bo_worker.waitlist_entry (sku, told_round, joined_at, entry_id);

alter table bo_worker.product
    add column has_waitlist boolean not null default false,
    add column stock_round integer not null default 0,
    add column waitlist_told bigint not null default 0 check (waitlist_told >= 0),
    add column waitlist_in_stock boolean not null default false,
    add column waitlist_due boolean not null default false;
comment on column bo_worker.product.has_waitlist is 'Somebody joined; without, the columns below are not kept.';
comment on column bo_worker.product.stock_round is 'How often units became available where none were.';
comment on column bo_worker.product.waitlist_told is 'Units of which customers were told in this round.';
comment on column bo_worker.product.waitlist_in_stock is 'Units were available after the last change.';
create index product_waitlist_due on bo_worker.product (sku) where waitlist_due;
