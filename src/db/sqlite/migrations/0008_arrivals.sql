-- Commands that Discord was, or may have been, told are being worked on, and that are no job yet. After a kill these
-- people would wait for an answer that nobody writes; the next start tells them.
create table arrivals (
  interaction_id text primary key,
  application_id text not null,
  interaction_token text not null,
  token_expires_at integer not null
) strict, without rowid;
