import { InputError, QueueError } from "../../core/errors.js";
import type { Job, LimitScope, Phase } from "../../core/job.js";
import { newId } from "../../core/job-id.js";
import type { Arrival, NewJob, Queue, QueueDepth } from "../queue.js";
import type { Connection } from "./connection.js";
import type { ItemRow, JobRow } from "./job-row.js";
import type { Jobs } from "./jobs.js";
import type { Limits } from "./limits.js";
import type { Turns } from "./turns.js";

/** A command is noted before it is acknowledged, which must happen within 3 s. */
const ARRIVAL_BUSY_MS = 1_000;

type Verbs = Pick<Queue, "arrive" | "arrivals" | "settleArrival" | "enqueue">;

/** Commands are noted when they arrive, and become jobs. */
export function enqueueing(
  connection: Connection,
  jobs: Jobs,
  turns: Turns,
  limits: Limits,
  maxWaiting: number,
): Verbs {
  const { db, now } = connection;
  const note = db.prepare<[Arrival]>(`
    insert into arrivals (interaction_id, application_id, interaction_token, token_expires_at, locale)
    values (@interactionId, @applicationId, @interactionToken, @tokenExpiresAt, @locale)
    on conflict (interaction_id) do nothing`);
  const noted = db.prepare<[], Arrival>(`
    select interaction_id as interactionId, application_id as applicationId, interaction_token as interactionToken,
      token_expires_at as tokenExpiresAt, locale
    from arrivals order by token_expires_at`);
  const settle = db.prepare<[string]>("delete from arrivals where interaction_id = ?");
  const byInteraction = db.prepare<[string], JobRow>("select * from jobs where interaction_id = ?");
  const queued = db
    .prepare<[], QueueDepth["queued"]>("select count(*) from jobs where state = 'queued'")
    .pluck();
  const takeDraft = db
    .prepare<[string], string>("delete from drafts where id = ? returning origin ->> '$.interactionId'")
    .pluck();
  const insertJob = db.prepare(`
    insert into jobs (
      id, kind, state, phase, user_id, guild_id, channel_id, locale, application_id, interaction_id,
      interaction_token, token_expires_at, text_options, image_options, parent_id, blind, limits, held, preview,
      created_at
    ) values (
      @id, @kind, 'queued', @phase, @userId, @guildId, @channelId, @locale, @applicationId, @interactionId,
      @interactionToken, @tokenExpiresAt, @text, @image, @parentId, @blind, @limits, @held, @preview, @now
    )`);
  const insertItem = db.prepare<
    [
      Pick<
        ItemRow,
        "job" | "position" | "prompt" | "rewrite" | "candidates" | "notes" | "seed" | "image_options"
      >,
    ]
  >(`
    insert into items (job, position, prompt, rewrite, candidates, notes, seed, image_options)
    values (@job, @position, @prompt, @rewrite, @candidates, @notes, @seed, @image_options)`);

  function store(job: NewJob): Job {
    if (job.items.length === 0) throw new QueueError("INTERNAL", "A job needs at least one item.");
    const waiting = queued.get()!;
    if (waiting >= maxWaiting)
      throw new QueueError("QUEUE_FULL", `${waiting} jobs wait already, and no more than that may.`);
    limits.checkCaps(job.origin, job.caps ?? {});
    if (job.draftId !== undefined) start(job.draftId);
    const held = limits.holding(job.origin, job.limits ?? {});
    const rewritten = job.items.every((item) => item.rewrite !== null);
    const phase = rewritten && job.kind !== "optimize" ? "image" : "text";
    if (held === null) turns.join(job.origin.userId, phase);
    return jobs.stored(insert(job, phase, held));
  }

  /** A draft becomes a job: deletes it and settles the arrival of its command. */
  function start(draftId: string): void {
    const interactionId = takeDraft.get(draftId);
    if (interactionId === undefined)
      throw new InputError("DRAFT_GONE", `There is no draft ${draftId} any more.`);
    settle.run(interactionId);
  }

  function insert(job: NewJob, phase: Phase, held: LimitScope | null): number {
    const { lastInsertRowid } = insertJob.run({
      ...job.origin,
      id: job.id ?? newId(),
      kind: job.kind,
      phase,
      text: JSON.stringify(job.text),
      image: JSON.stringify(job.image),
      parentId: job.parentId ?? null,
      blind: job.blind ? 1 : 0,
      limits: JSON.stringify(job.limits ?? {}),
      held,
      preview: job.preview ? 1 : 0,
      now: now(),
    });
    const seq = Number(lastInsertRowid);
    job.items.forEach((item, position) => {
      const {
        prompt,
        rewrite,
        candidates = [],
        notes = [],
        seed = seedOfItem(job.image.seed, position),
        image,
      } = item;
      insertItem.run({
        job: seq,
        position,
        prompt,
        rewrite,
        candidates: JSON.stringify(candidates),
        notes: JSON.stringify(notes),
        seed,
        image_options: image === undefined ? null : JSON.stringify(image),
      });
    });
    return seq;
  }

  return {
    async arrive({ interactionId, applicationId, interactionToken, tokenExpiresAt, locale }) {
      const arrival = { interactionId, applicationId, interactionToken, tokenExpiresAt, locale };
      await connection.write(() => note.run(arrival), ARRIVAL_BUSY_MS);
    },

    arrivals: () => connection.read(() => noted.all()),

    async settleArrival(interactionId) {
      await connection.write(() => settle.run(interactionId));
    },

    async enqueue(wanted, onStored) {
      const { job, isNew } = await connection.write(() => {
        const { interactionId } = wanted.origin;
        settle.run(interactionId);
        const known = byInteraction.get(interactionId);
        return known === undefined
          ? { job: store(wanted), isNew: true }
          : { job: jobs.load(known), isNew: false };
      });
      if (isNew) onStored?.(job);
      return job;
    },
  };
}

/** The job's seed plus the index, wrapped to stay in 0..2^53 - 1, where a number still counts one by one. */
function seedOfItem(seed: number, index: number): number {
  const room = Number.MAX_SAFE_INTEGER - seed;
  return index <= room ? seed + index : index - room - 1;
}
