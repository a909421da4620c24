-- What the program as a whole was told to do and keeps after a restart, such as 'paused'.
create table flags (name text primary key, value text not null) strict, without rowid;
