import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { openWeightFile } from "../../../src/checkpoints/files/open.js";
import { type NewTensor, writeSafetensors } from "../../../src/checkpoints/files/safetensors.js";
import { openDiffusion } from "../../../src/checkpoints/layouts/diffusion-files.js";
import { SCHEDULERS } from "../../../src/core/options.js";
import {
  createScheduler,
  stableDiffusionConfig,
} from "../../../src/inference/diffusion/schedulers/create.js";
import { TorchRandom } from "../../../src/inference/numbers/torch-random.js";
import { refusal, temporaryFolder } from "../support.js";

const MODEL = fileURLToPath(
  new URL("../../golden/checkpoints-single-file/model.safetensors", import.meta.url),
);

/** What stable-diffusion-v1-5/stable-diffusion-v1-5 publishes as scheduler/scheduler_config.json. */
const PUBLISHED = {
  _class_name: "PNDMScheduler",
  _diffusers_version: "0.6.0",
  beta_end: 0.012,
  beta_schedule: "scaled_linear",
  beta_start: 0.00085,
  clip_sample: false,
  num_train_timesteps: 1000,
  set_alpha_to_one: false,
  skip_prk_steps: true,
  steps_offset: 1,
  trained_betas: null,
};

interface Additions {
  readonly tensors?: readonly NewTensor[];
  readonly metadata?: Readonly<Record<string, string>>;
  /** Text of the .yaml beside the file. */
  readonly yaml?: string;
}

/** The small checkpoint alone in a folder, or with additions. */
function single({ tensors, metadata, yaml }: Additions = {}): string {
  const folder = temporaryFolder();
  const path = join(folder, "model.safetensors");
  if (tensors === undefined && metadata === undefined) copyFileSync(MODEL, path);
  else {
    const weights = openWeightFile(MODEL);
    const all = weights.names.map((name) => ({ ...weights.get(name)!, data: weights.read(name) }));
    writeSafetensors(path, [...all, ...(tensors ?? [])], metadata);
  }
  if (yaml !== undefined) writeFileSync(join(folder, "model.yaml"), yaml);
  return path;
}

/** An empty tensor, as trainers put it into a file for its name alone. */
const flag = (name: string): NewTensor => ({ name, type: "F32", shape: [0], data: new Uint8Array(0) });

const scheduler = (additions: Additions) => openDiffusion(single(additions)).scheduler();

describe("the scheduler of a single file", () => {
  it.each(SCHEDULERS)("is the published one under %s", (name) => {
    const drawn = (published: Readonly<Record<string, unknown>>) => {
      const made = createScheduler(name, stableDiffusionConfig(name, published));
      made.setTimesteps(10);
      const noise = new TorchRandom(1);
      // Far beyond [-1, 1], where clipping shows.
      let sample: Float32Array = Float32Array.from(
        { length: 64 },
        (_, i) => ((i % 13) - 6) * made.initNoiseSigma,
      );
      for (const [i] of made.timesteps.entries()) {
        const output = made.scaleModelInput(sample, i).map((x, k) => x * Math.sin(k));
        sample = made.step(output, i, sample, noise);
      }
      return { timesteps: made.timesteps, sample };
    };
    expect(drawn(scheduler({}))).toEqual(drawn(PUBLISHED));
  });
});

const yaml = (parameters: string) =>
  `model:\n  target: ldm.models.diffusion.ddpm.LatentDiffusion\n  params:\n${parameters}`;

