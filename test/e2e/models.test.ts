import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { AppEvents } from "../../src/core/events.js";
import type { Job } from "../../src/core/job.js";
import type { ImageOptions } from "../../src/core/options.js";
import { newJob } from "../db/contract/fixtures.js";
import { startApp, type TestApp, temporaryFolder } from "../support/app.js";
import { shiftedModel, smallLora } from "../support/models.js";

/** Several models and LoRAs of one bot, with the real loop, workers and (miniature) models. */

let folder: ReturnType<typeof temporaryFolder>;
let app: TestApp;
let models: string;
const started: AppEvents["phase.started"][0][] = [];

beforeAll(async () => {
  folder = temporaryFolder();
  models = join(folder.path, "ComfyUI", "models");
  shiftedModel(join(models, "checkpoints", "Dreamy"));
  smallLora(join(models, "loras", "pastel.safetensors"));
  app = await startApp(join(folder.path, "data"), { MODELS_DIRS: models, IMAGE_STEPS: "2" });
  app.events.on("phase.started", (event) => started.push(event));
});
afterAll(async () => {
  await app?.stop();
  folder?.remove();
});

const ended = (id: string) =>
  new Promise<Job>((resolve) => {
    app.events.on("job.finished", async ({ jobId }) => {
      if (jobId === id) resolve((await app.queue.get(id))!);
    });
  });

/** A stored comparison with these options, when it has ended. */
async function drawn(image: Partial<ImageOptions>, user = "ada"): Promise<Job> {
  const wanted = newJob({ user, kind: "compare" });
  const { id } = await app.queue.enqueue({
    ...wanted,
    image: { seed: 1, steps: 2, guidance: 2, negative: "", size: null, scheduler: "pndm", ...image },
    items: [{ prompt: "a red apple", rewrite: "a red apple, bright" }],
  });
  return ended(id);
}

test("a job is drawn with the model and the LoRAs that it names", async () => {
  const plain = await drawn({});
  const named = await drawn({ model: app.choice.diffusion.model });
  const other = await drawn({ model: "Dreamy" });
  const styled = await drawn({ model: "Dreamy", loras: [{ name: "pastel", strength: 0.5 }] });
  expect([plain, named, other, styled].map(({ state }) => state)).toEqual(["done", "done", "done", "done"]);
  expect(started.at(-1)).toMatchObject({ checkpoint: "Dreamy + pastel:0.5" });
  const { name } = app.choice.diffusion;
  expect([plain, named, other, styled].map(({ checkpoints }) => checkpoints.diffusion)).toEqual([
    name,
    name,
    "Dreamy",
    "Dreamy + pastel:0.5",
  ]);
  expect(other.hashes.diffusion).not.toBe(plain.hashes.diffusion);
});

test("a job whose model is gone fails at once and names it", async () => {
  const path = shiftedModel(join(models, "checkpoints", "Fleeting"));
  rmSync(path, { recursive: true });
  const { state, failures } = await drawn({ model: "Fleeting" });
  expect(state).toBe("failed");
  expect(failures).toMatchObject([{ code: "MODEL_GONE", context: { model: "Fleeting", kind: "model" } }]);
});
