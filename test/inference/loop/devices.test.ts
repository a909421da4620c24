import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import type { DeviceName } from "../../../src/core/devices.js";
import { type AppEvents, createEvents } from "../../../src/core/events.js";
import { announced } from "../../../src/db/announce.js";
import { openDatabase } from "../../../src/db/sqlite/open.js";
import { sqliteStore } from "../../../src/db/sqlite/store.js";
import { GpuLock } from "../../../src/inference/loop/gpu-lock.js";
import { InferenceLoop } from "../../../src/inference/loop/loop.js";
import { loopPlans, type ModelChoice, startWorker } from "../../../src/inference/loop/model-choice.js";
import { PictureFolder } from "../../../src/pictures/store.js";
import { newJob } from "../../db/contract/fixtures.js";

const WORKER = fileURLToPath(new URL("./child/scripted-worker.mjs", import.meta.url));

type Scripts = Readonly<Partial<Record<DeviceName, readonly object[]>>>;
type Name = keyof AppEvents;

/** The real loops, queue and hosts of several devices, with workers that follow the script of their device. */
function startLoops(scripts: Scripts, { deviceRetryMs = 100, silenceMs = 10_000 } = {}) {
  const folder = mkdtempSync(join(tmpdir(), "devices-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  const directory = join(folder, "checkpoint");
  mkdirSync(directory);
  writeFileSync(join(directory, "script.json"), JSON.stringify(scripts));
  const checkpoint = { name: "scripted", directory, isMiniature: false, isHarmless: true };
  const choice: ModelChoice = {
    promptist: checkpoint as unknown as ModelChoice["promptist"],
    diffusion: checkpoint as unknown as ModelChoice["diffusion"],
    clipTokenizer: directory,
    device: "cpu",
    weights: "int8",
    precision: "auto",
    cacheDir: folder,
    threads: 1,
  };
  const events = createEvents();
  const { queue, close } = announced(sqliteStore(openDatabase(join(folder, "queue.db"))), events);
  onTestFinished(close);
  const names = Object.keys(scripts) as DeviceName[];
  const own = names.map((name) => ({ name, memory: null }));
  const loops = loopPlans(choice, own).map(
    ({ phases, device }) =>
      new InferenceLoop({
        queue,
        events,
        phases,
        device: device!.name,
        deviceRetryMs,
        gpu: new GpuLock(),
        startWorker: (phase, lease, signal) =>
          startWorker(choice, phase, lease, { signal, on: device, silenceMs, workerFile: WORKER }),
        checkpointName: (phase) => phase,
        pictures: new PictureFolder(join(folder, "pictures")),
        owner: `loop of ${device!.name}`,
        phaseMs: 60_000,
      }),
  );
  const stop = () => Promise.all(loops.map((loop) => loop.stop()));
  onTestFinished(async () => {
    await stop();
  });
  const start = () => {
    for (const loop of loops) loop.start();
  };
  /** The next event that is wanted. */
  const next = <N extends Name>(name: N, isWanted: (event: AppEvents[N][0]) => boolean = () => true) =>
    new Promise<AppEvents[N][0]>((resolve) => {
      const emitter: NodeJS.EventEmitter = events;
      emitter.on(name, (event: AppEvents[N][0]) => {
        if (isWanted(event)) resolve(event);
      });
    });
  const finished = (id: string) => next("job.finished", ({ jobId }) => jobId === id);
  const enqueue = async (user: string) => {
    const { id } = await queue.enqueue(newJob({ user, kind: "optimize" }));
    return { id, end: finished(id) };
  };
  const starts = (device: DeviceName) =>
    readFileSync(join(directory, "starts"), "utf8")
      .trim()
      .split("\n")
      .filter((it) => it === device).length;
  return { queue, events, start, stop, next, enqueue, starts };
}

describe("two devices", () => {
  it("work on two jobs at the same time, and each tells its own", async () => {
    const { queue, start, stop, next, enqueue } = startLoops({
      "cpu:0": [{ call: "wait" }],
      "cpu:1": [{ call: "wait" }],
    });
    const works = (device: string) =>
      next("device.works", (event) => event.device === device && event.jobId !== null);
    const both = Promise.all([works("cpu:0"), works("cpu:1")]);
    const ids = [(await enqueue("ada")).id, (await enqueue("bob")).id];
    start();
    const events = await both;
    expect(events.map(({ jobId }) => jobId).toSorted()).toEqual(ids.toSorted());
    expect(await queue.depth()).toMatchObject({ running: 2 });
    await stop();
    expect(await Promise.all(ids.map((id) => queue.get(id)))).toMatchObject([
      { state: "queued", failures: [] },
      { state: "queued", failures: [] },
    ]);
  });

  it("do without one whose worker can't start: its job goes to the other at no cost of an attempt", async () => {
    const { queue, start, next, enqueue, starts } = startLoops({
      "cuda:0": [{ load: "DEVICE_UNAVAILABLE" }],
      "cpu:0": [{}],
    });
    const aside = next("device.set-aside");
    const jobs = [await enqueue("ada"), await enqueue("bob"), await enqueue("cyd")];
    start();
    expect(await aside).toMatchObject({ device: "cuda:0", code: "DEVICE_UNAVAILABLE" });
    await Promise.all(jobs.map(({ end }) => end));
    for (const { id } of jobs) expect(await queue.get(id)).toMatchObject({ state: "done", failures: [] });
    expect(starts("cpu:0")).toBeGreaterThan(0);
  });

  it("take back one that works again, which was tried with longer and longer pauses", async () => {
    const { events, start, next, enqueue } = startLoops({
      "cuda:0": [{ load: "WORKER_DIED" }, { load: "abort" }, { load: "OUT_OF_MEMORY" }, {}],
      "cpu:0": [{ call: "hang" }],
    });
    const pauses: number[] = [];
    events.on("device.set-aside", ({ retryMs }) => pauses.push(retryMs));
    const back = next("device.back");
    const asideFirst = next("device.set-aside");
    // The other device is at a job that never ends.
    await enqueue("ada");
    await enqueue("bob");
    start();
    await asideFirst;
    expect(await back).toMatchObject({ device: "cuda:0", phase: "text" });
    expect(pauses).toEqual([100, 200, 400]);
    const { end } = await enqueue("cyd");
    expect(await end).toMatchObject({ state: "done" });
  });

  it("go on when the process of one is killed, whose job is tried again", async () => {
    const { queue, start, stop, next, enqueue } = startLoops({
      "cpu:0": [{ call: "wait" }, {}],
      "cpu:1": [{ call: "wait" }, {}],
    });
    const started = (device: string) => next("phase.started", (event) => event.device === device);
    const works = (device: string) =>
      next("device.works", (event) => event.device === device && event.jobId !== null);
    const both = Promise.all([started("cpu:0"), works("cpu:0"), started("cpu:1"), works("cpu:1")]);
    const jobs = [await enqueue("ada"), await enqueue("bob")];
    start();
    const [{ pid }, first, other, second] = await both;
    const end = jobs.find(({ id }) => id === first.jobId)!.end;
    process.kill(pid, "SIGKILL");
    await end;
    expect(await queue.get(first.jobId!)).toMatchObject({
      state: "done",
      failures: [{ code: "OUT_OF_MEMORY" }],
    });
    // Nothing happened to the other, which is still at its job.
    expect(await queue.get(second.jobId!)).toMatchObject({ state: "running", attempt: 1, failures: [] });
    expect(() => process.kill(other.pid, 0)).not.toThrow();
    await stop();
  });

  it("are told apart from a job that ends each worker, which alone pays", async () => {
    const { queue, events, start, enqueue } = startLoops({ "cpu:0": [{ call: "kill" }] });
    let aside = 0;
    events.on("device.set-aside", () => aside++);
    const { id, end } = await enqueue("ada");
    start();
    await end;
    expect(await queue.get(id)).toMatchObject({ state: "failed", failures: [{}, {}, {}] });
    expect(aside).toBe(0);
  });
});

describe("a device that loads its models and fails at its work", () => {
  it("is set aside once it failed at several jobs, the last of which goes to the other device", async () => {
    const { queue, start, next, enqueue } = startLoops(
      // The other is slow enough that this one meets two jobs.
      { "cuda:0": [{ call: "WORKER_DIED" }], "cpu:0": [{ call: "print", printMs: 800 }] },
      { deviceRetryMs: 60_000 },
    );
    const aside = next("device.set-aside");
    start();
    const jobs = [];
    for (const user of ["ada", "bob", "cyd", "dan", "eve", "fay"]) jobs.push(await enqueue(user));
    expect(await aside).toMatchObject({ device: "cuda:0", code: "WORKER_DIED" });
    await Promise.all(jobs.map(({ end }) => end));
    const ended = await Promise.all(jobs.map(({ id }) => queue.get(id)));
    expect(ended.map((it) => it?.state)).toEqual(jobs.map(() => "done"));
    expect(ended.flatMap((it) => it?.failures ?? [])).toHaveLength(1);
  });
});

describe("when every device is set aside", () => {
  it("jobs wait, none is failed, and all are done once one is back", async () => {
    const broken = Array(4).fill({ load: "DEVICE_UNAVAILABLE" });
    const { queue, start, next, enqueue } = startLoops(
      { "cuda:0": [...broken, {}], "cuda:1": [{ load: "DEVICE_UNAVAILABLE" }] },
      { deviceRetryMs: 20 },
    );
    const asides = Promise.all(
      ["cuda:0", "cuda:1"].map((device) => next("device.set-aside", (event) => event.device === device)),
    );
    const back = next("device.back");
    const jobs = [await enqueue("ada"), await enqueue("bob")];
    start();
    await asides;
    expect(await queue.depth()).toMatchObject({ running: 0, queued: 2 });
    expect(await back).toMatchObject({ device: "cuda:0" });
    await Promise.all(jobs.map(({ end }) => end));
    for (const { id } of jobs) expect(await queue.get(id)).toMatchObject({ state: "done", failures: [] });
  });
});
