import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openWeightFile } from "../../../src/checkpoints/files/open.js";
import { DEFAULT_TEXT_OPTIONS, type SchedulerName } from "../../../src/core/options.js";
import { drawPicture } from "../../../src/inference/diffusion/pipeline.js";
import { StableDiffusion } from "../../../src/inference/diffusion/stable-diffusion.js";
import { Judge } from "../../../src/inference/judging/judge.js";
import type { Decoder } from "../../../src/inference/promptist/decoder.js";
import { generate } from "../../../src/inference/promptist/generate.js";
import { relativeError } from "../../support/relative-error.js";
import { CLIP, clipNumbers, goldenPicture, SAFETY, safetyNumbers } from "../judging/golden-judges.js";
import { openGpt2 } from "../promptist/open-gpt2.js";
import { describeWebgpu, temporaryFolder } from "./software-vulkan.js";

/*
 * The small cases of test/inference/promptist, test/models and test/inference/diffusion on WebGPU in fp32,
 * compared with PyTorch's numbers. Attention is composed, as device-check.test.ts finds it must be on this
 * adapter.
 */
const device = {
  name: "webgpu",
  note: null,
  checked: { plan: "fp32", avoided: new Set(["MultiHeadAttention"] as const) },
} as const;
const golden = (path: string) => fileURLToPath(new URL(`../../golden/${path}`, import.meta.url));
const readJson = (path: string) => JSON.parse(readFileSync(golden(path), "utf8"));
const cacheDir = temporaryFolder();
const EOS = 622;
const VOCABULARY = 623;

interface Beams {
  prompt: number[];
  num_beams: number;
  max_new_tokens: number;
  length_penalty: number;
  repetition_penalty?: number;
  found: { tokens: number[]; ended: boolean; score: number }[];
}

describeWebgpu("GPT-2 on webgpu", () => {
  const numbers = readJson("gpt2/expected.json").models["two-layers"];
  let decoder: Decoder;
  let release: () => Promise<void>;
  beforeAll(async () => {
    ({ decoder, release } = await openGpt2(golden("gpt2/two-layers"), cacheDir, "fp32", device));
  });
  afterAll(() => release());

  it("gives PyTorch's logits in a batch, with cache", async () => {
    const { prompts, steps, logits } = numbers.logits as {
      prompts: number[][];
      steps: number[][];
      logits: number[][][];
    };
    const all = { k: VOCABULARY, normalize: false, penalty: 1 };
    let scores = await decoder.start(prompts, all);
    for (const [i, step] of [...steps, null].entries()) {
      for (const [j, score] of scores.scores.entries()) {
        const expected = logits[i]![Math.floor(j / VOCABULARY)]![scores.tokens[j]!]!;
        expect(Math.abs(score - expected)).toBeLessThan(1e-4);
      }
      if (step === null) break;
      const sequences = step.map((token, index) => ({ index, steps: [{ parent: 0, token }] }));
      scores = await decoder.next(sequences, all);
    }
  });

  it("finds transformers' beams, with their scores", async () => {
    const cases = numbers.beams as Beams[];
    for (const one of cases.filter(
      ({ prompt, max_new_tokens: tokens }) => prompt.length === 5 && tokens <= 16,
    )) {
      const settings = {
        ...DEFAULT_TEXT_OPTIONS,
        mode: "beam",
        beams: one.num_beams,
        maxNewTokens: one.max_new_tokens,
        lengthPenalty: one.length_penalty,
        repetitionPenalty: one.repetition_penalty ?? 1,
      } as const;
      const options = { eosId: EOS, vocabulary: VOCABULARY };
      const [found] = await generate(decoder, [one.prompt], settings, options);
      expect(found!.map(({ tokens }) => tokens)).toEqual(one.found.map(({ tokens }) => tokens));
      for (const [i, { score }] of found!.entries())
        expect(Math.abs(score! - one.found[i]!.score)).toBeLessThan(1e-4);
    }
  });

  it("stays close to fp32 with 8-bit weights", async () => {
    const int8 = await openGpt2(golden("gpt2/two-layers"), cacheDir, "int8", device);
    const request = { k: VOCABULARY, normalize: false, penalty: 1 };
    const dense = async (of: Decoder) => {
      const { tokens, scores } = await of.start(numbers.logits.prompts.slice(0, 1), request);
      const values = new Float32Array(VOCABULARY);
      for (const [i, token] of tokens.entries()) values[token] = scores[i]!;
      return values;
    };
    const error = relativeError(await dense(int8.decoder), await dense(decoder));
    await int8.release();
    expect(error).toBeLessThan(0.05);
    expect(error).toBeGreaterThan(1e-5);
  });
});

