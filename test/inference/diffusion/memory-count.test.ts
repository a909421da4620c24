import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { InferenceError } from "../../../src/core/errors.js";
import { MemoryCount } from "../../../src/inference/diffusion/memory-count.js";
import { MEMORY_PLANS, Memory, type MemoryPlan } from "../../../src/inference/diffusion/memory-plan.js";
import { countMemory, mostPixels } from "../../../src/inference/diffusion/size-limit.js";
import { GpuLock } from "../../../src/inference/loop/gpu-lock.js";
import { ModelHost } from "../../../src/inference/loop/model-host.js";
import { arithmeticOf, type Plan } from "../../../src/inference/runtime/plan.js";
import { clipTextConfig } from "../../../src/models/clip-text.js";
import { unetConfig } from "../../../src/models/unet.js";
import { vaeConfig } from "../../../src/models/vae-decoder.js";
import { temporaryFolder, WORKER_FILE } from "../../support/app.js";

const MIB = 2 ** 20;
const GIB = 2 ** 30;
const square = (side: number) => ({ width: side, height: side });

/** Stable Diffusion 1.5. */
const PARTS = {
  text: clipTextConfig.parse({ hidden_size: 768, intermediate_size: 3072, num_attention_heads: 12 }),
  unet: unetConfig.parse({ cross_attention_dim: 768 }),
  vae: vaeConfig.parse({
    block_out_channels: [128, 256, 512, 512],
    up_block_types: Array(4).fill("UpDecoderBlock2D"),
    layers_per_block: 2,
  }),
};
const countOf = (plan: Plan) => new MemoryCount(PARTS, { arithmetic: arithmeticOf(plan), isCpu: false });
const [whole, striped, inTurn, least] = MEMORY_PLANS as unknown as [
  MemoryPlan,
  MemoryPlan,
  MemoryPlan,
  MemoryPlan,
];

describe("the count of Stable Diffusion 1.5 on a card", () => {
  it.each(["fp16", "mixed"] as const)("in %s, 512x512 takes under 4 GB, 768x768 under 6 GB", (plan) => {
    const count = countOf(plan);
    expect(count.planFor(square(512), 4 * GIB)).toBe(whole);
    expect(count.planFor(square(768), 6 * GIB)).toBe(whole);
    const { text, denoise, decode } = count.phases(square(512), false);
    // The files of its weights, in two bytes each.
    const weights = [text, denoise, decode].map((phase) => Math.round(phase.weights / MIB));
    expect(weights[0]).toBeCloseTo(235, -1);
    expect(weights[1]).toBeCloseTo(1640, -1);
    expect(weights[2]).toBeCloseTo(94, -1);
  });

  it("takes the quickest plan that fits, and none where none does", () => {
    const count = countOf("mixed");
    const at = (gib: number, options = {}) => count.planFor(square(768), gib * GIB, options);
    expect([at(6), at(4), at(3), at(2.6), at(2)]).toEqual([whole, striped, inTurn, least, null]);
    // What turned out to be too large is not tried again, and the judges take their part.
    expect(at(6, { first: inTurn })).toBe(inTurn);
    expect(at(6, { others: GIB })).toBe(striped);
    expect(count.planFor(square(1024), 3.3 * GIB)).toBe(least);
    for (const side of [512, 768, 1024])
      for (const plan of [striped, inTurn, least])
        expect(count.peak(square(side), plan)).toBeLessThan(count.peak(square(side), whole));
  });

  it("finds the largest picture that fits", () => {
    const count = countOf("mixed");
    const most = count.mostPixels(2.6 * GIB, 1024)!;
    const side = Math.sqrt(most);
    expect(side % 8).toBe(0);
    expect(count.planFor(square(side), 2.6 * GIB)).not.toBeNull();
    expect(count.planFor(square(side + 8), 2.6 * GIB)).toBeNull();
    expect(count.mostPixels(8 * GIB, 1024)).toBeNull();
    expect(count.mostPixels(GIB, 1024)).toBe(0);
  });
});

