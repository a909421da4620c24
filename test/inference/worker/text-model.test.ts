import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { withMarks } from "../../../src/core/emphasis.js";
import { DEFAULT_TEXT_OPTIONS, type PromptMode } from "../../../src/core/options.js";
import type { Rewrite } from "../../../src/inference/worker/protocol.js";
import { loadTextModel } from "../../../src/inference/worker/text-model.js";
import type { LoadedModel } from "../../../src/inference/worker/worker-model.js";
import { temporaryFolder } from "../../support/app.js";

/** The text worker's model on the miniature, in this process. */
const MINIATURE = fileURLToPath(new URL("../../../checkpoints/miniature", import.meta.url));
let folder: ReturnType<typeof temporaryFolder>;
let model: LoadedModel;
beforeAll(async () => {
  folder = temporaryFolder();
  model = await loadTextModel({
    phase: "text",
    directory: join(MINIATURE, "promptist"),
    device: "cpu",
    weights: "fp32",
    clipTokenizer: join(MINIATURE, "stable-diffusion/tokenizer"),
    cacheDir: join(folder.path, "cache"),
    threads: 1,
  });
});
afterAll(async () => {
  await model.release();
  folder.remove();
});

const CONTEXT = { signal: new AbortController().signal, onStep: () => undefined };
const rewriteAll = (asked: readonly (readonly [prompt: string, mode: PromptMode])[]) =>
  model.handlers.optimize!(
    {
      prompts: asked.map(([prompt]) => prompt),
      modes: asked.map(([, mode]) => mode),
      options: { ...DEFAULT_TEXT_OPTIONS, beams: 4, maxNewTokens: 30 },
    },
    CONTEXT,
  ) as Promise<readonly Rewrite[]>;

it("rewrites a weighted prompt without its marks, which come back in every rewrite", async () => {
  const prompt = "a (red:1.3) cat [in the rain]";
  const [plain, marked, letters] = await rewriteAll([
    ["a red cat in the rain", "diffusers"],
    [prompt, "weighted"],
    [prompt, "diffusers"],
  ]);
  expect(plain!.rewrite.length).toBeGreaterThan(plain!.prompt.length);
  expect(marked!.prompt).toBe(prompt);
  expect(marked!.rewrite).toBe(withMarks(prompt, plain!.rewrite));
  expect(marked!.rewrite).toContain("red:1.3)");
  expect(new Set(marked!.candidates.map(({ text }) => text))).toEqual(
    new Set(plain!.candidates.map(({ text }) => withMarks(prompt, text))),
  );
  expect(letters!.rewrite).not.toBe(marked!.rewrite);
});

it("rewrites a prompt of marks alone as it stands", async () => {
  const [rewrite] = await rewriteAll([["(:1.2)", "weighted"]]);
  expect(rewrite!.prompt).toBe("(:1.2)");
});

it("tells of words that are cut by how the prompt is read", async () => {
  const prompt = `A cat ${"very ".repeat(80)}happy zebra`;
  const [cut, whole] = await rewriteAll([
    [prompt, "diffusers"],
    [prompt, "weighted"],
  ]);
  expect(cut!.truncated!.baseline).toMatch(/zebra$/);
  expect(whole!.truncated).toEqual({ baseline: null, optimized: null });
});
