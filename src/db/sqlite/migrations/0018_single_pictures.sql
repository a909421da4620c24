-- Items with a single picture, such as the cells of a grid.
alter table items add column only_side text check (only_side in ('baseline', 'optimized')); -- null: both
alter table jobs add column grid text check (json_valid(grid)); -- the axes; null: not a grid

drop index items_lack_rewrite;
drop index items_lack_baseline;
drop index items_lack_optimized;
create index items_lack_rewrite on items (job, cancelled, rewrite, only_side)
  where cancelled = 0 and rewrite is null and only_side is distinct from 'baseline';
create index items_lack_baseline on items (job, cancelled, baseline, only_side)
  where cancelled = 0 and baseline is null and only_side is distinct from 'optimized';
create index items_lack_optimized on items (job, cancelled, optimized, only_side)
  where cancelled = 0 and optimized is null and only_side is distinct from 'baseline';

-- The kinds of jobs are listed in core/job.ts; a list here would make each new one copy the table.
alter table jobs add column any_kind text not null default '';
update jobs set any_kind = kind;
alter table jobs drop column kind;
alter table jobs rename column any_kind to kind;
