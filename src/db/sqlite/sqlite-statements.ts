import type { Database } from "better-sqlite3";
import type { LimitScope, Phase } from "../../core/job.js";
import type { Arrival, OpenWork, QueueDepth, WaitingLine } from "../queue.js";
import type { ItemRow, JobRow, SheetRow } from "./job-row.js";
import { NEXT_IN_ORDER, SERVING_ORDER } from "./serving-order.js";

type Fence = { readonly id: string; readonly owner: string; readonly attempt: number };
type Line = { readonly phase: Phase; readonly now: number };

/** A row of SERVING_ORDER. */
interface Waiting {
  readonly seq: number;
  readonly id: string;
  readonly position: number;
}

/** Whose limits count a job. */
export interface Counted {
  readonly user: string;
  readonly channel: string;
  readonly server: string | null;
}

/** Looked through at each letter that a person types; 200 batches of 100 prompts took 0.2 s. */
const RECENT_PROMPTS = 500;

/** All statements of the SQLite queue, compiled once for a database. */
export function prepareStatements(db: Database) {
  const finished = "state in ('done', 'failed', 'cancelled')";
  return {
    bySeq: db.prepare<[number], JobRow>("select * from jobs where seq = ?"),
    byId: db.prepare<[string], JobRow>("select * from jobs where id = ?"),
    byInteraction: db.prepare<[string], JobRow>("select * from jobs where interaction_id = ?"),
    claimed: db.prepare<[Fence], JobRow>(
      "select * from jobs where id = @id and owner = @owner and attempt = @attempt and state = 'running'",
    ),
    running: db.prepare<[], JobRow>("select * from jobs where state = 'running' order by started_at, seq"),
    items: db.prepare<[number], ItemRow>("select * from items where job = ? order by position"),
    item: db.prepare<[number, number], ItemRow>("select * from items where job = ? and position = ?"),

    insertJob: db.prepare(`
      insert into jobs (
        id, kind, state, phase, user_id, guild_id, channel_id, locale, application_id, interaction_id,
        interaction_token, token_expires_at, text_options, image_options, parent_id, blind, limits, held, preview,
        created_at
      ) values (
        @id, @kind, 'queued', @phase, @userId, @guildId, @channelId, @locale, @applicationId, @interactionId,
        @interactionToken, @tokenExpiresAt, @text, @image, @parentId, @blind, @limits, @held, @preview, @now
      )`),
    insertItem: db.prepare(
      "insert into items (job, position, prompt, rewrite, candidates, seed) values (@seq, @position, @prompt, @rewrite, @candidates, @seed)",
    ),
    updateItem: db.prepare<[ItemRow]>(`
      update items set rewrite = @rewrite, candidates = @candidates, baseline = @baseline, optimized = @optimized,
        comparison = @comparison, notes = @notes, cancelled = @cancelled, times = @times,
        judgements = @judgements
      where job = @job and position = @position`),

    arrive: db.prepare<[Arrival]>(`
      insert into arrivals (interaction_id, application_id, interaction_token, token_expires_at)
      values (@interactionId, @applicationId, @interactionToken, @tokenExpiresAt)
      on conflict (interaction_id) do nothing`),
    arrivals: db.prepare<[], Arrival>(`
      select interaction_id as interactionId, application_id as applicationId, interaction_token as interactionToken,
        token_expires_at as tokenExpiresAt
      from arrivals order by token_expires_at`),
    settleArrival: db.prepare<[string]>("delete from arrivals where interaction_id = ?"),
    takeDraft: db
      .prepare<[string], string>("delete from drafts where id = ? returning origin ->> '$.interactionId'")
      .pluck(),

    next: db.prepare<[Line], { seq: number }>(NEXT_IN_ORDER),
    positionOf: db.prepare<[Line & { seq: number }], Waiting>(
      `select * from (${SERVING_ORDER}) as line where line.seq = @seq`,
    ),
    line: db.prepare<[Line], Waiting>(`${SERVING_ORDER} order by position`),
    take: db.prepare<[{ seq: number; owner: string; now: number }]>(`
      update jobs set state = 'running', owner = @owner, attempt = attempt + 1,
        started_at = coalesce(started_at, @now)
      where seq = @seq`),
    end: db.prepare(`
      update jobs set state = @state, phase = @phase, owner = null, not_before = @notBefore, failures = @failures,
        finished_at = @finishedAt
      where seq = @seq`),
    endTurn: db.prepare<[{ userId: string; phase: Phase }]>(`
      insert into turns (user_id, phase, turn)
      values (@userId, @phase, (select coalesce(max(turn), 0) + 1 from turns))
      on conflict (user_id, phase) do update set turn = excluded.turn`),
    inPhase: db.prepare<[{ userId: string; phase: Phase; besidesSeq: number }]>(`
      select 1 from jobs
      where state in ('queued', 'running') and phase = @phase and held is null and user_id = @userId
        and seq <> @besidesSeq limit 1`),
    forgetTurns: db.prepare(
      "delete from turns where user_id not in (select user_id from jobs where state in ('queued', 'running'))",
    ),

    sheets: db.prepare<[number], SheetRow>("select * from sheets where job = ? order by number"),
    saveSheet: db.prepare<[{ seq: number; number: number; file: string; items: string }]>(`
      insert into sheets (job, number, file, items) values (@seq, @number, @file, @items)
      on conflict (job, number) do update set file = excluded.file, items = excluded.items`),
    unsettledSheets: db.prepare<[], { jobId: string; number: number }>(`
      select id as jobId, number from jobs join sheets on job = seq
      where state in ('queued', 'running') and settled_at is null order by seq, number`),
    settleSheet: db.prepare<[{ id: string; number: number; now: number }]>(`
      update sheets set settled_at = @now where number = @number and job = (select seq from jobs where id = @id)`),
    savePromptist: db.prepare<[string, string | null, number]>(
      "update jobs set promptist_checkpoint = ?, promptist_hash = ? where seq = ?",
    ),
    saveDiffusion: db.prepare<[string, string | null, number]>(
      "update jobs set diffusion_checkpoint = ?, diffusion_hash = ? where seq = ?",
    ),
    requestCancel: db.prepare<[number]>("update jobs set cancel_requested = 1 where seq = ?"),
    cancelWaiting: db.prepare<[{ seq: number; now: number }]>(
      "update jobs set state = 'cancelled', finished_at = @now where seq = @seq",
    ),

    hasWork: db.prepare<[Line & { besidesUser: string | null }]>(`
      select 1 from jobs
      where state = 'queued' and phase = @phase and held is null and not_before <= @now
        and user_id is not @besidesUser limit 1`),
    nextDueAt: db.prepare<[number], { at: number | null }>(
      "select min(not_before) as at from jobs where state = 'queued' and not_before > ?",
    ),
    bringForward: db.prepare<[{ now: number; latest: number }]>(
      "update jobs set not_before = @now where state = 'queued' and not_before > @latest",
    ),
    depth: db.prepare<[], QueueDepth>(`
      select (select count(*) from jobs where state = 'queued') as queued,
             (select count(*) from jobs where state = 'running') as running,
             (select count(*) from jobs
              where finished_at is not null and delivered_at is null and delivery_abandoned is null) as undelivered`),

    lines: db.prepare<[], WaitingLine>(`
      select phase, count(*) as jobs, min(created_at) as oldestAt from jobs where state = 'queued'
      group by phase order by phase`),

    undelivered: db
      .prepare<[], string>(`
        select id from jobs where finished_at is not null and delivered_at is null and delivery_abandoned is null
        order by finished_at, seq`)
      .pluck(),
    delivered: db.prepare<[{ id: string; messageId: string | null; now: number }]>(`
      update jobs set delivered_at = @now, message_id = @messageId, delivery_abandoned = null
      where id = @id and ${finished}`),
    deliveryFailed: db.prepare<[{ id: string; detail: string }]>(`
      update jobs set delivery_attempts = delivery_attempts + 1, delivery_error = @detail
      where id = @id and ${finished}`),
    abandonDelivery: db.prepare<[{ id: string; reason: string }]>(
      `update jobs set delivery_abandoned = @reason where id = @id and ${finished}`,
    ),
    openOf: db.prepare<
      [{ userId: string; channelId: string; guildId: string | null }],
      { user: number; channel: number; server: number }
    >(`
      select count(*) filter (where user_id = @userId) as user,
             count(*) filter (where channel_id = @channelId) as channel,
             count(*) filter (where guild_id = @guildId) as server
      from jobs where state in ('queued', 'running')`),
    inLine: db.prepare<[], Counted>(`
      select user_id as user, channel_id as channel, guild_id as server
      from jobs where state in ('queued', 'running') and held is null`),
    held: db.prepare<[], Counted & { seq: number; phase: Phase; held: LimitScope; limits: string }>(`
      select seq, phase, held, limits, user_id as user, channel_id as channel, guild_id as server
      from jobs where held is not null and state = 'queued' order by seq`),
    setHeld: db.prepare<[LimitScope | null, number]>("update jobs set held = ? where seq = ?"),
    openWork: db.prepare<[], OpenWork>(`
      select id, state, phase, kind, user_id as userId, guild_id as guildId, held,
        iif(held is null, null, json_extract(limits, '$.' || held)) as "limit",
        (select count(*) from items indexed by items_lack_rewrite
          where job = seq and cancelled = 0 and rewrite is null) as texts,
        iif(kind = 'optimize', 0,
          (select count(*) from items indexed by items_lack_baseline
          where job = seq and cancelled = 0 and baseline is null) +
          (select count(*) from items indexed by items_lack_optimized
          where job = seq and cancelled = 0 and optimized is null)
        ) as pictures,
        json_extract(image_options, '$.steps') as steps
      from jobs where state in ('queued', 'running') order by seq`),
    setAside: db.prepare<[number], JobRow>(
      "select * from jobs where state = 'failed' order by finished_at desc, seq desc limit ?",
    ),
    requeue: db.prepare<[{ seq: number; phase: Phase }]>(`
      update jobs set state = 'queued', phase = @phase, failures = '[]', not_before = 0, cancel_requested = 0,
        finished_at = null, delivered_at = null, message_id = null, delivery_attempts = 0, delivery_error = null,
        delivery_abandoned = null, pictures_pruned_at = null
      where seq = @seq`),
    forgetPictures: db.prepare<[number]>(
      "update items set baseline = null, optimized = null, comparison = null where job = ?",
    ),
    forgetSheets: db.prepare<[number]>("delete from sheets where job = ?"),
    flag: db.prepare<[string], { value: string }>("select value from flags where name = ?"),
    setFlag: db.prepare<[string, string]>(
      "insert into flags (name, value) values (?, ?) on conflict (name) do update set value = excluded.value",
    ),
    recentPrompts: db.prepare<[{ userId: string; part: string; limit: number }], { prompt: string }>(`
      select prompt from (
        select prompt, job from jobs cross join items on job = seq where user_id = @userId
        order by seq desc, position limit ${RECENT_PROMPTS}
      )
      where instr(lower(prompt), lower(@part)) > 0
      group by prompt order by max(job) desc limit @limit`),
    idsOfUser: db.prepare<[string], string>("select id from jobs where user_id = ? order by seq").pluck(),
    drop: db.prepare<[string]>(`delete from jobs where id = ? and ${finished}`),
    withPictures: db.prepare<[], { id: string; finishedAt: number }>(`
      select id, finished_at as finishedAt from jobs
      where ${finished} and pictures_pruned_at is null and kind <> 'optimize'
        and (delivered_at is not null or delivery_abandoned is not null)
      order by finished_at, seq`),
    keepsPictures: db
      .prepare<[string], number>("select pictures_pruned_at is null from jobs where id = ?")
      .pluck(),
    picturesPruned: db.prepare<[{ id: string; now: number }]>(
      `update jobs set pictures_pruned_at = @now where id = @id and ${finished}`,
    ),
    storedBytes: db.prepare<[], { bytes: number }>(`
      select (page_count - freelist_count) * page_size as bytes
      from pragma_page_count(), pragma_freelist_count(), pragma_page_size()`),
    pruneOldest: db.prepare<[number], { id: string }>(`
      delete from jobs where seq in (
        select seq from jobs
        where finished_at is not null and (delivered_at is not null or delivery_abandoned is not null)
        order by finished_at, seq limit ?
      ) returning id`),
    prunable: db
      .prepare<[number], string>(`
        select id from jobs
        where finished_at < ? and (delivered_at is not null or delivery_abandoned is not null)
        order by finished_at, seq`)
      .pluck(),
  };
}
