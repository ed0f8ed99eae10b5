-- name: state_rank_by
-- Says how this worker ranks, for the view of the queue.
update bo_worker.serving set rank_by = $1 where rank_by <> $1;
