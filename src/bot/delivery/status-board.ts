import { setImmediate as nextTurn } from "node:timers/promises";
import type { Events } from "../../core/events.js";
import { isFinished, type Job, type Origin } from "../../core/job.js";
import type { Queue } from "../../db/queue.js";
import { faultOf } from "../discord/faults.js";
import type { DiscordApi } from "../discord/messenger.js";
import type { OutgoingFile } from "../discord/outgoing.js";
import type { Work } from "../messages/eta.js";
import { coarse, etas } from "../messages/eta.js";
import { type JobStatus, type JobSummary, statusMessage, summarize } from "../messages/status-message.js";
import { LiveEdits } from "./live-edits.js";
import { subscribe } from "./subscribe.js";

export interface StatusBoardOptions {
  readonly queue: Queue;
  readonly events: Events;
  readonly api: DiscordApi;
  readonly now: () => number;
  /** Least time between two edits of one message, and edits a second over all messages. */
  readonly editGapMs: number;
  readonly editsPerSecond: number;
  /** Least time between two looks at the whole queue for the places of all who wait. */
  readonly placesGapMs: number;
  readonly estimateMs: (work: Work) => number | null;
  /** The half of a comparison that is there already, to show while the other one is drawn; null for none. */
  readonly pictureOf: (job: Job) => Promise<OutgoingFile | null>;
  /** A picture that is being drawn, as far as it is; null where it may not be shown. */
  readonly formingOf: (
    origin: Origin,
    jobId: string,
    data: Uint8Array,
    harmless: boolean,
  ) => Promise<OutgoingFile | null>;
}

interface Tracked {
  summary: JobSummary;
  /** Whether the first picture is stored, and whether Discord has it. */
  picture: "none" | "ready" | "shown";
  /** Id of the message's file that is that picture, once Discord has it. */
  pictureId: string | null;
  /** The newest look of what is being drawn, and how many there were. */
  forming: OutgoingFile | null;
  looks: number;
  /** Whether the newest edit has one. */
  hasLook: boolean;
  /** Pictures that were finished. */
  drawn: number;
  readonly origin: Origin;
  status: JobStatus;
  /** Fires shortly before the reply's token ends. */
  lateTimer: NodeJS.Timeout | null;
}

/** All that a message says; two that are equal cost one edit. */
interface Shown {
  readonly status: JobStatus;
  readonly summary: JobSummary;
  readonly withPicture: boolean;
  readonly looks: number;
}

/** The last status is written this long before the token ends. */
const LATE_MARGIN_MS = 60_000;
/** A status that takes longer is given up: the result waits for it. */
const STATUS_TIMEOUT_MS = 15_000;

