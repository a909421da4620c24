-- A reaction names the message of a result.
create index jobs_by_message on jobs (message_id) where message_id is not null;
