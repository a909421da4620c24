alter table ballots add column propensity real; -- of the drawn rewrite, where taste chose it
alter table ballots add column is_first integer; -- whether that was the model's own first
