import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createEvents, type Events } from "../../src/core/events.js";
import type { Queue } from "../../src/db/queue.js";
import { openDatabase } from "../../src/db/sqlite/open.js";
import { sqliteStore } from "../../src/db/sqlite/store.js";
import type { Store } from "../../src/db/store.js";
import { Retention, type RetentionLimits } from "../../src/pictures/retention.js";
import { PictureFolder } from "../../src/pictures/store.js";
import { newJob } from "../db/contract/fixtures.js";

const START = Date.UTC(2026, 0, 1);
const DAY = 24 * 3_600_000;
const NONE: RetentionLimits = { picturesMs: null, picturesBytes: null, jobsMs: null, jobsBytes: null };

let folder: string;
let picturesDir: string;
let store: Store;
let queue: Queue;
let events: Events;
let time: number;
const now = () => time;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "retention-"));
  picturesDir = join(folder, "pictures");
  time = START;
  store = sqliteStore(openDatabase(join(folder, "queue.sqlite")), { now });
  ({ queue } = store);
  events = createEvents();
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

const PICTURE = { file: "a.png", ms: 1, judgement: null };

const make = (limits: Partial<RetentionLimits>) =>
  new Retention({
    records: store.records,
    events,
    pictures: new PictureFolder(picturesDir),
    limits: { ...NONE, ...limits },
    now,
  });

/** A finished pair with a picture of this size; delivered by default. */
async function pair(bytes: number, delivered = true): Promise<string> {
  const { id } = await queue.enqueue(newJob({ user: "ada", rewrites: ["fine"] }));
  const claim = (await queue.claim("image", "test"))!;
  write(id, bytes);
  await queue.savePictures(claim, 0, {
    pictures: { baseline: PICTURE, optimized: PICTURE },
    comparison: "a.png",
  });
  await queue.complete(claim);
  if (delivered) await store.deliveries.delivered(id, "message");
  return id;
}
function write(id: string, bytes: number): void {
  mkdirSync(join(picturesDir, id), { recursive: true });
  writeFileSync(join(picturesDir, id, "a.png"), Buffer.alloc(bytes));
}
const hasPictures = (id: string) => existsSync(join(picturesDir, id));

describe("by age", () => {
  test("deletes pictures first, texts later, and nothing that is undelivered or open", async () => {
    const old = await pair(10);
    const undelivered = await pair(10, false);
    time += 5 * DAY;
    const fresh = await pair(10);
    const open = await queue.enqueue(newJob({ user: "bob" }));
    write(open.id, 10);
    time += 6 * DAY;
    const retention = make({ picturesMs: 10 * DAY, jobsMs: 30 * DAY });
    expect(await retention.prune()).toEqual({ pictures: [old], jobs: [], orphans: [] });
    expect(await queue.get(old)).toMatchObject({ picturesPrunedAt: time, items: [{ rewrite: "fine" }] });
    expect([old, undelivered, fresh, open.id].map(hasPictures)).toEqual([false, true, true, true]);
    expect(await retention.prune()).toEqual({ pictures: [], jobs: [], orphans: [] });

    time += 20 * DAY;
    expect(await retention.prune()).toEqual({ pictures: [fresh], jobs: [old], orphans: [] });
    expect(await queue.get(old)).toBeUndefined();
    time += 365 * DAY;
    await retention.prune();
    expect((await queue.get(undelivered))?.picturesPrunedAt).toBeNull();
    expect(hasPictures(undelivered)).toBe(true);
    expect(await queue.get(open.id)).toBeDefined();
  });
});

describe("by bytes", () => {
  test("deletes the oldest pictures until the rest fits", async () => {
    const ids: string[] = [];
    for (const bytes of [400, 100, 300, 200]) {
      ids.push(await pair(bytes));
      time += 1000;
    }
    expect((await make({ picturesBytes: 600 }).prune()).pictures).toEqual([ids[0]]);
    expect((await make({ picturesBytes: 500 }).prune()).pictures).toEqual([ids[1]]);
    expect(ids.map(hasPictures)).toEqual([false, false, true, true]);
  });

  test("deletes the oldest jobs and their pictures while the database is too large", async () => {
    const ids: string[] = [];
    for (let i = 0; i < 60; i++) ids.push(await pair(1));
    const bytes = await store.records.storedBytes();
    expect((await make({ jobsBytes: bytes }).prune()).jobs).toEqual([]);
    const { jobs } = await make({ jobsBytes: bytes - 1 }).prune();
    expect(jobs).toHaveLength(50);
    expect(jobs).toEqual(ids.slice(0, 50));
    expect(await store.records.storedBytes()).toBeLessThan(bytes);
    expect(ids.filter(hasPictures)).toEqual(ids.slice(50));
    // Open jobs are never deleted, however low the limit.
    await queue.enqueue(newJob({ user: "bob" }));
    expect((await make({ jobsBytes: 1 }).prune()).jobs).toEqual(ids.slice(50));
    expect((await queue.depth()).queued).toBe(1);
  });
});

test("deletes a folder without a job after a day, and at once what a crash left of a pruned job", async () => {
  const pruned = await pair(10);
  await store.records.picturesPruned(pruned);
  write("forgotten", 10);
  write("new", 10);
  time = Date.now();
  const before = (time - 2 * DAY) / 1000;
  utimesSync(join(picturesDir, "forgotten"), before, before);
  expect(new Set((await make({}).prune()).orphans)).toEqual(new Set(["forgotten", pruned]));
  expect(hasPictures("new")).toBe(true);
});

test("runs at the start, hourly and after a phase, one run at a time", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  try {
    const gone: string[] = [];
    const seen = () =>
      new Promise<void>((resolve) => {
        events.once("log", ({ message }) => {
          gone.push(message);
          resolve();
        });
      });
    const retention = make({ picturesMs: DAY });
    await pair(1);
    time += 2 * DAY;
    const first = seen();
    retention.start();
    await first;
    await pair(1);
    time += 2 * DAY;
    const second = seen();
    vi.advanceTimersByTime(3_600_000);
    await second;
    await pair(1);
    time += 2 * DAY;
    const third = seen();
    events.emit("phase.finished", { phase: "image", device: "cpu", jobs: 1, items: 1, ms: 1, peakBytes: 0 });
    await third;
    expect(gone).toEqual(gone.map(() => expect.stringContaining("pictures of 1 jobs")));
    await retention.stop();
    expect(events.listenerCount("phase.finished")).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});

describe("unfinished files of a run that was killed", () => {
  test("are removed at the start, and none that this run writes or that are no such files", async () => {
    const id = await pair(10);
    const at = (name: string) => join(picturesDir, id, name);
    const put = (name: string, ms: number) => {
      writeFileSync(at(name), "half");
      utimesSync(at(name), new Date(ms), new Date(ms));
    };
    put(".1-baseline.png.7-0.tmp", START - 1_000);
    put(".2-baseline.png.9-1.tmp", START + 1_000);
    put(".mine.tmp", START - 1_000);
    const logs: string[] = [];
    const logged = new Promise<void>((resolve) => {
      events.on("log", ({ message }) => {
        logs.push(message);
        resolve();
      });
    });
    const retention = make({});
    retention.start();
    await logged;
    await retention.stop();
    expect(logs).toEqual(["Removed unfinished picture files of an earlier run: 1"]);
    expect(readdirSync(join(picturesDir, id)).sort()).toEqual([
      ".2-baseline.png.9-1.tmp",
      ".mine.tmp",
      "a.png",
    ]);
  });
});
