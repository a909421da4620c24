-- Pairs of two rewriters: how the text of the baseline is written, and what it is; null: the prompt as written.
alter table items add column against_options json;
alter table items add column against_rewrite text;
create index items_lack_opponent on items (job)
  where cancelled = 0 and against_options is not null and against_rewrite is null
    and only_side is distinct from 'optimized';
alter table ballots add column against text; -- the text of the baseline; null: the prompt as written
