-- Several models take turns in the image phase: jobs of a loaded one come first as long as its turn lasts.
alter table jobs add column model_set text not null default ''; -- key of what its next picture needs (core/model-set.ts); empty: the configured model
create index jobs_by_models on jobs (state, phase, model_set, user_id, not_before, seq) where held is null;
