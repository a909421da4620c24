import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { CheckpointError, InputError } from "../../../src/core/errors.js";
import { SCHEDULERS, type SchedulerName } from "../../../src/core/options.js";
import { readSchedulerConfig } from "../../../src/inference/diffusion/schedulers/config.js";
import {
  createScheduler,
  stableDiffusionConfig,
} from "../../../src/inference/diffusion/schedulers/create.js";
import { noiseSchedule } from "../../../src/inference/diffusion/schedulers/noise-schedule.js";
import { TorchRandom } from "../../../src/inference/numbers/torch-random.js";

type Json = Record<string, unknown>;
const read = <T>(file: string): T =>
  JSON.parse(readFileSync(new URL(`../../golden/${file}`, import.meta.url), "utf8"));

const NAMES: Readonly<Record<string, SchedulerName>> = {
  PNDMScheduler: "pndm",
  DDIMScheduler: "ddim",
  EulerDiscreteScheduler: "euler",
  EulerAncestralDiscreteScheduler: "euler-ancestral",
  DPMSolverMultistepScheduler: "dpm++2m",
  LCMScheduler: "lcm",
};

const sumAbs = (values: Float32Array): number => values.reduce((sum, x) => sum + Math.abs(x), 0);

describe("diffusers' own asserted numbers", () => {
  interface Upstream {
    harness: {
      timestep_asserts: {
        scheduler: string;
        config: Json;
        num_inference_steps: number;
        expected: number[];
      }[];
    };
    cases: {
      id: string;
      scheduler: string;
      config: Json;
      num_inference_steps: number;
      mode: "plain" | "noise";
      t_start_index: number;
      expected_sum: number | null;
      expected_mean: number;
      tolerance: { sum: number; mean: number };
      reproduced_with_torch: Reproduced;
    }[];
    derived_sd15: (Reproduced & {
      id: string;
      scheduler: string;
      config: Json;
      num_inference_steps: number;
      alphas_cumprod_first3?: number[];
      alphas_cumprod_last3?: number[];
    })[];
  }
  interface Reproduced {
    sum: number;
    timesteps: number[];
    per_step_abs_sum: number[];
    final_sample_first8_nchw: number[];
    final_sample_last4_nchw?: number[];
    init_noise_sigma?: number;
  }
  const upstream = read<Upstream>("schedulers-upstream.json");

  /** Logical [4, 3, 8, 8] tensors of the harness: an arange in CHWN order. */
  const SHAPE = { n: 4, c: 3, h: 8, w: 8 };
  const COUNT = SHAPE.n * SHAPE.c * SHAPE.h * SHAPE.w;
  const chwnRank = (i: number): number => {
    const [n, rest] = [Math.floor(i / (COUNT / SHAPE.n)), i % (COUNT / SHAPE.n)];
    return rest * SHAPE.n + n;
  };
  const deterministicSample = Float32Array.from({ length: COUNT }, (_, i) => chwnRank(i) / COUNT);
  const deterministicNoise = Float32Array.from(
    { length: COUNT },
    (_, i) => (COUNT - 1 - chwnRank(i)) / COUNT,
  );
  const INITIAL_SUM = sumAbs(deterministicSample);
  const dummyModel = (x: Float32Array, t: number): Float32Array => x.map((v) => Math.fround(v * t) / (t + 1));

  function run(
    scheduler: string,
    config: Json,
    steps: number,
    start = 0,
  ): { sums: number[]; final: Float32Array } {
    const name = NAMES[scheduler]!;
    const instance = createScheduler(name, config);
    instance.setTimesteps(steps);
    let sample: Float32Array = deterministicSample.map((x) => x * instance.initNoiseSigma);
    if (start > 0) {
      const { alphasCumprod } = noiseSchedule(readSchedulerConfig(config, []), false);
      const a = alphasCumprod[instance.timesteps[start]!]!;
      sample = sample.map((x, i) => Math.sqrt(a) * x + Math.sqrt(1 - a) * deterministicNoise[i]!);
    }
    const random = new TorchRandom(0);
    const sums: number[] = [];
    for (let index = start; index < instance.timesteps.length; index++) {
      // Like upstream's Euler tests, pass the scaled sample to `step` as well.
      sample = instance.scaleModelInput(sample, index);
      sample = instance.step(dummyModel(sample, instance.timesteps[index]!), index, sample, random);
      sums.push(sumAbs(sample));
    }
    return { sums, final: sample };
  }

  function expectPath(actual: { sums: number[]; final: Float32Array }, expected: Reproduced): void {
    expect(actual.sums.length).toBe(expected.per_step_abs_sum.length);
    for (const [i, sum] of expected.per_step_abs_sum.entries()) {
      expect(Math.abs(actual.sums[i]! - sum) / Math.max(sum, INITIAL_SUM)).toBeLessThan(2e-6);
    }
    const last = expected.final_sample_last4_nchw ?? [];
    const wanted = [...expected.final_sample_first8_nchw, ...last];
    const got = [...actual.final.subarray(0, 8), ...actual.final.subarray(COUNT - last.length)];
    for (const [i, value] of wanted.entries()) expect(Math.abs(got[i]! - value)).toBeLessThan(3e-6);
  }

  it.each(upstream.cases)("$id", (golden) => {
    const actual = run(golden.scheduler, golden.config, golden.num_inference_steps, golden.t_start_index);
    const sum = sumAbs(actual.final);
    if (golden.expected_sum !== null) {
      expect(Math.abs(sum - golden.expected_sum)).toBeLessThan(golden.tolerance.sum);
    }
    expect(Math.abs(sum / COUNT - golden.expected_mean)).toBeLessThan(golden.tolerance.mean);
    expectPath(actual, golden.reproduced_with_torch);
  });

  it.each(upstream.cases)("$id: timesteps and initial spread", (golden) => {
    const scheduler = createScheduler(NAMES[golden.scheduler]!, golden.config);
    scheduler.setTimesteps(golden.num_inference_steps);
    expect(scheduler.timesteps).toEqual(golden.reproduced_with_torch.timesteps);
    expect(scheduler.initNoiseSigma).toBeCloseTo(golden.reproduced_with_torch.init_noise_sigma ?? 1, 5);
  });

  it.each(upstream.derived_sd15)("$id", (golden) => {
    const scheduler = createScheduler(NAMES[golden.scheduler]!, golden.config);
    scheduler.setTimesteps(golden.num_inference_steps);
    expect(scheduler.timesteps).toEqual(golden.timesteps);
    expectPath(run(golden.scheduler, golden.config, golden.num_inference_steps), golden);
    if (golden.alphas_cumprod_first3 === undefined) return;
    const { alphasCumprod } = noiseSchedule(readSchedulerConfig(golden.config, []), false);
    expect([...alphasCumprod.subarray(0, 3)]).toEqual(golden.alphas_cumprod_first3);
    expect([...alphasCumprod.subarray(-3)]).toEqual(golden.alphas_cumprod_last3);
  });

  it.each(upstream.harness.timestep_asserts)("timesteps of $scheduler", (golden) => {
    const scheduler = createScheduler(NAMES[golden.scheduler]!, golden.config);
    scheduler.setTimesteps(golden.num_inference_steps);
    expect(scheduler.timesteps).toEqual(golden.expected);
  });
});

