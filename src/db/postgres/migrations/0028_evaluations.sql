-- What the items of an evaluation compare, as core/job.ts has it.
alter table jobs add column evaluation json; -- null: no evaluation
