import { expect, test } from "vitest";
import { chooseDevices, readCards } from "../../../src/inference/runtime/cards.js";
import { deviceOptions } from "../../../src/inference/runtime/device.js";

const two = ["RTX 3090", "RTX 3060"];
const found = { names: two, visible: null, hasCuda: true, others: 0 };

test("what nvidia-smi prints is read, in its order", () => {
  expect(readCards("NVIDIA GeForce RTX 3090, 24576\nNVIDIA GeForce RTX 3060, 12288\n")).toEqual([
    { name: "NVIDIA GeForce RTX 3090", bytes: 24 * 2 ** 30 },
    { name: "NVIDIA GeForce RTX 3060", bytes: 12 * 2 ** 30 },
  ]);
  for (const text of ["", "No devices were found\n", "NVIDIA GeForce RTX 3090, [N/A]\n"])
    expect(readCards(text), text).toEqual([]);
});

test("auto takes every card of NVIDIA that may be seen", () => {
  expect(chooseDevices(found)).toEqual({
    devices: ["cuda:0", "cuda:1"],
    how: "2 of NVIDIA (RTX 3090, RTX 3060)",
  });
  const { devices, how } = chooseDevices({ ...found, visible: 1 });
  expect(devices).toEqual(["cuda:0"]);
  expect(how).toContain("1 hidden by CUDA_VISIBLE_DEVICES");
});

test("auto stays with one device where several can't be told apart, and says why", () => {
  for (const [others, why] of [
    [{ hasCuda: false }, "--onnxruntime-node-install=cuda12"],
    [{ visible: 0 }, "2 hidden"],
    [{ names: [], others: 2 }, "2 graphics cards, none of NVIDIA"],
    [{ names: [] }, "no card of NVIDIA"],
  ] as const) {
    const { devices, how } = chooseDevices({ ...found, ...others });
    expect(devices).toEqual(["auto"]);
    expect(how).toContain(why);
  }
});

test("a device's number reaches the execution provider", () => {
  const provider = (device: Parameters<typeof deviceOptions>[0]) =>
    deviceOptions(device).executionProviders?.[0];
  expect(provider("cuda:3")).toEqual({ name: "cuda", deviceId: 3 });
  expect(provider("cuda")).toEqual({ name: "cuda", deviceId: 0 });
  expect(provider("dml:1")).toEqual({ name: "dml", deviceId: 1 });
  expect(provider("cpu:1")).toBe("cpu");
});
