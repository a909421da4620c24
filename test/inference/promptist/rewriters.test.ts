import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DEFAULT_TEXT_OPTIONS } from "../../../src/core/options.js";
import { type PromptForm, requireRewriter } from "../../../src/core/rewriters.js";
import { cleanPhrases } from "../../../src/inference/promptist/clean-up.js";
import { strip } from "../../../src/inference/promptist/prompt-window.js";
import { Promptist } from "../../../src/inference/promptist/promptist.js";
import { distribution } from "../../../src/inference/promptist/sampling.js";
import { openGpt2 } from "./open-gpt2.js";

/** Results of transformers and dynamicprompts; see test/golden/rewriters.py. */
interface Expected {
  readonly continued: readonly {
    readonly prompt: string;
    readonly beam: readonly string[];
    readonly greedy: string;
    readonly sample: readonly {
      readonly before: readonly number[];
      readonly ids: readonly number[];
      readonly probabilities: readonly number[];
    }[];
  }[];
  readonly cleaned: readonly (readonly [written: string, cleaned: string])[];
}
const golden = fileURLToPath(new URL("../../golden", import.meta.url));
const expected = JSON.parse(readFileSync(join(golden, "rewriters", "expected.json"), "utf8")) as Expected;
const temporary = mkdtempSync(join(tmpdir(), "rewriters-"));
const directory = join(temporary, "checkpoint");
const cacheDir = join(temporary, "cache");

beforeAll(() => {
  cpSync(join(golden, "gpt2", "two-layers"), directory, { recursive: true });
  cpSync(join(golden, "tokenizers", "gpt2"), directory, { recursive: true });
});
afterAll(() => rmSync(temporary, { recursive: true }));

const open = (form: PromptForm) =>
  Promptist.open({
    directory,
    form,
    device: { name: "cpu", note: null },
    weights: "fp32",
    cacheDir,
    threads: 2,
  });
const settings = { ...DEFAULT_TEXT_OPTIONS, maxNewTokens: 16 };
const magic = requireRewriter("magicprompt")!;

describe("a rewriter that goes on from the prompt", () => {
  let rewriter: Promptist;
  beforeAll(async () => {
    rewriter = await open({ ...magic.form, cleanUp: "none" });
  });
  afterAll(() => rewriter.release());

  it.each(expected.continued)(
    "writes transformers' text behind $prompt",
    async ({ prompt, beam, greedy }) => {
      const [found] = await rewriter.optimize([prompt], settings);
      expect(found!.candidates.map(({ text }) => text)).toEqual([...new Set(beam.map(strip))]);
      expect(found!.rewrite.startsWith(prompt)).toBe(true);
      const [one] = await rewriter.optimize([prompt], { ...settings, mode: "greedy" });
      expect(one!.rewrite).toBe(strip(greedy));
    },
  );

  it("draws at its own settings what transformers may draw", async () => {
    const { decoder, release } = await openGpt2(directory, cacheDir, "fp32");
    const { temperature, topK, topP } = { ...settings, ...magic.settings };
    expect(temperature).toBe(0.7);
    for (const { before, ids, probabilities } of expected.continued.flatMap(({ sample }) => sample)) {
      const scores = await decoder.start([before], { k: 623, normalize: false, penalty: 1 });
      const own = distribution(scores.tokens, scores.scores, { temperature, topK, topP });
      const reference = new Map(ids.map((id, i) => [id, probabilities[i]!]));
      expect([...own.ids].sort()).toEqual([...ids].sort());
      for (const [i, id] of own.ids.entries())
        expect(Math.abs(own.probabilities[i]! - reference.get(id)!)).toBeLessThan(1e-5);
    }
    await release();
  });

  it("keeps the end of a prompt that is too long behind what it wrote", async () => {
    const prompt = `${"a cat in the rain, ".repeat(20)}the end`;
    const [found] = await rewriter.optimize([prompt], { ...settings, mode: "greedy" });
    expect(found!.unread).toMatch(/, the end$/);
    expect(found!.rewrite.startsWith("a cat in the rain, a cat in the rain")).toBe(true);
    expect(found!.rewrite.endsWith(found!.unread!)).toBe(true);
  });
});

it("asks Promptist's own form where none is given, and cleans up where the form says so", async () => {
  const forms = {
    promptist: requireRewriter("promptist")!.form,
    magic: magic.form,
    raw: { ...magic.form, cleanUp: "none" as const },
  };
  const texts = new Map<string, string>();
  for (const [name, form] of Object.entries(forms)) {
    const rewriter = await open(form);
    const [found] = await rewriter.optimize(["a fantasy castle"], { ...settings, mode: "greedy" });
    texts.set(name, found!.rewrite);
    await rewriter.release();
  }
  expect(texts.get("promptist")).not.toContain("a fantasy castle");
  const raw = texts.get("raw")!.slice("a fantasy castle".length);
  expect(texts.get("magic")).toBe(strip(`a fantasy castle${cleanPhrases(raw)}`));
});

describe("the clean-up", () => {
  it.each(expected.cleaned)("makes of %j what dynamicprompts does", (written, cleaned) => {
    expect(cleanPhrases(written).replace(/^,? ?/, "")).toBe(cleaned.slice("a cat ".length));
  });

  it.each([
    [", sharp focus", ", sharp focus"],
    ["s in the rain", "s in the rain"],
    [" by monet", " by monet"],
    [" (soft light)", " (soft light)"],
    [" !!! ", ""],
  ])("joins %j to the prompt as the model did", (written, cleaned) => {
    expect(cleanPhrases(written)).toBe(cleaned);
  });
});
