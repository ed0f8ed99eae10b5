-- What happens to orders after they were placed, and to stock after it came.

-- Per field that an amendment set: when, and by which.
alter table bo_worker.sales_order add column amended text not null default '{}';

-- Messages that came before their order and wait for it, as they were received.
create table bo_worker.early_message (
    id bigint generated always as identity primary key,
    order_id text collate "C" not null,
    topic text collate "C" not null,
    natural_id text collate "C" not null,
    record bytea not null
);
create index early_message_order on bo_worker.early_message (order_id);

-- One row per change of stock, of a claim, or of what waits; only ever appended. See domain/journal.py.
create table bo_worker.journal (
    id bigint generated always as identity primary key,
    at timestamptz not null,
    cause text collate "C" not null,
    change text collate "C" not null,
    quantity bigint not null,
    sku text collate "C" not null,
    location text collate "C" not null,
    order_id text collate "C",
    position integer,
    fulfillment_id text collate "C",
    via text
);
create index journal_order on bo_worker.journal (order_id, id) where order_id is not null;
create index journal_sku on bo_worker.journal (sku, id);

-- The open claims at a place: those that give way when the count there is corrected.
create index claim_open on bo_worker.claim (sku, location) where held + released > 0;

-- The queue where the earliest need goes first (BO_RANK_BY=need_by).
create index order_line_queue_by_need_by
    on bo_worker.order_line (sku, pin, priority desc, need_by, placed_at, order_id, position)
    where backordered > 0;

-- How the workers rank, for the view of the queue. One row, written by a worker when it starts.
create table bo_worker.serving (
    only_row boolean primary key default true check (only_row),
    rank_by text not null
);
insert into bo_worker.serving (rank_by) values ('placed_at');

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
    order_id, line_id, backordered, priority, placed_at,
    null::date as expected_from, null::date as expected_to
from bo_worker.order_line
where backordered > 0;
