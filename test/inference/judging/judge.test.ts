import { copyFileSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openWeights } from "../../../src/checkpoints/files/open.js";
import { writeSafetensors } from "../../../src/checkpoints/files/safetensors.js";
import type { FoundJudges } from "../../../src/checkpoints/layouts/find-judges.js";
import { openClip, openSafetyChecker } from "../../../src/checkpoints/layouts/judge-files.js";
import { AestheticPredictor } from "../../../src/inference/judging/aesthetic.js";
import { Judge, type JudgeOptions } from "../../../src/inference/judging/judge.js";
import { SafetyConcepts } from "../../../src/inference/judging/safety.js";
import { cosine } from "../../../src/inference/judging/vectors.js";
import { float16FromFloat32 } from "../../../src/onnx/float16.js";
import {
  CLIP,
  clipNumbers,
  goldenPicture,
  isTallAndShrinks,
  SAFETY,
  safetyNumbers,
} from "./golden-judges.js";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "judge-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const clipFolder = (name: string) => join(CLIP, name);
const checkerFolder = (name: string) => join(SAFETY, name, "safety_checker");
const open = (files: Partial<FoundJudges>, others: Partial<JudgeOptions> = {}) =>
  Judge.open({
    files: { clip: null, clipName: "golden", aesthetic: null, safety: null, ...files },
    device: { name: "cpu", note: null },
    precision: "fp32",
    cacheDir: join(folder, "cache"),
    threads: 1,
    ...others,
  });

test.each(Object.entries(clipNumbers.cases))(
  "%s: relevance and beauty are transformers' to 1e-4",
  async (name, expected) => {
    const judge = await open({ clip: clipFolder(name), aesthetic: join(clipFolder(name), "predictor.pth") });
    try {
      for (const [picture, cosines] of Object.entries(expected.cosines)) {
        if (isTallAndShrinks(name, picture)) continue;
        const rgb = await goldenPicture(picture);
        for (const [i, prompt] of clipNumbers.prompts.entries()) {
          const { relevance, beauty, safety, judge: by } = await judge.judge(rgb, prompt);
          expect(Math.abs(relevance! - cosines[i]!), `${picture}, ${prompt}`).toBeLessThan(1e-4);
          expect(Math.abs(beauty! - expected.beauty[picture]!)).toBeLessThan(1e-4);
          expect([safety, by]).toEqual(["unchecked", "golden + predictor"]);
        }
        expect(cosine((await judge.embedPicture(rgb))!, expected.picture[picture]!)).toBeCloseTo(1, 6);
      }
    } finally {
      await judge.release();
    }
    // Other prompts and pictures differ by more than the tolerance.
    const all = Object.values(expected.cosines).flat();
    expect(new Set(all.map((value) => value.toFixed(3))).size).toBeGreaterThan(all.length / 2);
  },
);

test.each(Object.entries(safetyNumbers))(
  "%s: the verdicts and scores are diffusers'",
  async (name, expected) => {
    const judge = await open({ safety: checkerFolder(name) });
    expect(Object.values(expected).some(({ flagged }) => flagged)).toBe(true);
    expect(Object.values(expected).some(({ flagged }) => !flagged)).toBe(true);
    try {
      for (const [picture, { flagged, concepts: found }] of Object.entries(expected)) {
        const judgement = await judge.judge(await goldenPicture(picture), "a fox");
        expect(judgement, picture).toEqual({
          relevance: null,
          beauty: null,
          judge: null,
          safety: { flagged, concepts: found },
        });
      }
    } finally {
      await judge.release();
    }
  },
);

test("the scores behind the verdicts are diffusers', also through a tower shared with CLIP", async () => {
  const judge = await open({ clip: clipFolder("quick"), safety: checkerFolder("shared") });
  const files = openSafetyChecker(checkerFolder("shared"));
  const concepts = SafetyConcepts.read(files.weights("fp32"), files.dimensions);
  expect(judge.sharesVision).toBe(true);
  try {
    for (const [picture, expected] of Object.entries(safetyNumbers.shared!)) {
      const rgb = await goldenPicture(picture);
      const { concepts: scores, specialCare } = concepts.scores((await judge.embedPicture(rgb))!);
      for (const [i, score] of expected.scores.entries())
        expect(Math.abs(scores[i]! - score)).toBeLessThan(1e-4);
      for (const [i, score] of expected.specialCare.entries())
        expect(Math.abs(specialCare[i]! - score)).toBeLessThan(1e-4);
      const { relevance, safety } = await judge.judge(rgb, clipNumbers.prompts[0]!);
      expect(Math.abs(relevance! - clipNumbers.cases.quick!.cosines[picture]![0]!)).toBeLessThan(1e-4);
      expect(safety).toEqual({ flagged: expected.flagged, concepts: expected.concepts });
    }
  } finally {
    await judge.release();
  }
});

test("different towers stay separate, and both answer, whichever is loaded", async () => {
  const judge = await open({ clip: clipFolder("quick"), safety: checkerFolder("care") });
  expect(judge.sharesVision).toBe(false);
  try {
    for (const picture of ["noise-64x64", "noise-31x70", "noise-64x64"]) {
      const { relevance, safety } = await judge.judge(await goldenPicture(picture), clipNumbers.prompts[1]!);
      expect(Math.abs(relevance! - clipNumbers.cases.quick!.cosines[picture]![1]!)).toBeLessThan(1e-4);
      expect(safety).toMatchObject({ flagged: safetyNumbers.care![picture]!.flagged });
    }
  } finally {
    await judge.release();
  }
});

