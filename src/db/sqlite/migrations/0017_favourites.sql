create table favourites (
  job_id text primary key, -- no reference: a favourite outlives its job
  user_id text not null, -- who asked for the result
  guild_id text not null,
  channel_id text not null, -- the gallery
  application_id text not null,
  added_by text, -- null: that person was erased
  added_at integer not null,
  message_id text -- null: not posted yet
) strict;

create index favourites_by_user on favourites (user_id);
create index favourites_by_adder on favourites (added_by);
create index favourites_pending on favourites (added_at) where message_id is null;
