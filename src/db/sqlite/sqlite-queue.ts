import { setTimeout as delay, setImmediate as nextTurn } from "node:timers/promises";
import type { Database, Statement } from "better-sqlite3";
import { customAlphabet } from "nanoid";
import { codeOf, type ErrorCode, InputError, QueueError } from "../../core/errors.js";
import type { Failure, ItemNote, Job, JobState, LimitScope, Phase, Picture, Sheet } from "../../core/job.js";
import { hasOverview, isFinished, nextPhase } from "../../core/job.js";
import { type PerSide, SIDES, type Side } from "../../core/side.js";
import type { Deliveries } from "../deliveries.js";
import type {
  Arrival,
  CancelResult,
  Claim,
  JobCaps,
  LeaveResult,
  NewJob,
  OpenWork,
  PictureResult,
  Queue,
  QueueDepth,
  Recovered,
  RetryResult,
  TextResult,
  WaitingLine,
} from "../queue.js";
import type { Records } from "../records.js";
import {
  fromJson,
  type ItemJudgements,
  type ItemRow,
  type ItemTimes,
  type JobRow,
  toItem,
  toJob,
} from "./job-row.js";
import { toQueueError } from "./sqlite-error.js";
import { type Counted, prepareStatements } from "./sqlite-statements.js";

/** 12 of 30 signs are 58 bits; no look-alikes (0 o, 1 i l, u v); fits a URL, a file name and a nonce. */
const newId = customAlphabet("23456789abcdefghjkmnpqrstvwxyz", 12);

export interface SqliteQueueOptions {
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  /** Failed attempts after which a job is set aside as failed. */
  readonly maxAttempts?: number;
  /** Waiting jobs after which enqueue answers QUEUE_FULL. */
  readonly maxWaiting?: number;
  /** How long a call waits for another process' write (a backup, an admin's shell) before QUEUE_BUSY_DATABASE. */
  readonly busyMs?: number;
}

const LONGEST_BACKOFF_MS = 5 * 60_000;
const BUSY_MS = 5_000;
const BUSY_LOOK_MS = 30;
/** How long one transaction of a long piece of work keeps the event loop. */
const SLICE_MS = 20;
/** A command has to be acknowledged within 3 s, and it is noted before. */
const ARRIVAL_BUSY_MS = 1_000;

/** What becomes of a running job when its holder lets go of it. */
interface Ending {
  readonly state: JobState;
  readonly phase?: Phase;
  readonly notBefore?: number;
  readonly failure?: Failure;
}

/**
 * The queue in one SQLite file. Each method is one transaction, inside which nothing is awaited, so no two methods of one
 * process interleave. While another process writes, a call waits without keeping the event loop.
 */
export class SqliteQueue implements Queue, Deliveries, Records {
  readonly #db: Database;
  readonly #now: () => number;
  readonly #maxAttempts: number;
  readonly #maxWaiting: number;
  readonly #busyMs: number;
  readonly #sql: ReturnType<typeof prepareStatements>;

  /** Takes an open, migrated database (`openDatabase`); `close` closes it. */
  constructor(db: Database, options: SqliteQueueOptions = {}) {
    this.#db = db;
    this.#now = options.now ?? Date.now;
    this.#maxAttempts = options.maxAttempts ?? 3;
    this.#maxWaiting = options.maxWaiting ?? 1_000;
    this.#busyMs = options.busyMs ?? BUSY_MS;
    this.#sql = prepareStatements(db);
  }

  async arrive({ interactionId, applicationId, interactionToken, tokenExpiresAt }: Arrival): Promise<void> {
    await this.#write(
      () => this.#sql.arrive.run({ interactionId, applicationId, interactionToken, tokenExpiresAt }),
      Math.min(this.#busyMs, ARRIVAL_BUSY_MS),
    );
  }

  async arrivals(): Promise<Arrival[]> {
    return this.#read(() => this.#sql.arrivals.all());
  }

