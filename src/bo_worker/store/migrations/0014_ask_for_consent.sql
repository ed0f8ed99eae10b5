-- What customers were told of delays and answered, and which lines may need a notice or a decision.

-- Evidence: a notice of one line; rows of one order and number went out together, with one token. Never deleted.
create table bo_worker.delay_notice (
    order_id text collate "C" not null,
    number integer not null,
    position integer not null,
    quantity bigint not null,
    told_at timestamptz not null,
    reason text not null,
    agreed_to date,
    new_from date,
    new_to date,
    options text[] not null,
    respond_by timestamptz not null,
    rule text not null,
    silence text not null,
    token_hash bytea not null,
    answer text,
    response_id text collate "C",
    answered_at timestamptz,
    outcome text,
    ended_at timestamptz,
    primary key (order_id, number, position)
) with (fillfactor = 80);
comment on column bo_worker.delay_notice.agreed_to is 'The agreed day that may be missed; null: agreed to wait without a day.';
comment on column bo_worker.delay_notice.new_to is 'The day offered instead; null where there is none.';
comment on column bo_worker.delay_notice.silence is 'What it meant not to answer by respond_by.';
comment on column bo_worker.delay_notice.token_hash is 'SHA-256 of the token; the token itself is not kept.';
comment on column bo_worker.delay_notice.outcome is 'What came of it; null while it is open.';

-- Lines to look at: on check_on whether a notice is due, after respond_by what silence means.
create table bo_worker.delay_watch (
    order_id text collate "C" not null,
    position integer not null,
    check_on date,
    respond_by timestamptz,
    primary key (order_id, position)
) with (fillfactor = 80);
create index delay_watch_check on bo_worker.delay_watch (check_on, order_id) where check_on is not null;
create index delay_watch_respond on bo_worker.delay_watch (respond_by, order_id) where respond_by is not null;

-- How far the daily look for such lines is: days of promises, then lanes of queues after (sku, pin, priority).
create table bo_worker.delay_walk (
    only_row boolean primary key default true check (only_row),
    promises_to date not null,
    ended_on date,
    sku text collate "C" not null,
    pin text collate "C" not null,
    priority smallint not null
);

-- Signs tokens where no setting has a secret for it; made by the first worker that needs one.
create table bo_worker.token_secret (
    only_row boolean primary key default true check (only_row),
    secret bytea not null
);

-- The promises whose day passes.
create index promise_day on bo_worker.promise (greatest(promised_to, made_on))
    where kept_on is null and withdrawn_on is null;
