-- name: start_unfinished
-- Notes a change that is too large for one transaction.
insert into bo_worker.unfinished_cause (cause, topic, natural_id, traceparent, remaining)
values ($1, $2, $3, $4, $5);

-- name: list_unfinished
-- All unfinished causes, without a lock.
select cause from bo_worker.unfinished_cause order by cause;

-- name: lock_unfinished
-- Locks a cause, so that one worker at a time goes on with it.
select topic, natural_id, traceparent, remaining from bo_worker.unfinished_cause where cause = $1 for update;

-- name: update_unfinished
-- Stores what is still to be done. The cause is locked.
update bo_worker.unfinished_cause set remaining = $2 where cause = $1;

-- name: finish_cause
-- Nothing is left to do. The cause is locked.
delete from bo_worker.unfinished_cause where cause = $1;

-- name: find_pending_orders
-- The next orders to which an unfinished cause gave units that it has not released, without a lock.
select distinct order_id from bo_worker.claim
where pending_cause = $1
order by order_id
limit $2;
