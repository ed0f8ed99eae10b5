-- Evidence: answers to notices that were refused. One row per content, however often it came; at most 100 per order,
-- the first ones, as anybody may send answers with wrong tokens. Never deleted.
create table bo_worker.refused_answer (
    order_id text collate "C" not null,
    response_id text collate "C" not null,
    digest bytea not null,
    line_id text not null,
    choice text not null,
    substitute_sku text,
    token_hash bytea not null,
    responded_at timestamptz not null,
    error text not null,
    received_at timestamptz not null,
    primary key (order_id, response_id, digest)
);
comment on column bo_worker.refused_answer.digest is 'Fingerprint of the content, as that of an applied message.';
comment on column bo_worker.refused_answer.line_id is 'As the answer names it; the order may have no such line.';
comment on column bo_worker.refused_answer.token_hash is
    'SHA-256 of what was given as the token; that itself is not kept.';
comment on column bo_worker.refused_answer.error is 'Why, as the dead letter says; the first time where it came again.';
comment on column bo_worker.refused_answer.received_at is 'The instant of the transaction that refused it first.';
