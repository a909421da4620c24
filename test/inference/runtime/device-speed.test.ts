import { expect, it } from "vitest";
import { type Chain, measureSpeed, slownessOf } from "../../../src/inference/runtime/device-speed.js";

/** A device with this many milliseconds per GFLOP and per transfer; the CPU takes 5 and 0. */
const stopwatch = (perGflop: number, way: number) => {
  const tried: Chain[] = [];
  const time = async (device: string, chain: Chain) => {
    const gflop = (2 * chain.products * chain.rows * 1024 ** 2) / 1e9;
    if (device === "cpu") return 5 * gflop;
    tried.push(chain);
    return perGflop * gflop + way;
  };
  return { tried, time };
};

it("a graphics card is faster, even if the transfer takes longer than a small product", async () => {
  const { tried, time } = stopwatch(0.5, 3);
  const speed = await measureSpeed("webgpu", time);
  expect(speed).toBeGreaterThan(4);
  expect(tried).toHaveLength(2);
  expect(slownessOf(speed)).toBeNull();
});

it("a software device is slow, and a very slow one gets little to compute", async () => {
  const compiled = stopwatch(50, 1);
  expect(slownessOf(await measureSpeed("webgpu", compiled.time))).toContain("0.1 of the CPU's speed");
  expect(compiled.tried).toHaveLength(2);
  const interpreted = stopwatch(15_000, 1);
  expect(slownessOf(await measureSpeed("webgpu", interpreted.time))).toContain("no real card");
  expect(interpreted.tried).toHaveLength(1);
});

it("the CPU measures as fast as itself", async () => {
  const speed = await measureSpeed("cpu");
  expect(speed).toBeGreaterThan(0.2);
  expect(speed).toBeLessThan(5);
});
