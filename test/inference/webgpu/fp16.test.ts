import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openWeightFile } from "../../../src/checkpoints/files/open.js";
import type { SchedulerName } from "../../../src/core/options.js";
import { drawPicture } from "../../../src/inference/diffusion/pipeline.js";
import { StableDiffusion } from "../../../src/inference/diffusion/stable-diffusion.js";
import { deviceOptions, KEEP_CASTS } from "../../../src/inference/runtime/device.js";
import { InferenceSession, Tensor } from "../../../src/inference/runtime/onnxruntime.js";
import { type CheckedDevice, openDevice } from "../../../src/inference/runtime/open-device.js";
import { arithmeticOf, PLANS, type Plan } from "../../../src/inference/runtime/plan.js";
import { GraphBuilder } from "../../../src/onnx/graph.js";
import { matmul } from "../../../src/onnx/ops.js";
import { temporaryFolder } from "../../support/app.js";
import { overflowingCheckpoint } from "../../support/overflowing-checkpoint.js";
import { relativeError } from "../../support/relative-error.js";
import { describeFp16 } from "./fp16-adapter.js";

/*
 * Half precision on an adapter that has it: Mesa's lavapipe from version 25 on, which .ci/lavapipe runs this file
 * with, or a card.
 */
const golden = (path: string) => fileURLToPath(new URL(`../../golden/${path}`, import.meta.url));
const SMALL = golden("sd-small/sd1");
const expected = openWeightFile(join(SMALL, "expected.safetensors"));
const values = (key: string) => expected.readFloat32(key);
const shape = (key: string) => expected.get(key)!.shape as [number, number, number, number];
const text = () => ({ data: values("states"), shape: shape("states") });
const folder = temporaryFolder();
const cacheDir = folder.path;
afterAll(() => folder.remove());

/** The device as if its check had ended with this plan. */
const deviceWith = (plan: Plan) =>
  ({
    name: "webgpu",
    note: null,
    checked: { plan, avoided: new Set(["MultiHeadAttention"] as const) },
  }) as const;

const open = (plan: Plan, directory = SMALL) =>
  StableDiffusion.open({ directory, device: deviceWith(plan), precision: "fp16", cacheDir, threads: 2 });

describeFp16("the check of an adapter with float16", () => {
  let device: CheckedDevice;
  beforeAll(async () => {
    device = await openDevice("webgpu", { user: "image", plans: PLANS, cacheDir });
  });

  it("finds the runtime's sums in float16 too coarse, and fp16 weights with fp32 sums right", () => {
    expect(device.checked?.plan).toBe("mixed");
    expect(device.note).toContain("fp16 weights and fp32 sums, because its sums in fp16 are off by up to 1.");
    const [half, mixed] = device.reports;
    // The longest sum is the worst, and each kernel is right all the same.
    const convolutions = half!.forms.filter(({ operator }) => operator === "Conv");
    const errors = convolutions.map(({ error }) => error!);
    expect(errors).toEqual(errors.toSorted((a, b) => a - b));
    for (const { isCoarse } of convolutions) expect(isCoarse).toBe(true);
    for (const { form, error, verdict } of mixed!.forms)
      if (verdict === "right") expect(error, form).toBeLessThan(1e-5);
  });
});

describeFp16("weights in two bytes", () => {
  it("stay so on the device while the graph computes in fp32", async () => {
    const g = new GraphBuilder("chain", arithmeticOf("mixed"));
    let x = g.input("x", "float32", [1, 256]);
    for (let i = 0; i < 4; i++) x = matmul(g, x, g.parameter(`w${i}`, [256, 256]));
    g.output("y", x, "float32", [1, 256]);
    const data = new Uint8Array(Uint16Array.from({ length: 256 * 256 }, (_, i) => 0x2000 + (i % 7)).buffer);
    const weights = [0, 1, 2, 3].map((i) => ({
      name: `w${i}`,
      type: "float16" as const,
      shape: [256, 256],
      data,
    }));
    const graph = g.build().encode(weights);
    const sizeOf = async (extra: Readonly<Record<string, unknown>>) => {
      const optimizedModelFilePath = join(cacheDir, "optimized.onnx");
      const options = {
        ...deviceOptions("webgpu"),
        logSeverityLevel: 4,
        optimizedModelFilePath,
        extra,
      } as const;
      const session = await InferenceSession.create(graph, options);
      const { y } = await session.run({ x: new Tensor("float32", new Float32Array(256).fill(1), [1, 256]) });
      expect(y!.data[0]).toBeGreaterThan(0);
      await session.release();
      return statSync(optimizedModelFilePath).size;
    };
    expect(await sizeOf({})).toBeGreaterThan(2 * 4 * data.byteLength);
    expect(await sizeOf(KEEP_CASTS)).toBeLessThan(1.1 * 4 * data.byteLength);
  });
});

