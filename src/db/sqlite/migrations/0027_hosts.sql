-- How often in a row the program that worked on the job died before it stored anything of it, and whose claim was the last.
alter table jobs add column recoveries integer not null default 0;
alter table jobs add column lost_by text; -- owner and attempt; null: nobody died, or the holder came back
-- Each program that works with the queue, or did until a while ago. No claim looks at it.
create table hosts (
  name text primary key,
  role text not null,
  version text not null,
  started_at integer not null,
  seen_at integer not null,
  ended_at integer, -- null: it has not said that it ends
  paused integer not null default 0 check (paused in (0, 1)),
  state text not null -- JSON: devices, what they do, and what they offer (core/host.ts)
) strict, without rowid;
