-- The schema after all migrations. Written by npm run schema, never by hand.

CREATE TABLE arrivals (
  interaction_id text primary key,
  application_id text not null,
  interaction_token text not null,
  token_expires_at integer not null
, locale text not null default 'en-US') strict, without rowid;

CREATE TABLE ballots (
  job_id text primary key,
  guild_id text,
  channel_id text not null,
  left_side text not null check (left_side in ('baseline', 'optimized')),
  mode text not null, -- SearchMode, or 'given' for a rewrite that a person wrote
  checkpoint text,
  opened_at integer not null,
  closes_at integer,
  closed_at integer
, author_id text, prompt text, rewrite text, seed integer, propensity real, is_first integer, baseline_rewriter text not null default 'none', optimized_rewriter text not null default 'promptist', against text) strict;

CREATE INDEX ballots_by_guild on ballots (guild_id);

CREATE INDEX ballots_due on ballots (closes_at) where closed_at is null and closes_at is not null;

CREATE TABLE card_usage (
  user_id text not null, -- empty: people who were erased
  guild_id text not null, -- empty: in direct messages
  day integer not null, -- since the epoch, UTC
  ms integer not null, -- of rewriting and drawing
  primary key (user_id, guild_id, day)
) strict, without rowid;

CREATE INDEX usage_by_day on card_usage (day);

CREATE INDEX usage_by_guild on card_usage (guild_id, day, ms);

CREATE TABLE drafts (
  id text primary key,
  user_id text not null,
  request text not null check (json_valid(request)),
  origin text not null check (json_valid(origin)),
  created_at integer not null,
  expires_at integer not null
, message_id text) strict;

CREATE INDEX drafts_by_user on drafts (user_id);

CREATE TABLE "erased_messages" (
  seq integer primary key autoincrement,
  source_id text not null, -- the erased job or draft
  channel_id text not null,
  message_id text, -- null: the reply to the command, whose id Discord has not told
  application_id text not null,
  interaction_token text not null,
  token_expires_at integer not null
) strict;

CREATE TABLE favourites (
  job_id text primary key, -- no reference: a favourite outlives its job
  user_id text not null, -- who asked for the result
  guild_id text not null,
  channel_id text not null, -- the gallery
  application_id text not null,
  added_by text, -- null: that person was erased
  added_at integer not null,
  message_id text -- null: not posted yet
) strict;

CREATE INDEX favourites_by_adder on favourites (added_by);

CREATE INDEX favourites_by_user on favourites (user_id);

CREATE INDEX favourites_pending on favourites (added_at) where message_id is null;

CREATE TABLE flags (name text primary key, value text not null) strict, without rowid;

CREATE TABLE hosts (
  name text primary key,
  role text not null,
  version text not null,
  started_at integer not null,
  seen_at integer not null,
  ended_at integer, -- null: it has not said that it ends
  paused integer not null default 0 check (paused in (0, 1)),
  state text not null -- JSON: devices, what they do, and what they offer (core/host.ts)
) strict, without rowid;

CREATE TABLE items (
  job integer not null references jobs (seq) on delete cascade,
  position integer not null, -- Item.index, from 0
  prompt text not null,
  rewrite text,
  candidates text not null default '[]' check (json_valid(candidates)),
  seed integer not null,
  baseline text,
  optimized text,
  comparison text,
  notes text not null default '[]' check (json_valid(notes)), cancelled integer not null default 0, times text not null default '{}' check (json_valid(times)), judgements text not null default '{}' check (json_valid(judgements)), image_options text check (json_valid(image_options)), only_side text check (only_side in ('baseline', 'optimized')), text_options text check (json_valid(text_options)), against_options text check (json_valid(against_options)), against_rewrite text,
  primary key (job, position)
) strict, without rowid;

CREATE INDEX items_lack_baseline on items (job, cancelled, baseline, only_side)
  where cancelled = 0 and baseline is null and only_side is distinct from 'optimized';

CREATE INDEX items_lack_opponent on items (job, cancelled, against_options, against_rewrite, only_side)
  where cancelled = 0 and against_options is not null and against_rewrite is null
    and only_side is distinct from 'optimized';

