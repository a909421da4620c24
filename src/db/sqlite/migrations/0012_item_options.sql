-- A row of a batch file may have settings of its own.
alter table items add column image_options text check (json_valid(image_options)); -- null: as the job's
create index items_with_options on items (job) where image_options is not null;
