-- Items with a single picture, such as the cells of a grid.
alter table items add column only_side text check (only_side in ('baseline', 'optimized')); -- null: both
alter table jobs add column grid json; -- the axes; null: not a grid

drop index items_lack_rewrite;
drop index items_lack_baseline;
drop index items_lack_optimized;
create index items_lack_rewrite on items (job)
  where cancelled = 0 and rewrite is null and only_side is distinct from 'baseline';
create index items_lack_baseline on items (job)
  where cancelled = 0 and baseline is null and only_side is distinct from 'optimized';
create index items_lack_optimized on items (job)
  where cancelled = 0 and optimized is null and only_side is distinct from 'baseline';

-- The kinds of jobs are listed in core/job.ts.
alter table jobs drop constraint jobs_kind_check;
