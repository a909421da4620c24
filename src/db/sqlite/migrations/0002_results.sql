-- What a result says about itself, and jobs that a button under another job's result has made.

alter table jobs add column parent_id text; -- a job's id; the job itself may be deleted
alter table jobs add column blind integer not null default 0; -- which picture is which stays secret until a vote

alter table items add column cancelled integer not null default 0; -- taken out of a batch
alter table items add column times text not null default '{}' check (json_valid(times)); -- ItemTimes

-- A person's own recent prompts.
create index jobs_by_user on jobs (user_id, seq);
