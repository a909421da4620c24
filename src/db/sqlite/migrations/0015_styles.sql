create table styles (
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

create index styles_by_saver on styles (saved_by);
