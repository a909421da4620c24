import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { BeamSearch, type Continuations } from "../../../src/inference/promptist/beam-search.js";
import { mt19937 } from "./mt19937.js";

/**
 * Synthetic cases whose "model" is a table from the last two tokens to the logits of the next; the file
 * states its provenance. `hf5` numbers come from transformers 5.18's helpers, `hf4` ones from the rules of
 * 4.23.
 */
interface Run {
  sequences: number[][];
  scores: number[];
  forward_passes: number;
}
interface Case {
  table_seed: number;
  scale: number;
  eos_bias: number;
  prompt: number[];
  num_beams: number;
  max_new_tokens: number;
  length_penalty: number;
  repetition_penalty: number;
  num_return_sequences: number;
  hf_v5?: Run;
  hf_v4_23_style?: Run;
}
const file = new URL("../../golden/gpt2-beam-table.json", import.meta.url);
const cases = (JSON.parse(readFileSync(file, "utf8")) as { cases: Case[] }).cases;
const VOCABULARY = 24;
const EOS = 0;

function table({ table_seed, scale, eos_bias }: Case): Float32Array {
  const next = mt19937(table_seed);
  const values = new Float32Array(VOCABULARY ** 3);
  for (let i = 0; i < values.length; i++) {
    const value = ((next() / 2 ** 32) * 2 - 1) * scale;
    values[i] = i % VOCABULARY === EOS ? value + eos_bias : value;
  }
  return values;
}

/** log_softmax in float32, then the repetition penalty, then all tokens in descending order. */
function continuations(logits: Float32Array, rows: number[][], penalty: number): Continuations {
  const ids: number[] = [];
  const scores: number[] = [];
  for (const row of rows) {
    const start = (row.at(-2)! * VOCABULARY + row.at(-1)!) * VOCABULARY;
    const next = logits.subarray(start, start + VOCABULARY);
    const highest = Math.max(...next);
    const sum = Math.log(next.reduce((total, logit) => total + Math.exp(logit - highest), 0));
    const logProbs = Float32Array.from(next, (logit) => logit - highest - sum);
    for (const token of new Set(row)) {
      const value = logProbs[token]!;
      logProbs[token] = value < 0 ? value * penalty : value / penalty;
    }
    const order = [...logProbs.keys()].sort((a, b) => logProbs[b]! - logProbs[a]!);
    ids.push(...order);
    scores.push(...order.map((token) => logProbs[token]!));
  }
  return { rows: rows.length, k: VOCABULARY, ids, scores };
}

function run(one: Case, lengthRule: "hf5" | "hf4") {
  const logits = table(one);
  const search = new BeamSearch(one.prompt.length, {
    beams: one.num_beams,
    maxNewTokens: one.max_new_tokens,
    lengthPenalty: one.length_penalty,
    lengthRule,
    eosId: EOS,
  });
  let passes = 0;
  for (; !search.done; passes++) {
    const rows = passes === 0 ? [one.prompt] : search.beams.map(({ tokens }) => [...one.prompt, ...tokens]);
    search.step(continuations(logits, rows, one.repetition_penalty));
  }
  return { search, passes };
}

const label = (one: Case) =>
  `table ${one.table_seed}, ${one.num_beams} beams, length penalty ${one.length_penalty}, ` +
  `repetition penalty ${one.repetition_penalty}`;

describe("rule hf5", () => {
  it.each(cases.filter((one) => one.hf_v5).map((one) => [label(one), one] as const))("%s", (_, one) => {
    const { search, passes } = run(one, "hf5");
    const expected = one.hf_v5!;
    const found = search.hypotheses.slice(0, one.num_return_sequences);
    const longest = expected.sequences[0]!.length;
    expect(
      found.map(({ tokens, ended }) => {
        const sequence = [...one.prompt, ...tokens, ...(ended ? [EOS] : [])];
        return [...sequence, ...Array<number>(longest - sequence.length).fill(EOS)];
      }),
    ).toEqual(expected.sequences);
    for (const [i, { score }] of found.entries()) {
      expect(Math.abs(score - expected.scores[i]!)).toBeLessThan(1e-4);
    }
    expect(passes).toBe(expected.forward_passes);
  });
});

describe("rule hf4", () => {
  it.each(cases.filter((one) => one.hf_v4_23_style).map((one) => [label(one), one] as const))(
    "%s",
    (_, one) => {
      const { search, passes } = run(one, "hf4");
      const expected = one.hf_v4_23_style!;
      const found = search.hypotheses.slice(0, one.num_return_sequences);
      expect(found.map(({ tokens }) => [...one.prompt, ...tokens])).toEqual(expected.sequences);
      for (const [i, { score }] of found.entries()) {
        expect(Math.abs(score - expected.scores[i]!)).toBeLessThan(1e-4);
      }
      expect(passes).toBe(expected.forward_passes);
    },
  );
});

it("finds distinct hypotheses, best first", () => {
  for (const one of cases) {
    const { hypotheses } = run(one, "hf5").search;
    expect(new Set(hypotheses.map(({ tokens, ended }) => `${tokens} ${ended}`)).size).toBe(hypotheses.length);
    const scores = hypotheses.map(({ score }) => score);
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
  }
});
