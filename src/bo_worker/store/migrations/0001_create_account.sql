-- The account of stock, claims and backorders, and what makes it exactly-once.
-- Ids compare by code point whatever the database's collation, as ranks and ties are defined on code points.
-- Rows that change often leave room on their page (fillfactor), and no index covers what changes, so that
-- updates stay on the page (HOT). The one exception is a queue: a line enters and leaves it by its backordered.

-- How far each input partition is applied. The owner's epoch is the fence against an owner of before.
create table bo_worker.stream_position (
    topic text collate "C" not null,
    partition integer not null,
    epoch bigint not null,
    next_offset bigint,
    primary key (topic, partition)
) with (fillfactor = 50);

-- What is known under a message key: the last sequence number per topic. Its row is the lock of an order.
create table bo_worker.message_key (
    key text collate "C" primary key,
    notifications integer not null default 0,
    fulfillments integer not null default 0,
    payments integer not null default 0
) with (fillfactor = 80);

-- Natural ids of applied messages other than orders, with a digest of their content.
create table bo_worker.applied_message (
    topic text collate "C" not null,
    natural_id text collate "C" not null,
    digest bytea not null,
    primary key (topic, natural_id)
);

create table bo_worker.sales_order (
    order_id text collate "C" primary key,
    digest bytea not null,
    placed_at timestamptz not null,
    priority smallint not null,
    ship_complete boolean not null,
    need_by timestamptz,
    ship_to_country text,
    customer text not null,
    authorization_id text,
    capture_before timestamptz,
    received_at timestamptz not null
) with (fillfactor = 90);

-- priority, placed_at and need_by repeat the order's, because the queue is read in their order.
create table bo_worker.order_line (
    order_id text collate "C" not null,
    position integer not null,
    line_id text collate "C" not null,
    sku text collate "C" not null,
    pin text collate "C" not null,
    quantity bigint not null check (quantity > 0),
    backordered bigint not null check (backordered >= 0),
    held bigint not null check (held >= 0),
    released bigint not null check (released >= 0),
    shipped bigint not null check (shipped >= 0),
    cancelled bigint not null check (cancelled >= 0),
    rejected bigint not null check (rejected >= 0),
    claim_count integer not null,
    priority smallint not null,
    placed_at timestamptz not null,
    need_by timestamptz,
    backorder text,
    price_amount text,
    price_currency text,
    primary key (order_id, position),
    constraint buckets_sum_to_quantity
        check (backordered + held + released + shipped + cancelled + rejected = quantity)
) with (fillfactor = 85);
comment on column bo_worker.order_line.pin is 'The one location that may serve the line; empty: any.';

-- The queue of a SKU: its head is read in rank, at a cost that does not depend on its length.
create index order_line_queue_by_placed_at
    on bo_worker.order_line (sku, pin, priority desc, placed_at, order_id, position)
    where backordered > 0;

-- What a line holds or has released at one location; one row per instruction.
create table bo_worker.claim (
    order_id text collate "C" not null,
    position integer not null,
    number integer not null,
    sku text collate "C" not null,
    location text collate "C" not null,
    held bigint not null check (held >= 0),
    released bigint not null check (released >= 0),
    shipped bigint not null check (shipped >= 0),
    fulfillment_id text collate "C",
    lot text collate "C",
    receipt_id text collate "C",
    receipt_line text collate "C",
    pending_cause text collate "C",
    primary key (order_id, position, number)
) with (fillfactor = 85);
comment on column bo_worker.claim.pending_cause is 'The unfinished cause that gave the units and will release them.';

-- Claims of an unfinished cause that wait for their release.
create index claim_pending on bo_worker.claim (pending_cause, order_id) where pending_cause is not null;

-- The row of a product is the lock of its stock and of its queue.
create table bo_worker.product (
    sku text collate "C" primary key,
    waiting bigint not null default 0 check (waiting >= 0),
    unfinished text collate "C",
    policy_version bigint,
    policy_digest bytea,
    policy text,
    safety_stock bigint not null default 0 check (safety_stock >= 0),
    availability_sequence integer not null default 0,
    procurement_sequence integer not null default 0
) with (fillfactor = 50);
comment on column bo_worker.product.waiting is 'The sum of backordered over all lines of the SKU.';
comment on column bo_worker.product.unfinished is 'The cause that must be finished before anything else touches it.';

create table bo_worker.stock (
    sku text collate "C" not null,
    location text collate "C" not null,
    on_hand bigint not null,
    allocated bigint not null,
    primary key (sku, location),
    constraint never_oversold check (0 <= allocated and allocated <= on_hand)
) with (fillfactor = 50);

-- A change too large for one transaction: what of it is still to be settled.
create table bo_worker.unfinished_cause (
    cause text collate "C" primary key,
    topic text not null,
    natural_id text not null,
    traceparent text,
    remaining text not null
);

-- Messages to publish, packed: one row per transaction, published in the order of their ids.
create table bo_worker.outbox (
    id bigint generated always as identity primary key,
    created_at timestamptz not null default clock_timestamp(),
    message_count integer not null,
    body bytea not null
);
-- The body is compressed already.
alter table bo_worker.outbox alter column body set storage external;
