-- name: allow_any_plan
-- For this transaction: a report may read more of a table than an index gives at once.
select set_config(name, 'on', true) from unnest(array['enable_seqscan', 'enable_hashjoin', 'enable_mergejoin']) as name;

-- name: report_order
-- The head of an order. Of its customer only the id: a report may end up in a ticket.
select
    order_id, placed_at, received_at, priority, ship_complete, need_by, ship_to_country,
    customer::json ->> 'customer_id' as customer_id
from bo_worker.sales_order
where order_id = $1;

-- name: report_order_lines
-- The lines of an order in their order there, with all buckets.
select
    line_id, status.sku, location, status.quantity, status.backordered, status.held, status.released, status.shipped,
    status.cancelled, status.rejected, status.expected_from, status.expected_to
from bo_worker.order_line_status as status
join bo_worker.order_line as line using (order_id, line_id)
where order_id = $1
order by line.position;

-- name: report_allocations
-- What the lines of an order claim: one row per location and instruction (none while units are held).
select
    line.line_id, claim.location, claim.held, claim.released, claim.shipped, claim.fulfillment_id, claim.lot,
    claim.receipt_id
from bo_worker.claim
join bo_worker.order_line as line using (order_id, position)
where order_id = $1
order by position, claim.number;

-- name: report_ranks
-- Where the waiting lines of an order stand in the queues of SKUs, and how many lines wait there.
select line_id, rank, waiting_lines
from (
    select sku, order_id, line_id, rank, count(*) over (partition by sku) as waiting_lines
    from bo_worker.backorder_queue
) as queue
where sku = any($2::text[]) and order_id = $1;

-- name: report_payment
-- What is known of the money for an order whose payment is followed. While it is suspended, its lines are not served.
select
    status, authorization_id, capture_before, news_at, asked_at, deadline, due_at,
    exists (
        select 1 from bo_worker.order_line as line
        where line.order_id = payment.order_id and pin like '!%' and backordered > 0
    ) as is_suspended
from bo_worker.order_payment as payment
where order_id = $1;

-- name: report_product
-- A product that was ever stocked, ordered or given a policy; how many units and lines wait for it, and how many of
-- its waitlist were not told since units came last.
select
    sku, waiting as waiting_units,
    (select count(*) from bo_worker.backorder_queue as queue where queue.sku = product.sku) as waiting_lines,
    case when has_waitlist then (
        select count(*) from bo_worker.waitlist_entry as entry
        where entry.sku = product.sku and entry.told_round < greatest(product.stock_round, 1)
    ) else 0 end as waitlist_untold,
    policy
from bo_worker.product
where sku = $1;

-- name: report_stock
-- The stock of a product, by location.
select location, on_hand, allocated, safety_stock, available
from bo_worker.stock_status
where sku = $1
order by location;

-- name: report_supply
-- What is on its way to a product, and what is overdue.
select
    purchase_order_id, line_id, location, status, quantity - received as open, expected_from, expected_to, promised_on,
    is_overdue as overdue
from bo_worker.supply
where sku = $1 and status in ('confirmed', 'in_transit') and quantity > received
order by promised_on, expected_from, purchase_order_id, line_id;

-- name: report_queue
-- The head of the queue of a product.
select rank, order_id, line_id, backordered, priority, placed_at, expected_from, expected_to
from bo_worker.backorder_queue
where sku = $1
order by rank
limit $2;

-- name: shun_whole_tables
-- For this transaction: the summary of the journal by order is used at any size. What it saves can't be told from the
-- statistics, least of all before there are any.
select set_config('enable_seqscan', 'off', true);

-- name: report_order_history
-- What happened to an order, first to last: the journal's entries of its lines.
select
    at, change, journal.quantity, journal.sku, location, line_id, via, fulfillment_id, cause
from bo_worker.journal
left join bo_worker.order_line as line using (order_id, position)
where order_id = $1
order by id;

