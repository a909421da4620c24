import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { codeOf, describe, type ErrorCode, isMissing, isPermanent } from "../../core/errors.js";
import type { Events } from "../../core/events.js";
import { type Item, type ItemNote, type Job, nextPhase, type Phase } from "../../core/job.js";
import { isFlagged, judgedAgain, type PictureJudgement, withheldVariant } from "../../core/judgement.js";
import type { Claim, PictureResult, Queue } from "../../db/queue.js";
import { replaceFile } from "../../files/replace-file.js";
import { captionOf } from "../../pictures/caption.js";
import type { PairFiles } from "../../pictures/pair-card.js";
import type { CallName, WorkerCalls, WorkerInfo } from "../worker/protocol.js";
import type { GpuLease, GpuLock } from "./gpu-lock.js";
import type { CallOptions } from "./model-host.js";
import type { Outcome } from "./outcome.js";

/** A loaded model in its worker; `ModelHost` is the real one. */
export interface Host {
  readonly info: WorkerInfo;
  readonly pid: number;
  readonly alive: boolean;
  call<N extends CallName>(
    name: N,
    request: WorkerCalls[N]["request"],
    options?: CallOptions,
  ): Promise<WorkerCalls[N]["response"]>;
  close(): Promise<{ peakBytes: number; code: number | null; signal: string | null }>;
}

export interface LoopOptions {
  readonly queue: Queue;
  readonly events: Events;
  readonly gpu: GpuLock;
  /** Loads the model of a phase; `checkpoint` is its name for messages and metadata. */
  readonly openModel: (phase: Phase, lease: GpuLease, signal: AbortSignal) => Promise<Host>;
  readonly checkpointName: (phase: Phase) => string;
  readonly picturesDir: string;
  /** Names this run of the program in its claims. */
  readonly owner: string;
  /** Milliseconds after which a phase lets the other one go first, if it has work. */
  readonly phaseMs: number;
  readonly now?: () => number;
}

/** Pairs on one contact sheet; more pairs make more sheets. */
export const PAIRS_PER_SHEET = 10;
/** Prompts that Promptist rewrites in one left-padded batch. */
const PROMPTS_PER_BATCH = 4;
const RETRY_BASE_MS = 1_000;
/** Between two previews of a picture: as often as its message may be edited. */
const PREVIEW_MS = 2_500;
const SIDES = ["baseline", "optimized"] as const;
/** The queue cannot be reached (locked by another program, disk full): how long until the next look. */
const QUEUE_TROUBLE_MS = 2_000;

/** The longest sleep while a job is in its back-off time. */
const LOOK_MS = 30_000;

/**
 * The single consumer of the queue. It chooses a phase, takes the GPU, loads that phase's model once, runs all work
 * that waits for it, lets the model's process end, and gives the GPU back.
 */
export class InferenceLoop {
  readonly #options: LoopOptions;
  readonly #now: () => number;
  readonly #stopping = new AbortController();
  readonly #current = new Map<string, AbortController>();
  #session: PhaseSession | null = null;
  /** Running rows that nobody works on: an earlier run's, or ours whose end the database did not take. */
  #orphans = false;
  #wake: () => void = () => {};
  #lastPhase: Phase = "image";
  #finished: Promise<void> | undefined;

