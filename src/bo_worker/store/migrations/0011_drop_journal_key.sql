-- Nobody asks for an entry by its id alone: it only puts the entries of an order, or of a product, in their order.
alter table bo_worker.journal drop constraint journal_pkey;
