import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DEFAULT_TEXT_OPTIONS, type TextOptions } from "../../../src/core/options.js";
import type { Decoder, Request } from "../../../src/inference/promptist/decoder.js";
import { type Generated, generate } from "../../../src/inference/promptist/generate.js";
import { distribution } from "../../../src/inference/promptist/sampling.js";
import { openGpt2 } from "./open-gpt2.js";

/** Results of transformers for the checkpoints beside it; see test/golden/gpt2_small.py. */
interface Expected {
  models: Record<
    string,
    {
      logits: { prompts: number[][]; steps: number[][]; logits: number[][][] } | null;
      beams: {
        prompt: number[];
        num_beams: number;
        max_new_tokens: number;
        length_penalty: number;
        repetition_penalty?: number;
        found: { tokens: number[]; ended: boolean; score: number }[];
      }[];
      greedy: { prompt: number[]; penalty: number; tokens: number[] }[];
      sampling: (Pick<TextOptions, "repetitionPenalty" | "temperature" | "topK" | "topP"> & {
        prompt: number[];
        ids: number[];
        probabilities: number[];
      })[];
    }
  >;
}
const golden = fileURLToPath(new URL("../../golden/gpt2", import.meta.url));
const expected = JSON.parse(readFileSync(join(golden, "expected.json"), "utf8")) as Expected;
const EOS = 622;
const VOCABULARY = 623;

const cacheDir = mkdtempSync(join(tmpdir(), "gpt2-graphs-"));
afterAll(() => rmSync(cacheDir, { recursive: true }));

describe.each(Object.entries(expected.models))("%s", (name, numbers) => {
  let decoder: Decoder;
  let release: () => Promise<void>;
  beforeAll(async () => {
    ({ decoder, release } = await openGpt2(join(golden, name), cacheDir, "fp32"));
  });
  afterAll(() => release());
  const options = { eosId: EOS, vocabulary: VOCABULARY };
  const all: Request = { k: VOCABULARY, normalize: false, penalty: 1 };

  it.runIf(numbers.logits)("gives PyTorch's logits in a left-padded batch, with cache", async () => {
    const { prompts, steps, logits } = numbers.logits!;
    let scores = await decoder.start(prompts, all);
    for (const [i, step] of [...steps, null].entries()) {
      for (const [row, reference] of logits[i]!.entries()) {
        for (let j = row * VOCABULARY; j < (row + 1) * VOCABULARY; j++) {
          const difference = Math.abs(scores.scores[j]! - reference[scores.tokens[j]!]!);
          expect(difference).toBeLessThan(1e-4);
        }
      }
      if (step === null) break;
      scores = await decoder.next(
        step.map((token, index) => ({ index, steps: [{ parent: 0, token }] })),
        all,
      );
    }
  });

  it("finds transformers' beams with their scores", async () => {
    expect(numbers.beams.some(({ found }) => found.some(({ ended }) => ended))).toBe(true);
    for (const one of numbers.beams) {
      const [found] = await generate(
        decoder,
        [one.prompt],
        {
          ...DEFAULT_TEXT_OPTIONS,
          beams: one.num_beams,
          maxNewTokens: one.max_new_tokens,
          lengthPenalty: one.length_penalty,
          repetitionPenalty: one.repetition_penalty ?? 1,
        },
        options,
      );
      expect(found!.map(({ tokens, ended }) => ({ tokens, ended }))).toEqual(
        one.found.map(({ tokens, ended }) => ({ tokens, ended })),
      );
      for (const [i, { score }] of found!.entries()) {
        expect(Math.abs(score! - one.found[i]!.score)).toBeLessThan(1e-4 * Math.max(1, one.max_new_tokens));
      }
    }
  });

  it("finds the same for each prompt in one group", async () => {
    const settings = { ...DEFAULT_TEXT_OPTIONS, maxNewTokens: 20 };
    const same = numbers.beams.filter(
      (one) => one.max_new_tokens === 20 && one.length_penalty === -1 && one.num_beams === 8,
    );
    expect(same.length).toBeGreaterThan(2);
    const found = await generate(
      decoder,
      same.map(({ prompt }) => prompt),
      settings,
      options,
    );
    expect(found.map((one) => one.map(({ tokens }) => tokens))).toEqual(
      same.map((one) => one.found.map(({ tokens }) => tokens)),
    );
  });

  it("takes transformers' tokens in greedy search, alone and in a group", async () => {
    for (const penalty of new Set(numbers.greedy.map((one) => one.penalty))) {
      const cases = numbers.greedy.filter((one) => one.penalty === penalty);
      const settings: TextOptions = {
        ...DEFAULT_TEXT_OPTIONS,
        mode: "greedy",
        maxNewTokens: 24,
        repetitionPenalty: penalty,
      };
      const alone: Generated[] = [];
      for (const { prompt } of cases) alone.push(...(await generate(decoder, [prompt], settings, options)));
      const together = await generate(
        decoder,
        cases.map(({ prompt }) => prompt),
        settings,
        options,
      );
      expect(together).toEqual(alone);
      for (const [i, { tokens }] of cases.entries()) {
        const [own] = together[i]!;
        expect(own!.ended ? [...own!.tokens, EOS] : own!.tokens).toEqual(tokens);
      }
    }
  });

  it("draws from transformers' distribution", async () => {
    for (const one of numbers.sampling) {
      const scores = await decoder.start([one.prompt], { ...all, penalty: one.repetitionPenalty });
      const { ids, probabilities } = distribution(scores.tokens, scores.scores, one);
      expect([...ids].sort()).toEqual([...one.ids].sort());
      const reference = new Map(one.ids.map((id, i) => [id, one.probabilities[i]!]));
      for (const [i, id] of ids.entries()) {
        expect(Math.abs(probabilities[i]! - reference.get(id)!)).toBeLessThan(1e-5);
      }
    }
  });
});
