-- Lines that stand in for others, what of an order is there and waits for the rest of it, and who is to hear that a
-- promised day still holds.

alter table bo_worker.order_line add column stands_for integer;
comment on column bo_worker.order_line.stands_for is
    'The position of the line whose waiting units it took over, because its customer chose another product.';

alter table bo_worker.sales_order add column hold_until date;
comment on column bo_worker.sales_order.hold_until is
    'The last day on which what the order holds waits for the rest of it; null where nothing does.';
create index sales_order_held on bo_worker.sales_order (hold_until) where hold_until is not null;

-- Written only where customers are to hear of it, so that nobody else pays for the index.
alter table bo_worker.promise add column heard_on date;
comment on column bo_worker.promise.heard_on is
    'The day on which the customer last heard of a day for the line; null where that is not followed.';
create index promise_heard on bo_worker.promise (heard_on) where heard_on is not null;
