-- Kinds of products: what the day makes of them.

-- phase: open, pre_order, not_begun, ended or drop_ship, as of the last turn. next_change_on: when the next begins.
alter table bo_worker.product
    add column phase text not null default 'open',
    add column next_change_on date;
comment on column bo_worker.product.phase is 'In not_begun, ended and drop_ship its stock serves nobody.';
create index product_turning on bo_worker.product (next_change_on) where next_change_on is not null;

create or replace view bo_worker.stock_status as
select
    stock.sku, stock.location, stock.on_hand, stock.allocated,
    coalesce(product.safety_stock, 0) as safety_stock,
    case
        when product.phase in ('not_begun', 'ended', 'drop_ship') then 0
        else greatest(0, stock.on_hand - stock.allocated - coalesce(product.safety_stock, 0))
    end as available
from bo_worker.stock
left join bo_worker.product using (sku);
