import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { findDiffusion, findPromptist, inspectCheckpoint } from "../../../src/checkpoints/layouts/catalog.js";
import { readConfig } from "../../../src/checkpoints/layouts/config.js";
import { golden, refusal, temporaryFolder } from "../support.js";

const CHECKPOINTS = fileURLToPath(new URL("../../../checkpoints", import.meta.url));

/** A folder of checkpoints with the miniature, and whatever `prepare` adds. */
function checkpointsWith(prepare: (folder: string) => void): string {
  const folder = temporaryFolder();
  cpSync(join(CHECKPOINTS, "miniature"), join(folder, "miniature"), { recursive: true });
  prepare(folder);
  return folder;
}

describe("without a folder named", () => {
  it("the miniature stands in, and says so", () => {
    const folder = checkpointsWith(() => undefined);
    for (const find of [findPromptist, findDiffusion]) {
      const found = find(undefined, folder);
      expect(found).toMatchObject({ name: "miniature", isMiniature: true });
      expect(found.bytes).toBe(found.files.reduce((sum, file) => sum + file.bytes, 0));
    }
    const paths = findDiffusion(undefined, folder).files.map((file) => file.path);
    expect(paths).toContain(join("unet", "diffusion_pytorch_model.fp16.safetensors"));
  });

  it("the published checkpoint is used if present, but not an empty folder", () => {
    const folder = checkpointsWith((at) => {
      cpSync(golden("gpt2"), join(at, "promptist"), { recursive: true });
      mkdirSync(join(at, "stable-diffusion-v1-5"));
    });
    expect(findPromptist(undefined, folder)).toMatchObject({ name: "promptist", isMiniature: false });
    expect(findDiffusion(undefined, folder).isMiniature).toBe(true);
  });

  it("a missing checkpoint is reported with what to put where", () => {
    const error = refusal(() => findPromptist(undefined, temporaryFolder()));
    expect(error.code).toBe("CHECKPOINT_MISSING");
    expect(error.message).toMatch(/microsoft\/Promptist/);
  });
});

describe("a folder named by the user", () => {
  it("is used as it is", () => {
    expect(findPromptist(golden("gpt2"), CHECKPOINTS)).toMatchObject({
      directory: golden("gpt2"),
      name: "gpt2",
      isMiniature: false,
    });
    expect(findPromptist(join(CHECKPOINTS, "miniature", "promptist"), CHECKPOINTS).isMiniature).toBe(true);
  });

  it("is reported missing if it does not exist", () => {
    const error = refusal(() => findDiffusion(join(CHECKPOINTS, "absent"), CHECKPOINTS));
    expect(error.code).toBe("CHECKPOINT_MISSING");
    expect(error.message).toContain("model_index.json");
  });

  it.each<[string, Record<string, unknown>, RegExp]>([
    ["a BERT", { model_type: "bert", architectures: ["BertForMaskedLM"] }, /a bert, BertForMaskedLM;.*gpt2/],
    ["a model of no type", {}, /unknown type/],
  ])("given as Promptist but %s is another architecture", (_name, config, says) => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "config.json"), JSON.stringify(config));
    const error = refusal(() => findPromptist(folder, CHECKPOINTS));
    expect(error.code).toBe("CHECKPOINT_ARCHITECTURE");
    expect(error.message).toMatch(says);
  });

  it.each<[string, Record<string, unknown>, Record<string, unknown>, RegExp]>([
    ["an SDXL", { _class_name: "StableDiffusionXLPipeline" }, {}, /StableDiffusionXLPipeline/],
    ["a pipeline with a transformer", { unet: [null, null] }, {}, /unet is absent/],
    ["an XL UNet in the old pipeline", {}, { addition_embed_type: "text_time" }, /SDXL kind/],
    ["an inpainting model", {}, { in_channels: 9 }, /inpainting/],
  ])("given as Stable Diffusion but %s is another architecture", (_name, index, unet, says) => {
    const folder = temporaryFolder();
    const parts = {
      _class_name: "StableDiffusionPipeline",
      unet: ["diffusers", "UNet2DConditionModel"],
      vae: ["diffusers", "AutoencoderKL"],
      text_encoder: ["transformers", "CLIPTextModel"],
    };
    mkdirSync(join(folder, "unet"));
    writeFileSync(join(folder, "model_index.json"), JSON.stringify({ ...parts, ...index }));
    writeFileSync(join(folder, "unet", "config.json"), JSON.stringify(unet));
    const error = refusal(() => findDiffusion(folder, CHECKPOINTS));
    expect(error.code).toBe("CHECKPOINT_ARCHITECTURE");
    expect(error.message).toMatch(says);
  });
});

