import { createHash } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeSafetensors } from "../../src/checkpoints/files/safetensors.js";
import type { AppEvents } from "../../src/core/events.js";
import { startApp, type TestApp, temporaryFolder } from "../support/app.js";
import { hasResult, jobOf, textOf } from "../support/message.js";

/** Embeddings and weighted prompts with the real loop, workers and (miniature) models. */

const WAIT = { timeoutMs: 100_000 };
/** Of the miniature's text encoder. */
const WIDTH = 192;

let folder: ReturnType<typeof temporaryFolder>;
let app: TestApp;
let embeddings: string;
const drawn: AppEvents["job.progress"][0][] = [];
const write = (name: string, seed: number) => {
  const values = Float32Array.from({ length: 2 * WIDTH }, (_, i) => Math.sin(seed * i) / 2);
  const data = new Uint8Array(values.buffer);
  const file = join(embeddings, `${name}.safetensors`);
  writeSafetensors(file, [{ name: "emb_params", type: "F32", shape: [2, WIDTH], data }]);
  return createHash("sha256").update(readFileSync(file)).digest("hex");
};

beforeAll(async () => {
  folder = temporaryFolder();
  embeddings = join(folder.path, "embeddings");
  mkdirSync(embeddings);
  app = await startApp(join(folder.path, "data"), { EMBEDDINGS: embeddings, IMAGE_STEPS: "2" });
  app.events.on("job.progress", (event) => drawn.push(event));
});
afterAll(async () => {
  await app?.stop();
  folder?.remove();
});

test("an embedding is told under the result, and a picture of another one is not taken for it", async () => {
  const alice = app.local.member("alice");
  const sha256 = write("zorb", 1);
  const handle = await alice.slash("compare", { prompt: "a zorb pizza", seed: 1 });
  const message = await handle.waitFor(hasResult, WAIT);
  expect(textOf(message)).toContain(`Drawn with the embedding \`zorb\` (${sha256.slice(0, 10)}).`);
  const parent = (await app.queue.get(jobOf(message)))!;
  expect(parent.items[0]!.notes).toContainEqual({
    code: "embedding",
    side: "baseline",
    name: "zorb",
    sha256,
  });

  const asWritten = async () => {
    drawn.length = 0;
    const { message: menus } = await alice.press(message, "Reword");
    const menu = menus!.components
      .flatMap((it) => it.components ?? [])
      .find((it) => it.placeholder === "Leave out added words")!;
    const words = menu.options!.map(({ value }) => value);
    const again = await alice.select(menus, "Leave out added words", words);
    const child = await again.waitFor(hasResult, WAIT);
    return { job: (await app.queue.get(jobOf(child)))!, made: new Set(drawn.map(({ output }) => output)) };
  };
  const copied = await asWritten();
  expect(copied.job.items[0]!.pictures.baseline?.ms).toBeNull();
  expect(copied.job.items[0]!.notes).toContainEqual({
    code: "embedding",
    side: "baseline",
    name: "zorb",
    sha256,
  });

  // The same name stands for other vectors now.
  const other = write("zorb", 2);
  const redrawn = await asWritten();
  expect(redrawn.made).toContain("baseline");
  expect(redrawn.job.items[0]!.notes).toContainEqual(
    expect.objectContaining({ code: "embedding", side: "baseline", sha256: other }),
  );
});

test("a weighted prompt is rewritten with its marks, and a long one is read to its end", async () => {
  const alice = app.local.member("alice");
  const compare = async (prompt: string, options: Record<string, string> = {}) => {
    const handle = await alice.slash("compare", { prompt, seed: 1, ...options });
    const message = await handle.waitFor(hasResult, WAIT);
    return { item: (await app.queue.get(jobOf(message)))!.items[0]!, shown: textOf(message) };
  };
  const marked = await compare("a (pizza:1.3), [big] table", { prompts: "weighted" });
  expect(marked.item.rewrite).toMatch(/^a \(pizza:1\.3\), \[big\] table, \w/);
  expect(marked.shown).toContain("weighted prompts");

  const long = `a pizza ${"very ".repeat(80)}tasty`;
  const usual = await compare(long);
  expect(usual.shown).toMatch(/can't read the end of the prompt: `.*tasty`/);
  const whole = await compare(long, { prompts: "weighted" });
  expect(whole.item.notes.filter(({ code }) => code === "truncated")).toEqual([]);
});
