import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { compileGraph } from "../../../src/checkpoints/compile.js";
import { openWeightFile } from "../../../src/checkpoints/files/open.js";
import { writeSafetensors } from "../../../src/checkpoints/files/safetensors.js";
import { openDiffusion } from "../../../src/checkpoints/layouts/diffusion-files.js";
import { type LoraChoice, mergeLoras } from "../../../src/checkpoints/layouts/lora.js";
import { StableDiffusion } from "../../../src/inference/diffusion/stable-diffusion.js";
import { clipText, clipTextConfig } from "../../../src/models/clip-text.js";
import { relativeError } from "../../support/relative-error.js";
import { refusal, temporaryFolder } from "../support.js";

/** Files and expected numbers from diffusers: test/golden/lora.py */
const LORA = fileURLToPath(new URL("../../golden/lora/", import.meta.url));
const BASE = fileURLToPath(new URL("../../golden/sd-small/sd1/", import.meta.url));
const CPU = { name: "cpu", note: null } as const;
const expected = openWeightFile(join(LORA, "expected.safetensors"));

const choices = (files: Readonly<Record<string, number>>): LoraChoice[] =>
  Object.entries(files).map(([name, weight]) => ({ file: join(LORA, `${name}.safetensors`), weight }));

const bases = () => {
  const files = openDiffusion(BASE);
  return { unet: files.weights("unet", "fp32"), text_encoder: files.weights("text_encoder", "fp32") };
};

async function outputs(loras: readonly LoraChoice[], precision: "fp32" | "fp16", cacheDir: string) {
  const model = await StableDiffusion.open({
    directory: BASE,
    device: CPU,
    precision,
    cacheDir,
    threads: 2,
    loras,
  });
  try {
    const ids = Array.from(new Int32Array(expected.read("ids").buffer));
    const states = await model.encodeText([ids]);
    const plain = expected.get("plain.states")!;
    const text = { data: expected.readFloat32("plain.states"), shape: plain.shape };
    const noise = await model.predictNoise(expected.readFloat32("latents"), [1, 4, 16, 16], 500, text);
    return { states: states.data, noise };
  } finally {
    await model.release();
  }
}

const CASES = {
  plain: {},
  kohya: { kohya: 0.8 },
  peft: { peft: 1 },
  diffusers: { diffusers: 0.6 },
  attn: { attn: -0.5 },
  two: { kohya: 0.7, peft: 0.4 },
};

const RUNS = [...Object.keys(CASES).map((name) => ["fp32", name] as const), ["fp16", "kohya"] as const];

describe("merged", () => {
  it.each(RUNS)("in %s, %s gives what diffusers gives", async (precision, name) => {
    const files = CASES[name as keyof typeof CASES];
    const { states, noise } = await outputs(choices(files), precision, temporaryFolder());
    const tolerance = precision === "fp32" ? 1e-4 : 1e-2;
    expect(relativeError(states, expected.readFloat32(`${name}.states`))).toBeLessThan(tolerance);
    expect(relativeError(noise, expected.readFloat32(`${name}.noise`))).toBeLessThan(tolerance);
    // Neighbouring cases differ by far more than the tolerance.
    if (name !== "plain")
      expect(relativeError(noise, expected.readFloat32("plain.noise"))).toBeGreaterThan(20 * tolerance);
  });
});