describe("an inspection", () => {
  it("of the miniature finds no problem", () => {
    for (const kind of ["promptist", "diffusion"] as const) {
      expect(inspectCheckpoint(kind, undefined, CHECKPOINTS).problems).toEqual([]);
    }
  });

  it("lists everything that is missing", () => {
    const folder = checkpointsWith((at) => {
      const target = join(at, "stable-diffusion-v1-5");
      cpSync(join(at, "miniature", "stable-diffusion"), target, { recursive: true });
      rmSync(join(target, "tokenizer", "merges.txt"));
      rmSync(join(target, "scheduler"), { recursive: true });
      rmSync(join(target, "vae", "diffusion_pytorch_model.fp16.safetensors"));
      writeFileSync(join(target, "unet", "diffusion_pytorch_model.fp16.safetensors"), "cut");
    });
    const { checkpoint, problems } = inspectCheckpoint("diffusion", undefined, folder);
    expect(basename(checkpoint!.directory)).toBe("stable-diffusion-v1-5");
    expect(problems).toHaveLength(4);
    expect(problems.join("\n")).toMatch(/merges\.txt[\s\S]*scheduler_config[\s\S]*unet[\s\S]*vae/);
  });

  it("without a folder returns null and the reason", () => {
    const { checkpoint, problems } = inspectCheckpoint("promptist", undefined, temporaryFolder());
    expect(checkpoint).toBeNull();
    expect(problems).toHaveLength(1);
  });
});

describe("a configuration", () => {
  const schema = z.object({ n_layer: z.int(), n_head: z.int().default(12) });

  it("is read with its defaults", () => {
    expect(readConfig(golden("gpt2"), "config.json", schema)).toEqual({ n_layer: 2, n_head: 2 });
  });

  it("may hold the numbers that Python writes bare", () => {
    const folder = temporaryFolder();
    const text = String.raw`{"a": -Infinity, "b": [Infinity, NaN], "c": "-Infinity and \" NaN"}`;
    writeFileSync(join(folder, "config.json"), text);
    expect(readConfig(folder, "config.json", z.unknown())).toEqual({
      a: "-inf",
      b: ["inf", null],
      c: '-Infinity and " NaN',
    });
  });

  it("of quotes without an end is refused soon", () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "config.json"), `{"a": NaN, "${String.raw`\"`.repeat(2 ** 21)}`);
    expect(refusal(() => readConfig(folder, "config.json", z.unknown())).code).toBe("CHECKPOINT_CORRUPT");
  });

  it.each([
    ["{}", "CHECKPOINT_ARCHITECTURE", /n_layer/],
    ['{"n_layer":"2"}', "CHECKPOINT_ARCHITECTURE", /n_layer/],
    ["[]", "CHECKPOINT_ARCHITECTURE", /the file/],
    ["{", "CHECKPOINT_CORRUPT", /not JSON/],
    [null, "CHECKPOINT_MISSING", /not there/],
  ])("%s is refused by file and key", (content, code, says) => {
    const folder = temporaryFolder();
    if (content !== null) writeFileSync(join(folder, "config.json"), content);
    const error = refusal(() => readConfig(folder, "config.json", schema));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(says);
    expect(error.message).toContain("config.json");
  });
});

it("by default a published checkpoint draws with diffusers' guidance, the miniature with its own", () => {
  const root = fileURLToPath(new URL("../../../", import.meta.url));
  const published = join(root, "test", "golden", "words", "stable-diffusion");
  expect(findDiffusion(published, join(root, "checkpoints")).guidance).toBe(7.5);
  expect(findDiffusion(undefined, join(root, "checkpoints"))).toMatchObject({
    name: "miniature",
    guidance: 2,
  });
});
