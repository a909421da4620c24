import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { openWeightFile, openWeights } from "../../../src/checkpoints/files/open.js";
import { writeSafetensors } from "../../../src/checkpoints/files/safetensors.js";
import { isSingleFile, singleFileParts } from "../../../src/checkpoints/layouts/ldm.js";
import { clipTextWeights, vaeWeights } from "../../../src/checkpoints/layouts/names.js";
import { type ExpectedTensor, golden, refusal, temporaryFolder } from "../support.js";

const FOLDER = fileURLToPath(new URL("../../golden/checkpoints-single-file/", import.meta.url));
const expected: Record<"unet" | "vae" | "textEncoder", Record<string, ExpectedTensor>> = JSON.parse(
  readFileSync(join(FOLDER, "expected.json"), "utf8"),
);

describe("a single-file checkpoint", () => {
  it.each(["model.safetensors", "model.ckpt"])("%s gives diffusers' names, shapes and values", (file) => {
    const weights = openWeightFile(join(FOLDER, file));
    expect(isSingleFile(weights)).toBe(true);
    const { unet, vae, textEncoder } = singleFileParts(weights);
    const parts = { unet, vae: vaeWeights(vae!), textEncoder: clipTextWeights(textEncoder) };
    for (const [part, view] of Object.entries(parts)) {
      const tensors = expected[part as keyof typeof expected];
      expect([...view.names].sort()).toEqual(Object.keys(tensors).sort());
      for (const [name, tensor] of Object.entries(tensors)) {
        expect(view.get(name)!.shape, name).toEqual(tensor.shape);
        const values = view.readFloat32(name);
        expect([...values.subarray(0, tensor.values.length)], name).toEqual(tensor.values);
        const sum = values.reduce((total, value) => total + value, 0);
        expect(Math.abs(sum - tensor.sum), name).toBeLessThan(1e-5);
      }
    }
  });

  it("is distinguished from a folder's weights", () => {
    expect(isSingleFile(openWeights(golden("vae")))).toBe(false);
  });

  it.each([
    ["cond_stage_model.model.ln_final.weight", /2\.x family/],
    ["conditioner.embedders.0.transformer.x", /XL family/],
    ["first_stage_model.decoder.conv_in.weight", /no tensors cond_stage_model\.transformer\.\*;/],
  ])("with %s is refused by what it is", (name, says) => {
    const path = join(temporaryFolder(), "model.safetensors");
    const data = new Uint8Array(4);
    writeSafetensors(path, [
      { name: "model.diffusion_model.out.2.bias", type: "F32", shape: [1], data },
      { name, type: "F32", shape: [1], data },
    ]);
    const error = refusal(() => singleFileParts(openWeightFile(path)));
    expect(error.code).toBe("CHECKPOINT_ARCHITECTURE");
    expect(error.message).toMatch(says);
  });
});
