-- name: lead
-- True where this session holds the lock now, and nobody else does; it does until the session ends.
select pg_try_advisory_lock($1);
