-- name: lock_keys
-- Locks the orders (and receipts) with these keys, in order; keys that are new have no row yet.
select key, notifications, fulfillments, payments
from bo_worker.message_key
where key = any($1::text[])
order by key
for update;

-- name: lock_keys_nowait
-- The same for orders that were found in a queue, when their products are locked already. Waiting here could
-- deadlock with a transaction that goes by the rule, so it fails at once instead, and the batch starts again.
select key, notifications, fulfillments, payments
from bo_worker.message_key
where key = any($1::text[])
order by key
for update nowait;

-- name: update_keys
-- Stores the last sequence number per topic. The rows are locked.
update bo_worker.message_key as mine
set notifications = new.notifications, fulfillments = new.fulfillments, payments = new.payments
from unnest($1::text[], $2::integer[], $3::integer[], $4::integer[])
    as new (key, notifications, fulfillments, payments)
where mine.key = new.key;

-- name: find_applied
-- The digests of messages that were applied before.
select mine.topic, mine.natural_id, mine.digest
from bo_worker.applied_message as mine
join unnest($1::text[], $2::text[]) as wanted (topic, natural_id)
    on mine.topic = wanted.topic and mine.natural_id = wanted.natural_id;
