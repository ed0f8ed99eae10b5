-- name: save_waitlists
-- Stores how far the waitlists of products are. The products are locked.
update bo_worker.product as mine
set
    has_waitlist = true, stock_round = new.round, waitlist_told = new.told, waitlist_in_stock = new.in_stock,
    waitlist_due = new.due
from unnest($1::text[], $2::integer[], $3::bigint[], $4::boolean[], $5::boolean[])
    as new (sku, round, told, in_stock, due)
where mine.sku = new.sku;

-- name: find_waitlist_due
-- A product of whose waitlist somebody may have to be told, and that waits for no unfinished cause.
select sku from bo_worker.product where waitlist_due and unfinished is null order by sku limit 1;

-- name: load_waitlist
-- Who was not told in this round ($2) yet, in order of joining, at most $3. The product is locked.
-- The index has the order within each round, so the earlier rounds are found one by one and their heads merged.
with recursive earlier as (
    (
        select told_round
        from bo_worker.waitlist_entry
        where sku = $1::text and told_round < $2::integer
        order by told_round
        limit 1
    )
    union all
    select (
        select entry.told_round
        from bo_worker.waitlist_entry as entry
        where entry.sku = $1::text and entry.told_round > earlier.told_round and entry.told_round < $2::integer
        order by entry.told_round
        limit 1
    )
    from earlier
    where earlier.told_round is not null
)
select head.entry_id, head.quantity, head.customer, head.joined_at
from earlier
cross join lateral (
    select entry_id, quantity, customer, joined_at
    from bo_worker.waitlist_entry
    where sku = $1::text and told_round = earlier.told_round
    order by joined_at, entry_id
    limit $3::bigint
) as head
order by head.joined_at, head.entry_id
limit $3::bigint;

-- name: save_told
-- Remembers who was told, in which round and when. The product is locked.
update bo_worker.waitlist_entry as mine
set told_round = $3::integer, told_at = $4::timestamptz, told_units = new.units
from unnest($1::text[], $2::bigint[]) as new (entry_id, units)
where mine.entry_id = new.entry_id;
