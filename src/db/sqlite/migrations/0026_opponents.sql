-- Pairs of two rewriters: how the text of the baseline is written, and what it is; null: the prompt as written.
alter table items add column against_options text check (json_valid(against_options));
alter table items add column against_rewrite text;
create index items_lack_opponent on items (job, cancelled, against_options, against_rewrite, only_side)
  where cancelled = 0 and against_options is not null and against_rewrite is null
    and only_side is distinct from 'optimized';
alter table ballots add column against text; -- the text of the baseline; null: the prompt as written
