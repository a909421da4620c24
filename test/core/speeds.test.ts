import { expect, it, test } from "vitest";
import type { TurboLora } from "../../src/core/known-models.js";
import type { ImageOptions } from "../../src/core/options.js";
import { underChannel } from "../../src/core/settings.js";
import { atSpeed, isDecided, ownAtSpeed, speedsHere, speedsOf } from "../../src/core/speeds.js";

const FULL: ImageOptions = {
  seed: 7,
  steps: 50,
  guidance: 7.5,
  negative: "",
  size: null,
  scheduler: "pndm",
};
const LCM: TurboLora = { name: "lcm-lora-sdv1-5", kind: "lcm", fits: true };
const HYPER: TurboLora = { name: "Hyper-SD15-8steps-lora", kind: "hyper-sd", fits: true };

test("a speed stands for a scheduler, its steps, the guidance and a LoRA", () => {
  const speeds = speedsOf(FULL, LCM);
  expect(atSpeed(FULL, "full", speeds)).toEqual({ ...FULL, speed: "full" });
  expect(atSpeed(FULL, "fast", speeds)).toEqual({
    ...FULL,
    steps: 20,
    scheduler: "dpm++2m-karras",
    speed: "fast",
  });
  expect(atSpeed(FULL, "turbo", speeds)).toEqual({
    ...FULL,
    steps: 4,
    guidance: 1,
    scheduler: "lcm",
    loras: [{ name: LCM.name, strength: 1 }],
    speed: "turbo",
  });
  expect(atSpeed(FULL, "turbo", speedsOf(FULL, HYPER))).toMatchObject({
    steps: 8,
    guidance: 1,
    scheduler: "ddim-trailing",
    loras: [{ name: HYPER.name, strength: 1 }],
  });
});

test("another speed takes its LoRA along and leaves the others; steps keep to the limit", () => {
  const speeds = speedsOf(FULL, LCM, 10);
  const own = { name: "ink", strength: 0.8 };
  const turbo = atSpeed({ ...FULL, loras: [own] }, "turbo", speeds);
  expect(turbo.loras).toEqual([{ name: LCM.name, strength: 1 }, own]);
  expect(atSpeed(turbo, "fast", speeds)).toMatchObject({ steps: 10, loras: [own] });
  expect(atSpeed(atSpeed(FULL, "turbo", speeds), "full", speeds)).not.toHaveProperty("loras");
});

test("turbo can't be chosen without a LoRA that fits", () => {
  const missing = speedsOf(FULL, null);
  const misfit = speedsOf(FULL, { ...LCM, fits: false });
  expect([missing, misfit, speedsOf(FULL, LCM)].map(speedsHere)).toEqual([
    ["full", "fast"],
    ["full", "fast"],
    ["full", "fast", "turbo"],
  ]);
  expect(() => atSpeed(FULL, "turbo", missing)).toThrow(
    expect.objectContaining({
      code: "INPUT_SPEED",
      context: {},
      message: expect.stringContaining("checkpoints pull lcm-lora"),
    }),
  );
  expect(() => atSpeed(FULL, "turbo", misfit)).toThrow(
    expect.objectContaining({ code: "INPUT_SPEED", context: { lora: LCM.name } }),
  );
});

it("fills in what a row's speed stands for where the row does not say it itself", () => {
  const speeds = speedsOf(FULL, LCM);
  const usual = atSpeed(FULL, "full", speeds);
  expect(ownAtSpeed(usual, { steps: 9 }, speeds)).toEqual({ steps: 9 });
  expect(ownAtSpeed(usual, { speed: "full", steps: 9 }, speeds)).toEqual({ speed: "full", steps: 9 });
  expect(ownAtSpeed(usual, { speed: "turbo", steps: 6 }, speeds)).toEqual({
    speed: "turbo",
    steps: 6,
    guidance: 1,
    scheduler: "lcm",
    loras: [{ name: LCM.name, strength: 1 }],
  });
  // A row without the LoRA that the others have says so.
  expect(ownAtSpeed(atSpeed(FULL, "turbo", speeds), { speed: "fast" }, speeds)).toMatchObject({ loras: [] });
  // A row's own LoRAs come behind the speed's, which only turbo has.
  const ink = { name: "ink", strength: 0.8 };
  const lcm = { name: LCM.name, strength: 0.9 };
  const turbo = atSpeed(FULL, "turbo", speeds);
  expect(ownAtSpeed(turbo, { loras: [ink] }, speeds).loras).toEqual([{ name: LCM.name, strength: 1 }, ink]);
  expect(ownAtSpeed(turbo, { loras: [ink, lcm] }, speeds).loras).toEqual([ink, lcm]);
  expect(ownAtSpeed(usual, { loras: [lcm, ink] }, speeds).loras).toEqual([ink]);
  expect(ownAtSpeed(FULL, { loras: [lcm] }, speeds).loras).toEqual([lcm]);
  // A stored row keeps what it was drawn with, whatever is here now.
  const loras = [{ name: "gone", strength: 1 }];
  const stored = { speed: "turbo", steps: 4, guidance: 1, scheduler: "lcm", loras } as const;
  expect(ownAtSpeed(usual, stored, speedsOf(FULL, null))).toBe(stored);
});

it("decides a file's steps, guidance and scheduler, but nothing else", () => {
  const given = (...names: string[]) => isDecided((name) => names.includes(name));
  expect(["speed", "steps", "guidance", "scheduler", "size"].filter(given("speed"))).toEqual([
    "speed",
    "steps",
    "guidance",
    "scheduler",
  ]);
  expect(["speed", "steps", "size"].filter(given("size"))).toEqual(["size"]);
});

test("a channel's speed replaces what its server says of one", () => {
  const server = { speed: "fast", steps: 30, scheduler: "euler", negative: "blurry" } as const;
  expect(underChannel(server, { speed: "turbo", steps: 6 })).toEqual({
    speed: "turbo",
    steps: 6,
    negative: "blurry",
  });
  expect(underChannel(server, { steps: 6 })).toEqual({ ...server, steps: 6 });
});
