import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import Database from "better-sqlite3";
import { describe, expect, it, onTestFinished } from "vitest";
import { createEvents } from "../../../src/core/events.js";
import { announced } from "../../../src/db/announce.js";
import { openDatabase } from "../../../src/db/sqlite/open.js";
import { sqliteStore } from "../../../src/db/sqlite/store.js";
import { GpuLock } from "../../../src/inference/loop/gpu-lock.js";
import { InferenceLoop } from "../../../src/inference/loop/loop.js";
import { type ModelChoice, startWorker } from "../../../src/inference/loop/model-choice.js";
import { runError } from "../../../src/inference/runtime/session.js";
import { PictureFolder } from "../../../src/pictures/store.js";
import { newJob } from "../../db/contract/fixtures.js";
import { within } from "../../support/within.js";

const WORKER = fileURLToPath(new URL("./child/scripted-worker.mjs", import.meta.url));

/** What the worker does at its n-th start; an empty script works normally. */
interface Script {
  /** Fails to load with this code, or kills its process. */
  readonly load?: string;
  /** Answers calls with an error of this code, or worse. */
  readonly call?: string;
  /** For how long `call: "print"` prints before it answers. */
  readonly printMs?: number;
  /** Values that come with the error. */
  readonly context?: Record<string, string | number>;
  readonly close?: "hang";
  /** Length of a rewrite. */
  readonly words?: number;
}

