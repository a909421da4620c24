import { setTimeout as delay } from "node:timers/promises";

export interface Backoff {
  /** Milliseconds to wait after the first failure; doubles with each further one, up to `maxMs`. */
  readonly firstMs: number;
  readonly maxMs?: number;
  /** Ends the wait, and with it the retries. */
  readonly signal: AbortSignal;
  /** Called after each failure with the wait that follows. Throws to give up, usually the error itself. */
  readonly onFailure: (error: unknown, delayMs: number) => void;
}

/** Larger powers only overflow. */
const DOUBLINGS_MAX = 30;

/** Milliseconds to wait after `failures` earlier failures. */
export const backoffMs = (failures: number, firstMs: number, maxMs = Number.POSITIVE_INFINITY): number =>
  Math.min(maxMs, firstMs * 2 ** Math.min(failures, DOUBLINGS_MAX));

/**
 * Runs `task` until it succeeds, `onFailure` throws, or the signal aborts (then throws the signal's reason).
 */
export async function retry<T>(
  { firstMs, maxMs, signal, onFailure }: Backoff,
  task: () => Promise<T>,
): Promise<T> {
  for (let failures = 0; ; failures++) {
    try {
      return await task();
    } catch (error) {
      const delayMs = backoffMs(failures, firstMs, maxMs);
      onFailure(error, delayMs);
      await delay(delayMs, undefined, { signal });
    }
  }
}

/** Waits for `work`, but no longer than `ms`. */
export async function atMost(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}
