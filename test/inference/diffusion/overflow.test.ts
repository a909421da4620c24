import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openWeightFile } from "../../../src/checkpoints/files/open.js";
import type { Precision } from "../../../src/core/options.js";
import { StableDiffusion } from "../../../src/inference/diffusion/stable-diffusion.js";
import { temporaryFolder } from "../../support/app.js";
import { overflowingCheckpoint } from "../../support/overflowing-checkpoint.js";

/*
 * On the CPU, where the runtime computes float16 graphs in float32, so that only weights overflow.
 * test/inference/webgpu/fp16.test.ts has activations that do.
 */
const SMALL = fileURLToPath(new URL("../../golden/sd-small/sd1", import.meta.url));
const expected = openWeightFile(join(SMALL, "expected.safetensors"));
const values = (key: string) => expected.readFloat32(key);
const shape = (key: string) => expected.get(key)!.shape as [number, number, number, number];

let folder: ReturnType<typeof temporaryFolder>;
beforeAll(() => {
  folder = temporaryFolder();
});
afterAll(() => folder.remove());

/** What a part computes, and whether it had to be computed again, at first and at the second call. */
async function twice(directory: string, part: "unet" | "vae", precision: Precision) {
  const model = await StableDiffusion.open({
    directory,
    device: { name: "cpu", note: null },
    precision,
    cacheDir: join(folder.path, "cache"),
    threads: 1,
  });
  const text = { data: values("states"), shape: shape("states") };
  const run = () =>
    part === "unet"
      ? model.predictNoise(values("latents"), shape("latents"), 981, text)
      : model.decode(values("decode"), shape("decode"));
  try {
    const first = { values: await run(), redone: model.takeRedone() };
    return { first, second: { values: await run(), redone: model.takeRedone() } };
  } finally {
    await model.release();
  }
}

describe.each(["unet", "vae"] as const)("a %s whose weights overflow half precision", (part) => {
  it("is computed again in full precision, once", async () => {
    const directory = overflowingCheckpoint(SMALL, join(folder.path, part), part, 18);
    const exact = await twice(directory, part, "fp32");
    expect(exact.first.redone).toBe(false);
    const half = await twice(directory, part, "fp16");
    expect([half.first.redone, half.second.redone]).toEqual([true, false]);
    for (const { values: found } of [half.first, half.second]) expect(found).toEqual(exact.first.values);
  });
});

it("nothing is computed again where half precision is enough", async () => {
  for (const part of ["unet", "vae"] as const) {
    const { first, second } = await twice(SMALL, part, "fp16");
    expect([first.redone, second.redone]).toEqual([false, false]);
  }
});
