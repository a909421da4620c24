import { setImmediate as nextTurn } from "node:timers/promises";
import { type Events, log, type Progress, subscribe } from "../../core/events.js";
import { type DevicePace, freeDevices, type Work } from "../../core/hosts/waiting.js";
import {
  drawnSides,
  hasOverview,
  imageOf,
  isFinished,
  type Job,
  type Origin,
  type Phase,
} from "../../core/job.js";
import type { Deliveries } from "../../db/deliveries.js";
import type { Queue } from "../../db/queue.js";
import { faultOf } from "../discord/faults.js";
import type { DiscordApi } from "../discord/messenger.js";
import type { OutgoingFile } from "../discord/outgoing.js";
import { coarse, etas, positionsOf } from "../messages/parts/eta.js";
import type { Presenter } from "../messages/parts/presentation.js";
import { type JobStatus, type JobSummary, statusMessage, summarize } from "../messages/status-message.js";
import { baselinePicture, previewFile } from "../messages/unfinished-pictures.js";
import { wordsOf } from "../words/languages.js";
import { Coalesced } from "./coalesced.js";
import { LiveEdits } from "./live-edits.js";
import { Pace } from "./pace.js";
import type { ReplyLimits } from "./reply-limits.js";

export interface StatusBoardOptions {
  readonly queue: Queue;
  readonly deliveries: Deliveries;
  readonly events: Events;
  readonly api: DiscordApi;
  readonly now: () => number;
  /** How often one message is edited (see BotTiming), and edits a second over all messages. */
  readonly editGapMs: number;
  readonly phaseGapMs: number;
  readonly burst: { readonly edits: number; readonly ms: number };
  readonly editsPerSecond: number;
  /** Least time between two reads of the whole queue for the positions of all waiting jobs. */
  readonly positionsGapMs: number;
  /** How long work takes on the device that is at the job, or on average. */
  readonly estimateMs: (work: Work, jobId?: string) => number | null;
  /** The devices of all hosts that take jobs now. */
  readonly paces: () => readonly DevicePace[];
  /** Whether all devices that draw are set aside. */
  readonly haveDevicesFailed: () => boolean;
  readonly presenter: Presenter;
  readonly replyLimits: ReplyLimits;
}

interface Tracked {
  summary: JobSummary;
  /** Whether the first picture is stored, and whether Discord has it. */
  picture: "none" | "ready" | "shown";
  /** Id of that picture's file in the message, once Discord has it. */
  pictureId: string | null;
  /** The newest preview, and how many there were. */
  preview: OutgoingFile | null;
  previewVersion: number;
  /** Whether the newest edit has a preview. */
  hasPreview: boolean;
  finishedPictures: number;
  readonly origin: Origin;
  /** What the job draws with; null where it draws nothing. */
  readonly drawing: Drawing | null;
  /** Since the last claim. */
  pace: Pace;
  /** Whether the message's id is stored. */
  isNoted: boolean;
  /** Whether the last try failed and the next one is still to come. */
  retries: boolean;
  status: JobStatus;
  /** Fires shortly before the reply's token ends. */
  lateTimer: NodeJS.Timeout | null;
}

/** All that a message shows; two equal ones cost one edit. */
interface Shown {
  readonly status: JobStatus;
  readonly summary: JobSummary;
  readonly withPicture: boolean;
  readonly previewVersion: number;
}

/** The last status is written this long before the token ends. */
const LATE_MARGIN_MS = 60_000;
/** A status edit that takes longer is given up, since the result waits for it. */
const STATUS_TIMEOUT_MS = 15_000;

/** What an item of a job takes to draw, on average. */
interface Drawing {
  /** Of an item. */
  readonly pictures: number;
  /** Of a picture. */
  readonly steps: number;
  readonly isUsualSize: boolean;
}

function drawingOf(job: Job): Drawing | null {
  const { kind, items } = job;
  if (kind === "optimize") return null;
  const all = items.map((item) => imageOf(job, item));
  return {
    pictures: items.reduce((sum, item) => sum + drawnSides(item).length, 0) / items.length,
    steps: all.reduce((sum, { steps }) => sum + steps, 0) / items.length,
    isUsualSize: all.every(({ size }) => size === null),
  };
}

const accepted = (phase: Phase): JobStatus => ({
  kind: "queued",
  wait: "line",
  phase,
  position: null,
  etaMs: null,
});

