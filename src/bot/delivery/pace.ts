import type { Progress } from "../../core/events.js";
import { fractionDone } from "../messages/status-message.js";

/** A pace that was measured for less time than this says little. */
const MEASURED_MS = 1_000;

/** How fast one job goes on in one phase, from its own progress: what other jobs took may differ by size. */
export class Pace {
  #first: { readonly fraction: number; readonly at: number } | null = null;

  /** Milliseconds until the phase of this job is over; null until that can be told. `at`: now. */
  leftMs(progress: Progress, at: number): number | null {
    const fraction = fractionDone(progress);
    if (this.#first === null) {
      this.#first = { fraction, at };
      return null;
    }
    const ms = at - this.#first.at;
    const done = fraction - this.#first.fraction;
    return ms < MEASURED_MS || done <= 0 ? null : (ms * (1 - fraction)) / done;
  }
}
