-- Blind votes. A ballot holds what the statistics need, so that they outlive the job and its pictures.
create table ballots (
  job_id text primary key,
  guild_id text,
  channel_id text not null,
  author_id text not null, -- who asked for the pair
  left_side text not null check (left_side in ('baseline', 'optimized')),
  prompt text not null,
  optimized text not null,
  seed integer not null,
  mode text not null, -- SearchMode, or 'given' for a rewrite that a person wrote
  checkpoint text,
  opened_at integer not null,
  closes_at integer,
  closed_at integer
) strict;

create index ballots_due on ballots (closes_at) where closed_at is null and closes_at is not null;
create index ballots_by_guild on ballots (guild_id);

create table votes (
  job_id text not null references ballots (job_id) on delete cascade,
  user_id text not null,
  choice text not null check (choice in ('left', 'right', 'tie', 'bad')),
  voted_at integer not null,
  primary key (job_id, user_id)
) strict, without rowid;

create index votes_by_user on votes (user_id);