describe("diffusers' paths with Stable Diffusion 1.5's configuration", () => {
  interface Traces {
    config: Json;
    shape: number[];
    seed: number;
    cases: {
      scheduler: SchedulerName;
      changes: Json;
      steps: number;
      timesteps: number[] | null;
      initNoiseSigma: number;
      path: [first: number, last: number, absSum: number][] | null;
      final: number[];
    }[];
  }
  const traces = read<Traces>("schedulers-traces.json");
  const count = traces.shape.reduce((product, size) => product * size, 1);
  const model = (x: Float32Array, t: number): Float32Array =>
    x.map((v, i) => Math.tanh(v) * (t / (t + 1)) + Math.cos(i) / 10);

  it.each(traces.cases)("$scheduler, $steps steps, $changes", (golden) => {
    const scheduler = createScheduler(golden.scheduler, { ...traces.config, ...golden.changes });
    scheduler.setTimesteps(golden.steps);
    if (golden.timesteps !== null) {
      expect(scheduler.timesteps.length).toBe(golden.timesteps.length);
      for (const [i, t] of golden.timesteps.entries()) expect(scheduler.timesteps[i]).toBeCloseTo(t, 3);
    }
    expect(Math.abs(scheduler.initNoiseSigma / golden.initNoiseSigma - 1)).toBeLessThan(1e-6);

    const random = new TorchRandom(traces.seed);
    let sample: Float32Array = random.randn(count).map((x) => x * scheduler.initNoiseSigma);
    for (let index = 0; index < scheduler.timesteps.length; index++) {
      const input = scheduler.scaleModelInput(sample, index);
      sample = scheduler.step(model(input, scheduler.timesteps[index]!), index, sample, random);
      const expected = golden.path?.[index];
      if (expected === undefined) continue;
      const actual = [sample[0]!, sample[count - 1]!, sumAbs(sample)];
      const scale = Math.max(1, expected[2] / count);
      expect(Math.abs(actual[0]! - expected[0]) / scale).toBeLessThan(TOLERANCE);
      expect(Math.abs(actual[1]! - expected[1]) / scale).toBeLessThan(TOLERANCE);
      expect(Math.abs(actual[2]! - expected[2]) / scale / count).toBeLessThan(TOLERANCE);
    }
    const worst = sample.reduce((max, x, i) => Math.max(max, Math.abs(x - golden.final[i]!)), 0);
    const scale = Math.max(1, ...golden.final.map(Math.abs));
    expect(worst / scale).toBeLessThan(TOLERANCE);
  });
});