/** What people call the phase of a job; a change of it is shown at once. */
function phaseShown(status: JobStatus): string {
  if (status.kind === "queued") return status.wait;
  if (status.kind === "loading") return `loading ${status.phase}`;
  return status.kind === "working" ? `working ${status.progress.phase}` : status.kind;
}

/** Keeps the message of each waiting and running job up to date with the queue and the loop. */
export class StatusBoard {
  readonly #options: StatusBoardOptions;
  readonly #tracked = new Map<string, Tracked>();
  readonly #edits: LiveEdits<Shown>;
  readonly #positions: Coalesced;
  readonly #unsubscribe: () => void;
  #stopped = false;

  constructor(options: StatusBoardOptions) {
    this.#options = options;
    this.#edits = new LiveEdits({
      gapMs: options.editGapMs,
      urgentGapMs: options.phaseGapMs,
      burst: options.burst,
      perSecond: options.editsPerSecond,
      send: (jobId, shown) => this.#send(jobId, shown),
    });
    this.#positions = new Coalesced(options.positionsGapMs, () => this.#showPositions());
    this.#unsubscribe = this.#listen();
  }

  /** Takes up the jobs that an earlier run left open; one by one, since people already use the bot. */
  async adoptOpenJobs(): Promise<void> {
    for (const { id } of await this.#options.queue.work()) {
      const job = await this.#options.queue.get(id);
      if (job !== undefined && !isFinished(job.state)) this.#add(job);
      await nextTurn();
    }
    this.#positions.ask();
  }

  /** Shows a job that was just stored. */
  async #track(job: Job): Promise<void> {
    if (isFinished(job.state) || this.#stopped) return;
    const tracked = this.#add(job);
    try {
      if (job.held !== null) return await this.#showPositions();
      const { queue } = this.#options;
      const [position, isPaused, { running }] = await Promise.all([
        queue.position(job.id),
        queue.paused(),
        queue.depth(),
      ]);
      if (tracked.status.kind === "queued" && position !== null && position > 0) {
        const { phase } = job;
        const isNext = position === 1 && running === 0;
        const haveFailed = this.#options.haveDevicesFailed();
        const wait = isPaused ? "paused" : haveFailed ? "devices" : isNext ? "starts" : "line";
        this.#show(job.id, tracked, { kind: "queued", wait, phase, position, etaMs: null });
      }
    } catch (error) {
      log(this.#options.events, "warn", "A job's position was not shown", error, job.id);
    }
  }

  /** To be called before a job's last message is sent: once resolved, no status edit overtakes it. */
  async settle(jobId: string): Promise<void> {
    const tracked = this.#tracked.get(jobId);
    if (tracked !== undefined) this.#forget(jobId, tracked);
    await this.#edits.close(jobId);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#unsubscribe();
    for (const [jobId, tracked] of this.#tracked) this.#forget(jobId, tracked);
    await Promise.all([this.#edits.closeAll(), this.#positions.stop()]);
  }

  #add(job: Job): Tracked {
    const known = this.#tracked.get(job.id);
    if (known !== undefined) return known;
    const tracked: Tracked = {
      summary: summarize(job),
      picture: job.items[0]?.pictures.baseline == null ? "none" : "ready",
      pictureId: null,
      preview: null,
      previewVersion: 0,
      hasPreview: false,
      finishedPictures: 0,
      origin: job.origin,
      drawing: drawingOf(job),
      pace: new Pace(),
      isNoted: false,
      retries: false,
      status: job.cancelRequested ? { kind: "stopping" } : accepted(job.phase),
      lateTimer: null,
    };
    this.#tracked.set(job.id, tracked);
    const lateInMs = job.origin.tokenExpiresAt - LATE_MARGIN_MS - this.#options.now();
    if (lateInMs > 0) {
      tracked.lateTimer = setTimeout(() => this.#show(job.id, tracked, { kind: "late" }), lateInMs);
      tracked.lateTimer.unref();
    } else {
      tracked.status = { kind: "late" };
    }
    return tracked;
  }

  #forget(jobId: string, tracked: Tracked): void {
    if (tracked.lateTimer !== null) clearTimeout(tracked.lateTimer);
    this.#tracked.delete(jobId);
  }

  #listen(): () => void {
    return subscribe(this.#options.events, {
      "job.enqueued": ({ job }) => {
        void this.#track(job);
        this.#positions.ask();
      },
      "job.claimed": ({ jobId, phase }) => {
        const tracked = this.#tracked.get(jobId);
        if (tracked !== undefined) {
          tracked.pace = new Pace();
          tracked.retries = false;
        }
        this.#update(jobId, { kind: "loading", phase });
        this.#positions.ask();
      },
      "job.progress": (progress) => {
        const tracked = this.#tracked.get(progress.jobId);
        if (tracked === undefined) return;
        const leftMs = this.#leftMs(tracked, progress);
        this.#show(progress.jobId, tracked, { kind: "working", progress, leftMs });
      },
      "job.preview": ({ jobId, data, harmless }) => void this.#showPreview(jobId, data, harmless),
      "job.item": ({ jobId, phase }) => {
        this.#dropPreview(jobId);
        if (phase === "text") void this.refresh(jobId);
      },
      "job.picture": ({ jobId, side }) => {
        this.#dropPreview(jobId);
        if (side === "baseline") void this.refresh(jobId);
      },
      "job.cancel-requested": ({ jobId }) => this.#update(jobId, { kind: "stopping" }),
      "job.requeued": ({ jobId, phase, reason }) => {
        const tracked = this.#tracked.get(jobId);
        if (tracked?.status.kind === "loading" || tracked?.status.kind === "working") {
          tracked.status = accepted(phase);
          tracked.retries = reason === "retry";
        }
        this.#positions.ask();
      },
      "queue.paused": () => this.#positions.ask(),
      "queue.resumed": () => this.#positions.ask(),
      "device.set-aside": () => this.#positions.ask(),
      "device.back": () => this.#positions.ask(),
      "job.finished": ({ jobId, erased }) => {
        if (erased) this.#end(jobId);
        this.#positions.ask();
      },
      "job.erased": ({ jobId }) => this.#end(jobId),
    });
  }

  /** The last edit of an erased job. A reply that can't be edited any more is left to its deletion. */
  #end(jobId: string): void {
    const tracked = this.#tracked.get(jobId);
    if (tracked?.status.kind === "late") this.#forget(jobId, tracked);
    else this.#update(jobId, { kind: "erased" });
  }

  #update(jobId: string, status: JobStatus): void {
    const tracked = this.#tracked.get(jobId);
    if (tracked !== undefined) this.#show(jobId, tracked, status);
  }

  #show(jobId: string, tracked: Tracked, status: JobStatus): void {
    // The job may have been settled while the caller waited.
    if (this.#tracked.get(jobId) !== tracked) return;
    const { kind } = tracked.status;
    // A last status stays; a job that was asked to stop says so until it has ended.
    const ends = status.kind === "late" || status.kind === "erased";
    if (kind === "late" || kind === "erased" || (kind === "stopping" && !ends)) return;
    const isNews = phaseShown(status) !== phaseShown(tracked.status);
    tracked.status = status;
    const { summary, picture, previewVersion } = tracked;
    this.#edits.push(jobId, { status, summary, withPicture: picture !== "none", previewVersion }, isNews);
  }

  /**
   * Milliseconds until the job is done: at its own pace, or as long as such work took here. Null where neither
   * is known, and for a size that other jobs' times say nothing about.
   */
  #leftMs({ pace, drawing }: Tracked, progress: Progress): number | null {
    const { output, step, item, items, jobId } = progress;
    const { estimateMs } = this.#options;
    const own = pace.leftMs(progress, performance.now());
    if (output !== "rewrite") {
      if (own !== null || !drawing?.isUsualSize) return own;
      const done = output === "optimized" && drawing.pictures > 1 ? 1 : 0;
      const pictures = drawing.pictures * (items - item) - done;
      return estimateMs({ texts: 0, pictures, steps: pictures * drawing.steps - step }, jobId);
    }
    const texts = own ?? estimateMs({ texts: items - item, pictures: 0, steps: 0 }, jobId);
    if (drawing === null || texts === null) return texts;
    const pictures = drawing.pictures * items;
    const pictureMs = drawing.isUsualSize
      ? estimateMs({ texts: 0, pictures, steps: pictures * drawing.steps })
      : null;
    return pictureMs === null ? null : texts + pictureMs;
  }

  /** Preview of the unfinished picture; sent with the next edit. */
  async #showPreview(jobId: string, data: Uint8Array, harmless: boolean): Promise<void> {
    const tracked = this.#tracked.get(jobId);
    if (tracked?.status.kind !== "working") return;
    const { finishedPictures } = tracked;
    try {
      const isShown = await this.#options.presenter.showsPreview(tracked.origin, harmless);
      // The picture may be finished by now.
      if (!isShown || tracked.finishedPictures !== finishedPictures) return;
      tracked.preview = previewFile(jobId, data, wordsOf(tracked.origin.locale));
      tracked.previewVersion++;
      this.#show(jobId, tracked, tracked.status);
    } catch (error) {
      log(this.#options.events, "warn", "A picture could not be shown as it forms", error, jobId);
    }
  }

  #dropPreview(jobId: string): void {
    const tracked = this.#tracked.get(jobId);
    if (tracked === undefined) return;
    tracked.preview = null;
    tracked.finishedPictures++;
  }

  /** Shows what changed in a job: a text or picture that is ready, or prompts that were taken out. */
  async refresh(jobId: string): Promise<void> {
    try {
      const job = await this.#options.queue.get(jobId);
      const tracked = this.#tracked.get(jobId);
      if (job === undefined || tracked === undefined) return;
      tracked.summary = summarize(job);
      if (hasOverview(job)) return this.#show(jobId, tracked, tracked.status);
      if (tracked.picture === "none" && job.items[0]?.pictures.baseline != null) tracked.picture = "ready";
      this.#show(jobId, tracked, tracked.status);
    } catch (error) {
      log(this.#options.events, "warn", "What is ready of a job could not be shown", error, jobId);
    }
  }

  async #showPositions(): Promise<void> {
    if (![...this.#tracked.values()].some(({ status }) => status.kind === "queued")) return;
    try {
      const { queue } = this.#options;
      const [open, isPaused] = await Promise.all([queue.work(), queue.paused()]);
      const paces = this.#options.paces();
      const times = etas(open, paces);
      const positions = positionsOf(open);
      const running = open.filter(({ state }) => state === "running");
      const free = { text: freeDevices(paces, "text", running), image: freeDevices(paces, "image", running) };
      for (const { id, phase, state, held, limit } of open) {
        const tracked = this.#tracked.get(id);
        if (state !== "queued" || tracked?.status.kind !== "queued") continue;
        const ms = times.get(id);
        const position = positions.get(id) ?? null;
        this.#show(id, tracked, {
          kind: "queued",
          wait: isPaused
            ? "paused"
            : this.#options.haveDevicesFailed()
              ? "devices"
              : tracked.retries
                ? "retries"
                : position !== null && position <= free[phase]
                  ? "starts"
                  : "line",
          phase,
          position,
          etaMs: ms === undefined ? null : coarse(ms),
          ...(held === null ? {} : { held: { scope: held, limit: limit ?? 1 } }),
        });
      }
    } catch (error) {
      log(this.#options.events, "warn", "The positions in the queue could not be read", error);
    }
  }

  async #send(jobId: string, { status, summary }: Shown): Promise<void> {
    const tracked = this.#tracked.get(jobId);
    if (tracked === undefined) return;
    const { api, queue, presenter, replyLimits } = this.#options;
    try {
      let finished: OutgoingFile | null = null;
      if (tracked.picture === "ready") {
        // Not repeated where this fails: the result brings all pictures.
        tracked.picture = "shown";
        const job = await queue.get(jobId);
        finished = job === undefined ? null : await baselinePicture(job, presenter, replyLimits.of(jobId));
      }
      const preview = status.kind === "working" ? tracked.preview : null;
      const pictures = { finished, preview, kept: tracked.pictureId, stale: tracked.hasPreview };
      tracked.hasPreview = preview !== null;
      const message = statusMessage(summary, status, pictures);
      const shown = await api.editReply(tracked.origin, message, STATUS_TIMEOUT_MS);
      if (status.kind === "erased") return this.#forget(jobId, tracked);
      if (!tracked.isNoted) {
        tracked.isNoted = true;
        await this.#options.deliveries.replied(jobId, shown.id);
      }
      if (finished !== null)
        tracked.pictureId = shown.attachments.find(({ filename }) => filename === finished.name)?.id ?? null;
    } catch (error) {
      const fault = faultOf(error);
      // Not retried: the next status replaces this one. A reply that is gone takes no more of them.
      if (fault === "token-gone" || fault === "forbidden") tracked.status = { kind: "late" };
      log(this.#options.events, "warn", `A status was not shown (${fault})`, error, jobId);
    }
  }
}
