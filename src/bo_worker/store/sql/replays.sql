-- name: list_replays
-- All dead letters that were sent back, of some dead-letter topics (full names), without a lock.
select topic, partition, log_offset, failed_at from bo_worker.dead_letter_replay where topic = any($1::text[]);

-- name: save_replays
-- Notes that dead letters were sent back; the first time counts.
insert into bo_worker.dead_letter_replay (topic, partition, log_offset, failed_at)
select topic, partition, log_offset, failed_at
from unnest($1::text[], $2::integer[], $3::bigint[], $4::text[]) as new (topic, partition, log_offset, failed_at)
order by topic, partition, log_offset, failed_at
on conflict do nothing;
