import { Command } from "commander";
import { describe, expect, it } from "vitest";
import { imageOptions as slashImageOptions } from "../../src/bot/commands/options.js";
import { parseSetting } from "../../src/bot/requests/setting-catalog.js";
import { addImageOptions, addSeedOption, addTextOptions } from "../../src/cli/parts/options.js";
import { loadConfig } from "../../src/config.js";
import {
  DEFAULT_IMAGE_OPTIONS,
  DEFAULT_LIMITS,
  DEFAULT_TEXT_OPTIONS,
  IMAGE_RANGES,
  isInRange,
  LIMIT_RANGES,
  namedSizes,
  parseSize,
  type Range,
  SCHEDULERS,
  SEARCH_MODES,
  showSize,
  sidesOf,
  TEXT_RANGES,
} from "../../src/core/options.js";
import { sizeWithin } from "../../src/core/picture-memory.js";
import { PROMPTIST } from "../../src/core/rewriters.js";

const config = loadConfig({}, "/nowhere");
const LIMITS = { maxPromptLength: 1000, maxBatch: 20, maxFileBytes: 1000, maxSteps: 1000, maxPairs: 4 };

/** Values at both ends of the range and just beyond them. */
const edgesOf = ({ min, max, whole }: Range): number[] => {
  const step = whole ? 1 : 0.001;
  return [min - step, min, max, max + step].filter((value) => Number.isSafeInteger(value) || !whole);
};

/** Whether the reader accepts the value; any error it throws is a refusal. */
function takes(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch {
    return false;
  }
}

const cli = (flag: string, value: string) => {
  const command = new Command().exitOverride().configureOutput({ writeErr: () => {} });
  addSeedOption(addImageOptions(addTextOptions(command, config), config));
  command.parse([`--${flag}=${value}`], { from: "user" });
};

describe("an option means the same everywhere", () => {
  const kebab = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  const constant = (name: string) => kebab(name).replaceAll("-", "_").toUpperCase();

  it.each(Object.entries(TEXT_RANGES))("%s", (name, range) => {
    for (const value of edgesOf(range)) {
      const holds = isInRange(value, range);
      expect(
        takes(() => cli(kebab(name), String(value))),
        `--${kebab(name)}=${value}`,
      ).toBe(holds);
      const variable = `TEXT_${constant(name)}`;
      expect(
        takes(() => loadConfig({ [variable]: String(value) }, "/nowhere")),
        variable,
      ).toBe(holds);
    }
  });

  it.each(["steps", "guidance", "seed"] as const)("%s", (name) => {
    const range = IMAGE_RANGES[name];
    const slash = slashImageOptions(LIMITS).find((option) => option.name === name);
    expect(slash).toMatchObject({ min_value: range.min, max_value: range.max });
    for (const value of edgesOf(range)) {
      const holds = isInRange(value, range);
      expect(
        takes(() => cli(name, String(value))),
        `--${name}=${value}`,
      ).toBe(holds);
      if (name === "seed") continue;
      expect(
        takes(() => parseSetting(name, String(value))),
        `/settings ${name} ${value}`,
      ).toBe(holds);
      const variable = `IMAGE_${constant(name)}`;
      expect(
        takes(() => loadConfig({ [variable]: String(value) }, "/nowhere")),
        variable,
      ).toBe(holds);
    }
  });

  it.each([
    ["maxSteps", "MAX_STEPS", LIMIT_RANGES.steps],
    ["maxBatch", "MAX_BATCH_PROMPTS", LIMIT_RANGES.batch],
    ["maxPairs", "MAX_PAIRS", LIMIT_RANGES.pairs],
  ] as const)("the limit %s", (setting, variable, range) => {
    for (const value of edgesOf(range)) {
      const holds = isInRange(value, range);
      expect(
        takes(() => parseSetting(setting, String(value))),
        `${value}`,
      ).toBe(holds);
      expect(
        takes(() => loadConfig({ [variable]: String(value) }, "/nowhere")),
        `${value}`,
      ).toBe(holds);
    }
  });

  it.each(["64x64", "512x768", "1024x1024", "72x1000"])("the size %s", (text) => {
    const size = parseSize(text);
    expect(size === null ? null : showSize(size)).toBe(text);
    expect(parseSetting("size", text)).toEqual(size);
    expect(loadConfig({ IMAGE_SIZE: text }, "/nowhere").image.size).toEqual(size);
    expect(takes(() => cli("size", text))).toBe(true);
  });

  it.each(["63x64", "56x64", "512x1032", "100x100", "512", "512x", "x512", "512x512x512", "-64x64"])(
    "refuses the size %s",
    (text) => {
      expect(parseSize(text)).toBeNull();
      expect(takes(() => parseSetting("size", text))).toBe(false);
      expect(takes(() => loadConfig({ IMAGE_SIZE: text }, "/nowhere"))).toBe(false);
      expect(takes(() => cli("size", text))).toBe(false);
    },
  );

  it("choices", () => {
    for (const mode of SEARCH_MODES) {
      cli("mode", mode);
      expect(parseSetting("mode", mode)).toBe(mode);
      expect(loadConfig({ TEXT_MODE: mode }, "/nowhere").text.mode).toBe(mode);
    }
    for (const scheduler of SCHEDULERS) {
      cli("scheduler", scheduler);
      expect(parseSetting("scheduler", scheduler)).toBe(scheduler);
      expect(loadConfig({ IMAGE_SCHEDULER: scheduler }, "/nowhere").image.scheduler).toBe(scheduler);
    }
    expect(takes(() => cli("mode", "other"))).toBe(false);
    expect(takes(() => parseSetting("scheduler", "other"))).toBe(false);
  });
});

