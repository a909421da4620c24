import { setImmediate as nextTurn } from "node:timers/promises";
import type { Events } from "../core/events.js";
import type { Records } from "../db/records.js";
import type { JobPictures, PictureStore } from "./store.js";

/** How long and how much to keep; null means no limit. */
export interface RetentionLimits {
  readonly picturesMs: number | null;
  readonly picturesBytes: number | null;
  readonly jobsMs: number | null;
  readonly jobsBytes: number | null;
}

export interface RetentionOptions {
  readonly records: Records;
  readonly events: Events;
  readonly pictures: PictureStore;
  readonly limits: RetentionLimits;
  /** Whether to look after each phase too; not where looking costs money. */
  readonly afterPhases?: boolean;
  readonly everyMs?: number;
  readonly now?: () => number;
}

/** What one run deleted. */
export interface Pruned {
  /** Ids of the jobs that lost only their pictures, and of those deleted together with their texts. */
  readonly pictures: readonly string[];
  readonly jobs: readonly string[];
  /** Folders that belong to no job. */
  readonly orphans: readonly string[];
}

const HOUR_MS = 3_600_000;
/** A younger folder without a row may belong to a job that is being deleted or restored right now. */
const ORPHAN_AGE_MS = 24 * HOUR_MS;
/** How many jobs to delete before measuring a database that is too large again. */
const CHUNK = 50;

/**
 * Deletes what is too old or too much: first pictures, whose jobs stay and can be drawn again, then whole
 * jobs. Never touches jobs that are open or undelivered. Runs at the start, then every hour, and, unless told
 * otherwise, after each phase.
 */
export class Retention {
  readonly #options: RetentionOptions;
  readonly #now: () => number;
  #timer: NodeJS.Timeout | null = null;
  #running: Promise<void> | null = null;
  #again = false;
  #stopped = false;
  readonly #onPhase = () => this.#wake();
  /** Unfinished files from before are nobody's: only one program at a time uses the folder. */
  readonly #startedAt: number;
  #isSwept = false;

  constructor(options: RetentionOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#startedAt = this.#now();
  }

  start(): void {
    const { events, everyMs = HOUR_MS, afterPhases = true } = this.#options;
    if (afterPhases) events.on("phase.finished", this.#onPhase);
    this.#timer = setInterval(this.#onPhase, everyMs);
    this.#timer.unref();
    this.#wake();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#options.events.off("phase.finished", this.#onPhase);
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.#running;
  }

  /** Starts a run; a call during a run makes one more run after it. */
  #wake(): void {
    if (this.#stopped) return;
    if (this.#running !== null) {
      this.#again = true;
      return;
    }
    this.#running = this.#runOnce().finally(() => {
      this.#running = null;
      if (!this.#again) return;
      this.#again = false;
      this.#wake();
    });
  }

  async #runOnce(): Promise<void> {
    const { events } = this.#options;
    try {
      await this.#sweep();
      const { pictures, jobs, orphans } = await this.prune();
      if (pictures.length + jobs.length + orphans.length === 0) return;
      const message = `Made room: pictures of ${pictures.length} jobs, ${jobs.length} jobs with their texts, ${orphans.length} folders without a job`;
      events.emit("log", { level: "info", message });
    } catch (error) {
      events.emit("log", { level: "warn", message: "Old results could not be deleted", error });
    }
  }

  /** Once, what an earlier run of the program was writing when it was killed. */
  async #sweep(): Promise<void> {
    if (this.#isSwept) return;
    const removed = await this.#options.pictures.removeUnfinished(this.#startedAt);
    this.#isSwept = true;
    if (removed === 0) return;
    const message = `Removed unfinished picture files of an earlier run: ${removed}`;
    this.#options.events.emit("log", { level: "info", message });
  }

  /** Deletes everything that is over the limits now. Throws QueueError and system errors. */
  async prune(): Promise<Pruned> {
    const jobs = await this.#pruneJobs();
    for (const id of jobs) await this.#options.pictures.remove(id);
    const stored = await this.#options.pictures.jobs();
    const pictures = await this.#prunePictures(stored);
    const pruned = new Set(pictures);
    const orphans = await this.#pruneOrphans([...stored].filter(([id]) => !pruned.has(id)));
    return { pictures, jobs, orphans };
  }

  async #pruneJobs(): Promise<string[]> {
    const { records, limits } = this.#options;
    const { jobsMs, jobsBytes } = limits;
    const deleted = jobsMs === null ? [] : await records.prune(this.#now() - jobsMs);
    while (jobsBytes !== null && (await records.storedBytes()) > jobsBytes) {
      const ids = await records.pruneOldest(CHUNK);
      if (ids.length === 0) break;
      deleted.push(...ids);
    }
    return deleted;
  }

  async #prunePictures(stored: ReadonlyMap<string, JobPictures>): Promise<string[]> {
    const { records, limits } = this.#options;
    const { picturesMs, picturesBytes } = limits;
    const kept = await records.withPictures();
    const gone: string[] = [];
    const prune = async (id: string) => {
      // The row first: after a crash in between, a leftover folder is harmless, but a row must not name lost
      // files.
      await records.picturesPruned(id);
      await this.#options.pictures.remove(id);
      gone.push(id);
    };
    const isOld = (finishedAt: number) => picturesMs !== null && finishedAt < this.#now() - picturesMs;
    for (const { id, finishedAt } of kept) if (isOld(finishedAt)) await prune(id);
    if (picturesBytes === null) return gone;
    let bytes = 0;
    // From newest to oldest: keep pictures until the limit is reached, delete all older ones.
    for (const { id } of kept.filter(({ finishedAt }) => !isOld(finishedAt)).reverse()) {
      bytes += stored.get(id)?.bytes ?? 0;
      if (bytes > picturesBytes) await prune(id);
    }
    return gone;
  }

  async #pruneOrphans(stored: readonly (readonly [string, JobPictures])[]): Promise<string[]> {
    const { records } = this.#options;
    const gone: string[] = [];
    for (const [id, { touchedAt }] of stored) {
      const kept = await records.keepsPictures(id);
      await nextTurn();
      if (kept === true) continue;
      if (kept === null && touchedAt > this.#now() - ORPHAN_AGE_MS) continue;
      await this.#options.pictures.remove(id);
      gone.push(id);
    }
    return gone;
  }
}
