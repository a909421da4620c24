import { backoffMs } from "../../core/backoff.js";
import {
  codeOf,
  contextOf,
  describe,
  type ErrorCode,
  type ErrorContext,
  isPermanent,
} from "../../core/errors.js";
import {
  imageOf,
  type Job,
  nextPhase,
  PHASES,
  type Phase,
  textOptionsOf,
  unwrittenSides,
} from "../../core/job.js";
import { CONFIGURED_SET, type ModelSet, modelKey, modelSetOf, rewriterSetOf } from "../../core/model-set.js";
import type { Claim, ModelsAtHand, Queue } from "../../db/queue.js";
import type { PictureStore } from "../../pictures/store.js";
import type { RewriteChoice } from "../../taste/rewrite-choice.js";
import { DeviceHealth, isOfDevice } from "./device-health.js";
import type { GpuLease, GpuLock } from "./gpu-lock.js";
import { ImageItems } from "./image-items.js";
import { keepLease } from "./lease.js";
import { type ItemWork, OpenPhase, type OpenPhaseOptions, type Piece } from "./phase.js";
import type { UpscalerOf } from "./source-check.js";
import { TextItems } from "./text-items.js";

/**
 * How one phase of a job ended. `#runJob` returns it; a throw means a bug and is caught once, in the loop.
 */
type Outcome =
  | { readonly kind: "complete" | "advance" | "release" | "cancelled" }
  | ({ readonly kind: "retry"; readonly afterMs: number } & Cause)
  | ({ readonly kind: "fail" } & Cause);

/** Why an attempt failed. */
interface Cause {
  readonly code: ErrorCode;
  readonly detail: string;
  readonly context: ErrorContext;
}

const causeOf = (error: unknown): Cause => ({
  code: codeOf(error),
  detail: describe(error),
  context: contextOf(error),
});

export interface LoopOptions extends OpenPhaseOptions {
  readonly queue: Queue;
  readonly gpu: GpuLock;
  readonly pictures: PictureStore;
  /** Takes rewrites by what a server likes. */
  readonly choice?: RewriteChoice;
  /** Lanczos alone where it is left out. */
  readonly upscalerOf?: UpscalerOf;
  /** The phases that use the device of `gpu`, and so take turns. */
  readonly phases?: readonly Phase[];
  /** The device of `gpu` where the program has several; one that fails is set aside. */
  readonly device?: string;
  /** Milliseconds until such a device is first tried again. */
  readonly deviceRetryMs?: number;
  /** Milliseconds until a job is first tried again that a full disk or a picture store failed. */
  readonly storeRetryMs?: number;
  /** The keys of the picture models that other devices have loaded. */
  readonly elsewhere?: () => readonly string[];
  /** Milliseconds after which a phase makes way for the other one, if that has work. */
  readonly phaseMs: number;
  readonly now?: () => number;
  /** Asked before each claim. False once another program has the queue, and this one is about to stop. */
  readonly mayClaim?: () => boolean;
  /** True while the host is paused: what it is at goes on, and nothing else begins. */
  readonly isPaused?: () => boolean;
  /** Milliseconds between two looks for work where other programs store it too, and a wake-up may be lost. */
  readonly pollMs?: number;
}

const RETRY_FIRST_MS = 1_000;
/** With three attempts a store has half a minute: somebody frees space, or its server starts again. */
const STORE_RETRY_FIRST_MS = 10_000;
/** What fails every job alike, and no device is to blame for. */
const OF_STORES: readonly ErrorCode[] = ["DISK_FULL", "DISK_FAILED", "PICTURES_UNREACHABLE"];
/**
 * How long to wait before looking again when the queue cannot be reached (locked by another program, disk
 * full).
 */
const QUEUE_TROUBLE_MS = 2_000;

/** The longest sleep while a job is in its back-off. */
const LOOK_MS = 30_000;
const SHORTEST_SLEEP_MS = 50;
/** A claim takes a few milliseconds, and nobody sees a tenth of a second before a picture. */
const SPREAD_MS = 100;

/**
 * The only consumer of its phases' lines. It chooses a phase, takes the device, loads that phase's model once,
 * runs all waiting work, ends the model's process and releases the device. By default one loop has both phases;
 * a text phase on a device of its own has a loop of its own, which never waits for pictures.
 */
