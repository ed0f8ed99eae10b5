-- What is on its way is estimated anew each day too: that a delivery has not come yet says something about its day.
alter table bo_worker.supplier add column estimated_on date;
comment on column bo_worker.supplier.estimated_on is 'The day (UTC) on which its open supply was last estimated whole.';
