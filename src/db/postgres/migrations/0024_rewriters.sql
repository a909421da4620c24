-- An item may be rewritten in another way than its job's others, such as by another rewriter.
alter table items add column text_options json; -- null: as the job's
