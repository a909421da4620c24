-- Who wrote the text of each side, by name; 'given': a person or a file.
alter table ballots add column baseline_rewriter text not null default 'none';
alter table ballots add column optimized_rewriter text not null default 'promptist';
update ballots set optimized_rewriter = 'given' where mode = 'given';
