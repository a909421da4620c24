import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { inspectCheckpoint } from "../../src/checkpoints/layouts/catalog.js";
import { parseConfig } from "../../src/checkpoints/layouts/config.js";
import { CheckpointError } from "../../src/core/errors.js";
import { createScheduler } from "../../src/inference/diffusion/schedulers/create.js";
import { diffusionGraphs } from "../../src/inference/diffusion/stable-diffusion.js";
import { clipGraphs } from "../../src/inference/judging/judge.js";
import { preprocessorConfig } from "../../src/inference/judging/preprocess.js";
import { promptistGraph } from "../../src/inference/promptist/promptist.js";
import { ClipTokenizer } from "../../src/inference/tokenizers/tokenizer.js";
import { unetConfig } from "../../src/models/unet.js";
import { within } from "../support/within.js";

/** A configuration of a few bytes can't make the program work or allocate without bound. */

const CHECKPOINTS = fileURLToPath(new URL("../../checkpoints/miniature/", import.meta.url));
const FOLDERS = { promptist: "promptist", diffusion: "stable-diffusion", clip: "clip" } as const;
const SECOND_MS = 1_000;

const folder = mkdtempSync(join(tmpdir(), "promptist-configs-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let copies = 0;
/** A copy of a miniature with other values in one of its JSON files. */
function changed(kind: keyof typeof FOLDERS, file: string, change: (config: object) => object): string {
  const directory = join(folder, String(copies++));
  cpSync(join(CHECKPOINTS, FOLDERS[kind]), directory, { recursive: true });
  const path = join(directory, file);
  writeFileSync(path, JSON.stringify(change(JSON.parse(readFileSync(path, "utf8")))));
  return directory;
}

/** Graphs are built as `check` and the worker build them. */
const BUILD = { promptist: promptistGraph, diffusion: diffusionGraphs, clip: clipGraphs };

function expectRefusal(action: () => unknown, key: string): void {
  const started = performance.now();
  let thrown: unknown;
  try {
    action();
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(CheckpointError);
  expect(thrown).toMatchObject({ code: "CHECKPOINT_ARCHITECTURE", message: expect.stringContaining(key) });
  expect(performance.now() - started).toBeLessThan(within(SECOND_MS));
}

describe.each([1e6, 1e9])("a size of %d is refused", (size) => {
  it.each([
    [
      "promptist",
      "config.json",
      ["n_layer", "n_embd", "n_head", "n_inner", "n_positions", "n_ctx", "vocab_size"],
    ],
    [
      "diffusion",
      "text_encoder/config.json",
      [
        "vocab_size",
        "hidden_size",
        "intermediate_size",
        "num_hidden_layers",
        "num_attention_heads",
        "max_position_embeddings",
      ],
    ],
    [
      "diffusion",
      "unet/config.json",
      [
        "sample_size",
        "in_channels",
        "out_channels",
        "layers_per_block",
        "norm_num_groups",
        "cross_attention_dim",
        "transformer_layers_per_block",
        "attention_head_dim",
      ],
    ],
    [
      "diffusion",
      "vae/config.json",
      ["sample_size", "latent_channels", "layers_per_block", "norm_num_groups"],
    ],
  ] as const)("in %s %s, by doctor, check and the worker", (kind, file, keys) => {
    // A vocabulary of a million is the bound itself.
    const value = size + 1;
    for (const key of keys) {
      const directory = changed(kind, file, (config) => ({ ...config, [key]: value }));
      const started = performance.now();
      const { problems } = inspectCheckpoint(kind, directory, CHECKPOINTS);
      expect(performance.now() - started).toBeLessThan(within(SECOND_MS));
      expect(problems, key).toEqual([expect.stringContaining(`"${key}`)]);
      expectRefusal(() => BUILD[kind](directory), key);
    }
  });

  it.each([
    ["vision_config", ["hidden_size", "intermediate_size", "num_hidden_layers", "image_size", "patch_size"]],
    ["text_config", ["vocab_size", "num_hidden_layers", "max_position_embeddings"]],
    [null, ["projection_dim"]],
  ] as const)("in CLIP's %s", (part, keys) => {
    for (const key of keys) {
      const directory = changed("clip", "config.json", (config) => {
        const inner = { ...(config as Record<string, object>)[part ?? ""], [key]: size + 1 };
        return part === null ? { ...config, ...inner } : { ...config, [part]: inner };
      });
      expectRefusal(() => clipGraphs(directory), key);
    }
  });

  it("in the length that a tokenizer states", () => {
    const directory = changed("diffusion", "tokenizer/tokenizer_config.json", (config) => ({
      ...config,
      model_max_length: size,
    }));
    expectRefusal(() => ClipTokenizer.open(join(directory, "tokenizer")), "model_max_length");
    const { problems } = inspectCheckpoint("diffusion", directory, CHECKPOINTS);
    expect(problems).toEqual([expect.stringContaining("model_max_length")]);
  });

  it("in a scheduler's steps and a judge's pictures", () => {
    for (const key of ["num_train_timesteps", "steps_offset"])
      expectRefusal(() => createScheduler("pndm", { [key]: size }), key);
    expectRefusal(
      () => createScheduler("lcm", { original_inference_steps: size }),
      "original_inference_steps",
    );
    expect(preprocessorConfig.safeParse({ size }).success).toBe(false);
    expect(preprocessorConfig.safeParse({ size: { shortest_edge: size } }).success).toBe(false);
  });
});

it("a list of a million blocks is refused as one fault", () => {
  const blocks = (value: unknown) => Array.from({ length: 1e6 }, () => value);
  for (const entry of [32, 33, "many"]) {
    const config = { block_out_channels: blocks(entry), down_block_types: blocks(entry) };
    expectRefusal(() => parseConfig("config.json", config, unetConfig), "block_out_channels");
    const { error } = unetConfig.safeParse(config);
    expect(error?.issues.map(({ path }) => path)).toEqual([["down_block_types"], ["block_out_channels"]]);
  }
});

it("transformers' way to write that a tokenizer has no limit is understood", () => {
  const directory = changed("diffusion", "tokenizer/tokenizer_config.json", (config) => ({
    ...config,
    model_max_length: 1e30,
  }));
  expect(ClipTokenizer.open(join(directory, "tokenizer")).length).toBe(77);
});