  async settleArrival(interactionId: string): Promise<void> {
    await this.#write(() => this.#sql.settleArrival.run(interactionId));
  }

  async enqueue(job: NewJob): Promise<Job> {
    return this.#write(() => {
      const { origin } = job;
      this.#sql.settleArrival.run(origin.interactionId);
      const known = this.#sql.byInteraction.get(origin.interactionId);
      if (known !== undefined) return this.#load(known);

      if (job.items.length === 0) throw new QueueError("INTERNAL", "A job needs at least one item.");
      const { queued } = this.#sql.depth.get()!;
      if (queued >= this.#maxWaiting) {
        throw new QueueError("QUEUE_FULL", `${queued} jobs wait already, and no more than that may.`);
      }

      this.#checkCaps(job);
      if (job.draftId !== undefined) {
        const arrived = this.#sql.takeDraft.get(job.draftId);
        if (arrived === undefined)
          throw new InputError("DRAFT_GONE", `There is no draft ${job.draftId} any more.`);
        this.#sql.settleArrival.run(arrived);
      }
      const held = this.#overLimit(
        { user: origin.userId, channel: origin.channelId, server: origin.guildId },
        job.limits ?? {},
        this.#countInLine(),
      );
      const rewritten = job.items.every((item) => item.rewrite !== null);
      const phase: Phase = rewritten && job.kind !== "optimize" ? "image" : "text";
      if (held === null) this.#join(origin.userId, phase);
      const { lastInsertRowid: seq } = this.#sql.insertJob.run({
        id: newId(),
        kind: job.kind,
        phase,
        userId: origin.userId,
        guildId: origin.guildId,
        channelId: origin.channelId,
        locale: origin.locale,
        applicationId: origin.applicationId,
        interactionId: origin.interactionId,
        interactionToken: origin.interactionToken,
        tokenExpiresAt: origin.tokenExpiresAt,
        text: JSON.stringify(job.text),
        image: JSON.stringify(job.image),
        parentId: job.parentId ?? null,
        blind: job.blind ? 1 : 0,
        limits: JSON.stringify(job.limits ?? {}),
        held,
        preview: job.preview ? 1 : 0,
        now: this.#now(),
      });
      job.items.forEach((item, position) => {
        const { prompt, rewrite, candidates = [], seed = seedOfItem(job.image.seed, position) } = item;
        this.#sql.insertItem.run({
          seq,
          position,
          prompt,
          rewrite,
          candidates: JSON.stringify(candidates),
          seed,
        });
      });
      return this.#load(this.#sql.bySeq.get(Number(seq))!);
    });
  }

  async get(id: string): Promise<Job | undefined> {
    return this.#read(() => {
      const row = this.#sql.byId.get(id);
      return row === undefined ? undefined : this.#load(row);
    });
  }

  async claim(phase: Phase, owner: string): Promise<Claim | undefined> {
    return this.#write(() => {
      const now = this.#now();
      const next = this.#isPaused() ? undefined : this.#sql.next.get({ phase, now });
      if (next === undefined) return undefined;
      this.#sql.take.run({ seq: next.seq, owner, now });
      const job = this.#load(this.#sql.bySeq.get(next.seq)!);
      return { job, owner, attempt: job.attempt };
    });
  }

  async saveText(claim: Claim, item: number, result: TextResult): Promise<boolean> {
    return this.#saveItem(claim, item, (row) => ({
      ...row,
      rewrite: result.rewrite,
      candidates: JSON.stringify(result.candidates),
      notes: withNotes(row.notes, result.notes),
      times: withTimes(row.times, result.ms === undefined ? {} : { rewrite: result.ms }),
    }));
  }

  async savePictures(
    claim: Claim,
    item: number,
    { pictures = {}, comparison, notes = [] }: PictureResult,
  ): Promise<boolean> {
    return this.#saveItem(claim, item, (row) => ({
      ...row,
      baseline: pictures.baseline?.file ?? row.baseline,
      optimized: pictures.optimized?.file ?? row.optimized,
      comparison: comparison ?? row.comparison,
      notes: withNotes(row.notes, notes),
      times: withTimes(
        row.times,
        known(pictures, ({ ms }) => ms),
      ),
      judgements: withJudgements(
        row.judgements,
        known(pictures, ({ judgement }) => judgement),
      ),
    }));
  }

  async saveSheet(claim: Claim, { number, file, items }: Sheet): Promise<boolean> {
    return this.#saveOnJob(claim, (seq) =>
      this.#sql.saveSheet.run({ seq, number, file, items: JSON.stringify(items) }),
    );
  }

  async saveCheckpoint(
    claim: Claim,
    phase: Phase,
    name: string,
    hash: string | null = null,
  ): Promise<boolean> {
    const { savePromptist, saveDiffusion } = this.#sql;
    const save = phase === "text" ? savePromptist : saveDiffusion;
    return this.#saveOnJob(claim, (seq) => save.run(name, hash, seq));
  }

  async advance(claim: Claim): Promise<LeaveResult> {
    return this.#leave(claim, () => ({ state: "queued", phase: "image" })) as Promise<LeaveResult>;
  }

  async release(claim: Claim): Promise<LeaveResult> {
    return this.#leave(claim, () => ({ state: "queued" })) as Promise<LeaveResult>;
  }

  async complete(claim: Claim): Promise<boolean> {
    return (await this.#leave(claim, () => ({ state: "done" }))) !== false;
  }

  async retry(claim: Claim, code: ErrorCode, detail: string, afterMs: number): Promise<RetryResult> {
    return this.#leave(claim, (row, now) => {
      const used = fromJson<Failure[]>(row.failures).length + 1;
      const failure = { code, detail, at: now };
      if (used >= this.#maxAttempts) return { state: "failed", failure };
      return { state: "queued", failure, notBefore: Math.ceil(now + Math.min(afterMs, LONGEST_BACKOFF_MS)) };
    }) as Promise<RetryResult>;
  }

  async fail(claim: Claim, code: ErrorCode, detail: string): Promise<boolean> {
    const ended = await this.#leave(claim, (_row, now) => ({
      state: "failed",
      failure: { code, detail, at: now },
    }));
    return ended !== false;
  }

  async cancelled(claim: Claim): Promise<boolean> {
    return (await this.#leave(claim, () => ({ state: "cancelled" }))) !== false;
  }

  async cancel(id: string): Promise<CancelResult> {
    return this.#write(() => {
      const row = this.#sql.byId.get(id);
      if (row === undefined) return "unknown";
      if (isFinished(row.state)) return "finished";
      this.#sql.requestCancel.run(row.seq);
      if (row.state === "running") return "requested";
      this.#sql.cancelWaiting.run({ seq: row.seq, now: this.#now() });
      this.#letIn();
      return "cancelled";
    });
  }

  async cancelItem(id: string, item: number): Promise<boolean> {
    return this.#write(() => {
      const job = this.#sql.byId.get(id);
      if (job === undefined || isFinished(job.state)) return false;
      const row = this.#sql.item.get(job.seq, item);
      if (row === undefined || nextPhase(job.kind, toItem(row)) === null) return false;
      this.#sql.updateItem.run({ ...row, cancelled: 1 });
      return true;
    });
  }

  async recover(): Promise<Recovered[]> {
    return this.#write(() =>
      this.#sql.running.all().map((row) => {
        const state = this.#end(row, { state: "queued" }) as Recovered["state"];
        return { id: row.id, phase: row.phase, state };
      }),
    );
  }

  async hasWork(phase: Phase, besidesUser?: string): Promise<boolean> {
    return this.#read(() => {
      if (this.#isPaused()) return false;
      const found = this.#sql.hasWork.get({ phase, now: this.#now(), besidesUser: besidesUser ?? null });
      return found !== undefined;
    });
  }

  async nextDueAt(): Promise<number | null> {
    const now = this.#now();
    const latest = now + LONGEST_BACKOFF_MS;
    const { at } = await this.#read(() => this.#sql.nextDueAt.get(now)!);
    if (at === null || at <= latest) return at;
    // The clock was set back since: nobody waits an hour for that.
    await this.#write(() => this.#sql.bringForward.run({ now, latest }));
    return now;
  }

  async position(id: string): Promise<number | null> {
    return this.#read(() => {
      const row = this.#sql.byId.get(id);
      if (row?.state === "running") return 0;
      if (row?.state !== "queued") return null;
      if (row.held !== null) return null;
      return this.#sql.positionOf.get({ phase: row.phase, now: this.#now(), seq: row.seq })!.position;
    });
  }

  async depth(): Promise<QueueDepth> {
    return this.#read(() => this.#sql.depth.get()!);
  }

  async lines(): Promise<WaitingLine[]> {
    return this.#read(() => this.#sql.lines.all());
  }

  async open(limit?: number): Promise<Job[]> {
    return this.#read(() => {
      const now = this.#now();
      const inLine = (phase: Phase) => this.#sql.line.all({ phase, now });
      const running = this.#sql.running.all().map(({ seq }) => seq);
      const waiting = [...inLine("text"), ...inLine("image"), ...this.#sql.held.all()].map(({ seq }) => seq);
      // Cut before the rows and their items are read: a thousand batches hold a hundred thousand prompts.
      return [...running, ...waiting].slice(0, limit).map((seq) => this.#load(this.#sql.bySeq.get(seq)!));
    });
  }

  async undelivered(): Promise<string[]> {
    return this.#read(() => this.#sql.undelivered.all());
  }

  async delivered(id: string, messageId: string | null): Promise<void> {
    await this.#recordDelivery(this.#sql.delivered, { id, messageId, now: this.#now() });
  }

  async deliveryFailed(id: string, detail: string): Promise<void> {
    await this.#recordDelivery(this.#sql.deliveryFailed, { id, detail });
  }

  async abandonDelivery(id: string, reason: string): Promise<void> {
    await this.#recordDelivery(this.#sql.abandonDelivery, { id, reason });
  }

  async unsettledSheets(): Promise<{ jobId: string; number: number }[]> {
    return this.#read(() => this.#sql.unsettledSheets.all());
  }

  async settleSheet(id: string, number: number): Promise<void> {
    await this.#write(() => this.#sql.settleSheet.run({ id, number, now: this.#now() }));
  }

  async withPictures(): Promise<{ id: string; finishedAt: number }[]> {
    return this.#read(() => this.#sql.withPictures.all());
  }

  async keepsPictures(id: string): Promise<boolean | null> {
    const kept = await this.#read(() => this.#sql.keepsPictures.get(id));
    return kept === undefined ? null : kept === 1;
  }

  async picturesPruned(id: string): Promise<void> {
    await this.#write(() => this.#sql.picturesPruned.run({ id, now: this.#now() }));
  }

  async storedBytes(): Promise<number> {
    return this.#read(() => this.#sql.storedBytes.get()!.bytes);
  }

  async pruneOldest(count: number): Promise<string[]> {
    return this.#write(() => this.#sql.pruneOldest.all(count).map((row) => row.id));
  }

  async prune(finishedBefore: number): Promise<string[]> {
    const pruned: string[] = [];
    await this.#inSlices(
      await this.#read(() => this.#sql.prunable.all(finishedBefore)),
      (id) => (this.#sql.drop.run(id).changes === 1 ? [id] : []),
      (slice) => pruned.push(...slice.flat()),
    );
    return pruned;
  }

  async work(): Promise<OpenWork[]> {
    return this.#read(() => {
      const now = this.#now();
      const known = new Map(this.#sql.openWork.all().map((row) => [row.id, row]));
      const inLine = (["text", "image"] as const).flatMap((phase) => this.#sql.line.all({ phase, now }));
      const running = [...known.values()].filter(({ state }) => state === "running");
      const held = [...known.values()].filter((job) => job.held !== null);
      return [...running, ...inLine.flatMap(({ id }) => known.get(id) ?? []), ...held];
    });
  }

  async setAside(limit: number): Promise<Job[]> {
    return this.#read(() => this.#sql.setAside.all(limit).map((row) => this.#load(row)));
  }

  async requeue(id: string): Promise<Job | undefined> {
    return this.#write(() => {
      const row = this.#sql.byId.get(id);
      if (row?.state !== "failed") return undefined;
      const { kind, origin, items } = this.#load(row);
      const phase = items.some((item) => nextPhase(kind, item) === "text") ? "text" : "image";
      this.#join(origin.userId, kind === "optimize" ? "text" : phase);
      if (row.pictures_pruned_at !== null) {
        this.#sql.forgetPictures.run(row.seq);
        this.#sql.forgetSheets.run(row.seq);
      }
      this.#sql.requeue.run({ seq: row.seq, phase: kind === "optimize" ? "text" : phase });
      return this.#load(this.#sql.bySeq.get(row.seq)!);
    });
  }

  async setPaused(paused: boolean): Promise<void> {
    await this.#write(() => this.#sql.setFlag.run("paused", String(paused)));
  }

  async paused(): Promise<boolean> {
    return this.#read(() => this.#isPaused());
  }

  async recentPrompts(userId: string, part: string, limit: number): Promise<string[]> {
    return this.#read(() => this.#sql.recentPrompts.all({ userId, part, limit }).map(({ prompt }) => prompt));
  }

  async idsOfUser(userId: string): Promise<string[]> {
    return this.#read(() => this.#sql.idsOfUser.all(userId));
  }

  async eraseUser(userId: string): Promise<{ deleted: string[]; waiting: string[]; stopping: string[] }> {
    const states: { id: string; was: JobState }[] = [];
    await this.#inSlices(
      await this.idsOfUser(userId),
      (id) => ({ id, was: this.#eraseOrStop(id) }),
      (slice) => states.push(...slice),
    );
    const idsOf = (holds: (was: JobState) => boolean) =>
      states.filter(({ was }) => holds(was)).map(({ id }) => id);
    return {
      deleted: idsOf((was) => was !== "running"),
      waiting: idsOf((was) => was === "queued"),
      stopping: idsOf((was) => was === "running"),
    };
  }

  /** Deletes a job, or asks it to stop where it runs. Answers the state that it was in. */
  #eraseOrStop(id: string): JobState {
    const row = this.#sql.byId.get(id);
    if (row === undefined) return "cancelled";
    if (row.state === "running") {
      this.#sql.requestCancel.run(row.seq);
      return row.state;
    }
    if (row.state === "queued") this.#sql.cancelWaiting.run({ seq: row.seq, now: this.#now() });
    this.#sql.drop.run(id);
    return row.state;
  }

  #checkCaps({ origin, caps = {} }: NewJob): void {
    const open = this.#sql.openOf.get({
      userId: origin.userId,
      channelId: origin.channelId,
      guildId: origin.guildId,
    })!;
    for (const scope of LIMIT_SCOPES) {
      const limit = caps[scope];
      if (limit === undefined || open[scope] < limit) continue;
      throw new InputError("QUEUE_CAP", `${open[scope]} jobs of this ${scope} are open.`, { scope, limit });
    }
  }

  /** Open jobs in line or running, by whose they are. */
  #countInLine(): InLine {
    const counts: InLine = { user: new Map(), channel: new Map(), server: new Map() };
    for (const job of this.#sql.inLine.all()) count(counts, job);
    return counts;
  }

  /** The first limit that keeps a job out of the line, or null. */
  #overLimit(job: Counted, limits: JobCaps, inLine: InLine): LimitScope | null {
    const over = LIMIT_SCOPES.find((scope) => {
      const limit = limits[scope];
      const of = job[scope];
      return limit !== undefined && of !== null && (inLine[scope].get(of) ?? 0) >= limit;
    });
    return over ?? null;
  }

  /** Jobs are over: lets those into the line that a limit held back, the oldest first, as far as there is room now. */
  #letIn(): void {
    const waiting = this.#sql.held.all();
    if (waiting.length === 0) return;
    const inLine = this.#countInLine();
    for (const job of waiting) {
      const held = this.#overLimit(job, fromJson<JobCaps>(job.limits), inLine);
      if (held !== job.held) this.#sql.setHeld.run(held, job.seq);
      if (held !== null) continue;
      this.#join(job.user, job.phase, job.seq);
      count(inLine, job);
    }
  }

  #isPaused(): boolean {
    return this.#sql.flag.get("paused")?.value === "true";
  }

  async drop(id: string): Promise<boolean> {
    return this.#write(() => this.#sql.drop.run(id).changes === 1);
  }

  async close(): Promise<void> {
    this.#db.close();
  }

  /** One transaction that takes the write lock first, so that what was read is still true when it writes. */
  #write<T>(work: () => T, busyMs = this.#busyMs): Promise<T> {
    return this.#patiently(() => this.#db.transaction(work).immediate(), busyMs);
  }

  /** Ends jobs one by one, as many in one transaction as SLICE_MS allow, and gives others their turn between two of them. */
  async #inSlices<T>(ids: string[], end: (id: string) => T, ended: (slice: T[]) => void): Promise<void> {
    let next = 0;
    while (next < ids.length) {
      const slice = await this.#write(() => {
        const until = performance.now() + SLICE_MS;
        const done: T[] = [];
        do done.push(end(ids[next + done.length]!));
        while (next + done.length < ids.length && performance.now() < until);
        this.#letIn();
        this.#sql.forgetTurns.run();
        return done;
      });
      ended(slice);
      next += slice.length;
      await nextTurn();
    }
  }

  /** One transaction, so that several reads see one moment; a reader waits for nobody. */
  #read<T>(work: () => T): Promise<T> {
    return this.#patiently(() => this.#db.transaction(work).deferred(), this.#busyMs);
  }

  async #patiently<T>(transaction: () => T, busyMs: number): Promise<T> {
    const start = performance.now();
    for (;;) {
      try {
        return transaction();
      } catch (thrown) {
        const error = toQueueError(thrown, this.#db.name);
        const busy = codeOf(error) === "QUEUE_BUSY_DATABASE";
        if (!busy || performance.now() - start >= busyMs) throw error;
      }
      await delay(BUSY_LOOK_MS);
    }
  }

  #load(row: JobRow): Job {
    const items = this.#sql.items.all(row.seq);
    const sheets = hasOverview({ kind: row.kind, items }) ? this.#sql.sheets.all(row.seq) : [];
    return toJob(row, items, sheets);
  }

  /** The row that a claim stands for, or undefined when the job is someone else's by now. */
  #claimed(claim: Claim): JobRow | undefined {
    return this.#sql.claimed.get({ id: claim.job.id, owner: claim.owner, attempt: claim.attempt });
  }

  #saveItem(claim: Claim, item: number, change: (row: ItemRow) => ItemRow): Promise<boolean> {
    return this.#write(() => {
      const job = this.#claimed(claim);
      if (job === undefined) return false;
      const row = this.#sql.item.get(job.seq, item);
      if (row === undefined) throw new QueueError("INTERNAL", `Job ${job.id} has no item ${item}.`);
      this.#sql.updateItem.run(change(row));
      return true;
    });
  }

  #saveOnJob(claim: Claim, save: (seq: number) => unknown): Promise<boolean> {
    return this.#write(() => {
      const row = this.#claimed(claim);
      if (row !== undefined) save(row.seq);
      return row !== undefined;
    });
  }

  /** Ends the holder's work as `decide` says; false when the claim is stale, else the state that was written. */
  #leave(claim: Claim, decide: (row: JobRow, now: number) => Ending): Promise<JobState | false> {
    return this.#write(() => {
      const row = this.#claimed(claim);
      return row !== undefined && this.#end(row, decide(row, this.#now()));
    });
  }

  /** Running -> whatever comes next. A job that would wait again is cancelled instead when that was asked for. */
  #end(row: JobRow, ending: Ending): JobState {
    const now = this.#now();
    const state = ending.state === "queued" && row.cancel_requested === 1 ? "cancelled" : ending.state;
    const phase = ending.phase ?? row.phase;
    const failures = fromJson<Failure[]>(row.failures);
    if (ending.failure !== undefined) failures.push(ending.failure);
    this.#sql.end.run({
      seq: row.seq,
      state,
      phase,
      notBefore: ending.notBefore ?? 0,
      failures: JSON.stringify(failures),
      finishedAt: isFinished(state) ? now : null,
    });
    this.#sql.endTurn.run({ userId: row.user_id, phase: row.phase });
    if (state === "queued" && phase !== row.phase) this.#join(row.user_id, phase, row.seq);
    if (isFinished(state)) this.#letIn();
    return state;
  }

  /** Puts a user at the end of a phase's ring, unless another job of his stands or runs there already. */
  #join(userId: string, phase: Phase, besidesSeq = -1): void {
    const there = this.#sql.inPhase.get({ userId, phase, besidesSeq });
    if (there === undefined) this.#sql.endTurn.run({ userId, phase });
  }

  #recordDelivery<P extends { id: string }>(statement: Statement<[P]>, values: P): Promise<void> {
    return this.#write(() => {
      if (statement.run(values).changes === 1) return;
      throw new QueueError(
        "INTERNAL",
        `There is no finished job ${values.id} whose delivery could be recorded.`,
      );
    });
  }
}