-- name: report_product_history
-- What happened to a product: the last entries of the journal, first to last.
select at, change, quantity, location, order_id, via, fulfillment_id, cause
from (select * from bo_worker.journal where sku = $1 order by id desc limit $2) as latest
order by id;

-- name: allow_long_report
-- For this transaction: a report about everything may take as long as it takes. It reads whole tables, so hashes join
-- them: without statistics, as soon after many orders, a table read once more for each row of another would be chosen.
select
    set_config('statement_timeout', '0', true), set_config('enable_nestloop', 'off', true),
    set_config('work_mem', '64MB', true);

-- name: report_demand
-- What the orders taken in from $1 to before $2 asked for, by day (UTC), and what became of it at once: what was
-- cancelled before its order came was not asked for, nor what a customer switched to later. A line is served at once
-- where all it asked for was claimed.
with line as (
    select
        received_at, order_id, position, line.quantity,
        coalesce(served, 0) as served, coalesce(waited, 0) as waited, coalesce(turned_down, 0) as turned_down
    from bo_worker.sales_order
    join bo_worker.order_line as line using (order_id)
    left join (
        select
            order_id, position,
            sum(quantity) filter (where change = 'claimed') as served,
            sum(quantity) filter (where change = 'backordered') as waited,
            sum(quantity) filter (where change = 'rejected') as turned_down
        from bo_worker.journal
        where change in ('claimed', 'backordered', 'rejected') and at >= $1::timestamptz and at < $2::timestamptz
        group by order_id, position
    ) as noted using (order_id, position)
    where received_at >= $1::timestamptz and received_at < $2::timestamptz and line.stands_for is null
),
demand as (
    select
        (received_at at time zone 'utc')::date as day, order_id, count(*) as lines, sum(quantity) as units,
        sum(served) as units_served, sum(waited) as units_waited, sum(turned_down) as units_rejected,
        count(*) filter (where served > 0 and waited = 0) as lines_served,
        count(*) filter (where waited > 0) as lines_waited,
        count(*) filter (where turned_down > 0) as lines_rejected
    from line
    group by received_at, order_id
)
select
    day,
    count(order_id) as orders, coalesce(sum(lines), 0)::bigint as lines, coalesce(sum(units), 0)::bigint as units,
    coalesce(sum(units_served), 0)::bigint as units_served,
    coalesce(sum(units_waited), 0)::bigint as units_waited,
    coalesce(sum(units_rejected), 0)::bigint as units_rejected,
    coalesce(sum(lines_served), 0)::bigint as lines_served,
    coalesce(sum(lines_waited), 0)::bigint as lines_waited,
    coalesce(sum(lines_rejected), 0)::bigint as lines_rejected,
    count(*) filter (where units_served > 0 and units_waited + units_rejected = 0) as orders_served,
    count(*) filter (where units_waited > 0) as orders_waited,
    count(*) filter (where units_rejected > 0) as orders_rejected,
    count(*) filter (where units_served + units_waited + units_rejected > 0) as orders_asked
from (
    select instant::date as day
    from generate_series(
        $1::timestamptz at time zone 'utc', ($2::timestamptz at time zone 'utc') - interval '1 day', interval '1 day'
    ) as instant
) as period
left join demand using (day)
group by day
order by day;

-- name: report_backlog
-- How many units waited at the end of each day (UTC) of a period from $1 to before $2: what waits now, less what the
-- journal has noted since, which is summed once and not for each day.
with changed as materialized (
    select
        (at at time zone 'utc')::date as day,
        sum(case when change in ('backordered', 'lost') then quantity else -quantity end) as units
    from bo_worker.journal
    where at >= $1::timestamptz and change in ('backordered', 'lost', 'filled', 'dropped', 'drop_shipped')
    group by day
)
select
    period.day,
    (
        (select coalesce(sum(waiting), 0) from bo_worker.product)
        - coalesce((select sum(units) from changed where changed.day > period.day), 0)
    )::bigint as waiting