/** Relative to the largest value; a hundredth of one of a picture's 255 levels. */
const TOLERANCE = 2e-5;

describe("what a checkpoint or a person requests", () => {
  const sd15 = read<{ config: Json }>("schedulers-traces.json").config;

  it("evaluates PNDM once more than its number of steps", () => {
    const scheduler = createScheduler("pndm", sd15);
    scheduler.setTimesteps(50);
    expect(scheduler.timesteps.length).toBe(51);
    expect(scheduler.timesteps.slice(0, 4)).toEqual([981, 961, 961, 941]);
    expect(scheduler.timesteps.slice(-2)).toEqual([21, 1]);
  });

  it.each(SCHEDULERS)("%s draws a second picture like the first", (name) => {
    const scheduler = createScheduler(name, sd15);
    const run = (): Float32Array => {
      scheduler.setTimesteps(4);
      const random = new TorchRandom(1);
      let sample: Float32Array = random.randn(32).map((x) => x * scheduler.initNoiseSigma);
      for (let i = 0; i < scheduler.timesteps.length; i++) {
        sample = scheduler.step(scheduler.scaleModelInput(sample, i), i, sample, random);
      }
      return sample;
    };
    expect(run()).toEqual(run());
  });

  it.each([
    ["pndm", 1000, 999],
    ["ddim", 1000, 999],
    ["lcm", 51, 50],
    ["euler", 1001, 1000],
  ] as const)("%s refuses %i steps and names the limit %i", (name, steps, limit) => {
    const scheduler = createScheduler(name, sd15);
    expect(() => scheduler.setTimesteps(steps)).toThrow(InputError);
    expect(() => scheduler.setTimesteps(steps)).toThrow(`at most ${limit} steps`);
    scheduler.setTimesteps(limit);
    expect(Math.max(...scheduler.timesteps)).toBeLessThan(1000);
  });

  it.each(["ddim", "dpm++2m"] as const)("%s takes any number of trailing steps", (name) => {
    const scheduler = createScheduler(name, { ...sd15, timestep_spacing: "trailing" });
    for (let steps = 1; steps <= 1000; steps++) {
      scheduler.setTimesteps(steps);
      expect(scheduler.timesteps.length).toBe(steps);
    }
  });

  it("refuses PNDM's warm-up with fewer than 4 steps", () => {
    const scheduler = createScheduler("pndm", { ...sd15, skip_prk_steps: false });
    expect(() => scheduler.setTimesteps(3)).toThrow("at least 4 steps");
  });

  it.each([
    ["euler", { prediction_type: "sample" }, "prediction_type"],
    ["ddim", { thresholding: true }, "thresholding"],
    ["dpm++2m", { solver_order: 3 }, "solver_order"],
    ["pndm", { beta_schedule: "sigmoid" }, "beta_schedule"],
    ["euler", { num_train_timesteps: "many" }, "num_train_timesteps"],
  ] as const)("%s names what it cannot follow in %o", (name, changes, key) => {
    expect(() => createScheduler(name, { ...sd15, ...changes })).toThrow(CheckpointError);
    expect(() => createScheduler(name, { ...sd15, ...changes })).toThrow(key);
  });

  it("ignores keys of other algorithms", () => {
    const foreign = { ...sd15, solver_order: 3, algorithm_type: "sde-dpmsolver++", lambda_min_clipped: null };
    expect(() => createScheduler("pndm", foreign)).not.toThrow();
    expect(() => createScheduler("dpm++2m", foreign)).toThrow(CheckpointError);
  });

  it("corrects old files like StableDiffusionPipeline", () => {
    const old = { _class_name: "PNDMScheduler", steps_offset: 0, clip_sample: true };
    expect(stableDiffusionConfig("pndm", old)).toMatchObject({ steps_offset: 1, clip_sample: false });
    expect(stableDiffusionConfig("ddim", old)).toMatchObject({ steps_offset: 1, clip_sample: false });
    const silent = { _class_name: "DDIMScheduler" };
    expect(stableDiffusionConfig("ddim", silent)).toEqual({ ...silent, steps_offset: 1, clip_sample: false });
    expect(stableDiffusionConfig("euler", silent)).toEqual(silent);
  });
});
