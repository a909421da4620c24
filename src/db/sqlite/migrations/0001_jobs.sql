-- Times are milliseconds since the epoch. JSON columns hold the types of src/core/job.ts under the same names.

create table jobs (
  seq integer primary key autoincrement, -- order of arrival
  id text not null unique,
  kind text not null check (kind in ('optimize', 'compare', 'batch')),
  state text not null check (state in ('queued', 'running', 'done', 'failed', 'cancelled')),
  phase text not null check (phase in ('text', 'image')),

  user_id text not null,
  guild_id text,
  channel_id text not null,
  locale text not null,
  application_id text not null,
  interaction_id text not null unique, -- what makes enqueue idempotent
  interaction_token text not null,
  token_expires_at integer not null,

  text_settings text not null check (json_valid(text_settings)),
  image_settings text not null check (json_valid(image_settings)),

  owner text, -- who works on it; with id and attempt it fences the holder's writes
  attempt integer not null default 0,
  not_before integer not null default 0, -- end of the back-off time
  failures text not null default '[]' check (json_valid(failures)),
  cancel_requested integer not null default 0,

  created_at integer not null,
  started_at integer,
  finished_at integer,

  promptist_checkpoint text,
  diffusion_checkpoint text,
  contact_sheet text,

  delivered_at integer,
  message_id text,
  delivery_attempts integer not null default 0, -- those that failed
  delivery_error text,
  delivery_abandoned text,

  check ((state = 'running') = (owner is not null)),
  check ((state in ('done', 'failed', 'cancelled')) = (finished_at is not null))
) strict;

-- Covers claim, position, places and hasWork: none of them reads the wide rows.
create index jobs_by_line on jobs (state, phase, user_id, seq, not_before, id);

-- The outbox reads this every few seconds, over a table that is mostly delivered jobs.
create index jobs_undelivered on jobs (finished_at, seq)
  where finished_at is not null and delivered_at is null and delivery_abandoned is null;

create table items (
  job integer not null references jobs (seq) on delete cascade,
  position integer not null, -- Item.index, from 0
  prompt text not null,
  optimized text,
  candidates text not null default '[]' check (json_valid(candidates)),
  seed integer not null,
  baseline text,
  drawn text,
  comparison text,
  notes text not null default '[]' check (json_valid(notes)),
  primary key (job, position)
) strict, without rowid;

-- Users take turns: when each last joined the line of a phase or was served in it; the lowest goes first.
create table turns (
  user_id text not null,
  phase text not null check (phase in ('text', 'image')),
  turn integer not null,
  primary key (user_id, phase)
) strict, without rowid;

create unique index turns_by_turn on turns (turn);
