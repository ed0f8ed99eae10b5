-- What of an order is there and waits for the rest of it, and who is to hear that a promised day still holds.

alter table bo_worker.sales_order add column hold_until date;
comment on column bo_worker.sales_order.hold_until is
    'The last day on which what the order holds waits for the rest of it; null where nothing does.';
create index sales_order_held on bo_worker.sales_order (hold_until) where hold_until is not null;

-- Written only where customers are to hear of it, so that nobody else pays for the index.
alter table bo_worker.promise add column heard_on date;
comment on column bo_worker.promise.heard_on is
    'The day on which the customer last heard of a day for the line; null where that is not followed.';
create index promise_heard on bo_worker.promise (heard_on) where heard_on is not null;
