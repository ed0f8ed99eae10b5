-- name: audit_stock_counters
-- R1: what is allocated is the sum of the open claims. Locks nothing; reads one snapshot.
select
    format('%s at %s: allocated', sku, location) as what,
    coalesce(claimed.units, 0) as expected, coalesce(stock.allocated, 0) as found
from bo_worker.stock
full join (
    select sku, location, sum(held + released) as units
    from bo_worker.claim where held + released > 0
    group by sku, location
) as claimed using (sku, location)
where coalesce(claimed.units, 0) <> coalesce(stock.allocated, 0);

-- name: audit_line_buckets
-- R2: held, released and shipped of a line are the sums of its claims. (That all six make the quantity is a constraint.)
select
    format('line %s of order %s: %s', line.line_id, line.order_id, bucket.name) as what,
    bucket.expected, bucket.found
from bo_worker.order_line as line
left join (
    select order_id, position, sum(held) as held, sum(released) as released, sum(shipped) as shipped
    from bo_worker.claim
    group by order_id, position
) as claimed using (order_id, position)
cross join lateral (
    values
        ('held', coalesce(claimed.held, 0), line.held),
        ('released', coalesce(claimed.released, 0), line.released),
        ('shipped', coalesce(claimed.shipped, 0), line.shipped)
) as bucket (name, expected, found)
where (coalesce(claimed.held, 0), coalesce(claimed.released, 0), coalesce(claimed.shipped, 0))
        <> (line.held, line.released, line.shipped)
    and bucket.expected <> bucket.found;

-- name: audit_waiting
-- What waits for a product is the sum of the waiting parts of its lines.
select format('%s: waiting', sku) as what, coalesce(waiting.units, 0) as expected, coalesce(product.waiting, 0) as found
from bo_worker.product
full join (
    select sku, sum(backordered) as units from bo_worker.order_line where backordered > 0 group by sku
) as waiting using (sku)
where coalesce(waiting.units, 0) <> coalesce(product.waiting, 0);

-- name: audit_incoming
-- What is on its way to a product is the sum of the supply that counts.
select format('%s: incoming', sku) as what, coalesce(counted.units, 0) as expected, coalesce(product.incoming, 0) as found
from bo_worker.product
full join (
    select sku, sum(quantity - received) as units
    from bo_worker.supply
    where status in ('confirmed', 'in_transit') and quantity > received and not is_overdue
    group by sku
) as counted using (sku)
where coalesce(counted.units, 0) <> coalesce(product.incoming, 0);

-- name: audit_journal_stock
-- The counters of stock are the sums of the journal.
select format('%s at %s: %s, by the journal', sku, location, counter.name) as what, counter.expected, counter.found
from bo_worker.stock
full join (
    select
        sku, location,
        sum(case when change in ('received', 'adjusted') then quantity when change = 'shipped' then -quantity
            else 0 end) as on_hand,
        sum(case when change in ('claimed', 'filled') then quantity
            when change in ('returned', 'lost', 'shipped') then -quantity else 0 end) as allocated
    from bo_worker.journal
    where location <> ''
    group by sku, location
) as noted using (sku, location)
cross join lateral (
    values
        ('on hand', coalesce(noted.on_hand, 0), coalesce(stock.on_hand, 0)),
        ('allocated', coalesce(noted.allocated, 0), coalesce(stock.allocated, 0))
) as counter (name, expected, found)
where counter.expected <> counter.found;

-- name: audit_journal_waiting
-- What waits for a product is the sum of the journal.
select
    format('%s: waiting, by the journal', sku) as what,
    coalesce(noted.units, 0) as expected, coalesce(product.waiting, 0) as found
from bo_worker.product
full join (
    select
        sku,
        sum(case when change in ('backordered', 'lost') then quantity when change in ('filled', 'dropped', 'drop_shipped') then -quantity
            else 0 end) as units
    from bo_worker.journal
    group by sku
) as noted using (sku)
where coalesce(noted.units, 0) <> coalesce(product.waiting, 0);

-- name: audit_receipts
-- R8: what a receipt brought of a product left from the dock or was put away. Receipts at work are not complete yet.
select
    format('%s of %s: cross-docked and put away', sku, cause) as what,
    sum(quantity) filter (where change = 'received') as expected,
    coalesce(sum(quantity) filter (where change = 'put_away' or via = 'cross_dock'), 0) as found
from bo_worker.journal
where cause like 'inventory-received/%'
    and not exists (select 1 from bo_worker.unfinished_cause as open where open.cause = journal.cause)
