-- Dead letters that an operator has sent back. A topic is a log and keeps them; this tells which are dealt with.
-- failed_at belongs to the key because a topic that was deleted and made anew starts at offset 0 again.
create table bo_worker.dead_letter_replay (
    topic text collate "C" not null,
    partition integer not null,
    log_offset bigint not null,
    failed_at text collate "C" not null,
    replayed_at timestamptz not null default now(),
    primary key (topic, partition, log_offset, failed_at)
);
