import { setImmediate as turn } from "node:timers/promises";
import type { Parts } from "../server.js";

/**
 * So often the event loop turns before silence is believed: in a busy thread a timer is late, and comes before all
 * that has arrived meanwhile is read, handled and answered.
 */
const TURNS = 20;

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
    let looks = 0;
    const stop = () => {
      looks += 1;
      unsubscribe();
      clearTimeout(idle);
      clearTimeout(timer);
    };
    const look = () => {
      looks += 1;
      const own = looks;
      clearTimeout(idle);
      idle = setTimeout(async () => {
        for (let i = 0; i < TURNS; i++) await turn();
        if (own !== looks) return;
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
