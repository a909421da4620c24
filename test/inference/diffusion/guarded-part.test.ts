import { expect, it } from "vitest";
import { InferenceError } from "../../../src/core/errors.js";
import { GuardedPart, type LoadedPart } from "../../../src/inference/diffusion/guarded-part.js";
import { isPlain } from "../../../src/inference/diffusion/usable.js";
import type { Plan } from "../../../src/inference/runtime/plan.js";
import { Tensor } from "../../../src/inference/runtime/session.js";

/** A part whose sessions give these values, by plan, and what happens to them. */
function scripted(
  values: Readonly<Record<Plan, number>>,
  fullAt: { plan: Plan; times: number } | null = null,
) {
  const log: string[] = [];
  let full = fullAt?.times ?? 0;
  const loaded = (plan: Plan): LoadedPart<"y"> => ({
    plan,
    session: {
      run: async () => {
        log.push(`run ${plan}`);
        return { y: new Tensor("float32", [values[plan]], [1]) };
      },
      release: async () => void log.push(`release ${plan}`),
    },
  });
  const part = new GuardedPart<"y">("fp16", async (plans) => {
    log.push(`load ${plans.join(", ")}`);
    if (plans[0] === fullAt?.plan && full-- > 0) throw new InferenceError("OUT_OF_MEMORY", "memory is full");
    return loaded(plans[0]!);
  });
  const run = async () => {
    const { y } = await part.run({}, ({ y }) => Number.isFinite(y.data[0]));
    return y.data[0];
  };
  return { part, log, run };
}
const NAN = Number.NaN;

it("a usable output is kept, and nothing else is loaded", async () => {
  const { part, log, run } = scripted({ fp16: 1, mixed: 2, fp32: 3 });
  expect(await run()).toBe(1);
  expect(part.takeRedone()).toBe(false);
  expect(log).toEqual(["load fp16, mixed, fp32", "run fp16"]);
});

it("another is computed again under the next plan, which stays", async () => {
  const { part, log, run } = scripted({ fp16: NAN, mixed: 2, fp32: 3 });
  expect([await run(), part.takeRedone(), part.plan]).toEqual([2, true, "mixed"]);
  expect([await run(), part.takeRedone()]).toEqual([2, false]);
  // Room is made before the next is loaded.
  expect(log.slice(1)).toEqual(["run fp16", "release fp16", "load mixed, fp32", "run mixed", "run mixed"]);
});

it("each plan is tried once, and the last output is returned as it is", async () => {
  const { part, log, run } = scripted({ fp16: NAN, mixed: NAN, fp32: NAN });
  expect([await run(), part.plan]).toEqual([NAN, "fp32"]);
  expect(log.filter((line) => line.startsWith("run"))).toEqual(["run fp16", "run mixed", "run fp32"]);
});

it("if there was no room for the safer plan, it is loaded at the next call", async () => {
  const { part, log, run } = scripted({ fp16: NAN, mixed: 2, fp32: 3 }, { plan: "mixed", times: 1 });
  await expect(run()).rejects.toMatchObject({ code: "OUT_OF_MEMORY" });
  expect([await run(), part.takeRedone()]).toEqual([2, true]);
  expect(log.filter((line) => line.startsWith("run"))).toEqual(["run fp16", "run mixed"]);
});

it("a picture is plain if no channel's bytes differ by more than one", () => {
  const image = (pixel: (i: number) => number) => Float32Array.from({ length: 3 * 64 }, (_, i) => pixel(i));
  expect(
    isPlain(
      image(() => -1),
      64,
    ),
  ).toBe(true);
  // Values beyond white are all white.
  expect(
    isPlain(
      image((i) => 1 + (i % 7)),
      64,
    ),
  ).toBe(true);
  // Each channel may have a value of its own.
  expect(
    isPlain(
      image((i) => Math.floor(i / 64) / 4),
      64,
    ),
  ).toBe(true);
  expect(
    isPlain(
      image((i) => (i % 2) * 0.007),
      64,
    ),
  ).toBe(true);
  expect(
    isPlain(
      image((i) => (i % 2) * 0.009),
      64,
    ),
  ).toBe(false);
  expect(
    isPlain(
      image((i) => (i === 63 ? 0.1 : 0)),
      64,
    ),
  ).toBe(false);
});
