import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DEFAULT_TEXT_OPTIONS } from "../../../src/core/options.js";
import { MAGICPROMPT, PROMPTIST, type Rewriter } from "../../../src/core/rewriters.js";
import { allowedScores } from "../../../src/inference/promptist/allowed.js";
import { KeptText, Pieces } from "../../../src/inference/promptist/kept.js";
import { PromptWindow, strip } from "../../../src/inference/promptist/prompt-window.js";
import { Promptist } from "../../../src/inference/promptist/promptist.js";
import { distribution } from "../../../src/inference/promptist/sampling.js";
import { Gpt2Tokenizer } from "../../../src/inference/tokenizers/tokenizer.js";
import { openGpt2 } from "./open-gpt2.js";

/** What transformers writes under the rule; see test/golden/kept.py. */
interface Expected {
  readonly cases: readonly {
    readonly prompt: string;
    /** Whether the answer stands apart from the prompt, as Promptist's, or goes on from it. */
    readonly form: "apart" | "on";
    readonly beam: readonly string[];
    readonly greedy: string;
    readonly first: readonly number[];
  }[];
}
const golden = fileURLToPath(new URL("../../golden", import.meta.url));
const miniature = fileURLToPath(new URL("../../../checkpoints/miniature", import.meta.url));
const everyday = readFileSync(new URL("../../../training/everyday.txt", import.meta.url), "utf8")
  .trim()
  .split("\n");
const expected = JSON.parse(readFileSync(join(golden, "rewriters", "kept.json"), "utf8")) as Expected;
const temporary = mkdtempSync(join(tmpdir(), "kept-"));
const directory = join(temporary, "checkpoint");
const cacheDir = join(temporary, "cache");
const device = { name: "cpu", note: null } as const;
const FORMS = { apart: PROMPTIST.form, on: { ...MAGICPROMPT.form, cleanUp: "none" } } as const;

beforeAll(() => {
  cpSync(join(golden, "gpt2", "two-layers"), directory, { recursive: true });
  cpSync(join(golden, "tokenizers", "gpt2"), directory, { recursive: true });
});
afterAll(() => rmSync(temporary, { recursive: true }));

describe.each(["apart", "on"] as const)("the rule under a model's answer, %s", (form) => {
  const settings = { ...DEFAULT_TEXT_OPTIONS, maxNewTokens: 16 };
  const cases = expected.cases.filter((one) => one.form === form);
  let rewriter: Promptist;
  beforeAll(async () => {
    rewriter = await Promptist.open({
      directory,
      form: FORMS[form],
      keeps: true,
      device,
      weights: "fp32",
      cacheDir,
      threads: 1,
    });
  });
  afterAll(() => rewriter.release());

  it.each(cases)("writes transformers' texts behind $prompt", async ({ prompt, beam, greedy }) => {
    const [found] = await rewriter.optimize([prompt], settings);
    expect(found!.candidates.map(({ text }) => text)).toEqual([...new Set(beam.map(strip))]);
    expect(found!.kept).toBe(true);
    const [one] = await rewriter.optimize([prompt], { ...settings, mode: "greedy" });
    expect(one!.rewrite).toBe(strip(greedy));
  });

  it("draws what transformers may draw", async () => {
    const { decoder, release } = await openGpt2(directory, cacheDir, "fp32");
    const tokenizer = Gpt2Tokenizer.open(directory);
    const pieces = new Pieces(tokenizer.pieces());
    for (const { prompt, first } of cases) {
      const asked = form === "apart" ? `${prompt} Rephrase: ${prompt}` : prompt;
      const request = { k: 623, normalize: false, penalty: 1 };
      const scores = await allowedScores(
        decoder,
        await decoder.start([tokenizer.encode(asked)], request),
        request,
        {
          wanted: 58,
          vocabulary: 623,
          rules: [new KeptText(prompt, pieces, tokenizer.eosId, form === "on").after([])],
        },
      );
      const { ids, probabilities } = distribution(scores.tokens, scores.scores, {
        temperature: 0.7,
        topK: 50,
        topP: 1,
      });
      const drawable = ids.filter((_, i) => probabilities[i]! > 0);
      expect([...new Set(drawable)].sort((a, b) => a - b)).toEqual(first);
    }
    await release();
  });

  it("gives a prompt the same rewrite in a batch as alone, and all of a prompt that is too long", async () => {
    const long = `${"a cat in the rain, ".repeat(12)}the end`;
    const prompts = ["Fear", long, "a fantasy castle"];
    for (const mode of ["beam", "greedy", "sample"] as const) {
      const together = await rewriter.optimize(prompts, { ...settings, mode });
      for (const [i, prompt] of prompts.entries()) {
        expect(together[i]).toEqual((await rewriter.optimize([prompt], { ...settings, mode }))[0]);
        for (const { text } of together[i]!.candidates) expect(text.startsWith(prompt)).toBe(true);
      }
      expect(together[1]!.unread).toMatch(/the end$/);
    }
    const window = new PromptWindow(directory, directory, FORMS[form], true);
    expect(prompts.map((prompt) => window.isLonger(prompt, 16))).toEqual([false, true, false]);
  });
});