test("half-precision copies of a tower count as the same tower", async () => {
  const half = join(folder, "half");
  cpSync(checkerFolder("shared"), half, { recursive: true });
  const weights = openWeights(half);
  const tensors = weights.names.map((name) => ({
    name,
    type: "F16" as const,
    shape: weights.get(name)!.shape,
    data: () =>
      new Uint8Array(float16FromFloat32(openWeights(checkerFolder("shared")).readFloat32(name)).buffer),
  }));
  rmSync(join(half, "model.safetensors"));
  writeSafetensors(join(half, "model.fp16.safetensors"), tensors);
  cpSync(join(SAFETY, "shared", "feature_extractor"), join(folder, "feature_extractor"), { recursive: true });
  const judge = await open({ clip: clipFolder("quick"), safety: half });
  expect(judge.sharesVision).toBe(true);
  await judge.release();
});

test("a text encoder that is loaded anyway serves as CLIP's text tower if it is the same", async () => {
  const { weights } = openClip(clipFolder("quick"));
  const calls: (readonly (readonly number[])[])[] = [];
  // With the states of CLIP's own tower, only the projection remains to be computed.
  const plain = await open({ clip: clipFolder("quick") });
  const wanted = await plain.embedText("a fox");
  await plain.release();
  const same = await open(
    { clip: clipFolder("quick") },
    {
      textEncoder: {
        weights: weights("fp32"),
        encode: async (ids) => {
          calls.push(ids);
          return statesOf(ids);
        },
      },
    },
  );
  const embedding = await same.embedText("a fox");
  expect(calls.length).toBe(1);
  expect(cosine(embedding!, wanted!)).toBeCloseTo(1, 6);
  await same.embedText("a fox");
  expect(calls.length).toBe(1);
  await same.release();

  const other = await open(
    { clip: clipFolder("quick") },
    {
      textEncoder: {
        weights: openClip(clipFolder("gelu")).weights("fp32"),
        encode: async () => {
          throw new Error("another text encoder was asked");
        },
      },
    },
  );
  expect(cosine((await other.embedText("a fox"))!, wanted!)).toBeCloseTo(1, 6);
  await other.release();
});

test("a file that is not a predictor, or is another CLIP's, is refused with what to do", async () => {
  await expect(
    open({ clip: clipFolder("quick"), aesthetic: join(clipFolder("gelu"), "predictor.pth") }),
  ).rejects.toMatchObject({
    code: "CHECKPOINT_ARCHITECTURE",
    message: expect.stringMatching(/40 values.*24.*belongs to this CLIP/),
  });
  expect(() => AestheticPredictor.open(join(clipFolder("quick"), "model.safetensors"))).toThrow(
    /no aesthetic predictor/,
  );
});

test("a broken judge is refused on opening", async () => {
  const broken = join(folder, "broken");
  cpSync(clipFolder("quick"), broken, { recursive: true });
  const config = JSON.parse(readFileSync(join(broken, "config.json"), "utf8"));
  writeFileSync(join(broken, "config.json"), JSON.stringify({ ...config, model_type: "siglip" }));
  await expect(open({ clip: broken })).rejects.toMatchObject({
    code: "CHECKPOINT_ARCHITECTURE",
    message: expect.stringContaining("CLIPModel"),
  });
  writeFileSync(join(broken, "config.json"), JSON.stringify(config));
  copyFileSync(join(clipFolder("one"), "model.safetensors"), join(broken, "model.safetensors"));
  await expect(open({ clip: broken })).rejects.toMatchObject({ code: "CHECKPOINT_TENSORS" });

  const checker = join(folder, "care", "safety_checker");
  cpSync(join(SAFETY, "care"), join(folder, "care"), { recursive: true });
  const weights = openWeights(checkerFolder("care"));
  writeSafetensors(
    join(checker, "model.safetensors"),
    weights.names
      .filter((name) => name !== "concept_embeds_weights")
      .map((name) => ({ ...weights.get(name)!, data: () => weights.read(name) })),
  );
  await expect(open({ safety: checker })).rejects.toMatchObject({
    code: "CHECKPOINT_TENSORS",
    message: expect.stringContaining("concept_embeds"),
  });
});

test("without judges the judgement is empty", async () => {
  const judge = await open({});
  expect(judge.isIdle).toBe(true);
  const judgement = await judge.judge(await goldenPicture("noise-12x12"), "a fox");
  expect(judgement).toEqual({ relevance: null, beauty: null, safety: "unchecked", judge: null });
});

/** CLIP's text tower without its projection, from the same files. */
async function statesOf(ids: readonly (readonly number[])[]) {
  const { clipText } = await import("../../../src/models/clip-text.js");
  const { clipTextWeights } = await import("../../../src/checkpoints/layouts/names.js");
  const { compileGraph } = await import("../../../src/checkpoints/compile.js");
  const { Session, Tensor } = await import("../../../src/inference/runtime/session.js");
  const { text } = openClip(clipFolder("quick"));
  const graph = await compileGraph(
    clipText(text, { float: "float32" }),
    clipTextWeights(openWeights(clipFolder("quick"))),
    { cacheDir: join(folder, "cache") },
  );
  const session = await Session.open<"states">("text", graph, { name: "cpu", note: null });
  const { states } = await session.run({
    ids: new Tensor("int32", Int32Array.from(ids.flat()), [ids.length, text.max_position_embeddings]),
  });
  await session.release();
  return { data: states.data as Float32Array, shape: states.dims };
}
