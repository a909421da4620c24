import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { openWeightFile } from "../../../src/checkpoints/files/open.js";
import { type ExpectedTensor, refusal } from "../support.js";

const FOLDER = fileURLToPath(new URL("../../golden/checkpoints-training/", import.meta.url));

/** As PyTorch reads them; null stands for what is not finite. */
type Expected = Omit<ExpectedTensor, "values"> & { readonly values: readonly (number | null)[] };
const expected: Readonly<Record<string, Readonly<Record<string, Expected>>>> = JSON.parse(
  readFileSync(join(FOLDER, "expected.json"), "utf8"),
);

describe("a file as training programs write it", () => {
  it.each(Object.keys(expected))("%s gives PyTorch's tensors and nothing else", (name) => {
    const weights = openWeightFile(join(FOLDER, name));
    expect([...weights.names].sort()).toEqual(Object.keys(expected[name]!).sort());
    for (const [key, { shape, values }] of Object.entries(expected[name]!)) {
      expect(weights.get(key)!.shape, key).toEqual(shape);
      const read = [...weights.readFloat32(key)].map((value) => (Number.isFinite(value) ? value : null));
      expect(read, key).toEqual(values);
    }
  });

  it.each(readdirSync(join(FOLDER, "refused")))("%s is refused, for a tensor needs an object", (name) => {
    const error = refusal(() => openWeightFile(join(FOLDER, "refused", name)));
    expect(error.code).toBe("CHECKPOINT_UNSAFE");
    expect(error.message).toMatch(/trainer\.settings|torch\.nn\.modules|_rebuild_from_type/);
  });

  it("tells 8-bit floats without infinity from those with it", () => {
    const weights = openWeightFile(join(FOLDER, "float8.safetensors"));
    const at = (name: string, index: number) => weights.readFloat32(name)[index];
    expect([at("e4m3", 0x7e), at("e4m3", 0x7f), at("e4m3", 0xff)]).toEqual([448, Number.NaN, Number.NaN]);
    expect([at("e5m2", 0x7b), at("e5m2", 0x7c), at("e5m2", 0xfc), at("e5m2", 0x7f)]).toEqual([
      57344,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      Number.NaN,
    ]);
  });
});
