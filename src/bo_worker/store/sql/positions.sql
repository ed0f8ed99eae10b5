-- name: claim_partitions
-- Takes ownership: from now on only the new epoch may move these positions. Locks the rows, in order.
insert into bo_worker.stream_position as mine (topic, partition, epoch, next_offset)
select topic, partition, 1, null
from unnest($1::text[], $2::integer[]) as wanted (topic, partition)
order by topic, partition
on conflict (topic, partition) do update set epoch = mine.epoch + 1
returning topic, partition, epoch, next_offset;

-- name: lock_positions
-- The fence: returns only the rows that still have our epoch and offset, and locks them until the commit.
select mine.topic, mine.partition
from bo_worker.stream_position as mine
join unnest($1::text[], $2::integer[], $3::bigint[], $4::bigint[]) as base (topic, partition, epoch, next_offset)
    on mine.topic = base.topic and mine.partition = base.partition
where mine.epoch = base.epoch and mine.next_offset is not distinct from base.next_offset
order by mine.topic, mine.partition
for update of mine;

-- name: advance_positions
-- Says up to where each partition is applied; part of the transaction that applied it.
update bo_worker.stream_position as mine set next_offset = new.next_offset
from unnest($1::text[], $2::integer[], $3::bigint[]) as new (topic, partition, next_offset)
where mine.topic = new.topic and mine.partition = new.partition;

-- name: read_positions
-- What is stored now, without a lock: tells after a lost connection whether the commit took place.
select mine.topic, mine.partition, mine.epoch, mine.next_offset
from bo_worker.stream_position as mine
join unnest($1::text[], $2::integer[]) as wanted (topic, partition)
    on mine.topic = wanted.topic and mine.partition = wanted.partition;
