import type { Events, Progress } from "../core/events.js";
import type { WorkTimes } from "../core/hosts/host.js";
import type { Phase } from "../core/job.js";

/**
 * Enough for a stable estimate, few enough to follow a change of checkpoint, size or device within minutes.
 */
const KEPT_LOADS = 5;
const KEPT_ITEMS = 40;
const KEPT_STEPS = 100;

/**
 * Recent durations on one device, by which waits are estimated. Learns from events alone, those of one loop: others
 * tell theirs on the same bus, of this program and of other hosts, and these may be faster or slower.
 */
export class RecentTimes {
  readonly #owner: string;
  readonly #now: () => number;
  /** What the loop is at. */
  #jobId: string | null = null;
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

  /** @param owner the loop of the device, as its events name it */
  constructor(events: Events, owner: string, now: () => number = Date.now) {
    this.#owner = owner;
    this.#now = now;
    events
      .on("phase.started", ({ phase, loadMs, owner }) => {
        if (owner !== this.#owner) return;
        this.#loadMs[phase].add(loadMs);
        this.#beginItem(phase);
      })
      .on("job.claimed", ({ jobId, phase, owner }) => {
        if (owner === this.#owner) this.#jobId = jobId;
        else if (jobId === this.#jobId) this.#jobId = null;
        if (owner === this.#owner && this.#itemStart.has(phase)) this.#beginItem(phase);
      })
      .on("job.progress", (progress) => {
        if (progress.jobId === this.#jobId) this.#onProgress(progress);
      })
      .on("job.item", ({ jobId, phase }) => {
        if (jobId === this.#jobId) this.#onItem(phase);
      })
      .on("phase.finished", ({ phase, owner }) => {
        if (owner !== this.#owner) return;
        this.#itemStart.delete(phase);
        if (phase === "image") this.#lastStep = null;
      });
  }

  /** As far as they are known. */
  speeds(): WorkTimes {
    return {
      loadMs: { text: this.#loadMs.text.median(), image: this.#loadMs.image.median() },
      // The mean, because the prompts of one group finish together: the first takes all the time, the others
      // none.
      textMs: this.#textItemMs.mean(),
      stepMs: this.#stepMs.median(),
      pictureRestMs: this.#pictureRestMs.median(),
    };
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
