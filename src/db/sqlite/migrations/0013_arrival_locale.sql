-- A command that becomes no job is answered in its user's language.
alter table arrivals add column locale text not null default 'en-US';
