-- Erasing the person who asked for a pair leaves the votes of other people: their ballot loses what the person wrote.
alter table ballots rename column author_id to author_id_before;
alter table ballots rename column prompt to prompt_before;
alter table ballots rename column rewrite to rewrite_before;
alter table ballots rename column seed to seed_before;
alter table ballots add column author_id text; -- who asked for the pair; null, as the next three, when erased
alter table ballots add column prompt text;
alter table ballots add column rewrite text;
alter table ballots add column seed integer;
update ballots set author_id = author_id_before, prompt = prompt_before, rewrite = rewrite_before, seed = seed_before;
alter table ballots drop column author_id_before;
alter table ballots drop column prompt_before;
alter table ballots drop column rewrite_before;
alter table ballots drop column seed_before;

-- Messages of erased jobs that Discord still has. The token deletes the reply where the bot can't see the channel.
create table erased_messages (
  seq integer primary key autoincrement,
  job_id text not null unique,
  channel_id text not null,
  message_id text, -- null for a job that was erased before its result was posted
  application_id text not null,
  interaction_token text not null,
  token_expires_at integer not null
) strict;
