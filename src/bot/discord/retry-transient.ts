import { setTimeout as delay } from "node:timers/promises";
import { faultOf } from "./faults.js";

export interface Patience {
  /** Milliseconds since the epoch after which no further try begins. */
  readonly until: number;
  readonly now: () => number;
  /** Delay after the first failure; it doubles with each one. */
  readonly firstMs: number;
  readonly signal: AbortSignal;
}

/**
 * Repeats a request whose failure may pass. Throws the last error when the time is over, at once an error that no wait
 * can mend, and the signal's reason when that ends the wait.
 */
export async function retryTransient<T>(
  { until, now, firstMs, signal }: Patience,
  request: () => Promise<T>,
): Promise<T> {
  for (let delayMs = firstMs; ; delayMs *= 2) {
    try {
      return await request();
    } catch (error) {
      if (faultOf(error) !== "transient" || now() + delayMs > until) throw error;
      await delay(delayMs, undefined, { signal });
    }
  }
}
