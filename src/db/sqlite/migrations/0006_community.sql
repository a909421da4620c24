-- A batch that was read and waits for a yes: all that makes the job, and where it is shown.
create table drafts (
  id text primary key,
  user_id text not null,
  request text not null check (json_valid(request)),
  origin text not null check (json_valid(origin)),
  created_at integer not null,
  expires_at integer not null
) strict;

create index drafts_by_user on drafts (user_id);

-- Contact sheets of a batch, made as it goes; each one is posted by itself, the last one with the report.
create table sheets (
  job integer not null references jobs (seq) on delete cascade,
  number integer not null, -- from 1
  file text not null,
  items text not null check (json_valid(items)), -- indexes of the items on it
  settled_at integer, -- posted, or not to be posted any more
  primary key (job, number)
) strict, without rowid;

insert into sheets (job, number, file, items, settled_at)
  select seq, 1, contact_sheet, '[]', finished_at from jobs where contact_sheet is not null;

-- Whose limit of jobs in line keeps the job out of the line; null for one that is in it. The limits it came under.
alter table jobs add column held text check (held in ('user', 'channel', 'server'));
alter table jobs add column limits text not null default '{}' check (json_valid(limits));
alter table jobs add column preview integer not null default 0;
alter table jobs add column pictures_pruned_at integer;
alter table jobs add column promptist_hash text;
alter table jobs add column diffusion_hash text;

drop index jobs_by_line;
create index jobs_by_line on jobs (state, phase, held, user_id, seq, not_before, id);
create index jobs_held on jobs (seq) where held is not null;
