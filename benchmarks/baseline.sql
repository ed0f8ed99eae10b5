-- The schema of the per-message worker.
create schema baseline;

create table baseline.stock (
    sku text not null,
    location text not null,
    on_hand bigint not null,
    allocated bigint not null,
    primary key (sku, location),
    check (0 <= allocated and allocated <= on_hand)
);

create table baseline.receipt (
    receipt_id text primary key,
    location text not null,
    received_at timestamptz not null
);

create table baseline.customer_order (
    order_id text primary key,
    placed_at timestamptz not null,
    customer text not null,
    notifications integer not null,
    fulfillments integer not null
);

create table baseline.order_line (
    order_id text not null references baseline.customer_order,
    line_id text not null,
    sku text not null,
    quantity bigint not null check (quantity > 0),
    backordered bigint not null check (backordered >= 0),
    primary key (order_id, line_id)
);
create index order_line_waiting on baseline.order_line (sku) where backordered > 0;

create table baseline.claim (
    order_id text not null,
    line_id text not null,
    location text not null,
    quantity bigint not null,
    fulfillment_id text not null,
    primary key (order_id, line_id, fulfillment_id)
);

create table baseline.outbox (
    id bigint generated always as identity primary key,
    topic text not null,
    key text not null,
    headers text not null,
    value text not null
);
