alter table ballots add column propensity double precision; -- of the drawn rewrite, where taste chose it
alter table ballots add column is_first smallint; -- whether that was the model's own first
