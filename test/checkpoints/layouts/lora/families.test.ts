import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { openWeightFile } from "../../../../src/checkpoints/files/open.js";
import { openDiffusion } from "../../../../src/checkpoints/layouts/diffusion-files.js";
import { type LoraPart, mergeLoras } from "../../../../src/checkpoints/layouts/lora.js";
import { relativeError } from "../../../support/relative-error.js";

/** Files and merged weights from lycoris-lora and peft: test/golden/lora_families.py */
const FOLDER = fileURLToPath(new URL("../../../golden/lora-families/", import.meta.url));
const BASE = fileURLToPath(new URL("../../../golden/sd-small/sd1/", import.meta.url));
const expected = openWeightFile(join(FOLDER, "expected.safetensors"));

const files = openDiffusion(BASE);
const bases = { unet: files.weights("unet", "fp32"), text_encoder: files.weights("text_encoder", "fp32") };

/** `NAME@WEIGHT:PART:TENSOR` -> tensors by file and weight */
const cases = new Map<string, { part: LoraPart; tensor: string; key: string }[]>();
for (const key of expected.names) {
  const [run, part, tensor] = key.split(":") as [string, LoraPart, string];
  cases.set(run, [...(cases.get(run) ?? []), { part, tensor, key }]);
}

const fileOf = (name: string) => {
  const path = join(FOLDER, `${name}.safetensors`);
  return existsSync(path) ? path : join(FOLDER, name);
};

describe("an adapter merges as its own package merges it", () => {
  it.each([...cases])("%s", (run, tensors) => {
    const [name, weight] = run.split("@") as [string, string];
    const merged = mergeLoras(bases, [{ file: fileOf(name), weight: Number(weight) }]);
    expect(merged.notes).toEqual([]);
    for (const { part, tensor, key } of tensors) {
      const values = merged[part].readFloat32(tensor);
      expect(relativeError(values, expected.readFloat32(key)), tensor).toBeLessThan(1e-4);
      expect(relativeError(values, bases[part].readFloat32(tensor)), tensor).toBeGreaterThan(1e-2);
    }
    const changed = (["unet", "text_encoder"] as const).flatMap((part) =>
      merged[part].names.filter((tensor) => merged[part].get(tensor) !== bases[part].get(tensor)),
    );
    expect(changed.sort()).toEqual(tensors.map(({ tensor }) => tensor).sort());
  });
});
