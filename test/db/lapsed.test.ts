import { beforeEach, expect, test } from "vitest";
import { QueueError } from "../../src/core/errors.js";
import { createEvents } from "../../src/core/events.js";
import { LapsedLeases } from "../../src/db/lapsed.js";
import { LEASE_MS } from "../../src/db/queue.js";

let time: number;
let isAway: boolean;
let lapsed: LapsedLeases;
let calls: number;
beforeEach(() => {
  time = 0;
  isAway = false;
  const answer = async <T>(value: T): Promise<T> => {
    if (isAway) throw new QueueError("QUEUE_UNREACHABLE", "away");
    return value;
  };
  calls = 0;
  const gone = {
    afterMs: 60_000,
    call: () => {
      calls += 1;
    },
  };
  const queue = { paused: () => answer(false), recover: () => answer([]) };
  lapsed = new LapsedLeases(queue, createEvents(), { now: () => time, gone });
});

/** Looks every 2 s for as long as given; answers after how long lapsed leases were first looked for. */
async function looksUntil(ms: number): Promise<number | null> {
  const start = time;
  while (time < start + ms) {
    time += 2_000;
    if (await lapsed.look()) return time - start;
  }
  return null;
}

test("jobs are taken from the dead once every holder had the time of a lease to extend its own", async () => {
  expect(await looksUntil(60_000)).toBe(Math.ceil(LEASE_MS / 2_000) * 2_000);
  expect(await looksUntil(2_000)).toBe(2_000);
});

test("after the database was away, holders have that time again", async () => {
  await looksUntil(60_000);
  isAway = true;
  expect(await looksUntil(60_000)).toBeNull();
  isAway = false;
  expect(await looksUntil(LEASE_MS - 2_000)).toBeNull();
  expect(await looksUntil(4_000)).not.toBeNull();
});

test("so they have after this program itself was frozen", async () => {
  await looksUntil(60_000);
  time += LEASE_MS;
  expect(await looksUntil(LEASE_MS - 2_000)).toBeNull();
  expect(await looksUntil(4_000)).not.toBeNull();
});

test("who waits for the database for too long is told", async () => {
  await looksUntil(60_000);
  isAway = true;
  await looksUntil(58_000);
  expect(calls).toBe(0);
  isAway = false;
  await looksUntil(2_000);
  isAway = true;
  await looksUntil(58_000);
  expect(calls).toBe(0);
  await looksUntil(2_000);
  expect(calls).toBe(1);
});
