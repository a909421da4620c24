import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { AppEvents } from "../../src/core/events.js";
import { newJob } from "../db/contract/fixtures.js";
import { startApp, type TestApp, temporaryFolder } from "../support/app.js";
import { shiftedModel } from "../support/models.js";

/** Two devices of one program, with the real loops, workers and (miniature) models, on the processor. */

const NAMES = ["cpu:0", "cpu:1"];
let folder: ReturnType<typeof temporaryFolder>;
let app: TestApp;
const loads: AppEvents["phase.started"][0][] = [];
const atWork = new Map<string, string | null>();
let mostAtWork = 0;

beforeAll(async () => {
  folder = temporaryFolder();
  const models = join(folder.path, "models");
  shiftedModel(join(models, "Dreamy"));
  app = await startApp(join(folder.path, "data"), {
    DEVICES: NAMES.join(),
    MODELS_DIRS: models,
    THREADS: "1",
  });
  app.events.on("phase.started", (event) => loads.push(event));
  app.events.on("device.works", ({ device, jobId }) => {
    atWork.set(device, jobId);
    mostAtWork = Math.max(mostAtWork, [...atWork.values()].filter((job) => job !== null).length);
  });
});
afterAll(async () => {
  await app?.stop();
  folder?.remove();
});

/** Stores comparisons that need no rewrite, and resolves when all have ended. */
async function drawAll(asked: readonly { user: string; model: string }[]) {
  const left = new Set<string>();
  const all = new Promise<void>((resolve) => {
    const look = ({ jobId }: { readonly jobId: string }) => {
      left.delete(jobId);
      if (left.size > 0 || ids.length < asked.length) return;
      app.events.off("job.finished", look);
      resolve();
    };
    app.events.on("job.finished", look);
  });
  const ids: string[] = [];
  await app.queue.setPaused(true);
  for (const [seed, { user, model }] of asked.entries()) {
    const { id } = await app.queue.enqueue({
      ...newJob({ user, kind: "compare" }),
      image: { seed, steps: 2, guidance: 2, negative: "", size: null, scheduler: "pndm", model },
      items: [{ prompt: "a red apple", rewrite: "a red apple, bright" }],
    });
    ids.push(id);
    left.add(id);
  }
  await app.queue.setPaused(false);
  await all;
  return Promise.all(ids.map(async (id) => (await app.queue.get(id))!));
}

test("both draw at the same time, from an empty cache, and each keeps its model", async () => {
  const own = app.choice.diffusion.model;
  const asked = Array.from({ length: 8 }, (_, i) => ({
    user: `user ${i % 4}`,
    model: i % 2 === 0 ? own : "Dreamy",
  }));
  const jobs = await drawAll(asked);
  expect(jobs.map(({ state, failures }) => ({ state, failures }))).toEqual(
    jobs.map(() => ({ state: "done", failures: [] })),
  );
  expect(jobs.map(({ checkpoints }) => checkpoints.diffusion)).toEqual(
    asked.map(({ model }) => (model === own ? app.choice.diffusion.name : model)),
  );
  expect(mostAtWork).toBe(2);
  const images = loads.filter(({ phase }) => phase === "image");
  expect(new Set(images.map(({ device }) => device))).toEqual(new Set(NAMES));
  // One load each, and no more than one each to come together at the beginning or to help at the end.
  expect(images.length).toBeLessThanOrEqual(4);
});