from (
    select instant::date as day
    from generate_series(
        $1::timestamptz at time zone 'utc', ($2::timestamptz at time zone 'utc') - interval '1 day', interval '1 day'
    ) as instant
) as period
order by period.day;

-- name: report_waiting
-- What waits now.
select
    coalesce(sum(backordered), 0)::bigint as units, count(*) as lines, count(distinct order_id) as orders,
    count(distinct sku) as products
from bo_worker.order_line
where backordered > 0;

-- name: report_ages
-- Units by the completed days since their order was taken in (0: none, 1: 1 to 7, 2: 8 to 30, 3: more): those that
-- wait at $3, and those that were filled or given up from $1 to before $2.
select
    state, width_bucket(extract(epoch from waited) / 86400, array[1, 8, 31]::numeric[]) as age,
    sum(quantity)::bigint as units
from (
    select 'waiting' as state, backordered as quantity, $3::timestamptz - received_at as waited
    from bo_worker.order_line
    join bo_worker.sales_order using (order_id)
    where backordered > 0
    union all
    select case when change = 'dropped' then 'cancelled' else 'filled' end, quantity, at - received_at
    from bo_worker.journal
    join bo_worker.sales_order using (order_id)
    where change in ('filled', 'drop_shipped', 'dropped') and at >= $1::timestamptz and at < $2::timestamptz
) as units
group by state, age;

-- name: report_oldest
-- The lines that wait longest, up to $2 of them; their age in completed days at $1.
select
    order_id, line_id, sku, backordered as units, received_at as since,
    greatest(0, floor(extract(epoch from $1::timestamptz - received_at) / 86400))::integer as days
from bo_worker.order_line
join bo_worker.sales_order using (order_id)
where backordered > 0
order by received_at, order_id, position
limit $2;

-- name: report_fill_time
-- How long units waited that were filled from $1 to before $2, in days from their order: the smallest time within
-- which half, and nine in ten, of them were filled.
select
    coalesce(max(total), 0)::bigint as units,
    round(min(days) filter (where reached >= 0.5 * total), 3)::double precision as median_days,
    round(min(days) filter (where reached >= 0.9 * total), 3)::double precision as p90_days
from (
    select days, sum(quantity) over (order by days) as reached, sum(quantity) over () as total
    from (
        select quantity, extract(epoch from at - received_at) / 86400 as days
        from bo_worker.journal
        join bo_worker.sales_order using (order_id)
        where change in ('filled', 'drop_shipped') and at >= $1::timestamptz and at < $2::timestamptz
    ) as filled
) as ranked;

-- name: report_unmet
-- Units rejected from $1 to before $2, by what is known of why: a ship-complete order of several lines is rejected as
-- a whole; else the line was not to wait; else the product, by its policy or its state, took no line that waits.
select
    case
        when ship_complete
            and exists (
                select 1 from bo_worker.order_line as other
                where other.order_id = line.order_id and other.position <> line.position
            ) then 'ship_complete'
        when line.backorder = 'deny' then 'line'
        else 'product'
    end as refused_by,
    sum(noted.quantity)::bigint as units, count(*) as lines, count(distinct order_id) as orders
from bo_worker.journal as noted
join bo_worker.order_line as line using (order_id, position)
join bo_worker.sales_order using (order_id)
where change = 'rejected' and at >= $1::timestamptz and at < $2::timestamptz
group by refused_by
order by units desc, refused_by;

-- name: report_unmet_products
-- The products of which most units were rejected from $1 to before $2, up to $3 of them.
select sku, sum(quantity)::bigint as units, count(*) as lines
from bo_worker.journal
where change = 'rejected' and at >= $1::timestamptz and at < $2::timestamptz
group by sku
order by units desc, sku
limit $3;

-- name: report_value
-- What the units that wait now are sold for, by currency; exact. Without currency: units whose price is not known.
select
    price_currency as currency, sum(backordered)::bigint as units, sum(price_amount::numeric * backordered) as value
