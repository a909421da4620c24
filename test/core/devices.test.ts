import { expect, test } from "vitest";
import { kindOf, numberOf, readDevice, readDevices, textDeviceProblem } from "../../src/core/devices.js";

test.each([
  ["cuda", "cuda", null],
  [" cuda:1 ", "cuda", 1],
  ["dml:0", "dml", 0],
  ["cpu:12", "cpu", 12],
  // The only one that it has.
  ["webgpu:0", "webgpu", null],
] as const)("%s is a device", (text, kind, number) => {
  const read = readDevice(text);
  if (!("device" in read)) throw new Error(read.problem);
  expect([kindOf(read.device), numberOf(read.device)]).toEqual([kind, number]);
});

test.each([
  ["gpu", "expected auto, cpu, webgpu, cuda, dml or coreml"],
  ["cuda:x", "such as cuda:1"],
  ["cuda:-1", "such as cuda:1"],
  ["", "such as cuda:1"],
  ["webgpu:1", "take cuda:0,cuda:1"],
  ["coreml:0", "Take coreml"],
  ["auto:1", "takes no number"],
])('"%s" is none, and what to do is said', (text, problem) => {
  expect(readDevice(text)).toEqual({ problem: expect.stringContaining(problem) });
});

test("a list names each device once", () => {
  expect(readDevices("")).toEqual({ devices: [] });
  expect(readDevices("cuda:0, cuda:1,cpu,")).toEqual({ devices: ["cuda:0", "cuda:1", "cpu"] });
  for (const [list, problem] of [
    ["cuda:1,cuda:01", "are one device"],
    ["cuda,cuda:0", "are one device"],
    ["auto,cpu", "auto stands alone"],
    ["cuda:0,webgpu:1", "there is no webgpu:1"],
  ] as const)
    expect(readDevices(list), list).toEqual({ problem: expect.stringContaining(problem) });
});

test("beside several devices, rewriting has one of them, the processor, or whichever is free", () => {
  const devices = ["cuda:0", "cuda:1"] as const;
  for (const text of ["auto", "cpu", "cuda:1"] as const) expect(textDeviceProblem(text, devices)).toEqual([]);
  for (const text of ["cuda", "webgpu", "cuda:2"] as const)
    expect(textDeviceProblem(text, devices)).toEqual([expect.stringContaining("one of the devices")]);
  expect(textDeviceProblem("webgpu", [])).toEqual([]);
  expect(textDeviceProblem("webgpu", "auto")).toHaveLength(1);
});
