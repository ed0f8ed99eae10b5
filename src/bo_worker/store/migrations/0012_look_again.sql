-- Promised days that pass without a message are looked at again.

alter table bo_worker.product add column earliest_promise_on date;
comment on column bo_worker.product.earliest_promise_on is 'No line that waits is promised an earlier day, unless it has passed and was looked at.';
update bo_worker.product as mine
set earliest_promise_on = promised.first_on
from (
    select sku, min(expected_to) as first_on
    from bo_worker.order_line
    where backordered > 0 and expected_to is not null
    group by sku
) as promised
where mine.sku = promised.sku;
create index product_promise_passes on bo_worker.product (earliest_promise_on) where earliest_promise_on is not null;

-- The next day of a product is the first entry behind those of days that passed. A change of expected_to made a new
-- entry before, too, as the condition asks for it.
drop index bo_worker.order_line_pegged;
create index order_line_pegged on bo_worker.order_line (sku, expected_to)
    where backordered > 0 and expected_to is not null;

-- The rest of supply of which a part came is put off when its day has passed.
drop index bo_worker.supply_lapses;
create index supply_lapses on bo_worker.supply (promised_on)
    where status in ('confirmed', 'in_transit') and quantity > received and not is_overdue;
