import { rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { csvReport } from "../../src/bot/messages/parts/report.js";
import type { AppEvents } from "../../src/core/events.js";
import type { Job } from "../../src/core/job.js";
import type { ImageOptions } from "../../src/core/options.js";
import { readPngText } from "../../src/pictures/png.js";
import { newJob } from "../db/contract/fixtures.js";
import { startApp, type TestApp, temporaryFolder } from "../support/app.js";
import { hasResult } from "../support/message.js";
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
    const look = async ({ jobId }: { readonly jobId: string }) => {
      if (jobId !== id) return;
      app.events.off("job.finished", look);
      resolve((await app.queue.get(id))!);
    };
    app.events.on("job.finished", look);
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

test("a command names a model and LoRAs, and what drew it stands in the result, Info, report and picture", async () => {
  const alice = app.local.member("alice");
  const choices = await alice.autocomplete("compare", { prompt: "a red apple", model: "dr" }, "model");
  expect(choices.map(({ value }) => value)).toEqual(["Dreamy"]);
  const options = { prompt: "a red apple <lora:pastel:0.5>", model: "dreamy", seed: 5 };
  const handle = await alice.slash("compare", options);
  const message = await handle.waitFor(hasResult, { timeoutMs: 100_000 });
  const text = message.embeds[0]?.description ?? "";
  expect(text).toContain("model `Dreamy` · LoRA `pastel` 0.5");
  const job = (await app.queue.get(/Job `(\w+)`/.exec(text)?.[1] ?? ""))!;
  expect(job.items[0]?.prompt).toBe("a red apple");
  const [note] = job.items[0]!.notes.filter(({ code }) => code === "models");
  const hash = expect.stringMatching(/^[0-9a-f]{64}$/);
  expect(note).toMatchObject({
    used: [
      { name: "Dreamy", hash },
      { name: "pastel", hash: expect.stringMatching(/^[0-9a-f]{12,}$/) },
    ],
  });
  const info = await alice.press(message, "Info");
  const told = await info.waitFor((it) => it.embeds[0] !== undefined);
  expect(told.embeds[0]?.description).toMatch(
    /Drawn with `Dreamy` \([0-9a-f]{10}\) and `pastel` \([0-9a-f]{10}\)\./,
  );
  const report = csvReport(job);
  expect(report).toMatch(/,model,loras,models_sha256,/);
  expect(report).toContain("Dreamy,pastel:0.5,");
  const png = await readFile(join(app.config.picturesDir, job.id, job.items[0]!.pictures.baseline!.file));
  expect(readPngText(png).parameters).toMatch(/^a red apple <lora:pastel:0.5>\n[\s\S]*Model: Dreamy/);
});
