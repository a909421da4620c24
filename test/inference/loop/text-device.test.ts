import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import type { DeviceName } from "../../../src/core/devices.js";
import { createEvents } from "../../../src/core/events.js";
import type { Phase } from "../../../src/core/job.js";
import { announced } from "../../../src/db/announce.js";
import { openDatabase } from "../../../src/db/sqlite/open.js";
import { sqliteStore } from "../../../src/db/sqlite/store.js";
import { GpuLock } from "../../../src/inference/loop/gpu-lock.js";
import { InferenceLoop } from "../../../src/inference/loop/loop.js";
import { loopPlans, type ModelChoice, startWorker } from "../../../src/inference/loop/model-choice.js";
import { PictureFolder } from "../../../src/pictures/store.js";
import { newJob } from "../../db/contract/fixtures.js";

const WORKER = fileURLToPath(new URL("./child/scripted-worker.mjs", import.meta.url));

/** The loops of a program with this text device; the text worker answers, the image worker never does. */
function startLoops(textDevice: DeviceName) {
  const folder = mkdtempSync(join(tmpdir(), "text-device-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  const scripted = (phase: Phase, script: object) => {
    const directory = join(folder, phase);
    mkdirSync(directory);
    writeFileSync(join(directory, "script.json"), JSON.stringify([script]));
    return { name: phase, directory, isMiniature: false, isHarmless: true };
  };
  const text = scripted("text", {});
  const image = scripted("image", { call: "hang", close: "hang" });
  const choice: ModelChoice = {
    promptist: text as unknown as ModelChoice["promptist"],
    diffusion: image as unknown as ModelChoice["diffusion"],
    clipTokenizer: image.directory,
    device: "auto",
    textDevice,
    weights: "int8",
    precision: "auto",
    cacheDir: folder,
    threads: 1,
  };
  const events = createEvents();
  const { queue, close } = announced(sqliteStore(openDatabase(join(folder, "queue.db"))), events);
  onTestFinished(close);
  const loops = loopPlans(choice).map(
    ({ phases }) =>
      new InferenceLoop({
        queue,
        events,
        phases,
        gpu: new GpuLock(),
        startWorker: (phase, lease, signal) =>
          startWorker(choice, phase, lease, { signal, workerFile: WORKER }),
        checkpointName: (phase) => phase,
        pictures: new PictureFolder(join(folder, "pictures")),
        owner: phases.join(),
        phaseMs: 60_000,
      }),
  );
  const stop = () => Promise.all(loops.map((loop) => loop.stop()));
  onTestFinished(async () => {
    await stop();
  });
  for (const loop of loops) loop.start();
  const drawing = new Promise<void>((resolve) => {
    events.on("phase.started", ({ phase }) => {
      if (phase === "image") resolve();
    });
  });
  const finished = (id: string) =>
    new Promise<void>((resolve) => {
      events.on("job.finished", ({ jobId }) => {
        if (jobId === id) resolve();
      });
    });
  const devices = (phase: Phase) =>
    readFileSync(join(folder, phase, "starts"), "utf8")
      .trim()
      .split("\n");
  return { queue, loops, stop, drawing, finished, devices };
}

describe("Promptist on the CPU while the card draws", () => {
  it("rewrites at once, however long the picture takes", async () => {
    const { queue, loops, drawing, finished, devices } = startLoops("cpu");
    expect(loops).toHaveLength(2);
    // Its rewrite is passed on to the loop that draws.
    await queue.enqueue(newJob({ user: "ada", kind: "compare" }));
    await drawing;
    const { id } = await queue.enqueue(newJob({ user: "bob", kind: "optimize" }));
    await finished(id);
    expect(await queue.get(id)).toMatchObject({ state: "done", failures: [] });
    expect(devices("text").every((device) => device === "cpu")).toBe(true);
    expect(devices("image")).toEqual(["auto"]);
  });

  it("gives back what it drew when it stops, and nothing of the other loop", async () => {
    const { queue, stop, drawing } = startLoops("cpu");
    const { id } = await queue.enqueue(newJob({ user: "ada", kind: "compare" }));
    await drawing;
    await stop();
    expect(await queue.get(id)).toMatchObject({ state: "queued", phase: "image", failures: [] });
  });
});

it("by default both phases share one loop, and a rewrite waits for the card", async () => {
  const { queue, loops, drawing, stop } = startLoops("auto");
  expect(loops).toHaveLength(1);
  await queue.enqueue(newJob({ user: "ada", kind: "compare" }));
  await drawing;
  const { id } = await queue.enqueue(newJob({ user: "bob", kind: "optimize" }));
  await stop();
  expect(await queue.get(id)).toMatchObject({ state: "queued", phase: "text" });
});