/** The real loop, queue and host, with a worker that follows a script. */
async function startLoop(
  scripts: readonly Script[],
  { device = "cpu" as ModelChoice["device"], busyMs = 200, silenceMs = 1_500, storeRetryMs = 100 } = {},
) {
  const folder = mkdtempSync(join(tmpdir(), "loop-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  const directory = join(folder, "checkpoint");
  mkdirSync(directory);
  writeFileSync(join(directory, "script.json"), JSON.stringify(scripts));
  const file = join(folder, "queue.db");
  const database = openDatabase(file);
  const events = createEvents();
  const { queue, close } = announced(sqliteStore(database, { busyMs }), events);
  onTestFinished(close);
  const logged: string[] = [];
  events.on("log", ({ message }) => logged.push(message));
  const checkpoint = {
    name: "scripted",
    directory,
    isMiniature: false,
  } as unknown as ModelChoice["promptist"];
  const choice: ModelChoice = {
    promptist: checkpoint,
    diffusion: checkpoint as unknown as ModelChoice["diffusion"],
    clipTokenizer: directory,
    device,
    weights: "int8",
    precision: "auto",
    cacheDir: folder,
    threads: 1,
  };
  const loop = new InferenceLoop({
    queue,
    events,
    gpu: new GpuLock(),
    startWorker: (phase, lease, signal) =>
      startWorker(choice, phase, lease, {
        signal,
        silenceMs,
        workerFile: WORKER,
        onOutput: (line) => logged.push(line),
      }),
    checkpointName: () => "scripted",
    pictures: new PictureFolder(join(folder, "pictures")),
    owner: "this run",
    phaseMs: 60_000,
    storeRetryMs,
  });
  const finished = (id: string) =>
    new Promise<void>((resolve) => {
      events.on("job.finished", ({ jobId }) => {
        if (jobId === id) resolve();
      });
    });
  const starts = () => readFileSync(join(directory, "starts"), "utf8").trim().split("\n");
  return { queue, database, file, events, loop, finished, starts, logged };
}

const job = (user = "ada") => newJob({ user, kind: "optimize" });

describe("a worker that fails in the middle of a job", () => {
  it.each<[string, Script, string]>([
    ["loses its device", { call: "WORKER_DIED" }, "WORKER_DIED"],
    ["runs out of memory", { call: "OUT_OF_MEMORY" }, "OUT_OF_MEMORY"],
    ["is killed", { call: "kill" }, "OUT_OF_MEMORY"],
    ["is frozen", { call: "freeze" }, "WORKER_STALLED"],
    ["never answers", { call: "hang" }, "WORKER_STALLED"],
    ["prints for ever", { call: "flood" }, "WORKER_STALLED"],
  ])(
    "and %s is replaced; the job is tried again, and the next one is not charged",
    async (_name, script, code) => {
      const { queue, loop, finished, starts } = await startLoop([script, {}]);
      const first = await queue.enqueue(job());
      const second = await queue.enqueue(job("bob"));
      const both = Promise.all([finished(first.id), finished(second.id)]);
      loop.start();
      await both;
      await loop.stop();
      const jobs = await Promise.all([first, second].map(({ id }) => queue.get(id)));
      expect(jobs.map((it) => it?.state)).toEqual(["done", "done"]);
      expect(jobs[0]?.failures.map((failure) => failure.code)).toEqual([code]);
      expect(jobs[1]?.failures).toEqual([]);
      expect(starts().length).toBeGreaterThanOrEqual(2);
    },
  );

  it("printing for longer than the longest silence lives, and answers", async () => {
    const { queue, loop, finished, starts } = await startLoop([{ call: "print", printMs: 3_000 }]);
    const { id } = await queue.enqueue(job());
    const end = finished(id);
    loop.start();
    await end;
    await loop.stop();
    expect(await queue.get(id)).toMatchObject({ state: "done", failures: [] });
    expect(starts()).toHaveLength(1);
  });

  it("on every attempt fails the job after three attempts, each in a new worker", async () => {
    const { queue, loop, finished, starts } = await startLoop([{ call: "kill" }]);
    const { id } = await queue.enqueue(job());
    const end = finished(id);
    loop.start();
    await end;
    await loop.stop();
    expect(await queue.get(id)).toMatchObject({ state: "failed", failures: [{}, {}, {}] });
    expect(starts()).toHaveLength(3);
  });
});

it("a job that the worker refuses keeps the values of the refusal", async () => {
  const context = { option: "steps", limit: 999 };
  const { queue, loop, finished } = await startLoop([{ call: "INPUT_OPTION", context }]);
  const { id } = await queue.enqueue(job());
  const end = finished(id);
  loop.start();
  await end;
  await loop.stop();
  expect(await queue.get(id)).toMatchObject({
    state: "failed",
    failures: [{ code: "INPUT_OPTION", context }],
  });
});

describe("a model that does not fit", () => {
  it.each(["OUT_OF_MEMORY", "abort"])("on the GPU chosen by auto is loaded on the CPU (%s)", async (load) => {
    const { queue, loop, finished, starts, logged } = await startLoop([{ load }, {}], { device: "auto" });
    const { id } = await queue.enqueue(job());
    const end = finished(id);
    loop.start();
    await end;
    await loop.stop();
    expect(starts()).toEqual(["auto", "cpu"]);
    expect(await queue.get(id)).toMatchObject({ state: "done", failures: [] });
    expect(logged.join("\n")).toContain("the CPU is used, since the model can't be loaded on webgpu");
  });

  it("on a device named by the operator fails and says so, after three attempts", async () => {
    const { queue, loop, finished, starts } = await startLoop([{ load: "OUT_OF_MEMORY" }], {
      device: "webgpu",
    });
    const { id } = await queue.enqueue(job());
    const end = finished(id);
    loop.start();
    await end;
    await loop.stop();
    const ended = await queue.get(id);
    expect(ended?.state).toBe("failed");
    expect(ended?.failures.map(({ code }) => code)).toEqual(Array(3).fill("OUT_OF_MEMORY"));
    expect(starts()).toEqual(["webgpu", "webgpu", "webgpu"]);
  });
});

describe("a stop", () => {
  it("in the middle of a slow step ends the worker, and the job waits again without losing an attempt", async () => {
    const { queue, events, loop } = await startLoop([{ call: "hang", close: "hang" }]);
    const { id } = await queue.enqueue(job());
    const running = new Promise((resolve) => events.once("phase.started", resolve));
    loop.start();
    await running;
    const asked = performance.now();
    await loop.stop();
    expect(performance.now() - asked).toBeLessThan(within(3_500));
    expect(await queue.get(id)).toMatchObject({ state: "queued", failures: [] });
  });
});

describe("a database that takes no writes", () => {
  it("because another process holds it while a job ends: the job is claimed again and finishes", async () => {
    const { queue, file, events, loop, finished, logged } = await startLoop([{}]);
    const { id } = await queue.enqueue(job());
    const other = new Database(file);
    const end = finished(id);
    events.once("phase.started", () => other.exec("begin immediate"));
    const trouble = new Promise<void>((resolve) => {
      events.on("log", ({ message }) => {
        if (message.includes("could not go on")) resolve();
      });
    });
    loop.start();
    await trouble;
    expect((await queue.get(id))?.state).toBe("running");
    other.exec("rollback");
    other.close();
    await end;
    await loop.stop();
    expect(await queue.get(id)).toMatchObject({ state: "done" });
    expect(logged.join("\n")).toContain("QueueError");
  });

  it("because the disk is full: no half result is stored, and a retry succeeds once there is space", async () => {
    const { queue, database, events, loop, finished } = await startLoop([{ words: 20_000 }]);
    const { id } = await queue.enqueue(job());
    const pages = database.pragma("page_count", { simple: true });
    // The limit makes SQLite fail exactly like a write without disk space.
    database.pragma(`max_page_count = ${pages}`);
    const end = finished(id);
    events.on("job.requeued", ({ reason }) => {
      if (reason === "retry") database.pragma("max_page_count = 1000000");
    });
    loop.start();
    await end;
    await loop.stop();
    const ended = await queue.get(id);
    expect(ended).toMatchObject({ state: "done", failures: [{ code: "DISK_FULL" }] });
    expect(ended?.items[0]?.rewrite?.length).toBeGreaterThan(100_000);
    expect(database.pragma("integrity_check", { simple: true })).toBe("ok");
  });

  it.each([
    ["DISK_FULL", 60_000],
    ["PICTURES_UNREACHABLE", 60_000],
    ["INTERNAL", 1_000],
  ])("and after %s the job waits for as long as its cause may last", async (code, waitMs) => {
    const { queue, events, loop } = await startLoop([{ call: code }], {
      storeRetryMs: 60_000,
      silenceMs: 30_000,
    });
    const { id } = await queue.enqueue(job());
    const requeued = new Promise((resolve) => events.once("job.requeued", resolve));
    loop.start();
    await requeued;
    await loop.stop();
    const stored = await queue.get(id);
    expect(stored).toMatchObject({ state: "queued", failures: [{ code }] });
    expect(await queue.nextDueAt()).toBe(stored!.failures[0]!.at + waitMs);
  });

  it("and stays full: the job fails because of the full disk", async () => {
    const { queue, database, loop, finished } = await startLoop([{ words: 20_000 }]);
    const { id } = await queue.enqueue(job());
    database.pragma(`max_page_count = ${database.pragma("page_count", { simple: true })}`);
    const end = finished(id);
    loop.start();
    await end;
    await loop.stop();
    const ended = await queue.get(id);
    expect(ended?.state).toBe("failed");
    expect(ended?.failures.map(({ code }) => code)).toEqual(Array(3).fill("DISK_FULL"));
  });
});

describe("another program on the queue", () => {
  /** Starts a job whose worker waits at its first call until it is told to stop. */
  async function startWaiting() {
    const running = await startLoop([{ call: "wait" }], { silenceMs: 60_000 });
    const { queue, events, loop, file } = running;
    const other = sqliteStore(openDatabase(file));
    onTestFinished(other.close);
    const { id } = await queue.enqueue(job());
    const started = new Promise((resolve) => events.once("phase.started", resolve));
    loop.start();
    await started;
    return { ...running, id, other };
  }

  it("asks the holder to stop, which hears it with its lease", async () => {
    const { id, other, loop, finished, queue } = await startWaiting();
    const end = finished(id);
    expect(await other.queue.cancel(id)).toBe("requested");
    await end;
    expect((await queue.get(id))?.state).toBe("cancelled");
    await loop.stop();
  });

  it("takes the job for that of a dead holder, which stops, and it is done once by whoever claims it", async () => {
    const { id, other, loop, finished, queue, starts } = await startWaiting();
    const end = finished(id);
    expect(await other.queue.recover("all")).toMatchObject([{ id, state: "queued" }]);
    await end;
    expect(await queue.get(id)).toMatchObject({ state: "done", attempt: 2, failures: [] });
    expect(starts()).toHaveLength(1);
    await loop.stop();
  });
});

describe("a clock that is turned back", () => {
  it("keeps no job in its back-off", async () => {
    const folder = mkdtempSync(join(tmpdir(), "clock-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
    let now = Date.now();
    const { queue, close } = sqliteStore(openDatabase(join(folder, "queue.db")), { now: () => now });
    onTestFinished(close);
    await queue.enqueue(job());
    const claim = await queue.claim("text", "ada's");
    await queue.retry(claim!, "WORKER_DIED", "scripted", 10 * 60_000);
    // No back-off exceeds five minutes.
    expect(await queue.nextDueAt()).toBe(now + 5 * 60_000);
    now -= 3_600_000;
    expect(await queue.hasWork("text")).toBe(false);
    expect(await queue.nextDueAt()).toBe(now);
    expect(await queue.hasWork("text")).toBe(true);
  });
});

describe("a run that fails", () => {
  it.each([
    ["cpu", "the node computes nothing", "INTERNAL"],
    ["cpu", "std::bad_alloc", "OUT_OF_MEMORY"],
    ["webgpu", "Device is lost", "WORKER_DIED"],
    ["cuda", "CUDA failure 719: unspecified launch failure", "WORKER_DIED"],
    ["dml", "the GPU device instance has been suspended", "WORKER_DIED"],
    ["cuda", "CUDA failure 2: out of memory", "OUT_OF_MEMORY"],
  ] as const)('on %s with "%s" is %s', (device, message, code) => {
    expect(runError(new Error(message), "UNet", device)).toMatchObject({ code });
  });
});