describe("what may be written", () => {
  const words = ["a", " b", ", a", ", b", ",", " ", ".", "\u{1f431}", "é"];
  const bytes: (Uint8Array | undefined)[] = words.map((word) => new TextEncoder().encode(word));
  const cat = new TextEncoder().encode("\u{1f431}");
  bytes.push(cat.subarray(0, 2), cat.subarray(2), undefined);
  const [HALF, OTHER_HALF, END] = [words.length, words.length + 1, words.length + 2] as const;
  const id = (word: string) => words.indexOf(word);
  const rule = (prompt: string, goesOn = false) => new KeptText(prompt, new Pieces(bytes), END, goesOn);

  it("begins with a separator and a space, so that no word of the prompt goes on", () => {
    const may = rule("c").after([]);
    expect(["a", " b", ", a", ",", " ", ".", "é"].map((word) => may(id(word)))).toEqual([
      false,
      false,
      true,
      true,
      false,
      false,
      false,
    ]);
    expect(rule("c").after([id(",")])(id("a"))).toBe(false);
    expect(rule("c").after([id(",")])(id(" b"))).toBe(true);
    expect(rule("c,").after([])(id(" b"))).toBe(true);
    expect(rule("c", true).after([])(id(" b"))).toBe(true);
    expect(rule("c", true).after([])(id("a"))).toBe(false);
  });

  it("says no phrase twice, whatever its case is, and adds something before it ends", () => {
    expect(rule("c").after([])(END)).toBe(false);
    expect(rule("c").after([id(", b")])(END)).toBe(true);
    expect(rule("B").after([id(", b")])(END)).toBe(false);
    expect(rule("B").after([id(", b")])(id(","))).toBe(false);
    expect(rule("c, c").after([])(id(", b"))).toBe(true);
    expect(rule("c").after([id(", a"), id(", b")])(id(", a"))).toBe(true);
    expect(rule("c").after([id(", a"), id(", a")])(END)).toBe(false);
    expect(rule("c").after([id(","), id(" ")])(id(","))).toBe(false);
  });

  it("writes whole letters", () => {
    const rested = rule("c").after([id(", a"), HALF]);
    expect([rested(OTHER_HALF), rested(id("a")), rested(END), rested(HALF)]).toEqual([
      true,
      false,
      false,
      false,
    ]);
    expect(rule("c").after([id(", a")])(OTHER_HALF)).toBe(false);
    expect(rule("c").after([id(",")])(HALF)).toBe(false);
    expect(rule("c").text([id(", a"), HALF], false)).toBe(", a");
  });

  it("drops a last phrase that the limit cut where it repeats another", () => {
    expect(rule("c").text([id(", a"), id(", b"), id(", a")], false)).toBe(", a, b");
    expect(rule("c").text([id(", a"), id(",")], false)).toBe(", a");
    expect(rule("c").text([id(",")], false)).toBe("");
    expect(rule("c").text([id(", a"), id(", b")], false)).toBe(", a, b");
  });
});

it("asks for the whole vocabulary where too few of the best may be written", async () => {
  const all = { rows: 1, k: 5, tokens: Int32Array.of(4, 3, 2, 1, 0), scores: Float32Array.of(9, 8, 7, 6, 5) };
  const asked: number[] = [];
  const again = async ({ k }: { k: number }) => {
    asked.push(k);
    return all;
  };
  const best = { ...all, k: 2, tokens: all.tokens.subarray(0, 2), scores: all.scores.subarray(0, 2) };
  const request = { k: 2, normalize: true, penalty: 1 };
  const even = (token: number) => token % 2 === 0;
  const some = (wanted: number, rule: (token: number) => boolean) =>
    allowedScores({ again }, best, request, { wanted, vocabulary: 5, rules: [rule] });
  expect((await some(1, even)).tokens).toEqual(Int32Array.of(4));
  expect(asked).toEqual([]);
  expect((await some(2, even)).tokens).toEqual(Int32Array.of(4, 2));
  expect((await some(2, (token) => token === 1)).scores).toEqual(
    Float32Array.of(6, Number.NEGATIVE_INFINITY),
  );
  expect(asked).toEqual([5, 5]);
});

describe.each<Rewriter>([PROMPTIST, MAGICPROMPT])("the miniature of $title", ({ name, form, settings }) => {
  it("keeps everyday prompts word for word, says nothing twice and writes whole letters", async () => {
    const rewriter = await Promptist.open({
      directory: join(miniature, name),
      form,
      keeps: true,
      device,
      weights: "int8",
      cacheDir,
      threads: 1,
    });
    const prompts = everyday.filter((_, i) => i % 12 === 0);
    const options = { ...DEFAULT_TEXT_OPTIONS, ...settings, beams: 4, seed: 3 };
    for (const { prompt, rewrite } of await rewriter.optimize(prompts, options)) {
      expect(rewrite.slice(0, prompt.length)).toBe(prompt);
      const added = rewrite.slice(prompt.length);
      expect(added).toMatch(/^[, ]./);
      expect(added).not.toContain("\ufffd");
      const phrases = added.split(/[,;.|]/).map((phrase) => phrase.trim().toLowerCase());
      expect(new Set(phrases).size).toBe(phrases.length);
    }
    await rewriter.release();
  });
});
