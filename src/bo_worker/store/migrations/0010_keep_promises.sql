-- What customers were promised and what came of it, and which suppliers are known better than their open supply says.

-- The first day that the customer of a waiting line was told. What was told later only counts as a move.
create table bo_worker.promise (
    order_id text collate "C" not null,
    position integer not null,
    sku text collate "C" not null,
    level real not null,
    made_on date not null,
    promised_to date not null,
    moves integer not null default 0,
    kept_on date,
    withdrawn_on date,
    primary key (order_id, position)
) with (fillfactor = 90);
comment on column bo_worker.promise.level is 'How often promises were to hold when this one was made.';
comment on column bo_worker.promise.moves is 'How often its customer was told another day, or none.';
comment on column bo_worker.promise.kept_on is 'The day on which the last waiting unit was claimed for the line.';
comment on column bo_worker.promise.withdrawn_on is 'The day on which the customer gave up the last waiting unit.';

alter table bo_worker.order_line add column is_promised boolean not null default false;
comment on column bo_worker.order_line.is_promised is 'A row of table promise is about the line.';

-- A customer who gives up only after the day has passed was not served in time.
create function bo_worker.promise_state(promised_to date, kept_on date, withdrawn_on date, today date) returns text
language sql immutable parallel safe
as $$
    select case
        when kept_on <= promised_to then 'held'
        when withdrawn_on <= promised_to then 'withdrawn'
        when kept_on is not null or withdrawn_on is not null or promised_to < today then 'broken'
        else 'open'
    end
$$;

-- How often promises held, by the month of the promised day. Judged once that day has passed: those that were kept
-- early are known sooner than those that are broken.
create view bo_worker.promise_calibration as
select
    level::numeric as wanted,
    date_trunc('month', promised_to)::date as month,
    count(*) as judged,
    count(*) filter (where state = 'held') as held,
    round(count(*) filter (where state = 'held')::numeric / count(*), 3) as share_held
from (
    select
        promise.*, today,
        bo_worker.promise_state(promised_to, kept_on, withdrawn_on, today) as state
    from bo_worker.promise
    cross join (select (now() at time zone 'utc')::date as today) as clock
) as promise
where promised_to < today and state <> 'withdrawn'
group by level, month;

-- Suppliers of whom deliveries have ended. Their open supply is estimated anew in the order of its purchase orders.
create table bo_worker.supplier (
    supplier_id text collate "C" primary key,
    deliveries_due boolean not null,
    estimated_to text collate "C"
) with (fillfactor = 80);
comment on column bo_worker.supplier.deliveries_due is 'Deliveries have ended since the open supply was last begun.';
comment on column bo_worker.supplier.estimated_to is 'How far it has been gone through; null where nobody is at it.';
create index supplier_due on bo_worker.supplier (supplier_id) where deliveries_due or estimated_to is not null;
create index supply_of_supplier on bo_worker.supply (supplier_id, purchase_order_id)
    where status in ('confirmed', 'in_transit') and quantity > received and not is_overdue;