describe("what a single file was trained to predict", () => {
  it.each<[string, Additions, string, boolean]>([
    ["a yaml with parameterization v", { yaml: yaml('    parameterization: "v"\n') }, "v_prediction", false],
    ["a yaml with parameterization eps", { yaml: yaml("    parameterization: eps\n") }, "epsilon", false],
    [
      "a yaml with zero SNR",
      { yaml: yaml("    parameterization: v\n    zero_terminal_snr: True\n") },
      "v_prediction",
      true,
    ],
    ["a yaml about other things", { yaml: yaml("    linear_start: 0.00085\n") }, "epsilon", false],
    ["an empty yaml", { yaml: "" }, "epsilon", false],
    ["the tensor v_pred", { tensors: [flag("v_pred")] }, "v_prediction", false],
    ["the tensors v_pred and ztsnr", { tensors: [flag("v_pred"), flag("ztsnr")] }, "v_prediction", true],
    ["modelspec's v", { metadata: { "modelspec.prediction_type": "v" } }, "v_prediction", false],
    ["modelspec's epsilon", { metadata: { "modelspec.prediction_type": "epsilon" } }, "epsilon", false],
    [
      "kohya's names",
      { metadata: { ss_v_parameterization: "True", ss_zero_terminal_snr: "True" } },
      "v_prediction",
      true,
    ],
    ["nothing", {}, "epsilon", false],
    ["a word that is not known", { metadata: { "modelspec.prediction_type": "flow" } }, "epsilon", false],
    [
      "a yaml against the tensors",
      { yaml: yaml("    parameterization: eps\n"), tensors: [flag("v_pred")] },
      "epsilon",
      false,
    ],
  ])("is read from %s", (_what, additions, prediction, zeroSnr) => {
    expect(scheduler(additions)).toMatchObject({
      prediction_type: prediction,
      rescale_betas_zero_snr: zeroSnr,
    });
  });

  it("is left to scheduler_config.json where there is one", () => {
    const path = single({ tensors: [flag("v_pred")] });
    const folder = join(path, "..", "scheduler");
    mkdirSync(folder);
    writeFileSync(join(folder, "scheduler_config.json"), JSON.stringify(PUBLISHED));
    expect(openDiffusion(path).scheduler()).toEqual(PUBLISHED);
    expect(openDiffusion(path).assumptions()).toEqual([]);
  });

  it("is noted as assumed only where nothing says it", () => {
    expect(openDiffusion(single()).assumptions()).toEqual([expect.stringMatching(/epsilon is assumed/)]);
    expect(openDiffusion(single({ yaml: yaml("    parameterization: eps\n") })).assumptions()).toEqual([]);
    expect(openDiffusion(single({ tensors: [flag("v_pred")] })).assumptions()).toEqual([]);
  });

  it.each([
    ["broken", "model: [", /is not YAML/],
    [
      "of aliases without end",
      `a: &a [x, x]\n${Array.from({ length: 30 }, (_, i) => `b${i}: &b${i} [*${i === 0 ? "a" : `b${i - 1}`}, *${i === 0 ? "a" : `b${i - 1}`}]`).join("\n")}\n`,
      /references/,
    ],
    ["of megabytes", `a: ${"x".repeat(2 ** 20)}`, /bytes/],
  ])("is refused from a yaml %s", (_what, text, says) => {
    const path = single({ yaml: text });
    const error = refusal(() => openDiffusion(path).scheduler());
    expect(error.code).toBe("CHECKPOINT_CORRUPT");
    expect(error.message).toMatch(says);
    expect(error.message).toContain("model.yaml");
  });
});

describe("a single file that draws from more than a prompt", () => {
  it.each([
    [9, /an inpainting UNet \(9 input channels\)/],
    [8, /edits pictures/],
  ])("with %i input channels is refused by what it is", (channels, says) => {
    const weights = openWeightFile(MODEL);
    const path = join(temporaryFolder(), "model.safetensors");
    writeSafetensors(
      path,
      weights.names.map((name) => {
        const { type, shape } = weights.get(name)!;
        if (name !== "model.diffusion_model.input_blocks.0.0.weight")
          return { name, type, shape, data: weights.read(name) };
        const wide = shape.with(1, channels);
        return { name, type, shape: wide, data: new Uint8Array(2 * wide.reduce((a, b) => a * b)) };
      }),
    );
    const error = refusal(() => openDiffusion(path));
    expect(error.code).toBe("CHECKPOINT_ARCHITECTURE");
    expect(error.message).toMatch(says);
  });
});
