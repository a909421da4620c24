import { backoffMs } from "../../core/backoff.js";
import type { ErrorCode } from "../../core/errors.js";
import type { Events } from "../../core/events.js";
import type { Phase } from "../../core/job.js";

/** Milliseconds until a device that was set aside is tried again: at first, and at most. */
const FIRST_MS = 10_000;
const LONGEST_MS = 10 * 60_000;

/** What may be the fault of the device, and may be that of a model or a job. */
const OF_DEVICES: readonly ErrorCode[] = [
  "DEVICE_UNAVAILABLE",
  "WORKER_DIED",
  "OUT_OF_MEMORY",
  "WORKER_STALLED",
];
export const isOfDevice = (code: ErrorCode): boolean => OF_DEVICES.includes(code);

export interface DeviceHealthOptions {
  readonly device: string;
  readonly events: Events;
  readonly now: () => number;
  readonly firstMs?: number;
}

/** Whether one of several devices works, and when it is tried again if not. */
export class DeviceHealth {
  readonly #options: DeviceHealthOptions;
  /** Times that it was set aside since it last made something. */
  #times = 0;
  #aside: { readonly phase: Phase; readonly retryMs: number; readonly since: number } | null = null;
  /** Jobs during which it failed since it last made something. */
  readonly #failedJobs = new Set<string>();
  /** Jobs that it gave back for its own fault though its models load; each but once. */
  readonly #spared = new Set<string>();

  constructor(options: DeviceHealthOptions) {
    this.#options = options;
  }

  /** The phase that failed on it, if it is set aside. */
  get aside(): Phase | null {
    return this.#aside?.phase ?? null;
  }

  /** Milliseconds until it is to be tried; 0 if it works. */
  get waitMs(): number {
    if (this.#aside === null) return 0;
    const { since, retryMs } = this.#aside;
    // A clock that was turned back keeps it no longer.
    const passed = Math.max(0, this.#options.now() - since);
    return Math.max(0, retryMs - passed);
  }

  setAside(phase: Phase, code: ErrorCode, reason: string): void {
    const { device, events, now, firstMs = FIRST_MS } = this.#options;
    const retryMs = backoffMs(this.#times, firstMs, LONGEST_MS);
    this.#times++;
    this.#aside = { phase, retryMs, since: now() };
    events.emit("device.set-aside", { device, phase, code, reason, retryMs });
  }

  /** It loaded a model again. */
  back(): void {
    const { device, events } = this.#options;
    if (this.#aside === null) return;
    events.emit("device.back", { device, phase: this.#aside.phase });
    this.#aside = null;
  }

  /** It made an item, so what failed before is over. */
  worked(): void {
    this.#times = 0;
    this.#failedJobs.clear();
    this.#spared.clear();
  }

  /**
   * Notes that it failed while it worked on a job, though it loads its model again. True if it is to blame: it failed in
   * several jobs one after the other. A job that it gave back before answers for itself.
   */
  isToBlame(jobId: string): boolean {
    this.#failedJobs.add(jobId);
    if (this.#failedJobs.size < 2 || this.#spared.has(jobId)) return false;
    this.#spared.add(jobId);
    return true;
  }
}
