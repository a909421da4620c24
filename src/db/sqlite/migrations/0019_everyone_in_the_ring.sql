-- Claims walk the ring, so everybody who waits must be in it: whoever is not comes before it, the oldest job first.
insert into turns (user_id, phase, turn)
  select user_id, phase, (select coalesce(min(turn), 1) from turns) - row_number() over (order by min(seq) desc)
  from jobs
  where state in ('queued', 'running') and held is null
    and not exists (select 1 from turns where turns.user_id = jobs.user_id and turns.phase = jobs.phase)
  group by user_id, phase;
