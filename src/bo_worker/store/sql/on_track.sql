-- name: find_on_track_due
-- Orders of which a customer last heard of a day by some day ($1), those of longest ago first.
select order_id from bo_worker.promise
where heard_on <= $1::date
order by heard_on
limit $2::bigint;

-- name: load_on_track
-- The lines of orders of which a customer is to hear that a day holds. The orders' keys are locked.
select
    promise.order_id, promise.position, line_id, line.sku, backordered, expected_from, expected_to, told_to, heard_on,
    kept_on is null and withdrawn_on is null as is_open
from bo_worker.promise
join bo_worker.order_line as line on line.order_id = promise.order_id and line.position = promise.position
where promise.order_id = any($1::text[]) and heard_on is not null
order by promise.order_id, promise.position;

-- name: update_heard
-- Stores when customers last heard of a day, or that they are not to hear of it any more. The orders' keys are locked.
update bo_worker.promise as mine set heard_on = new.heard_on
from unnest($1::text[], $2::integer[], $3::date[]) as new (order_id, position, heard_on)
where mine.order_id = new.order_id and mine.position = new.position;
