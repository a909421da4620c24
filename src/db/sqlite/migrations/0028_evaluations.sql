-- What the items of an evaluation compare, as core/job.ts has it.
alter table jobs add column evaluation text check (json_valid(evaluation)); -- null: no evaluation
