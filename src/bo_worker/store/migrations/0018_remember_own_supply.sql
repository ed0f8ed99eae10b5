-- Lines for which supply of their own was asked for: their product is made to order, or drop-shipped.
create table bo_worker.own_supply (
    order_id text collate "C" not null,
    position integer not null,
    primary key (order_id, position)
);
insert into bo_worker.own_supply (order_id, position)
select order_id, position
from bo_worker.order_line
join bo_worker.product using (sku)
where backordered > 0 and policy::jsonb ->> 'kind' in ('made_to_order', 'drop_ship');

-- Products that became such while lines waited, for which it is still to be asked for.
create table bo_worker.own_supply_due (
    sku text collate "C" primary key
);