from bo_worker.order_line
where backordered > 0
group by price_currency
order by price_currency;

-- name: report_dock
-- Usable units of receipts from $1 to before $2, and how many of them left from the dock.
select
    coalesce(sum(quantity) filter (where change = 'received'), 0)::bigint as received,
    coalesce(sum(quantity) filter (where via = 'cross_dock'), 0)::bigint as cross_docked
from bo_worker.journal
where (change = 'received' or via = 'cross_dock')
    and cause in (
        select cause from bo_worker.journal
        where change = 'received' and at >= $1::timestamptz and at < $2::timestamptz
    );

-- name: report_given_up
-- Units that customers gave up while they waited, from $1 to before $2, by month (UTC) and by the completed days since
-- their order was taken in (0: none, 1: 1 to 7, 2: 8 to 30, 3: more).
select
    date_trunc('month', at at time zone 'utc')::date as month,
    width_bucket(extract(epoch from at - received_at) / 86400, array[1, 8, 31]::numeric[]) as age,
    sum(quantity)::bigint as units
from bo_worker.journal
join bo_worker.sales_order using (order_id)
where change = 'dropped' and at >= $1::timestamptz and at < $2::timestamptz
group by month, age;

-- name: report_value_by_month
-- What the units were sold for that waited at the end of each month (UTC) of a period from $1 to before $2, or at its
-- end, by currency: what waits now, less what the journal has noted since. Units whose price is not known are left out.
with noted as (
    select
        case when at < $2::timestamptz then date_trunc('month', at at time zone 'utc')::date else 'infinity' end as month,
        price_currency as currency, price_amount::numeric as price,
        case when change in ('backordered', 'lost') then noted.quantity else -noted.quantity end as units
    from bo_worker.journal as noted
    join bo_worker.order_line using (order_id, position)
    where at >= $1::timestamptz and price_currency is not null
        and change in ('backordered', 'lost', 'filled', 'dropped', 'drop_shipped')
),
changed as (
    select month, currency, sum(units) as units, sum(units * price) as value from noted group by month, currency
),
now as (
    select price_currency as currency, sum(backordered) as units, sum(price_amount::numeric * backordered) as value
    from bo_worker.order_line
    where backordered > 0 and price_currency is not null
    group by price_currency
)
select
    period.month, currency,
    (coalesce(now.units, 0) - coalesce(sum(changed.units) filter (where changed.month > period.month), 0))::bigint
        as units,
    coalesce(now.value, 0) - coalesce(sum(changed.value) filter (where changed.month > period.month), 0) as value
from (
    select instant::date as month
    from generate_series(
        date_trunc('month', $1::timestamptz at time zone 'utc'),
        ($2::timestamptz at time zone 'utc') - interval '1 day', interval '1 month'
    ) as instant
) as period
cross join (select currency from changed union select currency from now) as known
left join now using (currency)
left join changed using (currency)
group by period.month, currency, now.units, now.value
order by period.month, currency;

-- name: report_promises_by_month
-- What came of promises whose day lies from $1 to $2 and has passed at $3, by the month of that day and the level at
-- which they were made. Those who gave up before are left out.
select
    date_trunc('month', promised_to)::date as month, level::numeric::double precision as level,
    count(*) as judged, count(*) filter (where state = 'held') as held,
    round(avg((state = 'held')::integer), 3)::double precision as share_held,
    round(avg(coalesce(kept_on, withdrawn_on, $3::date) - promised_to) filter (where state = 'broken'), 1)
        ::double precision as mean_days_late
from bo_worker.promise
cross join lateral bo_worker.promise_state(promised_to, kept_on, withdrawn_on, $3::date) as state
where promised_to >= $1::date and promised_to <= $2::date and promised_to < $3::date and state <> 'withdrawn'
group by month, level
order by month, level;
