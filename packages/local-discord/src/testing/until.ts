import type { Parts } from "../server.js";

/** The parts a wait observes. */
export type Watched = Pick<Parts, "state" | "transcript">;

/** Resolves as soon as `look` finds something; looks again after every event. Rejects after `timeoutMs`. */
export function until<T>(
  { state, transcript }: Watched,
  look: () => T | undefined,
  what: string,
  timeoutMs: number,
): Promise<T> {
  const now = look();
  if (now !== undefined) return Promise.resolve(now);
  return new Promise((resolve, reject) => {
    const stop = () => {
      unsubscribe();
      clearTimeout(timer);
    };
    const unsubscribe = state.subscribe(() => {
      try {
        const found = look();
        if (found === undefined) return;
        stop();
        resolve(found);
      } catch (error) {
        stop();
        reject(error);
      }
    });
    const timer = setTimeout(() => {
      stop();
      reject(new Error(`Waited ${timeoutMs} ms for ${what}. Last calls and events:\n${transcript.tail()}`));
    }, timeoutMs);
  });
}
