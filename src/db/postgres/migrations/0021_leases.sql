-- A claim lasts until then unless its holder extends it; null: nobody works on the job, or an older version did.
alter table jobs add column lease_until bigint;
