-- name: save_own_supply
-- Notes lines for which supply of their own was asked for.
insert into bo_worker.own_supply (order_id, position)
select order_id, position from unnest($1::text[], $2::integer[]) as new (order_id, position)
on conflict do nothing;

-- name: find_own_supply
-- Those of some lines for which supply of their own was asked for. Their products are locked.
select asked.order_id, asked.position
from unnest($1::text[], $2::integer[]) as line (order_id, position)
cross join lateral (
    select mine.order_id, mine.position
    from bo_worker.own_supply as mine
    where mine.order_id = line.order_id and mine.position = line.position
    limit 1
) as asked;

-- name: save_own_supply_due
-- Notes products for whose waiting lines supply is to be asked for. The products are locked.
insert into bo_worker.own_supply_due (sku) select sku from unnest($1::text[]) as new (sku) on conflict do nothing;

-- name: find_own_supply_due
-- A product for whose waiting lines supply is to be asked for, and that waits for no unfinished cause.
select due.sku
from bo_worker.own_supply_due as due
cross join lateral (
    select from bo_worker.product where product.sku = due.sku and unfinished is null limit 1
) as ready
limit 1;

-- name: find_unordered
-- Lines that wait for a product, and for which no supply was asked for; at most $2. The product is locked.
select order_id, position, pin, backordered, expected_to
from bo_worker.order_line as line
where sku = $1 and backordered > 0
    and not exists (
        select from bo_worker.own_supply as asked
        where asked.order_id = line.order_id and asked.position = line.position
    )
limit $2::bigint;

-- name: drop_own_supply_due
-- For a product all was asked for. It is locked.
delete from bo_worker.own_supply_due where sku = $1;
