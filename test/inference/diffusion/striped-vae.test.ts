import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { compileGraph } from "../../../src/checkpoints/compile.js";
import { openDiffusion } from "../../../src/checkpoints/layouts/diffusion-files.js";
import { compileStriped, StripedVae } from "../../../src/inference/diffusion/striped-vae.js";
import { TorchRandom } from "../../../src/inference/numbers/torch-random.js";
import { Session, Tensor } from "../../../src/inference/runtime/session.js";
import { VAE_ENCODER, vaeConfig, vaeDecoder } from "../../../src/models/vae-decoder.js";
import { VAE_DECODER, vaeEncoder } from "../../../src/models/vae-encoder.js";
import { rowsSeen } from "../../../src/models/vae-stages.js";
import type { Arithmetic } from "../../../src/onnx/graph.js";

const folder = mkdtempSync(join(tmpdir(), "striped-vae-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const device = { name: "cpu", note: null } as const;
const miniature = fileURLToPath(new URL("../../../checkpoints/miniature/stable-diffusion", import.meta.url));
const files = openDiffusion(miniature, null);
const config = files.config("vae", vaeConfig);
const from = { config, weights: files.weights("vae", "fp32"), cacheDir: folder };

/** Of values of -1 to 1, in steps of a byte. */
const furthest = (a: Float32Array, b: Float32Array) =>
  a.reduce((most, x, i) => Math.max(most, Math.abs(x - b[i]!)), 0) * (255 / 2);

const ARITHMETIC: Readonly<Record<string, { arithmetic: Arithmetic; bytes: number }>> = {
  // Sums of other tiles are rounded otherwise.
  "fp32, after Winograd": { arithmetic: { float: "float32", winograd: true }, bytes: 0.01 },
  fp32: { arithmetic: { float: "float32" }, bytes: 0.001 },
  "fp16 weights and fp32 sums": { arithmetic: { float: "float32", weights: "float16" }, bytes: 0.001 },
  fp16: { arithmetic: { float: "float16" }, bytes: 1 },
};

/** Values of a map in one stripe: the first makes all stripes as low as they get. */
const STRIPES = [1, 2 ** 14];

describe.each(Object.entries(ARITHMETIC))("in stripes, %s", (_name, { arithmetic, bytes }) => {
  it.each(STRIPES)("a picture is decoded as from the whole latents, %i values at once", async (values) => {
    const [height, width] = [9, 12];
    const Z = config.latent_channels;
    const latents = new TorchRandom(1).randn(Z * height * width);
    const feeds = () => ({ latents: new Tensor("float32", latents, [1, Z, height, width]) });
    const whole = await compileGraph(vaeDecoder(config, arithmetic, 1), from.weights, {
      cacheDir: folder,
      unused: VAE_ENCODER,
    });
    const session = await Session.open<"image">("whole", whole, device, { threads: 1 });
    const { image: expected } = await session.run(feeds());
    await session.release();

    const open: string[] = [];
    const graphs = await compileStriped("image", arithmetic, 1, from);
    const striped = new StripedVae(
      "image",
      graphs,
      (graph) => {
        open.push(graph.path);
        return Session.open("stripe", graph, device, { threads: 1 });
      },
      values,
    );
    const { image } = await striped.run(feeds());
    expect(image.dims).toEqual(expected.dims);
    expect(furthest(image.data as Float32Array, expected.data as Float32Array)).toBeLessThan(bytes);
    // The middle, then each stage once.
    expect(open).toEqual([graphs.start!.path, ...graphs.stages.map(({ graph }) => graph.path)]);
  });

  it.each(STRIPES)("and encoded as from the whole picture, %i values at once", async (values) => {
    const [height, width] = [72, 96];
    const picture = Float32Array.from({ length: 3 * height * width }, (_, i) => Math.sin(i / 7 + i * i));
    const feeds = () => ({ image: new Tensor("float32", picture, [1, 3, height, width]) });
    const whole = await compileGraph(vaeEncoder(config, arithmetic, 1), from.weights, {
      cacheDir: folder,
      unused: VAE_DECODER,
    });
    const session = await Session.open<"moments">("whole", whole, device, { threads: 1 });
    const { moments: expected } = await session.run(feeds());
    await session.release();

    const graphs = await compileStriped("moments", arithmetic, 1, from);
    const open = (graph: Parameters<typeof Session.open>[1]) =>
      Session.open("stripe", graph, device, { threads: 1 });
    const { moments } = await new StripedVae("moments", graphs, open, values).run(feeds());
    expect(moments.dims).toEqual(expected.dims);
    expect(furthest(moments.data as Float32Array, expected.data as Float32Array)).toBeLessThan(4 * bytes);
  });
});

it("a stripe sees what its rows come from, and nothing beyond the picture", () => {
  expect(rowsSeen({ factor: 1 }, 0, 8, 16)).toEqual({ from: 0, to: 9, start: 0, end: 8 });
  expect(rowsSeen({ factor: 1 }, 8, 16, 16)).toEqual({ from: 7, to: 16, start: 1, end: 9 });
  expect(rowsSeen({ factor: 2 }, 8, 16, 16)).toEqual({ from: 3, to: 9, start: 2, end: 10 });
  // A convolution to half the sides reads two rows for each, and the one below.
  expect(rowsSeen({ factor: 1 / 2 }, 4, 8, 32)).toEqual({ from: 6, to: 18, start: 1, end: 5 });
  expect(rowsSeen({ factor: 1 / 2 }, 4, 8, 16)).toEqual({ from: 6, to: 16, start: 1, end: 5 });
});