const LIMIT_SCOPES = ["user", "channel", "server"] as const satisfies readonly LimitScope[];

type InLine = Readonly<Record<LimitScope, Map<string, number>>>;

function count(counts: InLine, job: Counted): void {
  for (const scope of LIMIT_SCOPES) {
    const of = job[scope];
    if (of !== null) counts[scope].set(of, (counts[scope].get(of) ?? 0) + 1);
  }
}

/** The job's seed plus the index, wrapped to stay in 0..2^53 - 1, where a number still counts one by one. */
function seedOfItem(seed: number, index: number): number {
  const room = Number.MAX_SAFE_INTEGER - seed;
  return index <= room ? seed + index : index - room - 1;
}

/** An item's notes as JSON, with the new ones that it has not got. */
function withNotes(stored: string, added: readonly ItemNote[]): string {
  const notes = new Map(
    [...fromJson<ItemNote[]>(stored), ...added].map((note) => [JSON.stringify(note), note]),
  );
  return JSON.stringify([...notes.values()]);
}

const withTimes = (stored: string, added: ItemTimes): string =>
  JSON.stringify({ ...fromJson<ItemTimes>(stored), ...added });

const withJudgements = (stored: string, added: ItemJudgements): string =>
  JSON.stringify({ ...fromJson<ItemJudgements>(stored), ...added });

/** What is known of each picture that is there, by its side. */
function known<T>(
  pictures: Partial<PerSide<Picture>>,
  of: (picture: Picture) => T | null,
): Partial<PerSide<T>> {
  const parts: Partial<Record<Side, T>> = {};
  for (const side of SIDES) {
    const picture = pictures[side];
    const part = picture === undefined ? null : of(picture);
    if (part !== null) parts[side] = part;
  }
  return parts;
}
