-- What an open job still lacks is counted for all of them whenever places change. With a thousand waiting batches that
-- read a hundred thousand prompts; these hold only what is lacking, and the count reads nothing else.
create index items_lack_text on items (job, cancelled, optimized) where cancelled = 0 and optimized is null;
create index items_lack_baseline on items (job, cancelled, baseline) where cancelled = 0 and baseline is null;
create index items_lack_drawn on items (job, cancelled, drawn) where cancelled = 0 and drawn is null;
