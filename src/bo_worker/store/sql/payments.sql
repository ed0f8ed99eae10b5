-- name: load_payments
-- What is known of the money for orders. Their keys are locked.
select
    demand.order_id, coalesce(status, 'authorized') as status,
    case when payment.order_id is null then demand.authorization_id else payment.authorization_id end as authorization_id,
    case when payment.order_id is null then demand.capture_before else payment.capture_before end as capture_before,
    news_at, news_id, replaced_id, asked_at, asked_without, deadline, paid_back, refunding, due_at
from bo_worker.sales_order as demand
left join bo_worker.order_payment as payment using (order_id)
where demand.order_id = any($1::text[]);

-- name: load_prices
-- The prices of the lines of orders, and the countries whose rules hold for refunds. The orders' keys are locked.
select order_id, position, price_amount, price_currency, ship_to_country
from bo_worker.order_line
join bo_worker.sales_order using (order_id)
where order_id = any($1::text[]) and price_amount is not null;

-- name: save_payments
-- Stores what is known of the money for orders. The orders' keys are locked.
insert into bo_worker.order_payment (
    order_id, status, authorization_id, capture_before, news_at, news_id, replaced_id, asked_at, asked_without,
    deadline, paid_back, refunding, due_at
)
select * from unnest(
    $1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::text[], $7::text[],
    $8::timestamptz[], $9::text[], $10::timestamptz[], $11::text[], $12::text[], $13::timestamptz[]
)
on conflict (order_id) do update set
    status = excluded.status, authorization_id = excluded.authorization_id,
    capture_before = excluded.capture_before, news_at = excluded.news_at, news_id = excluded.news_id,
    replaced_id = excluded.replaced_id, asked_at = excluded.asked_at, asked_without = excluded.asked_without,
    deadline = excluded.deadline, paid_back = excluded.paid_back, refunding = excluded.refunding,
    due_at = excluded.due_at;

-- name: mark_followed
-- Says that the payments of orders that came without one are followed. The orders' keys are locked.
update bo_worker.sales_order set has_payment = true where order_id = any($1::text[]);

-- name: update_pins
-- Stores where lines may be served that were suspended or may be served again. The orders' keys are locked.
update bo_worker.order_line as mine set pin = new.pin
from unnest($1::text[], $2::integer[], $3::text[]) as new (order_id, position, pin)
where mine.order_id = new.order_id and mine.position = new.position;

-- name: find_payments_due
-- Orders whose payment is due by an instant ($1): with $2 failed ones, else those whose authorization runs out.
select order_id from bo_worker.order_payment
where due_at <= $1::timestamptz and (status = 'failed') = $2::boolean
order by due_at, order_id
limit $3::bigint;
