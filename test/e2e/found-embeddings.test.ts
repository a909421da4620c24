import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeSafetensors } from "../../src/checkpoints/files/safetensors.js";
import type { AppEvents } from "../../src/core/events.js";
import { startApp, type TestApp, temporaryFolder } from "../support/app.js";
import { hasResult, jobOf, textOf } from "../support/message.js";

/** Embeddings in another program's folder, with the real loop, workers and (miniature) models. */

const WAIT = { timeoutMs: 100_000 };
/** Of the miniature's text encoder. */
const WIDTH = 192;

let folder: ReturnType<typeof temporaryFolder>;
let app: TestApp;
let web: string;
const logged: AppEvents["log"][0][] = [];
const write = (name: string, width = WIDTH) => {
  const values = Float32Array.from({ length: 2 * width }, (_, i) => Math.sin(i) / 2);
  const data = new Uint8Array(values.buffer);
  const file = join(web, "embeddings", `${name}.safetensors`);
  writeSafetensors(file, [{ name: "emb_params", type: "F32", shape: [2, width], data }]);
  return createHash("sha256").update(readFileSync(file)).digest("hex");
};
let sha256: string;

beforeAll(async () => {
  folder = temporaryFolder();
  web = join(folder.path, "stable-diffusion-webui");
  mkdirSync(join(web, "models", "Stable-diffusion"), { recursive: true });
  mkdirSync(join(web, "embeddings"));
  sha256 = write("zorb");
  write("pizza");
  write("wide", 1024);
  writeFileSync(join(web, "embeddings", "damaged.pt"), "no embedding");
  app = await startApp(join(folder.path, "data"), { MODELS_DIRS: web, IMAGE_STEPS: "2" });
  app.events.on("log", (event) => logged.push(event));
});
afterAll(async () => {
  await app?.stop();
  folder?.remove();
});

test("an embedding of MODELS_DIRS works by its name, and only its pictures need a safety checker", async () => {
  const alice = app.local.member("alice");
  const drawn = async (prompt: string) => {
    const handle = await alice.slash("compare", { prompt, seed: 1 });
    const message = await handle.waitFor(hasResult, WAIT);
    const item = (await app.queue.get(jobOf(message)))!.items[0]!;
    return {
      shown: textOf(message),
      safety: item.pictures.baseline!.judgement?.safety,
      embeddings: item.notes.filter(({ code }) => code === "embedding"),
    };
  };
  const without = await drawn("a pizza");
  expect(without).toMatchObject({ safety: "harmless", embeddings: [] });
  const named = await drawn("a zorb pizza");
  expect(named.shown).toContain(`Drawn with the embedding \`zorb\` (${sha256.slice(0, 10)}).`);
  expect(named.embeddings).toContainEqual({ code: "embedding", side: "baseline", name: "zorb", sha256 });
  expect(named.safety).toBe("unchecked");
  expect(logged.filter(({ message }) => message.includes(web))).toEqual([]);
});