describeFp16.each([
  ["fp16", 1e-2],
  ["mixed", 3e-3],
] as const)("a small Stable Diffusion in %s", (plan, bound) => {
  let model: StableDiffusion;
  beforeAll(async () => {
    model = await open(plan);
  });
  afterAll(() => model.release());

  it("encodes, denoises and decodes like PyTorch in float32, and needs no other plan", async () => {
    expect(model.plan).toBe(plan);
    const [rows, length] = shape("ids");
    const ids = Array.from(new Int32Array(expected.read("ids").buffer));
    const states = await model.encodeText(
      Array.from({ length: rows }, (_, row) => ids.slice(row * length, (row + 1) * length)),
    );
    const noise = await model.predictNoise(values("latents"), shape("latents"), 981, text());
    const image = await model.decode(values("decode"), shape("decode"));
    const errors = [
      relativeError(states.data, values("states")),
      relativeError(noise, values("noise@981.0")),
      relativeError(image, values("image")),
    ];
    for (const error of errors) expect(error).toBeLessThan(bound);
    expect(model.takeRedone()).toBe(false);
  });

  it("draws diffusers' picture", async () => {
    interface Case {
      id: string;
      scheduler: SchedulerName;
      steps: number;
      guidance: number;
      seed: number;
      size: { width: number; height: number } | null;
      changes: Record<string, unknown>;
      prompt: number[];
      negative: number[];
    }
    const cases: Case[] = JSON.parse(readFileSync(golden("pipeline/cases.json"), "utf8"));
    const one = cases.find(({ id }) => id === "sd1-lcm-10-64x64")!;
    const config = { ...model.config, scheduler: { ...model.config.scheduler, ...one.changes } };
    const picture = await drawPicture(
      {
        config,
        encodeText: model.encodeText.bind(model),
        predictNoise: model.predictNoise.bind(model),
        decode: model.decode.bind(model),
        encode: model.encode.bind(model),
        release: model.release.bind(model),
      },
      { encode: (words) => ({ ids: words === "prompt" ? one.prompt : one.negative, truncated: null }) },
      { ...one, prompt: "prompt", negative: "negative" },
    );
    const reference = await sharp(golden(`pipeline/${one.id}.png`))
      .raw()
      .toBuffer();
    const differences = Array.from(picture.pixels, (byte, i) => Math.abs(byte - reference[i]!));
    const mean = differences.reduce((sum, value) => sum + value, 0) / reference.length;
    expect(mean).toBeLessThan(plan === "mixed" ? 0.5 : 2);
  });
});

describeFp16("activations that overflow half precision", () => {
  it.each([
    ["unet", 14],
    ["vae", 15],
  ] as const)("are computed again in fp32, for the %s", async (part, factor) => {
    const directory = overflowingCheckpoint(SMALL, join(cacheDir, `overflow-${part}`), part, factor);
    const cpu = { directory, device: { name: "cpu", note: null }, cacheDir, threads: 2 } as const;
    const exact = await StableDiffusion.open({ ...cpu, precision: "fp32" });
    const half = await open("fp16", directory);
    const run = (model: StableDiffusion) =>
      part === "unet"
        ? model.predictNoise(values("latents"), shape("latents"), 981, text())
        : model.decode(values("decode"), shape("decode"));
    try {
      const wanted = await run(exact);
      expect(relativeError(await run(half), wanted)).toBeLessThan(1e-2);
      expect(half.takeRedone()).toBe(true);
      await run(half);
      expect(half.takeRedone()).toBe(false);
    } finally {
      await Promise.all([exact.release(), half.release()]);
    }
  });
});
