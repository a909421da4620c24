import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, it } from "vitest";
import { DEFAULT_TEXT_SETTINGS } from "../../src/core/job.js";
import { resolveDevice } from "../../src/inference/device.js";
import type { Decoder, Scores } from "../../src/inference/promptist/decoder.js";
import { generate } from "../../src/inference/promptist/generate.js";
import { openGpt2 } from "./open-gpt2.js";

const golden = fileURLToPath(new URL("../golden/gpt2/", import.meta.url));
const cacheDir = mkdtempSync(join(tmpdir(), "gpt2-webgpu-"));
afterAll(() => rmSync(cacheDir, { recursive: true }));

/** Null on a machine without any WebGPU adapter; software Vulkan is enough. */
const webgpu = await resolveDevice("webgpu").catch(() => null);
const EOS = 622;
const VOCABULARY = 623;

// 40 tokens: from 32 queries on, the fused attention of some adapters is wrong.
const prompts = [Array.from({ length: 40 }, (_, i) => (i * 37 + 3) % 600), [61, 5, 480, 299]];
const steps = [
  [7, 8, 9],
  [100, 200, 300],
];

async function logits(decoder: Decoder): Promise<number[][]> {
  const request = { k: VOCABULARY, normalize: false, penalty: 1.2 };
  const byToken = ({ tokens, scores }: Scores) => {
    const dense: number[] = [];
    for (const [i, token] of tokens.entries()) {
      dense[Math.floor(i / VOCABULARY) * VOCABULARY + token] = scores[i]!;
    }
    return dense;
  };
  const found = [byToken(await decoder.start(prompts, request))];
  for (const step of steps) {
    const sequences = step.map((token, index) => ({ index, steps: [{ parent: 0, token }] }));
    found.push(byToken(await decoder.next(sequences, request)));
  }
  return found;
}

it.runIf(webgpu)("gives the CPU's logits and beams", { timeout: 120_000 }, async () => {
  const cpu = await openGpt2(join(golden, "two-layers"), cacheDir, "fp32");
  const gpu = await openGpt2(join(golden, "two-layers"), cacheDir, "fp32", webgpu!);
  const [expected, found] = [await logits(cpu.decoder), await logits(gpu.decoder)];
  for (const [call, row] of expected.entries()) {
    for (const [i, logit] of row.entries()) expect(Math.abs(found[call]![i]! - logit)).toBeLessThan(1e-4);
  }
  const settings = { ...DEFAULT_TEXT_SETTINGS, beams: 4, maxNewTokens: 5 };
  const options = { eosId: EOS, vocabulary: VOCABULARY };
  const beams = async (decoder: Decoder) =>
    (await generate(decoder, prompts, settings, options)).map((one) => one.map(({ tokens }) => tokens));
  expect(await beams(gpu.decoder)).toEqual(await beams(cpu.decoder));
  await gpu.release();
  await cpu.release();
});

it.runIf(webgpu)("has 8-bit weights near the fp32 ones", { timeout: 120_000 }, async () => {
  const exact = await openGpt2(join(golden, "two-layers"), cacheDir, "fp32");
  const int8 = await openGpt2(join(golden, "two-layers"), cacheDir, "int8", webgpu!);
  const [expected, found] = [await logits(exact.decoder), await logits(int8.decoder)];
  const norm = (values: readonly number[]) =>
    Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
  for (const [call, row] of expected.entries()) {
    expect(norm(row.map((logit, i) => logit - found[call]![i]!)) / norm(row)).toBeLessThan(0.05);
  }
  await int8.release();
  await exact.release();
});
