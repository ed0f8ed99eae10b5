-- What purchasing was told of a product, and whether backorders of it are closed for now.

alter table bo_worker.product
    add column reorder_told boolean not null default false,
    add column expedite_told bigint not null default 0 check (expedite_told >= 0),
    add column closed_reason text check (closed_reason in ('cancellation_rate', 'wait')),
    add column review_on date;
comment on column bo_worker.product.reorder_told is 'It is at its reorder point, and purchasing knows.';
comment on column bo_worker.product.expedite_told is 'By how many units backorders exceeded the supply when purchasing was told last; 0: covered since.';
comment on column bo_worker.product.closed_reason is 'Why no new line may wait for now; null: lines may wait.';
comment on column bo_worker.product.review_on is 'The day on which it is looked at again whether lines may wait.';
create index product_review on bo_worker.product (review_on) where review_on is not null;

-- Units that began to wait, and waiting units that were cancelled, by day (UTC). Only of products whose policy sets
-- cancellation_rate_limit, and only as long as they count.
create table bo_worker.backorder_day (
    sku text collate "C" not null,
    day date not null,
    backordered bigint not null check (backordered >= 0),
    cancelled bigint not null check (cancelled >= 0),
    primary key (sku, day)
) with (fillfactor = 80);