/** Keeps the message of each waiting and running job at what the queue and the loop report. */
export class StatusBoard {
  readonly #options: StatusBoardOptions;
  readonly #tracked = new Map<string, Tracked>();
  readonly #edits: LiveEdits<Shown>;
  readonly #unsubscribe: () => void;
  #places: { timer: NodeJS.Timeout | null; reading: Promise<void> | null; again: boolean; lastAt: number } = {
    timer: null,
    reading: null,
    again: false,
    lastAt: Number.NEGATIVE_INFINITY,
  };
  #stopped = false;

  constructor(options: StatusBoardOptions) {
    this.#options = options;
    this.#edits = new LiveEdits({
      gapMs: options.editGapMs,
      perSecond: options.editsPerSecond,
      send: (jobId, shown) => this.#send(jobId, shown),
    });
    this.#unsubscribe = this.#listen();
  }

  /** Takes up the jobs that an earlier run of the program left open; one by one, since people use the bot by now. */
  async adoptOpenJobs(): Promise<void> {
    for (const { id } of await this.#options.queue.work()) {
      const job = await this.#options.queue.get(id);
      if (job !== undefined && !isFinished(job.state)) this.#add(job);
      await nextTurn();
    }
    this.#placesChanged();
  }

  /** Shows a job that was just accepted. */
  async track(job: Job): Promise<void> {
    if (isFinished(job.state) || this.#stopped) return;
    const tracked = this.#add(job);
    if (job.held !== null) return this.#showPlaces();
    const place = await this.#options.queue.position(job.id);
    if (tracked.status.kind === "queued" && place !== null && place > 0) {
      this.#show(job.id, tracked, { kind: "queued", phase: job.phase, place, etaMs: null });
    }
  }

  /** The job has its last message coming: once resolved, no status overtakes it. */
  async settle(jobId: string): Promise<void> {
    const tracked = this.#tracked.get(jobId);
    if (tracked !== undefined) this.#forget(jobId, tracked);
    await this.#edits.close(jobId);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#unsubscribe();
    for (const [jobId, tracked] of this.#tracked) this.#forget(jobId, tracked);
    if (this.#places.timer !== null) clearTimeout(this.#places.timer);
    await Promise.all([this.#edits.closeAll(), this.#places.reading]);
  }

  #add(job: Job): Tracked {
    const known = this.#tracked.get(job.id);
    if (known !== undefined) return known;
    const tracked: Tracked = {
      summary: summarize(job),
      picture: job.items[0]?.baseline === null ? "none" : "ready",
      pictureId: null,
      forming: null,
      looks: 0,
      hasLook: false,
      drawn: 0,
      origin: job.origin,
      status: job.cancelRequested
        ? { kind: "stopping" }
        : { kind: "queued", phase: job.phase, place: null, etaMs: null },
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
      "job.enqueued": () => this.#placesChanged(),
      "job.claimed": ({ jobId, phase }) => {
        this.#update(jobId, { kind: "loading", phase });
        this.#placesChanged();
      },
      "job.progress": (progress) => this.#update(progress.jobId, { kind: "working", progress }),
      "job.preview": ({ jobId, data, harmless }) => void this.#look(jobId, data, harmless),
      "job.item": ({ jobId, phase }) => {
        this.#looked(jobId);
        if (phase === "text") void this.refresh(jobId);
      },
      "job.picture": ({ jobId, making }) => {
        this.#looked(jobId);
        if (making === "baseline") void this.refresh(jobId);
      },
      "job.cancel-requested": ({ jobId }) => this.#update(jobId, { kind: "stopping" }),
      "job.requeued": ({ jobId, phase }) => {
        const tracked = this.#tracked.get(jobId);
        if (tracked?.status.kind === "loading" || tracked?.status.kind === "working") {
          tracked.status = { kind: "queued", phase, place: null, etaMs: null };
        }
        this.#placesChanged();
      },
      "job.finished": () => this.#placesChanged(),
    });
  }

  #update(jobId: string, status: JobStatus): void {
    const tracked = this.#tracked.get(jobId);
    if (tracked !== undefined) this.#show(jobId, tracked, status);
  }

  #show(jobId: string, tracked: Tracked, status: JobStatus): void {
    // Its job may have been settled while the caller waited.
    if (this.#tracked.get(jobId) !== tracked) return;
    const { kind } = tracked.status;
    // A message that has said its last stays; a job that is asked to stop says so until it has ended.
    if (kind === "late" || (kind === "stopping" && status.kind !== "late")) return;
    tracked.status = status;
    const { summary, picture, looks } = tracked;
    this.#edits.push(jobId, { status, summary, withPicture: picture !== "none", looks });
  }

  /** The picture at work, as far as it is: goes out with the next edit. */
  async #look(jobId: string, data: Uint8Array, harmless: boolean): Promise<void> {
    const tracked = this.#tracked.get(jobId);
    if (tracked?.status.kind !== "working") return;
    const { drawn } = tracked;
    try {
      const file = await this.#options.formingOf(tracked.origin, jobId, data, harmless);
      // It may be finished by now, and shown as it is.
      if (file === null || tracked.drawn !== drawn) return;
      tracked.forming = file;
      tracked.looks++;
      this.#show(jobId, tracked, tracked.status);
    } catch (error) {
      this.#log("A picture could not be shown as it forms", error, jobId);
    }
  }

  #looked(jobId: string): void {
    const tracked = this.#tracked.get(jobId);
    if (tracked === undefined) return;
    tracked.forming = null;
    tracked.drawn++;
  }

  /** Something of the job is ready, or taken out of it: shows it with what comes next. */
  async refresh(jobId: string): Promise<void> {
    try {
      const job = await this.#options.queue.get(jobId);
      const tracked = this.#tracked.get(jobId);
      if (job === undefined || tracked === undefined) return;
      tracked.summary = summarize(job);
      if (job.kind === "batch") return this.#show(jobId, tracked, tracked.status);
      if (tracked.picture === "none" && job.items[0]?.baseline != null) tracked.picture = "ready";
      this.#show(jobId, tracked, tracked.status);
    } catch (error) {
      this.#log("What is ready of a job could not be shown", error, jobId);
    }
  }

  #placesChanged(): void {
    const places = this.#places;
    if (this.#stopped || places.timer !== null) return;
    if (places.reading !== null) {
      places.again = true;
      return;
    }
    const waitMs = Math.max(0, places.lastAt + this.#options.placesGapMs - performance.now());
    places.timer = setTimeout(() => {
      places.timer = null;
      places.lastAt = performance.now();
      places.reading = this.#showPlaces().finally(() => {
        places.reading = null;
        if (!places.again) return;
        places.again = false;
        this.#placesChanged();
      });
    }, waitMs);
  }

  async #showPlaces(): Promise<void> {
    if (![...this.#tracked.values()].some(({ status }) => status.kind === "queued")) return;
    try {
      const open = await this.#options.queue.work();
      const times = etas(open, this.#options.estimateMs);
      const counted = { text: 0, image: 0 };
      for (const { id, phase, state, held, limit } of open) {
        if (state !== "queued") continue;
        if (held !== null) {
          const waiting = this.#tracked.get(id);
          const status = { kind: "queued", phase, place: null, etaMs: null } as const;
          if (waiting?.status.kind === "queued")
            this.#show(id, waiting, { ...status, held: { scope: held, limit: limit ?? 1 } });
          continue;
        }
        const place = ++counted[phase];
        const tracked = this.#tracked.get(id);
        const ms = times.get(id);
        const etaMs = ms === undefined ? null : coarse(ms);
        if (tracked?.status.kind === "queued")
          this.#show(id, tracked, { kind: "queued", phase, place, etaMs });
      }
    } catch (error) {
      this.#log("The places in the queue could not be read", error);
    }
  }

  async #send(jobId: string, { status, summary }: Shown): Promise<void> {
    const tracked = this.#tracked.get(jobId);
    if (tracked === undefined) return;
    const { api, queue, pictureOf } = this.#options;
    try {
      let finished: OutgoingFile | null = null;
      if (tracked.picture === "ready") {
        // Once is enough: the result brings all pictures, also where this one does not get through.
        tracked.picture = "shown";
        const job = await queue.get(jobId);
        finished = job === undefined ? null : await pictureOf(job);
      }
      const forming = status.kind === "working" ? tracked.forming : null;
      const pictures = { finished, forming, kept: tracked.pictureId, stale: tracked.hasLook };
      tracked.hasLook = forming !== null;
      const message = statusMessage(summary, status, pictures);
      const shown = await api.editStatus(tracked.origin, message, STATUS_TIMEOUT_MS);
      if (finished !== null)
        tracked.pictureId = shown.attachments.find(({ filename }) => filename === finished.name)?.id ?? null;
    } catch (error) {
      const fault = faultOf(error);
      // A status is not worth a retry: the next one replaces it. A reply that is gone takes no more of them.
      if (fault === "token-gone" || fault === "forbidden") tracked.status = { kind: "late" };
      this.#log(`A status was not shown (${fault})`, error, jobId);
    }
  }

  #log(message: string, error: unknown, jobId?: string): void {
    const about = jobId === undefined ? {} : { jobId };
    this.#options.events.emit("log", { level: "warn", message, error, ...about });
  }
}
