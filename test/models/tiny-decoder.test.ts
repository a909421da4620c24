import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compileGraph } from "../../src/checkpoints/compile.js";
import { openWeightFile } from "../../src/checkpoints/files/open.js";
import { openSafetensors, writeSafetensors } from "../../src/checkpoints/files/safetensors.js";
import type { Weights } from "../../src/checkpoints/files/weights.js";
import { openTinyDecoder } from "../../src/checkpoints/layouts/tiny-decoder-files.js";
import { TorchRandom } from "../../src/inference/numbers/torch-random.js";
import { arithmeticOf, PLANS, type Plan } from "../../src/inference/runtime/plan.js";
import { Session, Tensor } from "../../src/inference/runtime/session.js";
import {
  TINY_ENCODER,
  type TinyDecoderConfig,
  tinyDecoder,
  tinyDecoderConfig,
} from "../../src/models/tiny-decoder.js";
import { relativeError } from "../support/relative-error.js";

/** Checkpoints and expected numbers from diffusers: test/golden/taesd.py */
const golden = (name: string) => fileURLToPath(new URL(`../golden/taesd/${name}`, import.meta.url));
const TOLERANCE: Record<Plan, number> = { fp32: 1e-5, mixed: 3e-3, fp16: 1e-2 };
/** Of the weights that are drawn anew here. */
const WEIGHTS_SEED = 21;

const expected = openWeightFile(golden("expected.safetensors"));

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "promptist-taesd-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function expectDecoded(
  config: TinyDecoderConfig,
  weights: Weights,
  plan: Plan,
  of = "",
): Promise<void> {
  const graph = tinyDecoder(config, arithmeticOf(plan));
  const compiled = await compileGraph(graph, weights, { cacheDir: folder, unused: TINY_ENCODER });
  expect(compiled.extra).toEqual([]);
  const session = await Session.open("test", compiled, { name: "cpu", note: null }, { threads: 2 });
  const name = `latents${of}`;
  const latents = new Tensor("float32", expected.readFloat32(name), expected.get(name)!.shape);
  try {
    const { image } = await session.run({ latents });
    expect(image!.dims).toEqual(expected.get(`image${of}`)!.shape);
    const error = relativeError(image!.data as Float32Array, expected.readFloat32(`image${of}`));
    expect(error).toBeLessThan(TOLERANCE[plan]);
  } finally {
    await session.release();
  }
}

describe.each(PLANS)("in %s, TAESD decodes as diffusers' AutoencoderTiny", (plan) => {
  it.each([
    ["from a folder", ".", ""],
    ["from a folder with other sizes", "flat", "-flat"],
    ["from the original safetensors file", "taesd_decoder.safetensors", ""],
    ["from the original file of torch", "taesd_decoder.pth", ""],
  ])("%s", async (_, path, of) => {
    const { config, weights } = openTinyDecoder(golden(path));
    await expectDecoded(config, weights("fp32"), plan, of);
  });

  it("in the published shape", async () => {
    const config = tinyDecoderConfig.parse({});
    const random = new TorchRandom(WEIGHTS_SEED);
    const shapes = [...tinyDecoder(config, { float: "float32" }).sources].sort(([a], [b]) =>
      a < b ? -1 : 1,
    );
    const path = join(folder, "published.safetensors");
    const tensors = shapes.map(([name, shape]) => {
      const scale =
        shape.length === 1
          ? 0.1
          : (name.endsWith("conv.4.weight") ? 0.3 : Math.SQRT2) *
            shape.slice(1).reduce((a, b) => a * b) ** -0.5;
      const values = random.randn(shape.reduce((a, b) => a * b)).map((x) => x * scale);
      return { name, type: "F32" as const, shape, data: () => new Uint8Array(values.buffer) };
    });
    writeSafetensors(path, tensors);
    expect(tensors.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b), 0)).toBe(1_222_531);
    await expectDecoded(config, openSafetensors(path), plan, "-published");
  });
});