  constructor(options: LoopOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    options.events.on("job.enqueued", () => this.#wake());
    options.events.on("queue.resumed", () => this.#wake());
    options.events.on("job.cancel-requested", ({ jobId }) => this.#current.get(jobId)?.abort());
  }

  /** Puts back what an earlier run of the program left running, and begins. */
  async start(): Promise<void> {
    await this.#recover();
    this.#finished = this.#run();
  }

  /**
   * Stops at the next step of the model, or ends the model's process where that takes longer than a worker's grace; what
   * was running waits again, its finished items kept.
   */
  async stop(): Promise<void> {
    this.#stopping.abort();
    for (const controller of this.#current.values()) controller.abort();
    this.#wake();
    await this.#session?.stop();
    await this.#finished;
  }

  async #recover(): Promise<void> {
    for (const jobId of await this.#options.queue.recover()) {
      const job = await this.#options.queue.get(jobId);
      if (job) this.#options.events.emit("job.requeued", { jobId, phase: job.phase, reason: "recovered" });
    }
  }

  async #run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      // Armed before the look, so that work which arrives during it is not slept through.
      const wake = this.#nextWake();
      try {
        if (this.#orphans) {
          await this.#recover();
          this.#orphans = false;
        }
        const phase = await this.#choosePhase();
        if (phase) {
          this.#lastPhase = phase;
          await this.#options.gpu.withGpu((lease) => this.#runPhase(phase, lease), this.#stopping.signal);
        } else {
          const dueAt = await this.#options.queue.nextDueAt();
          // Not slept through at once: the clock may be set back meanwhile.
          await wake(dueAt === null ? null : Math.min(dueAt - this.#now(), LOOK_MS));
        }
      } catch (error) {
        if (this.#stopping.signal.aborted) return;
        // A write may have failed between a claim and its end, with nobody left who works on the job.
        this.#orphans = true;
        this.#log("error", "the inference loop could not go on; it tries again", error);
        await wake(QUEUE_TROUBLE_MS);
      }
    }
  }

  /** The phases take turns where both have work. */
  async #choosePhase(): Promise<Phase | null> {
    const other: Phase = this.#lastPhase === "text" ? "image" : "text";
    if (await this.#options.queue.hasWork(other)) return other;
    return (await this.#options.queue.hasWork(this.#lastPhase)) ? this.#lastPhase : null;
  }

  async #runPhase(phase: Phase, lease: GpuLease): Promise<void> {
    const { queue, events, owner } = this.#options;
    const started = this.#now();
    const mayGoOn = async () =>
      !this.#stopping.signal.aborted &&
      (this.#now() - started < this.#options.phaseMs ||
        !(await queue.hasWork(phase === "text" ? "image" : "text")));
    const session = new PhaseSession(phase, lease, this.#options, this.#stopping.signal);
    this.#session = session;
    try {
      while (await mayGoOn()) {
        const claim = await queue.claim(phase, owner);
        if (!claim) break;
        const jobId = claim.job.id;
        events.emit("job.claimed", { jobId, phase, attempt: claim.attempt });
        const controller = new AbortController();
        this.#current.set(jobId, controller);
        try {
          const outcome = claim.job.cancelRequested
            ? ({ kind: "cancelled" } as const)
            : await this.#runJob(session, claim, controller.signal, mayGoOn);
          await this.#settle(claim, outcome);
        } catch (error) {
          // Not an outcome but a bug, or the queue itself: recorded with its attempt, so that it cannot repeat for ever.
          this.#log("error", `job ${jobId} failed unexpectedly`, error, jobId);
          await this.#settle(claim, retryable(codeOf(error), describe(error), claim));
        } finally {
          this.#current.delete(jobId);
        }
        if (session.lost) break;
      }
    } finally {
      await session.close(this.#now() - started);
      this.#session = null;
    }
  }

  /** Works on the items of one job until they are done for this phase, or others should go first. */
  async #runJob(
    session: PhaseSession,
    claim: Claim,
    signal: AbortSignal,
    mayGoOn: () => Promise<boolean>,
  ): Promise<Outcome<"complete" | "advance" | "release">> {
    const { phase } = session;
    const { kind, origin } = claim.job;
    let pending = claim.job.items.filter((item) => nextPhase(kind, item) === phase);
    try {
      const host = await session.host(signal);
      const { queue, checkpointName } = this.#options;
      if (!(await queue.saveCheckpoint(claim, phase, checkpointName(phase), host.info.hash)))
        return { kind: "cancelled" };
      for (;;) {
        if (kind === "batch") pending = await this.#stillWanted(claim.job.id, pending);
        if (pending.length === 0) break;
        const batch = pending.slice(0, phase === "text" ? PROMPTS_PER_BATCH : 1);
        const kept =
          phase === "text"
            ? await this.#rewrite(host, claim, batch, signal)
            : await this.#drawPair(host, claim, batch[0]!, signal);
        if (!kept) return { kind: "cancelled" };
        session.items += batch.length;
        pending = pending.slice(batch.length);
        if (pending.length === 0) continue;
        if (phase === "image" && kind === "batch") await this.#drawSheets(host, claim, false);
        const othersWait = await this.#options.queue.hasWork(phase, origin.userId);
        if (othersWait || !(await mayGoOn())) return { kind: "done", value: "release" };
      }
      if (phase === "text" && kind !== "optimize") return { kind: "done", value: "advance" };
      if (kind === "batch") await this.#drawSheets(host, claim, true);
      session.jobs++;
      return { kind: "done", value: "complete" };
    } catch (error) {
      if (this.#stopping.signal.aborted) return { kind: "done", value: "release" };
      const code = codeOf(error);
      if (code === "CANCELLED") return { kind: "cancelled" };
      this.#log(
        "warn",
        `job ${claim.job.id}, attempt ${claim.attempt}: ${describe(error)}`,
        error,
        claim.job.id,
      );
      if (isPermanent(code)) return { kind: "fail", code, detail: describe(error) };
      return retryable(code, describe(error), claim);
    }
  }

  async #rewrite(host: Host, claim: Claim, items: readonly Item[], signal: AbortSignal): Promise<boolean> {
    const { job } = claim;
    const started = this.#now();
    const rewrites = await host.call(
      "optimize",
      { prompts: items.map((item) => item.prompt), settings: job.text },
      { signal, onProgress: this.#progress(job, "text", items[0]!, "text") },
    );
    const ms = (this.#now() - started) / items.length;
    for (const [i, item] of items.entries()) {
      const { optimized, candidates, truncated } = rewrites[i]!;
      const notes: ItemNote[] = [
        ...(optimized === item.prompt.trim() ? [{ code: "unchanged" } as const] : []),
        ...SIDES.flatMap((side): ItemNote[] => {
          const words = truncated?.[side] ?? null;
          return words === null ? [] : [{ code: "truncated", side, words }];
        }),
      ];
      if (!(await this.#options.queue.saveText(claim, item.index, { optimized, candidates, notes, ms })))
        return false;
      this.#options.events.emit("job.item", { jobId: job.id, item: item.index, phase: "text" });
    }
    return true;
  }

  /** Draws what is missing of a pair, each half kept as soon as it is there, and composes the two. */
  async #drawPair(host: Host, claim: Claim, item: Item, signal: AbortSignal): Promise<boolean> {
    const { queue, picturesDir, events } = this.#options;
    const { job } = claim;
    const folder = join(picturesDir, job.id);
    await mkdir(folder, { recursive: true });
    const settings = { ...job.image, seed: item.seed };
    const number = item.index + 1;
    const names = {
      baseline: `${number}-baseline.png`,
      drawn: `${number}-optimized.png`,
      comparison: `${number}-comparison.png`,
    };
    const halves = [
      { making: "baseline", column: "baseline", prompt: item.prompt },
      { making: "optimized", column: "drawn", prompt: item.optimized! },
    ] as const;
    for (const { making, column, prompt } of halves) {
      if (item[column] !== null) continue;
      const file = join(folder, names[column]);
      const { harmless = false } = host.info;
      let drawn = await this.#reuse(host, job, item, making, file);
      if (drawn === null) {
        const started = this.#now();
        const { truncated, judgement } = await host.call(
          "draw",
          {
            prompt,
            plainPrompt: item.prompt,
            settings,
            file,
            checkpoint: this.#options.checkpointName("image"),
            previewMs: job.preview ? PREVIEW_MS : null,
          },
          {
            signal,
            onProgress: this.#progress(job, "image", item, making),
            onPreview: (data) =>
              events.emit("job.preview", { jobId: job.id, item: item.index, making, data, harmless }),
          },
        );
        const notes: ItemNote[] = truncated ? [{ code: "truncated", side: making, words: truncated }] : [];
        drawn = {
          notes,
          times: { [column]: this.#now() - started },
          judgements: { [column]: judgement },
        };
      }
      if (!(await queue.savePictures(claim, item.index, { [column]: names[column], ...drawn }))) return false;
      events.emit("job.picture", { jobId: job.id, item: item.index, making });
    }
    const judged = (await queue.get(job.id))?.items[item.index];
    const { whole, withheld } = this.#pairFiles(job, { ...(judged ?? item), ...names });
    const file = join(folder, names.comparison);
    await host.call("compose", { pair: whole, file });
    // With both halves blank there would be nothing to see.
    if (withheld.withheld?.length === 1)
      await host.call("compose", { pair: withheld, file: withheldVariant(file) });
    if (!(await queue.savePictures(claim, item.index, { comparison: names.comparison }))) return false;
    events.emit("job.item", { jobId: job.id, item: item.index, phase: "image" });
    return true;
  }

  /**
   * The same prompt with the same settings gives the same picture, so it is copied where it is there already: the other
   * half of a pair that Promptist left unchanged, or the half that the job's parent drew. Null: it has to be drawn.
   */
  async #reuse(
    host: Host,
    job: Job,
    item: Item,
    making: "baseline" | "optimized",
    file: string,
  ): Promise<PictureResult | null> {
    const { queue, picturesDir } = this.#options;
    const wanted = JSON.stringify([
      making === "baseline" ? item.prompt : item.optimized,
      { ...job.image, seed: item.seed },
      this.#options.checkpointName("image"),
    ]);
    const own = await queue.get(job.id);
    const parent = job.parentId === null ? undefined : await queue.get(job.parentId);
    for (const source of [own, parent]) {
      for (const { prompt, optimized, seed, baseline, drawn, notes, judgements } of source?.items ?? []) {
        const halves = [
          { side: "baseline", text: prompt, name: baseline, judged: judgements.baseline },
          { side: "optimized", text: optimized, name: drawn, judged: judgements.drawn },
        ] as const;
        for (const { side, text, name, judged } of halves) {
          const settings = { ...source!.image, seed };
          if (name === null || source!.checkpoints.diffusion === null) continue;
          if (JSON.stringify([text, settings, source!.checkpoints.diffusion]) !== wanted) continue;
          if (!(await copied(join(picturesDir, source!.id, name), file))) continue;
          const cut = notes.find((note) => note.code === "truncated" && note.side === side);
          // Relevance is that to the plain prompt, which may be another one now.
          const kept = judged && (prompt === item.prompt ? judged : { ...judged, relevance: null });
          const judgement = await completed(kept, () =>
            host.call("judge", { file, plainPrompt: item.prompt }),
          );
          return {
            notes: cut?.code === "truncated" ? [{ ...cut, side: making }] : [],
            judgements: making === "baseline" ? { baseline: judgement } : { drawn: judgement },
          };
        }
      }
    }
    return null;
  }

  /** Without the items that were taken out of the job meanwhile. */
  async #stillWanted(jobId: string, pending: readonly Item[]): Promise<Item[]> {
    const job = await this.#options.queue.get(jobId);
    return pending.filter(({ index }) => job?.items[index]?.cancelled !== true);
  }

  /** Draws a sheet for each ten pairs that have none; the last one may have fewer. */
  async #drawSheets(host: Host, claim: Claim, isOver: boolean): Promise<void> {
    const { queue, picturesDir, events } = this.#options;
    const job = await queue.get(claim.job.id);
    if (job === undefined) return;
    const drawn = job.items.filter((item) => item.comparison !== null);
    for (let { length } = job.sheets; length * PAIRS_PER_SHEET < drawn.length; length++) {
      const items = drawn.slice(length * PAIRS_PER_SHEET, (length + 1) * PAIRS_PER_SHEET);
      if (items.length < PAIRS_PER_SHEET && !isOver) return;
      const number = length + 1;
      const name = `contact-sheet-${number}.png`;
      const file = join(picturesDir, job.id, name);
      const numbers = items.map(({ index }) => index + 1);
      const pairs = items.map((item) => this.#pairFiles(job, item));
      await host.call("sheet", { pairs: pairs.map(({ whole }) => whole), file, numbers });
      if (pairs.some(({ withheld }) => withheld.withheld?.length)) {
        const blanked = pairs.map(({ withheld }) => withheld);
        await host.call("sheet", { pairs: blanked, file: withheldVariant(file), numbers });
      }
      const sheet = { number, file: name, items: items.map(({ index }) => index) };
      if (!(await queue.saveSheet(claim, sheet))) return;
      events.emit("job.sheet", { jobId: job.id, number });
    }
  }

  /** A drawn pair as it is, and with blank panels in the places of its flagged pictures. */
  #pairFiles(job: Job, item: Item): { whole: PairFiles; withheld: PairFiles } {
    const folder = join(this.#options.picturesDir, job.id);
    const whole = {
      prompt: item.prompt,
      optimized: item.optimized ?? "",
      baseline: join(folder, item.baseline ?? ""),
      drawn: join(folder, item.drawn ?? ""),
      caption: captionOf({ ...job.image, seed: item.seed }, this.#options.checkpointName("image")),
    };
    const { baseline, drawn } = item.judgements;
    const withheld = [
      ...(isFlagged(baseline) ? (["baseline"] as const) : []),
      ...(isFlagged(drawn) ? (["optimized"] as const) : []),
    ];
    return { whole, withheld: { ...whole, withheld } };
  }

  async #settle(claim: Claim, outcome: Outcome<"complete" | "advance" | "release">): Promise<void> {
    const { queue, events } = this.#options;
    const { id: jobId, phase } = claim.job;
    switch (outcome.kind) {
      case "done": {
        const kept = await queue[outcome.value](claim);
        if (!kept) return;
        if (outcome.value === "complete") events.emit("job.finished", { jobId, state: "done" });
        else if (outcome.value === "advance")
          events.emit("job.requeued", { jobId, phase: "image", reason: "next-phase" });
        else events.emit("job.requeued", { jobId, phase, reason: "yield" });
        return;
      }
      case "retry": {
        const state = await queue.retry(claim, outcome.code, outcome.detail, outcome.afterMs);
        const { code } = outcome;
        if (state === "failed") events.emit("job.finished", { jobId, state, code });
        else if (state === "cancelled") events.emit("job.finished", { jobId, state });
        else if (state === "queued") events.emit("job.requeued", { jobId, phase, reason: "retry", code });
        return;
      }
      case "fail":
        if (await queue.fail(claim, outcome.code, outcome.detail))
          events.emit("job.finished", { jobId, state: "failed", code: outcome.code });
        return;
      case "cancelled":
        if (await queue.cancelled(claim)) events.emit("job.finished", { jobId, state: "cancelled" });
    }
  }

  #progress(job: Job, phase: Phase, item: Item, making: "text" | "baseline" | "optimized") {
    return (step: number, steps: number) =>
      this.#options.events.emit("job.progress", {
        jobId: job.id,
        phase,
        item: item.index,
        items: job.items.length,
        making,
        step,
        steps,
      });
  }

  /** A promise-maker for the next wake-up; at the latest after `ms`, if given. */
  #nextWake(): (ms: number | null) => Promise<void> {
    const woken = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    return async (ms) => {
      let timer: NodeJS.Timeout | undefined;
      const due = new Promise<void>((resolve) => {
        if (ms !== null) timer = setTimeout(resolve, Math.max(0, ms));
      });
      await Promise.race([woken, due]);
      clearTimeout(timer);
    };
  }

  #log(level: "warn" | "error", message: string, error: unknown, jobId?: string): void {
    this.#options.events.emit("log", { level, message, error, ...(jobId === undefined ? {} : { jobId }) });
  }
}

/** False where the file is gone; other faults of the disk are thrown. */
async function copied(from: string, to: string): Promise<boolean> {
  let picture: Buffer;
  try {
    picture = await readFile(from);
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
  await replaceFile(to, picture);
  return true;
}

/** What was judged of a copied picture, and the rest judged now. */
async function completed(
  kept: PictureJudgement | undefined,
  judge: () => Promise<PictureJudgement>,
): Promise<PictureJudgement> {
  if (kept === undefined) return judge();
  const isWhole = kept.relevance !== null && kept.beauty !== null && kept.safety !== "unchecked";
  return isWhole ? kept : judgedAgain(kept, await judge());
}

function retryable(code: ErrorCode, detail: string, claim: Claim): Outcome<never> {
  return { kind: "retry", code, detail, afterMs: RETRY_BASE_MS * 2 ** claim.job.failures.length };
}

/** One phase's model: loaded when the first job needs it, gone at the end. */
class PhaseSession {
  jobs = 0;
  items = 0;
  #host: Host | undefined;

  constructor(
    readonly phase: Phase,
    private readonly lease: GpuLease,
    private readonly options: LoopOptions,
    private readonly stopping: AbortSignal,
  ) {}

  /** True when the worker is gone, so that the phase has to start afresh. */
  get lost(): boolean {
    return this.#host !== undefined && !this.#host.alive;
  }

  async host(signal: AbortSignal): Promise<Host> {
    if (this.#host) return this.#host;
    const { phase, options } = this;
    this.#host = await options.openModel(phase, this.lease, AbortSignal.any([signal, this.stopping]));
    options.events.emit("phase.started", {
      phase,
      pid: this.#host.pid,
      checkpoint: options.checkpointName(phase),
      device: this.#host.info.device,
      loadMs: this.#host.info.loadMs,
    });
    return this.#host;
  }

  /** Ends the worker, in the midst of a step if need be. */
  async stop(): Promise<void> {
    await this.#host?.close();
  }

  async close(ms: number): Promise<void> {
    if (!this.#host) return;
    const { phase, options, jobs, items } = this;
    const { pid } = this.#host;
    const { peakBytes, code, signal } = await this.#host.close();
    options.events.emit("worker.exited", { phase, pid, code, signal });
    options.events.emit("phase.finished", { phase, jobs, items, ms, peakBytes });
  }
}
