-- What the judges say about an item's pictures: ItemJudgements of src/core/judgement.ts.
alter table items add column judgements text not null default '{}' check (json_valid(judgements));
