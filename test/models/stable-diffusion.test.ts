import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compileGraph } from "../../src/checkpoints/compile.js";
import { openWeightFile, openWeights } from "../../src/checkpoints/files/open.js";
import type { Weights } from "../../src/checkpoints/files/weights.js";
import { readConfig } from "../../src/checkpoints/layouts/config.js";
import { clipTextWeights, vaeWeights } from "../../src/checkpoints/layouts/names.js";
import { arithmeticOf, PLANS, type Plan } from "../../src/inference/runtime/plan.js";
import { Session, Tensor } from "../../src/inference/runtime/session.js";
import { clipText, clipTextConfig } from "../../src/models/clip-text.js";
import { unet, unetConfig } from "../../src/models/unet.js";
import { VAE_ENCODER, vaeConfig, vaeDecoder } from "../../src/models/vae-decoder.js";
import type { Graph } from "../../src/onnx/graph.js";
import { relativeError } from "../support/relative-error.js";

/** Checkpoints and expected numbers from diffusers and transformers: test/golden/sd_small.py */
const golden = (name: string) => fileURLToPath(new URL(`../golden/sd-small/${name}`, import.meta.url));
const CPU = { name: "cpu", note: null } as const;
const TOLERANCE: Record<Plan, number> = { fp32: 1e-4, mixed: 3e-3, fp16: 1e-2 };

let cacheDir: string;
beforeAll(() => {
  cacheDir = mkdtempSync(join(tmpdir(), "promptist-models-"));
});
afterAll(() => rmSync(cacheDir, { recursive: true, force: true }));

async function run(
  graph: Graph,
  weights: Weights,
  feeds: Record<string, Tensor>,
  unused: readonly RegExp[] = [],
): Promise<{ data: Float32Array; dims: readonly number[] }> {
  const compiled = await compileGraph(graph, weights, { cacheDir, unused });
  const session = await Session.open("test", compiled, CPU, { threads: 2 });
  try {
    const [output] = Object.values(await session.run(feeds));
    return { data: output!.data as Float32Array, dims: output!.dims };
  } finally {
    await session.release();
  }
}

const ATTENTION = { fused: new Set<never>(), composed: new Set(["MultiHeadAttention"] as const) };
/** Two checkpoints show what the types of the weights change. */
const variantsOf = (name: string) =>
  PLANS.flatMap((plan) => (["fused", "composed"] as const).map((form) => [plan, form] as const)).filter(
    ([plan, form]) => plan !== "mixed" || (form === "fused" && ["sd1", "odd"].includes(name)),
  );

describe.each(["sd1", "sd2", "mixed", "flat", "odd"])("%s", (name) => {
  const directory = golden(name);
  const expected = openWeightFile(join(directory, "expected.safetensors"));
  const tensor = (key: string) => new Tensor("float32", expected.readFloat32(key), expected.get(key)!.shape);

  describe.each(variantsOf(name))("in %s with %s attention", (plan, form) => {
    const winograd = plan === "fp32" && form === "fused";
    const arithmetic = { ...arithmeticOf(plan), avoided: ATTENTION[form], winograd };
    it("encodes text as transformers does", async () => {
      const config = readConfig(join(directory, "text_encoder"), "config.json", clipTextConfig);
      const weights = clipTextWeights(openWeights(join(directory, "text_encoder")));
      const ids = new Int32Array(expected.read("ids").buffer);
      const { data, dims } = await run(clipText(config, arithmetic), weights, {
        ids: new Tensor("int32", ids, expected.get("ids")!.shape),
      });
      expect(dims).toEqual(expected.get("states")!.shape);
      expect(relativeError(data, expected.readFloat32("states"))).toBeLessThan(TOLERANCE[plan]);
    });

    it("predicts noise as diffusers does", async () => {
      const config = readConfig(join(directory, "unet"), "config.json", unetConfig);
      const weights = openWeights(join(directory, "unet"));
      const keys = expected.names.filter((key) => key.startsWith("noise@"));
      for (const key of keys) {
        const { data, dims } = await run(unet(config, arithmetic), weights, {
          latents: tensor("latents"),
          timestep: new Tensor("float32", [Number(key.slice("noise@".length))], [1]),
          text: tensor("states"),
        });
        expect(dims).toEqual(expected.get(key)!.shape);
        expect(relativeError(data, expected.readFloat32(key))).toBeLessThan(TOLERANCE[plan]);
      }
      const [one, other] = keys.map((key) => expected.readFloat32(key));
      if (other !== undefined) expect(relativeError(one!, other)).toBeGreaterThan(10 * TOLERANCE.fp16);
    });

    it("decodes pictures as diffusers does", async () => {
      const config = readConfig(join(directory, "vae"), "config.json", vaeConfig);
      const weights = vaeWeights(openWeights(join(directory, "vae")));
      const queryChunks = name === "flat" ? 1 : 4;
      const feeds = { latents: tensor("decode") };
      const graph = vaeDecoder(config, arithmetic, queryChunks);
      const { data, dims } = await run(graph, weights, feeds, VAE_ENCODER);
      expect(dims).toEqual(expected.get("image")!.shape);
      expect(relativeError(data, expected.readFloat32("image"))).toBeLessThan(TOLERANCE[plan]);
    });
  });
});