export class InferenceLoop {
  readonly #options: LoopOptions;
  /** In the order of their turns: the phase that ran last comes last. */
  #phases: readonly Phase[];
  readonly #now: () => number;
  readonly #mayClaim: () => boolean;
  readonly #isPaused: () => boolean;
  readonly #work: Readonly<Record<Phase, ItemWork>>;
  readonly #stopping = new AbortController();
  readonly #current = new Map<string, AbortController>();
  #open: OpenPhase | null = null;
  /** Whether the device works, where others can work in its place. */
  readonly #health: DeviceHealth | null;
  /**
   * There may be running rows of ours that nobody works on, since their end could not be stored.
   */
  #orphans = false;
  #draining = false;
  #wake: () => void = () => {};
  #finished: Promise<void> | undefined;

  constructor(options: LoopOptions) {
    this.#options = options;
    this.#phases = options.phases ?? PHASES;
    this.#now = options.now ?? Date.now;
    this.#mayClaim = options.mayClaim ?? (() => true);
    this.#isPaused = options.isPaused ?? (() => false);
    const { queue, events, pictures, checkpointName, choice, upscalerOf, device, deviceRetryMs } = options;
    const now = this.#now;
    this.#health =
      device === undefined
        ? null
        : new DeviceHealth({ device, events, now, ...(deviceRetryMs && { firstMs: deviceRetryMs }) });
    this.#work = {
      text: new TextItems({ queue, events, now, ...(choice === undefined ? {} : { choice }) }),
      image: new ImageItems({
        queue,
        events,
        pictures,
        now,
        ...(upscalerOf === undefined ? {} : { upscalerOf }),
        checkpoint: (image) => checkpointName("image", modelSetOf(image)),
      }),
    };
    events.on("job.enqueued", () => this.#wake());
    events.on("queue.resumed", () => this.#wake());
    events.on("host.paused", () => this.#wake());
    // Another loop may have passed the job on to a phase of this one.
    events.on("job.requeued", () => this.#wake());
    // All hosts hear of it, and one gets it: the others look when it is gone.
    events.on("work.elsewhere", () => {
      setTimeout(() => this.#wake(), Math.random() * SPREAD_MS).unref();
    });
    events.on("job.cancel-requested", ({ jobId }) => this.#current.get(jobId)?.abort());
  }

  /** The keys of the picture models that are loaded now. */
  get loaded(): readonly string[] {
    return this.#open?.phase === "image" ? this.#open.keys : [];
  }

  /** Starts the work; before the first loop of a run starts, `Queue.recover` requeues what an earlier run left. */
  start(): void {
    this.#finished = this.#run();
  }

  /**
   * Stops at the model's next step, or ends its process if that takes longer than a worker's grace; running
   * jobs wait again and keep their finished items.
   */
  async stop(): Promise<void> {
    this.#stopping.abort();
    for (const controller of this.#current.values()) controller.abort();
    this.#wake();
    await this.#open?.stop();
    await this.#finished;
  }

  /** Finishes the items that are being made, gives the rest back, and begins nothing more. */
  async drain(): Promise<void> {
    this.#draining = true;
    this.#wake();
    await this.#finished;
  }

  async #run(): Promise<void> {
    while (!this.#stopping.signal.aborted && !this.#draining) {
      // Armed before looking, so that work that arrives meanwhile wakes the loop.
      const wake = this.#nextWake();
      try {
        if (this.#orphans) {
          await this.#options.queue.recover({ owner: this.#options.owner });
          this.#orphans = false;
        }
        const asideMs = this.#health?.waitMs ?? 0;
        if (asideMs > 0) {
          await wake(asideMs);
          continue;
        }
        const phase = this.#health?.aside ?? (await this.#choosePhase());
        if (!this.#mayClaim() || this.#isPaused()) {
          await wake(QUEUE_TROUBLE_MS);
        } else if (phase) {
          this.#phases = [...this.#phases.filter((it) => it !== phase), phase];
          await this.#options.gpu.withGpu((lease) => this.#runPhase(phase, lease), this.#stopping.signal);
        } else {
          const dueAt = await this.#options.queue.nextDueAt();
          // Sleep in short steps: the clock may be turned back meanwhile, or be ahead of the database's.
          const { pollMs = null } = this.#options;
          const dueMs = dueAt === null ? null : Math.max(dueAt - this.#now(), SHORTEST_SLEEP_MS);
          await wake(dueMs === null ? pollMs : Math.min(dueMs, pollMs ?? LOOK_MS));
        }
      } catch (error) {
        if (this.#stopping.signal.aborted) return;
        // A write may have failed between a claim and its end, leaving a running job that nobody works on.
        this.#orphans = true;
        this.#log("error", "the inference loop could not go on; it tries again", error);
        await wake(QUEUE_TROUBLE_MS);
      }
    }
  }

  /** The first phase in the order of turns that has work. */
  async #choosePhase(): Promise<Phase | null> {
    for (const phase of this.#phases) if (await this.#options.queue.hasWork(phase)) return phase;
    return null;
  }

  async #othersHaveWork(phase: Phase): Promise<boolean> {
    for (const other of this.#phases)
      if (other !== phase && (await this.#options.queue.hasWork(other))) return true;
    return false;
  }

  async #runPhase(phase: Phase, lease: GpuLease): Promise<void> {
    const { queue, owner } = this.#options;
    const started = this.#now();
    const mayGoOn = async () =>
      !this.#stopping.signal.aborted &&
      !this.#draining &&
      this.#mayClaim() &&
      (this.#now() - started < this.#options.phaseMs || !(await this.#othersHaveWork(phase)));
    const open = new OpenPhase(phase, lease, this.#options, this.#stopping.signal);
    this.#open = open;
    try {
      if (this.#health?.aside != null && !(await this.#tryAgain(open))) return;
      while (!this.#isPaused() && (await mayGoOn())) {
        const claim = await queue.claim(phase, owner, this.#modelsFor(open));
        if (!claim) break;
        const jobId = claim.job.id;
        const controller = new AbortController();
        this.#current.set(jobId, controller);
        const endLease = keepLease(queue, claim, {
          onStop: () => controller.abort(),
          onTrouble: (error) =>
            this.#log("warn", `the lease of job ${jobId} can't be extended now`, error, jobId),
        });
        try {
          const outcome = claim.job.cancelRequested
            ? ({ kind: "cancelled" } as const)
            : await this.#runJob(open, claim, controller.signal, mayGoOn);
          await this.#settle(claim, outcome);
        } catch (error) {
          // A bug, or the queue itself failed: count it as an attempt, so that it cannot repeat for ever.
          this.#log("error", `job ${jobId} failed unexpectedly`, error, jobId);
          await this.#settle(claim, this.#retryable(causeOf(error), claim));
        } finally {
          await endLease();
          this.#current.delete(jobId);
        }
        if (open.lost || this.#health?.aside != null) break;
      }
    } finally {
      await open.close(this.#now() - started);
      this.#open = null;
    }
  }

  #modelsFor(open: OpenPhase): ModelsAtHand {
    const elsewhere = open.phase === "text" ? [] : (this.#options.elsewhere?.() ?? []);
    return { loaded: open.turn(this.#now()), elsewhere };
  }

  /** Loads what is configured on a device that was set aside, before a job is risked there. False if it fails again. */
  async #tryAgain(open: OpenPhase): Promise<boolean> {
    try {
      await open.host(CONFIGURED_SET, this.#stopping.signal, this.#now);
    } catch (error) {
      const { code, detail } = causeOf(error);
      if (this.#stopping.signal.aborted) return false;
      // Another error concerns the model's files: the device opened, and the jobs say what is wrong.
      if (isOfDevice(code)) {
        this.#health?.setAside(open.phase, code, detail);
        return false;
      }
    }
    this.#health?.back();
    return true;
  }

  /**
   * Whether the device is to blame for what failed with a job, which it then gives back. Loading tells the two apart: a
   * model that it had loaded before, or the configured one, fails on a broken device alone.
   * @param set what the job needs; `isLoading` if that could not be loaded
   */
  async #isDeviceToBlame(
    open: OpenPhase,
    jobId: string,
    { set, isLoading }: { readonly set: ModelSet; readonly isLoading: boolean },
  ): Promise<boolean> {
    await open.dropLost();
    const again = isLoading ? CONFIGURED_SET : set;
    if (isLoading && modelKey(set) === modelKey(CONFIGURED_SET)) return true;
    try {
      await open.host(again, this.#stopping.signal, this.#now);
    } catch (error) {
      return isOfDevice(codeOf(error));
    }
    return !isLoading && (this.#health?.isToBlame(jobId) ?? false);
  }

  /** Works on one job's items until they are done for this phase, or other jobs should go first. */
  async #runJob(
    open: OpenPhase,
    claim: Claim,
    signal: AbortSignal,
    mayGoOn: () => Promise<boolean>,
  ): Promise<Outcome> {
    const { queue, checkpointName } = this.#options;
    const { phase } = open;
    const { id, kind, origin } = claim.job;
    const work = this.#work[phase];
    let device: string | null = null;
    const begin = (on: string) => {
      if (device !== null) return;
      device = on;
      this.#options.events.emit("device.works", { device, phase, jobId: id });
    };
    if (this.#options.device !== undefined) begin(this.#options.device);
    let tried: { readonly set: ModelSet; readonly isLoading: boolean } | null = null;
    let pending = piecesOf(claim.job, phase);
    let noted: string | undefined;
    try {
      // A prompt that stays as it is needs no model.
      while (pending.length > 0) {
        if (claim.job.items.length > 1) pending = await this.#stillWanted(id, pending);
        const { set, group } = nextGroup(open, claim.job, pending, work.groupSize);
        pending = pending.filter((piece) => !group.includes(piece));
        tried = { set, isLoading: true };
        const host = await open.host(set, signal, this.#now);
        tried = { set, isLoading: false };
        begin(host.info.device);
        if (noted !== modelKey(set)) {
          noted = modelKey(set);
          if (!(await queue.saveCheckpoint(claim, phase, checkpointName(phase, set), host.info.hash)))
            return { kind: "cancelled" };
        }
        if (!(await work.make(host, claim, group, signal))) return { kind: "cancelled" };
        open.items += group.length;
        this.#health?.worked();
        if (!(await work.afterGroup(host, claim, pending.length === 0))) return { kind: "cancelled" };
        if (pending.length === 0) break;
        const othersWait = await queue.hasWork(phase, origin.userId);
        if (othersWait || !(await mayGoOn())) return { kind: "release" };
      }
      if (phase === "text" && kind !== "optimize") return { kind: "advance" };
      open.jobs++;
      return { kind: "complete" };
    } catch (error) {
      if (this.#stopping.signal.aborted) return { kind: "release" };
      const cause = causeOf(error);
      if (cause.code === "CANCELLED") return { kind: "cancelled" };
      this.#log("warn", `job ${id}, attempt ${claim.attempt}: ${cause.detail}`, error, id);
      if (this.#health !== null && tried !== null && isOfDevice(cause.code)) {
        if (await this.#isDeviceToBlame(open, id, tried)) {
          this.#health.setAside(phase, cause.code, cause.detail);
          return { kind: "release" };
        }
        if (this.#stopping.signal.aborted) return { kind: "release" };
      }
      if (isPermanent(cause.code)) return { kind: "fail", ...cause };
      return this.#retryable(cause, claim);
    } finally {
      if (device !== null) this.#options.events.emit("device.works", { device, phase, jobId: null });
    }
  }

  #retryable(cause: Cause, claim: Claim): Outcome {
    const { storeRetryMs = STORE_RETRY_FIRST_MS } = this.#options;
    const firstMs = OF_STORES.includes(cause.code) ? storeRetryMs : RETRY_FIRST_MS;
    return { kind: "retry", ...cause, afterMs: backoffMs(claim.job.failures.length, firstMs) };
  }

  async #settle(claim: Claim, outcome: Outcome): Promise<void> {
    const { queue } = this.#options;
    switch (outcome.kind) {
      case "complete":
        await queue.complete(claim);
        return;
      case "advance":
        await queue.advance(claim);
        return;
      case "release":
        await queue.release(claim);
        return;
      case "retry":
        await queue.retry(claim, outcome.code, outcome.detail, outcome.afterMs, outcome.context);
        return;
      case "fail":
        await queue.fail(claim, outcome.code, outcome.detail, outcome.context);
        return;
      case "cancelled":
        await queue.cancelled(claim);
    }
  }

  /** Leaves out items that were taken out of the job meanwhile. */
  async #stillWanted(jobId: string, pending: readonly Piece[]): Promise<Piece[]> {
    const job = await this.#options.queue.get(jobId);
    return pending.filter(({ item }) => job?.items[item.index]?.cancelled !== true);
  }

  /** Returns a function that waits for the next wake-up, at most `ms` if given. */
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

/** What a phase has to make of a job. */
function piecesOf({ kind, items }: Job, phase: Phase): readonly Piece[] {
  const due = items.filter((item) => nextPhase(kind, item) === phase);
  if (phase === "image") return due.map((item) => ({ item, side: "optimized" }));
  return due.flatMap((item) => unwrittenSides(item).map((side) => ({ item, side })));
}

/** The next pieces that one model makes: those of a loaded model, if there are any, else the first ones. */
function nextGroup(
  open: OpenPhase,
  job: Job,
  pending: readonly Piece[],
  size: number,
): { readonly set: ModelSet; readonly group: readonly Piece[] } {
  const isText = open.phase === "text";
  const setOf = ({ item, side }: Partial<Piece> = {}) =>
    isText ? rewriterSetOf(textOptionsOf(job, item, side)) : modelSetOf(imageOf(job, item));
  // What is rewritten together is rewritten in one way.
  const keyOf = (piece: Piece | undefined) =>
    isText ? JSON.stringify(textOptionsOf(job, piece?.item, piece?.side)) : modelKey(setOf(piece));
  const first = pending.find((piece) => open.has(setOf(piece))) ?? pending[0];
  const group = pending.filter((piece) => keyOf(piece) === keyOf(first)).slice(0, size);
  return { set: setOf(first), group };
}
