-- The words of docs/glossary.md: a rewrite is a text, the sides of a pair are `baseline` and `optimized`, and a job has
-- options; settings are those of a server, a channel or a person.
alter table items rename column optimized to rewrite;
alter table items rename column drawn to optimized;
alter table ballots rename column optimized to rewrite;
alter table jobs rename column text_settings to text_options;
alter table jobs rename column image_settings to image_options;

drop index items_lack_text;
drop index items_lack_drawn;
create index items_lack_rewrite on items (job, cancelled, rewrite) where cancelled = 0 and rewrite is null;
create index items_lack_optimized on items (job, cancelled, optimized) where cancelled = 0 and optimized is null;

update items set times = (
  select json_group_object(case key when 'text' then 'rewrite' when 'drawn' then 'optimized' else key end, value)
  from json_each(items.times)
) where times <> '{}';
update items set judgements = (
  select json_group_object(case key when 'drawn' then 'optimized' else key end, json(value))
  from json_each(items.judgements)
) where judgements <> '{}';
update drafts set request = json_set(request, '$.items', json((
  select json_group_array(json(json_remove(json_set(value, '$.rewrite', value -> '$.optimized'), '$.optimized')))
  from json_each(drafts.request, '$.items')
)));