group by cause, sku
having coalesce(sum(quantity) filter (where change = 'received'), 0)
    <> coalesce(sum(quantity) filter (where change = 'put_away' or via = 'cross_dock'), 0);

-- name: audit_idle_units
-- R4: nobody waits for units that are free. Products whose cause is at work are not served to the end yet.
select
    format('%s at %s: free while line %s of order %s waits', line.sku, stock.location, line.line_id, line.order_id)
        as what,
    0 as expected, stock.available as found
from bo_worker.stock_status as stock
join bo_worker.order_line as line on line.sku = stock.sku and line.pin in ('', stock.location)
join bo_worker.product on product.sku = stock.sku
where stock.available > 0 and line.backordered > 0 and product.unfinished is null;

-- name: audit_held
-- R12: only ship-complete orders that still wait hold units, those that wait some days for the rest, and those whose
-- money is asked for or could not be had.
-- Orders of a cause at work are not released yet.
select
    format('line %s of order %s: held though nothing keeps it', line.line_id, line.order_id) as what,
    0 as expected, line.held as found
from bo_worker.order_line as line
join bo_worker.sales_order as demand using (order_id)
where line.held > 0
    and not (
        (demand.ship_complete or demand.hold_until is not null)
        and exists (
            select 1 from bo_worker.order_line as other
            where other.order_id = line.order_id and other.backordered > 0
        )
    )
    and not exists (
        select 1 from bo_worker.claim
        where claim.order_id = line.order_id and claim.pending_cause is not null
    )
    and not exists (
        select 1 from bo_worker.order_payment as payment
        where payment.order_id = line.order_id and (payment.status = 'failed' or payment.asked_at is not null)
    );

-- name: audit_paid_back
-- Of orders whose payment is followed, all units that were given up are settled with the customer's money. Those that
-- another line took over were not given up.
select
    format('line %s of order %s: units given up that are paid back', line_id, order_id) as what,
    given_up as expected, paid_back as found
from (
    select
        line.order_id, line.line_id,
        cancelled + rejected - coalesce(
            (
                select sum(other.quantity) from bo_worker.order_line as other
                where other.order_id = line.order_id and other.stands_for = line.position
            ),
            0
        ) as given_up,
        coalesce((payment.paid_back::jsonb ->> line.position::text)::bigint, 0) as paid_back
    from bo_worker.order_payment as payment
    join bo_worker.order_line as line using (order_id)
    where price_amount is not null
) as priced
where given_up <> paid_back;

-- name: audit_suspended
-- Lines are suspended only while the payment of their order failed, and hold nothing.
select
    format('line %s of order %s: suspended though nothing keeps it', line_id, order_id) as what,
    0 as expected, backordered + held as found
from bo_worker.order_line as line
where pin like '!%' and backordered + held > 0 and (
    held > 0
    or not exists (
        select 1 from bo_worker.order_payment as payment
        where payment.order_id = line.order_id and status = 'failed'
    )
);

-- name: audit_waitlist
-- Products: the units of which waitlists were told in this round are those of the entries that were told in it.
select format('%s: units told of on the waitlist', product.sku) as what,
    coalesce(sum(entry.told_units), 0) as expected, product.waitlist_told as found
from bo_worker.product
left join bo_worker.waitlist_entry as entry on entry.sku = product.sku and entry.told_round = product.stock_round
    and product.stock_round > 0
group by product.sku
having coalesce(sum(entry.told_units), 0) <> product.waitlist_told;

-- name: audit_promises
-- A promise lasts while its line waits: of a line that does not wait any more it was kept or withdrawn.
select
    format('line %s of order %s: promised, and does not wait', line.line_id, line.order_id) as what,
    0 as expected, 1 as found
from bo_worker.promise
join bo_worker.order_line as line using (order_id, position)
where kept_on is null and withdrawn_on is null and line.backordered = 0;

-- name: audit_delay_notices
-- Of a line at most one notice is open, and while it is, the line is looked at, and its silence decided in time.
select
    format('notices of line %s of order %s: open', position, order_id) as what,
    (watched and follows)::integer as expected, open as found
from (
    select
        notice.order_id, notice.position, count(*) as open, bool_and(watch.order_id is not null) as watched,
        bool_and(silence = 'right_to_end' or watch.respond_by is not distinct from notice.respond_by) as follows
    from bo_worker.delay_notice as notice
    left join bo_worker.delay_watch as watch
        on watch.order_id = notice.order_id and watch.position = notice.position
    where outcome is null
    group by notice.order_id, notice.position
) as line
where open <> (watched and follows)::integer;