interface Case {
  id: string;
  checkpoint: string;
  scheduler: SchedulerName;
  steps: number;
  guidance: number;
  seed: number;
  size: { width: number; height: number } | null;
  changes: Record<string, unknown>;
  prompt: number[];
  negative: number[];
}
/**
 * Few, because software Vulkan takes a second per UNet call. test/inference/diffusion runs all of them on the
 * CPU.
 */
const PICTURES = ["sd1-lcm-10-64x64", "sd2-euler-ancestral-20-16x16", "flat-lcm-4-8x16"];
const cases = (readJson("pipeline/cases.json") as Case[]).filter(({ id }) => PICTURES.includes(id));

describeWebgpu.each(["sd1", "sd2", "flat"])("%s on webgpu", (name) => {
  const expected = openWeightFile(golden(`sd-small/${name}/expected.safetensors`));
  const values = (key: string) => expected.readFloat32(key);
  const shape = (key: string) => expected.get(key)!.shape as [number, number, number, number];
  let model: StableDiffusion;
  beforeAll(async () => {
    const directory = golden(`sd-small/${name}`);
    model = await StableDiffusion.open({ directory, device, precision: "auto", cacheDir, threads: 2 });
  });
  afterAll(() => model.release());

  it("encodes, denoises and decodes like PyTorch", async () => {
    expect(model.precision).toBe("fp32");
    const [rows, length] = shape("ids");
    const ids = Array.from(new Int32Array(expected.read("ids").buffer));
    const states = await model.encodeText(
      Array.from({ length: rows }, (_, row) => ids.slice(row * length, (row + 1) * length)),
    );
    expect(relativeError(states.data, values("states"))).toBeLessThan(1e-4);
    const text = { data: values("states"), shape: shape("states") };
    for (const key of expected.names.filter((known) => known.startsWith("noise@"))) {
      const timestep = Number(key.slice("noise@".length));
      const noise = await model.predictNoise(values("latents"), shape("latents"), timestep, text);
      expect(relativeError(noise, values(key))).toBeLessThan(1e-4);
    }
    expect(
      relativeError(await model.decode(values("decode"), shape("decode")), values("image")),
    ).toBeLessThan(1e-4);
  });

  describe("draws diffusers' picture", () => {
    it.each(cases.filter(({ checkpoint }) => checkpoint === name))("$id", async (one) => {
      const config = { ...model.config, scheduler: { ...model.config.scheduler, ...one.changes } };
      const configured = {
        config,
        encodeText: model.encodeText.bind(model),
        predictNoise: model.predictNoise.bind(model),
        decode: model.decode.bind(model),
        encode: model.encode.bind(model),
        release: model.release.bind(model),
      };
      const tokenizer = {
        encode: (text: string) => ({ ids: text === "prompt" ? one.prompt : one.negative, truncated: null }),
      };
      const picture = await drawPicture(configured, tokenizer, {
        ...one,
        prompt: "prompt",
        negative: "negative",
      });
      const reference = await sharp(golden(`pipeline/${one.id}.png`))
        .raw()
        .toBuffer();
      const differences = Array.from(picture.pixels, (byte, i) => Math.abs(byte - reference[i]!));
      expect(differences.reduce((sum, value) => sum + value, 0) / reference.length).toBeLessThan(0.5);
      expect(Math.max(...differences)).toBeLessThanOrEqual(3);
    });
  });
});

describeWebgpu("the judges on webgpu", () => {
  it("score and check like transformers and diffusers", async () => {
    const judge = await Judge.open({
      files: {
        clip: `${CLIP}/quick`,
        clipName: "golden",
        aesthetic: `${CLIP}/quick/predictor.pth`,
        safety: `${SAFETY}/shared/safety_checker`,
      },
      device,
      precision: "fp32",
      cacheDir,
      threads: 2,
    });
    // One of each tower is enough: software takes seconds to compile its shaders.
    const picture = "noise-12x12";
    const { cosines, beauty } = clipNumbers.cases.quick!;
    try {
      const judged = await judge.judge(await goldenPicture(picture), clipNumbers.prompts[1]!);
      expect(Math.abs(judged.relevance! - cosines[picture]![1]!)).toBeLessThan(1e-4);
      expect(Math.abs(judged.beauty! - beauty[picture]!)).toBeLessThan(1e-4);
      const { flagged, concepts } = safetyNumbers.shared![picture]!;
      expect([judged.safety, flagged]).toEqual([{ flagged: true, concepts }, true]);
    } finally {
      await judge.release();
    }
  });
});
