import type { Events, Progress } from "../core/events.js";
import { imageOf, type Job, nextPhase, type Phase, picturesLeft } from "../core/job.js";
import { stepsCost } from "../core/source.js";

/**
 * Enough for a stable estimate, few enough to follow a change of checkpoint, size or device within minutes.
 */
const KEPT_LOADS = 5;
const KEPT_ITEMS = 40;
const KEPT_STEPS = 100;

/**
 * Recent durations on this machine, to estimate the wait for a position in line. Learns from events alone,
 * and gives no estimate for a kind of work that it has not seen.
 */
export class RecentTimes {
  readonly #now: () => number;
  readonly #loadMs: Record<Phase, Samples> = {
    text: new Samples(KEPT_LOADS),
    image: new Samples(KEPT_LOADS),
  };
  readonly #textItemMs = new Samples(KEPT_ITEMS);
  /** Time of one guided denoising step, and a picture's time besides its steps after the first. */
  readonly #stepMs = new Samples(KEPT_STEPS);
  readonly #pictureRestMs = new Samples(KEPT_ITEMS);

  /** When the current item of each open phase began: when the previous one, or loading, ended. */
  readonly #itemStart = new Map<Phase, number>();
  #lastStep: { readonly progress: Progress; readonly at: number } | null = null;
  #stepsMsOfItem = 0;
  readonly #picturesOfItem = new Set<string>();

  constructor(events: Events, now: () => number = Date.now) {
    this.#now = now;
    events
      .on("phase.started", ({ phase, loadMs }) => {
        this.#loadMs[phase].add(loadMs);
        this.#beginItem(phase);
      })
      .on("job.claimed", ({ phase }) => {
        if (this.#itemStart.has(phase)) this.#beginItem(phase);
      })
      .on("job.progress", (progress) => this.#onProgress(progress))
      .on("job.item", ({ phase }) => this.#onItem(phase))
      .on("phase.finished", ({ phase }) => {
        this.#itemStart.delete(phase);
        if (phase === "image") this.#lastStep = null;
      });
  }

  /**
   * Milliseconds until the last of `jobs` is done, if they run one after the other and each model is loaded
   * once. Null if any kind of work in them was never measured. For jobs in progress only the missing part
   * counts.
   */
  estimateMs(jobs: readonly Job[]): number | null {
    let textItems = 0;
    let pictures = 0;
    let laterSteps = 0;
    for (const job of jobs) {
      for (const item of job.items) {
        if (nextPhase(job.kind, item) === "text") textItems += 1;
        if (job.kind === "optimize") continue;
        const missing = picturesLeft(item);
        pictures += missing;
        const { steps, guidance, from } = imageOf(job, item);
        laterSteps += missing * Math.max(0, stepsCost(steps, guidance, from) - 1);
      }
    }
    return this.estimateWorkMs({ texts: textItems, pictures, laterSteps });
  }

  /**
   * Like `estimateMs` for an amount of work; `laterSteps` counts each picture's denoising steps except the
   * first.
   */
  estimateWorkMs(work: {
    readonly texts: number;
    readonly pictures: number;
    readonly laterSteps: number;
  }): number | null {
    const { texts: textItems, pictures, laterSteps } = work;
    return sum([
      times(textItems > 0 ? 1 : 0, this.#loadMs.text.median()),
      // The mean, because the prompts of one group finish together: the first takes all the time, the others
      // none.
      times(textItems, this.#textItemMs.mean()),
      times(pictures > 0 ? 1 : 0, this.#loadMs.image.median()),
      times(pictures, this.#pictureRestMs.median()),
      times(laterSteps, this.#stepMs.median()),
    ]);
  }

  #onProgress(progress: Progress): void {
    if (progress.output === "rewrite") return;
    const at = this.#now();
    const before = this.#lastStep;
    if (before !== null && isLater(progress, before.progress)) {
      const ms = at - before.at;
      const share = progress.unguided ? 0.5 : 1;
      this.#stepMs.add(ms / share / (progress.step - before.progress.step));
      this.#stepsMsOfItem += ms;
    }
    this.#picturesOfItem.add(progress.output);
    this.#lastStep = { progress, at };
  }

  #onItem(phase: Phase): void {
    const start = this.#itemStart.get(phase);
    if (start === undefined) return;
    const ms = this.#now() - start;
    const pictures = this.#picturesOfItem.size;
    if (phase === "text") this.#textItemMs.add(ms);
    else if (pictures > 0) this.#pictureRestMs.add((ms - this.#stepsMsOfItem) / pictures);
    this.#beginItem(phase);
  }

  #beginItem(phase: Phase): void {
    this.#itemStart.set(phase, this.#now());
    if (phase === "text") return;
    this.#lastStep = null;
    this.#stepsMsOfItem = 0;
    this.#picturesOfItem.clear();
  }
}

/** True if both are steps of the same picture and `after` is the later one. */
const isLater = (after: Progress, before: Progress): boolean =>
  after.jobId === before.jobId &&
  after.item === before.item &&
  after.output === before.output &&
  after.step > before.step;

/** Time for `count` pieces; zero pieces take no time, even if the time per piece is unknown. */
const times = (count: number, ms: number | null): number | null =>
  count === 0 ? 0 : ms === null ? null : count * ms;

const sum = (parts: readonly (number | null)[]): number | null =>
  parts.reduce((total, part) => (total === null || part === null ? null : total + part), 0);

/** Keeps the last `kept` values. */
class Samples {
  readonly #values: number[] = [];

  readonly #kept: number;

  constructor(kept: number) {
    this.#kept = kept;
  }

  add(value: number): void {
    this.#values.push(value);
    if (this.#values.length > this.#kept) this.#values.shift();
  }

  mean(): number | null {
    if (this.#values.length === 0) return null;
    return this.#values.reduce((total, value) => total + value, 0) / this.#values.length;
  }

  /** The median; for an even number of values the upper of the two in the middle. */
  median(): number | null {
    const sorted = [...this.#values].sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)] ?? null;
  }
}
