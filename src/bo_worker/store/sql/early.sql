-- name: save_early
-- Messages that wait for their order. The orders' keys are locked, or new and written before.
insert into bo_worker.early_message (order_id, topic, natural_id, record)
select order_id, topic, natural_id, record
from unnest($1::text[], $2::text[], $3::text[], $4::bytea[])
    with ordinality as new (order_id, topic, natural_id, record, place)
order by place;

-- name: load_early
-- What waits for orders, in the order in which it came. The orders' keys are locked.
select id, order_id, record from bo_worker.early_message where order_id = any($1::text[]) order by id;

-- name: delete_early
-- Their orders have come. The orders' keys are locked.
delete from bo_worker.early_message where id = any($1::bigint[]);

-- name: forget_applied
-- Messages that turned out to be wrong after all: their natural ids are free again.
delete from bo_worker.applied_message as mine
using unnest($1::text[], $2::text[]) as wrong (topic, natural_id)
where mine.topic = wrong.topic and mine.natural_id = wrong.natural_id;
