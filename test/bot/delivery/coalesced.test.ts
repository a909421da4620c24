import { expect, it } from "vitest";
import { Coalesced } from "../../../src/bot/delivery/coalesced.js";

/** Work whose runs end when the test says so. */
function controlled(gapMs: number) {
  const runs: { readonly at: number; readonly end: () => void }[] = [];
  let started = () => {};
  const coalesced = new Coalesced(gapMs, () => {
    const run = new Promise<void>((end) => runs.push({ at: performance.now(), end }));
    started();
    return run;
  });
  const nextRun = () =>
    new Promise<void>((resolve) => {
      started = resolve;
    });
  return { coalesced, runs, nextRun };
}

it("runs at once, and once more for all asks during a run", async () => {
  const { coalesced, runs, nextRun } = controlled(0);
  coalesced.ask();
  expect(runs).toHaveLength(1);
  for (let asks = 0; asks < 5; asks++) coalesced.ask();
  expect(runs).toHaveLength(1);
  const second = nextRun();
  runs[0]!.end();
  await second;
  runs[1]!.end();
  await coalesced.stop();
  expect(runs).toHaveLength(2);
});

it("keeps a gap between two starts", async () => {
  const { coalesced, runs, nextRun } = controlled(50);
  coalesced.ask();
  const second = nextRun();
  coalesced.ask();
  runs[0]!.end();
  await second;
  // Timers may fire a millisecond early.
  expect(runs[1]!.at - runs[0]!.at).toBeGreaterThan(48);
  runs[1]!.end();
  await coalesced.stop();
});

it("stops when the last run has ended, and runs no more", async () => {
  const { coalesced, runs } = controlled(0);
  coalesced.ask();
  coalesced.ask();
  const stopped = coalesced.stop();
  runs[0]!.end();
  await stopped;
  coalesced.ask();
  expect(runs).toHaveLength(1);
});
