-- Entries of an order are asked for by a person, one order at a time, and written thousands a second: a summary of
-- each stretch of the journal, which grows at its end only, costs next to nothing to keep and finds them fast enough.
drop index bo_worker.journal_order;
create index journal_order on bo_worker.journal
    using brin (order_id text_bloom_ops (n_distinct_per_range = 4000, false_positive_rate = 0.005))
    with (pages_per_range = 128, autosummarize = on);