describe("the cache", () => {
  const compileText = (loras: readonly LoraChoice[], cacheDir: string) => {
    const config = openDiffusion(BASE).config("text_encoder", clipTextConfig);
    return compileGraph(clipText(config, { float: "float32" }), mergeLoras(bases(), loras).text_encoder, {
      cacheDir,
    });
  };

  it("keeps a graph per file and weight, and identifies a file by its content", async () => {
    const cacheDir = temporaryFolder();
    const paths = [];
    for (const files of [{}, { kohya: 0.8 }, { kohya: 0.7 }, { peft: 0.8 }])
      paths.push((await compileText(choices(files), cacheDir)).path);
    expect(new Set(paths).size).toBe(4);
    const copy = join(temporaryFolder(), "renamed.safetensors");
    copyFileSync(join(LORA, "kohya.safetensors"), copy);
    const again = await compileText([{ file: copy, weight: 0.8 }], cacheDir);
    expect(again).toMatchObject({ path: paths[1], reused: true });
  });

  it("copies only what changed", async () => {
    const plain = await compileText([], temporaryFolder());
    expect(plain.convertedBytes).toBe(0);
    const merged = await compileText(choices({ diffusers: 1 }), temporaryFolder());
    expect(merged.convertedBytes).toBeGreaterThan(0);
    expect(merged.convertedBytes).toBeLessThan(merged.weightBytes / 2);
  });
});

