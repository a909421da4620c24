-- Erasing a person reaches the job that runs, and every message about their jobs and drafts.
alter table jobs add column erasing text check (erasing in ('with-messages', 'without-messages')); -- erased once it has ended; null: kept
alter table jobs add column reply_id text; -- message of the reply to its command, once Discord has told it
create index jobs_erasing on jobs (seq) where erasing is not null;
alter table drafts add column message_id text; -- null until Discord has shown it

-- Messages about a job besides the reply to its command and its result: contact sheets, pings, copies.
create table job_messages (
  job integer not null references jobs (seq) on delete cascade,
  channel_id text not null,
  message_id text not null,
  primary key (job, message_id)
) strict, without rowid;

create table messages_to_delete (
  seq integer primary key autoincrement,
  source_id text not null, -- the erased job or draft
  channel_id text not null,
  message_id text, -- null: the reply to the command, whose id Discord has not told
  application_id text not null,
  interaction_token text not null,
  token_expires_at integer not null
) strict;
insert into messages_to_delete
  select seq, job_id, channel_id, message_id, application_id, interaction_token, token_expires_at
  from erased_messages;
drop table erased_messages;
alter table messages_to_delete rename to erased_messages;
