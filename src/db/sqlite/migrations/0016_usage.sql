create table card_usage (
  user_id text not null, -- empty: people who were erased
  guild_id text not null, -- empty: in direct messages
  day integer not null, -- since the epoch, UTC
  ms integer not null, -- of rewriting and drawing
  primary key (user_id, guild_id, day)
) strict, without rowid;

create index usage_by_guild on card_usage (guild_id, day, ms);
create index usage_by_day on card_usage (day);
