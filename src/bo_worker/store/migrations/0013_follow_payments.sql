-- What is known of the money for an order. Only orders that have a payment have a row.
create table bo_worker.order_payment (
    order_id text collate "C" primary key,
    status text not null check (status in ('authorized', 'failed', 'captured', 'voided')),
    authorization_id text collate "C",
    capture_before timestamptz,
    news_at timestamptz,
    news_id text collate "C",
    replaced_id text collate "C",
    asked_at timestamptz,
    asked_without text,
    deadline timestamptz,
    paid_back text not null,
    refunding text not null,
    due_at timestamptz
) with (fillfactor = 80);
comment on column bo_worker.order_payment.news_at is 'When the newest news came about, by the payment provider.';
comment on column bo_worker.order_payment.replaced_id is 'The authorization before this one, which is left to run out.';
comment on column bo_worker.order_payment.asked_at is 'When another authorization was asked for that did not come yet.';
comment on column bo_worker.order_payment.asked_without is 'Units given up by then, by position of the line (JSON).';
comment on column bo_worker.order_payment.deadline is 'When an order whose payment failed loses its claims.';
comment on column bo_worker.order_payment.paid_back is
    'Units given up of which nothing more is to be asked back, by position of the line (JSON).';
comment on column bo_worker.order_payment.refunding is
    'Units whose refund was asked for and not confirmed, by position of the line (JSON).';
comment on column bo_worker.order_payment.due_at is 'When the sweep is to look at it again; null: not by itself.';
create index order_payment_due on bo_worker.order_payment (due_at) where due_at is not null;

alter table bo_worker.sales_order add column has_payment boolean not null default false;
comment on column bo_worker.sales_order.has_payment is
    'Its payment is followed though the order came without an authorization_id.';

-- Orders that came before: their authorizations are followed from now on, what was given up by now is not asked back.
insert into bo_worker.order_payment
    (order_id, status, authorization_id, capture_before, paid_back, refunding, due_at)
select
    order_id, 'authorized', authorization_id, capture_before,
    coalesce(
        jsonb_object_agg(position, cancelled + rejected)
            filter (where price_amount is not null and cancelled + rejected > 0),
        '{}'
    )::text,
    '{}',
    case when bool_or(backordered + held > 0) then capture_before - interval '24 hours' end
from bo_worker.sales_order
join bo_worker.order_line using (order_id)
where authorization_id is not null
group by order_id
having bool_or(price_amount::numeric > 0);

-- The pin of a line that must not be served begins with '!', which no location has.
create or replace view bo_worker.order_line_status as
select
    order_id, line_id, sku, nullif(ltrim(pin, '!'), '') as location, quantity,
    backordered, held, released, shipped, cancelled, rejected,
    priority, placed_at,
    case when backordered > 0 then expected_from end as expected_from,
    case when backordered > 0 then expected_to end as expected_to
from bo_worker.order_line;
comment on column bo_worker.order_line.pin is
    'The one location that may serve the line; empty: any. It begins with ! while the line is suspended.';
