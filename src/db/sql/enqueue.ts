import { InputError, QueueError } from "../../core/errors.js";
import { type Job, type LimitScope, lacksRewrite, type Origin, type Phase } from "../../core/job.js";
import { newId } from "../../core/job-id.js";
import { modelKey, modelSetOf } from "../../core/model-set.js";
import type { Arrival, NewJob, Queue } from "../queue.js";
import type { Connection } from "./connection.js";
import type { ItemRow, JobRow } from "./job-row.js";
import { loadJob } from "./jobs.js";
import { checkCaps, holdingLimit } from "./limits.js";
import { sql, type Work } from "./statement.js";
import { joinRing } from "./turns.js";

/** A command is noted before it is acknowledged, which must happen within 3 s. */
const ARRIVAL_BUSY_MS = 1_000;

type Verbs = Pick<Queue, "arrive" | "arrivals" | "settleArrival" | "enqueue">;

const note = sql<Arrival>(`
  insert into arrivals (interaction_id, application_id, interaction_token, token_expires_at, locale)
  values (@interactionId, @applicationId, @interactionToken, @tokenExpiresAt, @locale)
  on conflict (interaction_id) do nothing`);
const noted = sql<null, Arrival>(`
  select interaction_id as "interactionId", application_id as "applicationId",
    interaction_token as "interactionToken", token_expires_at as "tokenExpiresAt", locale
  from arrivals order by token_expires_at`);
const settle = sql<{ interactionId: string }>("delete from arrivals where interaction_id = @interactionId");
const byInteraction = sql<{ interactionId: string }, JobRow>(
  "select * from jobs where interaction_id = @interactionId",
);
const queued = sql<null, { jobs: number }>("select count(*) as jobs from jobs where state = 'queued'");
const takeDraft = sql<{ id: string }, { interactionId: string }>(
  `delete from drafts where id = @id returning origin ->> 'interactionId' as "interactionId"`,
);
const insertJob = sql<
  Pick<
    JobRow,
    | "id"
    | "kind"
    | "phase"
    | "text_options"
    | "image_options"
    | "model_set"
    | "grid"
    | "evaluation"
    | "parent_id"
    | "blind"
    | "limits"
    | "held"
    | "preview"
  > &
    Origin & { readonly now: number },
  JobRow
>(`
  insert into jobs (
    id, kind, state, phase, user_id, guild_id, channel_id, locale, application_id, interaction_id,
    interaction_token, token_expires_at, text_options, image_options, model_set, grid, evaluation, parent_id, blind, limits,
    held, preview, created_at
  ) values (
    @id, @kind, 'queued', @phase, @userId, @guildId, @channelId, @locale, @applicationId, @interactionId,
    @interactionToken, @tokenExpiresAt, @text_options, @image_options, @model_set, @grid, @evaluation, @parent_id, @blind, @limits,
    @held, @preview, @now
  ) returning *`);
const insertItem = sql<
  Pick<
    ItemRow,
    | "job"
    | "position"
    | "prompt"
    | "rewrite"
    | "candidates"
    | "notes"
    | "seed"
    | "text_options"
    | "image_options"
    | "only_side"
    | "against_options"
    | "against_rewrite"
  >
>(`
  insert into items (job, position, prompt, rewrite, candidates, notes, seed, text_options, image_options,
    only_side, against_options, against_rewrite)
  values (@job, @position, @prompt, @rewrite, @candidates, @notes, @seed, @text_options, @image_options,
    @only_side, @against_options, @against_rewrite)`);

/** Commands are noted when they arrive, and become jobs. */
export function enqueueing(connection: Connection, maxWaiting: number): Verbs {
  const { now } = connection;

  function* store(job: NewJob): Work<Job> {
    if (job.items.length === 0) throw new QueueError("INTERNAL", "A job needs at least one item.");
    const waiting = (yield* queued.get())!.jobs;
    if (waiting >= maxWaiting)
      throw new QueueError("QUEUE_FULL", `${waiting} jobs wait already, and no more than that may.`);
    yield* checkCaps(job.origin, job.caps ?? {});
    if (job.draftId !== undefined) yield* start(job.draftId);
    const held = yield* holdingLimit(job.origin, job.limits ?? {});
    const phase = !job.items.some(lacksRewrite) && job.kind !== "optimize" ? "image" : "text";
    if (held === null) yield* joinRing(job.origin.userId, phase);
    return yield* loadJob(yield* insert(job, phase, held));
  }

  function* insert(job: NewJob, phase: Phase, held: LimitScope | null): Work<JobRow> {
    const stored = yield* insertJob.get({
      ...job.origin,
      id: job.id ?? newId(),
      kind: job.kind,
      phase,
      text_options: JSON.stringify(job.text),
      image_options: JSON.stringify(job.image),
      model_set: modelKey(modelSetOf({ ...job.image, ...job.items[0]?.image })),
      grid: job.grid === undefined ? null : JSON.stringify(job.grid),
      evaluation: job.evaluation === undefined ? null : JSON.stringify(job.evaluation),
      parent_id: job.parentId ?? null,
      blind: job.blind ? 1 : 0,
      limits: JSON.stringify(job.limits ?? {}),
      held,
      preview: job.preview ? 1 : 0,
      now: now(),
    });
    const row = stored!;
    for (const [position, item] of job.items.entries()) {
      const {
        prompt,
        rewrite,
        candidates = [],
        notes = [],
        seed = seedOfItem(job.image.seed, position),
        text,
        image,
        only = null,
        against,
      } = item;
      yield* insertItem.run({
        job: row.seq,
        position,
        prompt,
        rewrite,
        candidates: JSON.stringify(candidates),
        notes: JSON.stringify(notes),
        seed,
        text_options: text === undefined ? null : JSON.stringify(text),
        image_options: image === undefined ? null : JSON.stringify(image),
        only_side: only,
        against_options: against === undefined ? null : JSON.stringify(against.text),
        against_rewrite: against?.rewrite ?? null,
      });
    }
    return row;
  }

  return {
    async arrive({ interactionId, applicationId, interactionToken, tokenExpiresAt, locale }) {
      const arrival = { interactionId, applicationId, interactionToken, tokenExpiresAt, locale };
      await connection.write(() => note.run(arrival), { longestMs: ARRIVAL_BUSY_MS });
    },

    arrivals: () => connection.read(() => noted.all()),

    async settleArrival(interactionId) {
      await connection.write(() => settle.run({ interactionId }));
    },

    async enqueue(wanted, onStored) {
      const { job, isNew } = await connection.write(function* () {
        const { interactionId } = wanted.origin;
        yield* settle.run({ interactionId });
        const known = yield* byInteraction.get({ interactionId });
        return known === undefined
          ? { job: yield* store(wanted), isNew: true }
          : { job: yield* loadJob(known), isNew: false };
      });
      if (isNew) onStored?.(job);
      return job;
    },
  };
}

/** A draft becomes a job: deletes it and settles the arrival of its command. */
function* start(draftId: string): Work<void> {
  const draft = yield* takeDraft.get({ id: draftId });
  if (draft === undefined) throw new InputError("DRAFT_GONE", `There is no draft ${draftId} any more.`);
  yield* settle.run(draft);
}

/** The job's seed plus the index, wrapped to stay in 0..2^53 - 1, where a number still counts one by one. */
function seedOfItem(seed: number, index: number): number {
  const room = Number.MAX_SAFE_INTEGER - seed;
  return index <= room ? seed + index : index - room - 1;
}
