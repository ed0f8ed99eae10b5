-- name: append_outbox
-- The last insert of a transaction, when all its locks are held: of two transactions on one key, the later one
-- therefore has the larger id and commits later.
insert into bo_worker.outbox (message_count, body) values ($1, $2);

-- name: read_outbox
-- The oldest rows that are visible, in order, up to a number of bytes, but at least one.
select id, created_at, message_count, body
from (
    select
        oldest.*,
        sum(octet_length(oldest.body)) over (order by oldest.id) - octet_length(oldest.body) as bytes_ahead
    from (select id, created_at, message_count, body from bo_worker.outbox order by id limit 64) as oldest
) as sized
where bytes_ahead < $1
order by id;

-- name: delete_outbox
-- Published and acknowledged.
delete from bo_worker.outbox where id = any($1::bigint[]);

-- name: newest_outbox
-- The newest row that is visible.
select coalesce(max(id), 0) from bo_worker.outbox;

-- name: measure_outbox
-- How many rows wait to be published, and since when.
select count(*) as rows, coalesce(extract(epoch from clock_timestamp() - min(created_at)), 0)::float8 as age_s
from bo_worker.outbox;