describe("a loaded checkpoint", () => {
  const full = () => new InferenceError("OUT_OF_MEMORY", "memory is full");

  it("releases the judges first, then takes one plan after the other, and stays there", async () => {
    const released: string[] = [];
    let judges = true;
    const memory = new Memory(
      whole,
      (_size, first) => first,
      async (what) => void released.push(what),
      async () => {
        released.push("others");
        const had = judges;
        judges = false;
        return had;
      },
    );
    const tried: (MemoryPlan | "judges")[] = [];
    const work = vi.fn(async () => {
      tried.push(judges ? "judges" : memory.plan);
      if (memory.plan !== inTurn) throw full();
      return "picture";
    });
    expect(await memory.inRoom(work)).toBe("picture");
    expect(tried).toEqual(["judges", whole, striped, inTurn]);
    expect(released).toEqual(["others", "others", "all", "others", "all"]);
    await memory.prepare(square(64));
    expect(memory.plan).toBe(inTurn);
    const bug = new Error("a bug");
    await expect(memory.inRoom(() => Promise.reject(bug))).rejects.toBe(bug);
    await expect(memory.inRoom(() => Promise.reject(full()))).rejects.toMatchObject({
      code: "OUT_OF_MEMORY",
    });
    expect(memory.plan).toBe(least);
  });

  it("loads its VAE anew only where that computes otherwise", async () => {
    const released: string[] = [];
    const memory = new Memory(
      whole,
      ({ width }) => (width > 512 ? striped : whole),
      async (what) => void released.push(what),
      async () => false,
    );
    for (const side of [512, 512, 768, 768, 512]) await memory.prepare(square(side));
    expect(released).toEqual(["vae", "vae"]);
  });
});

describe("the miniature, drawn by a worker", () => {
  const directory = fileURLToPath(
    new URL("../../../checkpoints/miniature/stable-diffusion", import.meta.url),
  );
  let folder: ReturnType<typeof temporaryFolder>;
  beforeAll(() => {
    folder = temporaryFolder();
  });
  afterAll(() => folder.remove());

  const checkpoint = { directory, vae: null, device: "cpu", precision: "fp32" } as const;
  const judges = { clip: null, clipName: null, aesthetic: null, safety: null };

  /** Draws one picture in a process of its own; the most memory that it had. */
  const peakOf = (side: number, memory: number | null): Promise<number> =>
    new GpuLock().withGpu(async (lease) => {
      const spec = {
        ...checkpoint,
        phase: "image",
        model: "miniature",
        tokenizer: join(directory, "tokenizer"),
        loras: [],
        clipSkip: 0,
        harmless: true,
        judges,
        memory,
        cacheDir: join(folder.path, "cache"),
        threads: 1,
      } as const;
      const host = await ModelHost.open(lease, spec, { workerFile: WORKER_FILE });
      try {
        await host.call("draw", {
          prompt: "a fox",
          plainPrompt: "a fox",
          options: { seed: 1, steps: 1, guidance: 2, negative: "", size: square(side), scheduler: "ddim" },
          file: join(folder.path, "fox.png"),
          checkpoint: "miniature",
          pair: null,
        });
      } catch (error) {
        await host.close();
        throw error;
      }
      return (await host.close()).peakBytes;
    }, new AbortController().signal);

  it("takes what is counted, up to the share that the allocator takes", async () => {
    const { count } = await countMemory({ ...checkpoint, memory: null }, { isCpu: true, plan: "fp32" });
    const counted = (side: number) => count.peak(square(side), whole);
    const real = (await peakOf(640, null)) - (await peakOf(64, null));
    const expected = counted(640) - counted(64);
    expect(real).toBeGreaterThan(0.9 * expected);
    expect(real).toBeLessThan(2 * expected);
  });

  it("is refused with the largest size that fits, in the worker and before it", async () => {
    const memory = 300 * MIB;
    const most = await mostPixels({ ...checkpoint, memory });
    const side = Math.sqrt(most!);
    expect(side).toBeGreaterThan(256);
    expect(side).toBeLessThan(1024);
    await expect(peakOf(1024, memory)).rejects.toMatchObject({
      code: "INPUT_MEMORY",
      context: { size: "1024x1024", largest: `${side}x${side}` },
    });
    expect(await peakOf(side, memory)).toBeLessThan(1.1 * memory);
  });
});
