-- What a community or a person decided; a name that is missing falls back (core/settings.ts).
create table settings (
  scope text not null check (scope in ('server', 'channel', 'user')),
  id text not null, -- snowflake of the server, channel or person
  name text not null,
  value text not null check (json_valid(value)),
  changed_by text not null,
  changed_at integer not null,
  primary key (scope, id, name)
) strict, without rowid;
