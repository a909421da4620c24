import type { Parts } from "../server.js";

/**
 * Waits until bot and server are done with each other. A bot that makes no call for `idleMs` looks done, so
 * wait for the expected result where you can, and use this only for "nothing more happens".
 */
export function quiet(
  { rest }: Pick<Parts, "rest">,
  { idleMs = 100, timeoutMs = 5_000 }: { idleMs?: number; timeoutMs?: number } = {},
): Promise<void> {
  const { transcript, interactions, calls } = rest;
  return new Promise((resolve, reject) => {
    let idle: NodeJS.Timeout | undefined;
    const stop = () => {
      unsubscribe();
      clearTimeout(idle);
      clearTimeout(timer);
    };
    const look = () => {
      clearTimeout(idle);
      idle = setTimeout(() => {
        if (calls.open > 0 || interactions.unanswered > 0) return look();
        stop();
        resolve();
      }, idleMs);
    };
    const unsubscribe = transcript.subscribe(look);
    const timer = setTimeout(() => {
      stop();
      reject(new Error(`Not quiet after ${timeoutMs} ms. Last calls and events:\n${transcript.tail()}`));
    }, timeoutMs);
    look();
  });
}