CREATE INDEX items_lack_optimized on items (job, cancelled, optimized, only_side)
  where cancelled = 0 and optimized is null and only_side is distinct from 'baseline';

CREATE INDEX items_lack_rewrite on items (job, cancelled, rewrite, only_side)
  where cancelled = 0 and rewrite is null and only_side is distinct from 'baseline';

CREATE INDEX items_with_options on items (job) where image_options is not null;

CREATE TABLE job_messages (
  job integer not null references jobs (seq) on delete cascade,
  channel_id text not null,
  message_id text not null,
  primary key (job, message_id)
) strict, without rowid;

CREATE TABLE jobs (
  seq integer primary key autoincrement, -- order of arrival
  id text not null unique,
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

  text_options text not null check (json_valid(text_options)),
  image_options text not null check (json_valid(image_options)),

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
  delivery_abandoned text, parent_id text, blind integer not null default 0, held text check (held in ('user', 'channel', 'server')), limits text not null default '{}' check (json_valid(limits)), preview integer not null default 0, pictures_pruned_at integer, promptist_hash text, diffusion_hash text, erasing text check (erasing in ('with-messages', 'without-messages')), reply_id text, grid text check (json_valid(grid)), kind text not null default '', model_set text not null default '', lease_until integer, recoveries integer not null default 0, lost_by text, evaluation text check (json_valid(evaluation)),

  check ((state = 'running') = (owner is not null)),
  check ((state in ('done', 'failed', 'cancelled')) = (finished_at is not null))
) strict;

CREATE INDEX jobs_by_line on jobs (state, phase, held, user_id, seq, not_before, id);

CREATE INDEX jobs_by_message on jobs (message_id) where message_id is not null;

CREATE INDEX jobs_by_models on jobs (state, phase, model_set, user_id, not_before, seq) where held is null;

CREATE INDEX jobs_by_user on jobs (user_id, seq);

CREATE INDEX jobs_erasing on jobs (seq) where erasing is not null;

CREATE INDEX jobs_held on jobs (seq) where held is not null;

CREATE INDEX jobs_undelivered on jobs (finished_at, seq)
  where finished_at is not null and delivered_at is null and delivery_abandoned is null;

CREATE TABLE migrations (number integer primary key, name text not null, applied_at integer not null) strict;

CREATE TABLE settings (
  scope text not null check (scope in ('server', 'channel', 'user')),
  id text not null, -- snowflake of the server, channel or person
  name text not null,
  value text not null check (json_valid(value)),
  changed_by text not null,
  changed_at integer not null,
  primary key (scope, id, name)
) strict, without rowid;

CREATE TABLE sheets (
  job integer not null references jobs (seq) on delete cascade,
  number integer not null, -- from 1
  file text not null,
  items text not null check (json_valid(items)), -- indexes of the items on it
  settled_at integer, -- posted, or not to be posted any more
  primary key (job, number)
) strict, without rowid;

CREATE TABLE styles (
  scope text not null check (scope in ('server', 'user')),
  id text not null, -- snowflake of the server or person
  key text not null, -- the name without case
  name text not null,
  prompt text not null, -- words with {prompt} where the prompt goes
  negative text not null,
  saved_by text, -- null: that person was erased
  saved_at integer not null,
  primary key (scope, id, key)
) strict, without rowid;

CREATE INDEX styles_by_saver on styles (saved_by);

CREATE TABLE turns (
  user_id text not null,
  phase text not null check (phase in ('text', 'image')),
  turn integer not null,
  primary key (user_id, phase)
) strict, without rowid;

CREATE UNIQUE INDEX turns_by_turn on turns (turn);

CREATE TABLE votes (
  job_id text not null references ballots (job_id) on delete cascade,
  user_id text not null,
  choice text not null check (choice in ('left', 'right', 'tie', 'bad')),
  voted_at integer not null,
  primary key (job_id, user_id)
) strict, without rowid;

CREATE INDEX votes_by_time on votes (voted_at, job_id, user_id);

CREATE INDEX votes_by_user on votes (user_id);