describe("a file that does not belong to the checkpoint", () => {
  const write = (tensors: Readonly<Record<string, readonly number[]>>) => {
    const path = join(temporaryFolder(), "lora.safetensors");
    writeSafetensors(
      path,
      Object.entries(tensors).map(([name, shape]) => ({
        name,
        type: "F32",
        shape,
        data: new Uint8Array(4 * shape.reduce((a, b) => a * b, 1)),
      })),
    );
    return [{ file: path, weight: 1 }];
  };
  const UNET_Q = "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q";
  const Q = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q";

  const DOWN = { [`${Q}.lora_down.weight`]: [2, 8] };
  const PAIR = { ...DOWN, [`${Q}.lora_up.weight`]: [8, 2] };

  it("is merged without the keys that fit nowhere, which are named once", () => {
    const strays = {
      "lora_unet_down_blocks_9_attentions_0_proj_in.lora_down.weight": [2, 8],
      "lora_te_text_model_encoder_layers_0_self_attn_q_proj.alpha": [],
      [`${Q.replace("to_q", "to_k")}.lora_up.weight`]: [8, 2],
      "something.else": [4],
    };
    const { notes, unet } = mergeLoras(bases(), write({ ...PAIR, ...strays }));
    expect(notes).toHaveLength(1);
    expect(notes[0]).toContain("lora.safetensors is merged without 4 of its 6 tensors");
    expect(notes[0]).toContain("lora_unet_down_blocks_9_attentions_0_proj_in.lora_down.weight");
    expect(notes[0]).toContain("and 1 more");
    expect(unet.get(`${UNET_Q}.weight`)!.type).toBe("F32");
  });

  it.each<[string, Record<string, readonly number[]>]>([
    [
      "Stable Diffusion XL",
      { ...PAIR, "lora_te2_text_model_encoder_layers_0_mlp_fc1.lora_up.weight": [2, 8] },
    ],
    [
      "Stable Diffusion XL",
      {
        "lora_unet_input_blocks_4_1_transformer_blocks_1_attn2_to_k.lora_down.weight": [2, 2048],
        "unet.add_embedding.linear_1.lora_A.weight": [2, 8],
      },
    ],
    [
      "Stable Diffusion 2",
      {
        [`${Q.replace("attn1_to_q", "attn2_to_k")}.lora_down.weight`]: [2, 1024],
        [`${Q.replace("attn1_to_q", "attn2_to_k")}.lora_up.weight`]: [8, 2],
      },
    ],
    ["Flux", { "lora_unet_double_blocks_0_img_attn_qkv.lora_down.weight": [2, 8] }],
    ["Stable Diffusion 3", { "transformer.transformer_blocks.0.attn.add_k_proj.lora_A.weight": [2, 8] }],
    [
      "a whole checkpoint",
      { "model.diffusion_model.out.2.bias": [4], "model.diffusion_model.out.2.weight": [4] },
    ],
    ["an embedding", { emb_params: [2, 24] }],
    ["OFT", { [`${Q}.oft_blocks`]: [2, 4, 4] }],
    ["a VAE", { "decoder.up_blocks.0.resnets.0.conv1.weight": [4] }],
  ])("is refused as what it is: %s", (name, tensors) => {
    const error = refusal(() => mergeLoras(bases(), write(tensors)));
    expect(error.code).toBe("CHECKPOINT_TENSORS");
    expect(error.message).toContain(name);
  });

  it("is refused in at most 15 lines, with ten keys and a count", () => {
    const keys = Array.from(
      { length: 700 },
      (_, i) => [`lora_unet_nothing_${i}.lora_up.weight`, [1]] as const,
    );
    const error = refusal(() => mergeLoras(bases(), write(Object.fromEntries(keys))));
    expect(error.message.split("\n").length).toBeLessThanOrEqual(15);
    expect(error.message).toContain("fits no module of this checkpoint (700 tensors)");
    expect(error.message).toContain("lora_unet_nothing_9.");
    expect(error.message).not.toContain("lora_unet_nothing_10.");
    expect(error.message).toContain("and 690 more");
  });

  it.each([
    [{ [`${Q}.lora_down.weight`]: [2, 8] }, "its up half is missing"],
    [{ [`${Q}.lora_up.weight`]: [8, 2], [`${Q}.alpha`]: [] }, "its down half is missing"],
    [{ [`${Q}.lora_down.weight`]: [2, 9], [`${Q}.lora_up.weight`]: [8, 2] }, "does not fit"],
    [{ [`${Q}.lora_down.weight`]: [2, 8], [`${Q}.lora_up.weight`]: [8, 3] }, "does not fit"],
    // Halves of a rank that nothing has, for free: no element, no byte.
    [{ [`${Q}.lora_down.weight`]: [0, 8], [`${Q}.lora_up.weight`]: [8, 0] }, "does not fit"],
    [{ [`${Q}.lora_down.weight`]: [2 ** 40, 0], [`${Q}.lora_up.weight`]: [0, 2 ** 40] }, "does not fit"],
    [{ [`${Q}.lora_down.weight`]: [4000, 8], [`${Q}.lora_up.weight`]: [8, 4000] }, "rank 4000"],
    [{ [`${Q}.lokr_w1`]: [2000, 2000], [`${Q}.lokr_w2`]: [2000, 2000] }, "makes [4000000, 4000000]"],
    [{ [`${Q}.lokr_w1`]: [2 ** 40, 0], [`${Q}.lokr_w2`]: [4, 4] }, "does not fit"],
    [
      { [`${Q}.lokr_w1`]: [2, 2], [`${Q}.lokr_w2_a`]: [3000, 1], [`${Q}.lokr_w2_b`]: [1, 3000] },
      "does not fit",
    ],
    [{ [`${Q}.lokr_w1`]: [2, 2], [`${Q}.lokr_w2_a`]: [4, 1] }, "its lokr_w2_b part is missing"],
    [
      {
        [`${Q}.hada_w1_a`]: [8, 2],
        [`${Q}.hada_w1_b`]: [2, 8],
        [`${Q}.hada_w2_a`]: [4, 2],
        [`${Q}.hada_w2_b`]: [2, 8],
      },
      "does not fit",
    ],
    [
      {
        [`${Q}.lora_down.weight`]: [2, 8],
        [`${Q}.lora_up.weight`]: [8, 2],
        [`${Q}.lora_mid.weight`]: [2, 3, 3, 3],
      },
      "does not fit",
    ],
    [
      { [`${Q}.lora_down.weight`]: [2, 8], [`${Q}.lora_up.weight`]: [8, 2], [`${Q}.dora_scale`]: [7, 1] },
      "dora_scale [7,1]",
    ],
    [
      { [`${Q}.lora_down.weight`]: [2, 8], [`${Q}.lora_up.weight`]: [8, 2], [`${Q}.alpha`]: [1000] },
      "alpha [1000]",
    ],
    [{ [`${Q}.diff`]: [64, 64] }, "diff [64,64]"],
  ])("%j is refused", (tensors, says) => {
    expect(refusal(() => mergeLoras(bases(), write(tensors as never))).message).toContain(says);
  });
});