it("the environment's defaults are the table's", () => {
  expect(config.text).toEqual({ ...DEFAULT_TEXT_OPTIONS, rewriter: PROMPTIST.name });
  expect(config.image).toEqual({ ...DEFAULT_IMAGE_OPTIONS, guidance: null });
  expect(config).toMatchObject({
    MAX_PROMPT_LENGTH: DEFAULT_LIMITS.promptLength,
    MAX_STEPS: DEFAULT_LIMITS.steps,
    MAX_BATCH_PROMPTS: DEFAULT_LIMITS.batch,
    MAX_PAIRS: DEFAULT_LIMITS.pairs,
  });
});

describe("sides", () => {
  it.each([
    [512, null, null, 1024],
    [64, null, null, 128],
    [768, null, null, 1024],
    [16, null, null, 64],
    [64, 512, null, 512],
    [512, 256, null, 256],
    [64, null, { width: 64, height: 256 }, 256],
  ])(
    "of a checkpoint for %d pixels with the limit %j and the default %j may be %d long",
    (own, max, usual, longest) => {
      expect(sidesOf(own, max, usual)).toEqual({ own, max: longest });
    },
  );

  it("are named where they are allowed", () => {
    const shown = (own: number, max: number | null) =>
      Object.entries(namedSizes(sidesOf(own, max))).map(([name, size]) => `${name} ${showSize(size)}`);
    expect(shown(512, null)).toEqual([
      "square 512x512",
      "portrait 512x768",
      "landscape 768x512",
      "larger 768x768",
    ]);
    expect(shown(64, null)).toContain("larger 96x96");
    expect(shown(512, 600)).toEqual(["square 512x512"]);
    expect(shown(16, null)).toEqual([]);
    expect(shown(88, null)).toContain("portrait 88x136");
  });

  it("are read from the environment", () => {
    expect(loadConfig({}, "/nowhere").MAX_SIDE).toBeNull();
    expect(loadConfig({ MAX_SIDE: "256" }, "/nowhere").MAX_SIDE).toBe(256);
    for (const wrong of ["63", "1025", "a"])
      expect(takes(() => loadConfig({ MAX_SIDE: wrong }, "/nowhere"))).toBe(false);
  });

  it("that fit into memory keep their shape, and a size that can't be drawn is none", () => {
    const within = (width: number, height: number, pixels: number) => {
      const size = sizeWithin({ width, height }, pixels);
      return size && showSize(size);
    };
    expect(within(1024, 1024, 768 * 768)).toBe("768x768");
    expect(within(1024, 512, 768 * 768)).toBe("1024x512");
    expect(within(512, 1024, 512 * 512)).toBe("360x720");
    expect(within(512, 512, 60 * 60)).toBeNull();
  });

  it("the memory for them is read in its unit", () => {
    const bytes = (given: string) => loadConfig({ DEVICE_MEMORY: given }, "/nowhere").DEVICE_MEMORY;
    expect(loadConfig({}, "/nowhere").DEVICE_MEMORY).toBeNull();
    expect(bytes("6GB")).toBe(6 * 2 ** 30);
    expect(bytes("5.5 GiB")).toBe(5.5 * 2 ** 30);
    expect(bytes("5500mb")).toBe(5500 * 2 ** 20);
    for (const wrong of ["6", "0GB", "-1GB", "6TB", "much"]) expect(takes(() => bytes(wrong))).toBe(false);
  });
});
