import { retry } from "../../core/backoff.js";
import { faultOf } from "./faults.js";

export interface TransientRetry {
  /** No retry starts after this time, in milliseconds since the epoch. */
  readonly until: number;
  readonly now: () => number;
  /** Delay after the first failure; it doubles with each further one. */
  readonly firstMs: number;
  readonly maxMs?: number;
  readonly signal: AbortSignal;
  /** Called for each failure that may pass, whether or not another try follows. */
  readonly onTransient?: (error: unknown) => void;
}

/**
 * Repeats a request whose failure may pass. Throws the last error once the time is over, an error that
 * waiting cannot fix at once, and the signal's reason if it aborts.
 */
export const retryTransient = <T>(
  { until, now, onTransient, ...backoff }: TransientRetry,
  request: () => Promise<T>,
): Promise<T> =>
  retry(
    {
      ...backoff,
      onFailure: (error, delayMs) => {
        if (backoff.signal.aborted || faultOf(error) !== "transient") throw error;
        onTransient?.(error);
        if (now() + delayMs > until) throw error;
      },
    },
    request,
  );
