import { describe, expect, it } from "vitest";
import { codeOf, contextOf, InputError } from "../../src/core/errors.js";
import { AXIS_NAMES, cellsOf, completeAxis, readAxis } from "../../src/core/grid-axes.js";
import { DEFAULT_TEXT_OPTIONS, IMAGE_RANGES, isInRange } from "../../src/core/options.js";
import { rewriterOptions } from "../../src/core/rewriters.js";

const LIMITS = {
  maxSteps: 100,
  maxPromptLength: 50,
  maxCells: 25,
  offered: { own: "sd", models: ["sd", "Dreamy"], loras: ["pastel"], adult: [] },
  rewriters: {
    names: ["promptist", "none"],
    textOf: (name: string) => rewriterOptions(name, DEFAULT_TEXT_OPTIONS),
  },
};
const read = (text: string) => readAxis("x", text, LIMITS);
const valuesOf = (text: string) => read(text).values;

function refusal(run: () => unknown) {
  try {
    run();
  } catch (error) {
    return { code: codeOf(error), context: contextOf(error), message: (error as Error).message };
  }
  throw new Error("It was not refused.");
}

describe("an axis", () => {
  it.each([
    ["steps=20,30,50", ["20", "30", "50"]],
    ["steps: 20, 30", ["20", "30"]],
    [" STEPS =20", ["20"]],
    ["steps=20,,30,", ["20", "30"]],
    ["steps=20,20,020", ["20"]],
    // A1111's examples of its X/Y/Z plot.
    ["steps=1-5", ["1", "2", "3", "4", "5"]],
    ["steps=1-5 (+2)", ["1", "3", "5"]],
    ["steps=10-5 (-3)", ["10", "7"]],
    ["steps=1-10 [5]", ["1", "3", "5", "7", "10"]],
    ["rewriter=Promptist, none", ["promptist", "none"]],
    ["strength=0-1 [3]", ["0", "0.5", "1"]],
    ["LoRA strength=0.4,-1", ["0.4", "-1"]],
    ["guidance=0.0-1.0 [6]", ["0", "0.2", "0.4", "0.6", "0.8", "1"]],
    ["steps=1-10 (+3)", ["1", "4", "7", "10"]],
    ["steps=1-10 [4]", ["1", "4", "7", "10"]],
    // Not beyond the end, where A1111 goes.
    ["guidance=1-2 (+0.3)", ["1", "1.3", "1.6", "1.9"]],
    ["guidance=0.1-0.3 (+0.1)", ["0.1", "0.2", "0.3"]],
    ["steps=5-3", ["5", "4", "3"]],
    ["steps=1-3,50", ["1", "2", "3", "50"]],
    ["guidance=3-3", ["3"]],
    ["cfg=7.5", ["7.5"]],
    ["seed=9007199254740990-9007199254740991", ["9007199254740990", "9007199254740991"]],
    ["sampler=Euler,dpm++2m-karras", ["euler", "dpm++2m-karras"]],
    ["size=portrait,512X512", ["512x768", "512x512"]],
    ['negative="",blurry,"blurry, lowres"', ["", "blurry", "blurry, lowres"]],
    ["style=none,photo", ["none", "photo"]],
    ["prompts=diffusers,weighted", ["diffusers", "weighted"]],
  ])("%s is %j", (text, values) => {
    expect(valuesOf(text)).toEqual(values);
  });

  it.each([
    ["", "GRID_AXIS", {}],
    ["colour=red", "GRID_AXIS", { axis: "colour" }],
    ["constructor=1", "GRID_AXIS", { axis: "constructor" }],
    ["steps", "GRID_AXIS", { example: "steps=10,20,30,50" }],
    ["steps=", "GRID_AXIS", { example: "steps=10,20,30,50" }],
    ["guidance=,,", "GRID_AXIS", { example: "guidance=3,7.5,12" }],
    ["steps=20,many", "GRID_VALUE", { axis: "steps", value: "many", min: 1, max: 100 }],
    ["steps=101", "GRID_VALUE", { value: "101", max: 100 }],
    ["steps=1.5", "GRID_VALUE", { value: "1.5", takes: "integer" }],
    ["steps=1-3 (+0.5)", "GRID_VALUE", { value: "1-3 (+0.5)" }],
    ["steps=1-3 (-1)", "GRID_VALUE", { value: "1-3 (-1)" }],
    ["steps=1-3 (+0)", "GRID_VALUE", { value: "1-3 (+0)" }],
    ["steps=1-3 [0]", "GRID_VALUE", { value: "1-3 [0]" }],
    ["steps=1-99", "GRID_SIZE", { cells: 99, max: 25 }],
    ["steps=1-99 [26]", "GRID_SIZE", { cells: 26, max: 25 }],
    ["seed=0-9007199254740991", "GRID_SIZE", { max: 25 }],
    [`seed=1-${"9".repeat(400)}`, "GRID_VALUE", {}],
    ["scheduler=euler,heun", "GRID_VALUE", { axis: "scheduler", value: "heun", takes: "oneOf" }],
    ["size=5000x5000", "GRID_VALUE", { takes: "size" }],
    ["size=toString", "GRID_VALUE", { value: "toString" }],
    [`negative=${"a".repeat(51)}`, "GRID_VALUE", { takes: "text", limit: 50 }],
    ['negative="open', "GRID_VALUE", { axis: "negative" }],
  ])("refuses %s with %s", (text, code, context) => {
    expect(refusal(() => read(text))).toMatchObject({ code, context: { ...context } });
  });

  it("tells in its error's sentence what is wrong, for the command line", () => {
    expect(refusal(() => read("steps=20,many")).message).toBe(
      'steps in x can\'t be "many": it takes whole numbers from 1 to 100.',
    );
    expect(refusal(() => read("colour=red")).message).toMatch(
      /^There is no axis colour\. .* such as steps=10,20,30,50; the names are steps, guidance,/,
    );
  });

  it("of any text gives values within its range, or an input error, and soon", () => {
    const letters = "steps=guidance,seed: 0123456789.-+()[] \"'ｘ\n\u0000e";
    // A linear congruential generator: the same texts each time.
    let state = 7;
    const next = (below: number) => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return state % below;
    };
    const started = performance.now();
    let understood = 0;
    for (let i = 0; i < 20_000; i++) {
      const name = AXIS_NAMES[next(AXIS_NAMES.length)]!;
      const tail = Array.from({ length: next(30) }, () => letters[next(letters.length)]).join("");
      try {
        const { values, cells } = read(`${name}=${tail}`);
        understood++;
        expect(values.length).toBeLessThanOrEqual(25);
        expect(new Set(values).size).toBe(values.length);
        for (const { image, seed } of cells) {
          if (image?.steps !== undefined)
            expect(isInRange(image.steps, { min: 1, max: 100, whole: true })).toBe(true);
          if (image?.guidance !== undefined)
            expect(isInRange(image.guidance, IMAGE_RANGES.guidance)).toBe(true);
          if (seed !== undefined) expect(isInRange(seed, IMAGE_RANGES.seed)).toBe(true);
        }
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
      }
    }
    expect(understood).toBeGreaterThan(500);
    for (const long of ["1".repeat(6000), `${"1-".repeat(3000)}`, '"'.repeat(6000), `${"(".repeat(6000)}`])
      expect(() => read(`seed=${long}`)).toThrow(InputError);
    expect(performance.now() - started).toBeLessThan(20_000);
  });
});

describe("the cells of a grid", () => {
  it("go row by row, with the values of both axes", () => {
    const { grid, cells } = cellsOf(read("steps=10,20"), readAxis("y", "guidance=3,7.5", LIMITS), LIMITS);
    expect(grid).toEqual({
      x: { name: "steps", values: ["10", "20"] },
      y: { name: "guidance", values: ["3", "7.5"] },
    });
    expect(cells).toEqual([
      { image: { guidance: 3, steps: 10 } },
      { image: { guidance: 3, steps: 20 } },
      { image: { guidance: 7.5, steps: 10 } },
      { image: { guidance: 7.5, steps: 20 } },
    ]);
  });

  it("may have one axis, and seeds", () => {
    expect(cellsOf(read("seed=1-3"), null, LIMITS)).toEqual({
      grid: { x: { name: "seed", values: ["1", "2", "3"] }, y: null },
      cells: [{ seed: 1 }, { seed: 2 }, { seed: 3 }],
    });
  });

  it("are no more than are allowed, of two different axes", () => {
    const [x, y] = [read("steps=1-6"), readAxis("y", "seed=1-5", LIMITS)];
    expect(refusal(() => cellsOf(x, y, LIMITS))).toMatchObject({ code: "GRID_SIZE", context: { cells: 30 } });
    expect(refusal(() => cellsOf(x, null, { maxCells: 4 }))).toMatchObject({
      code: "GRID_SIZE",
      context: { cells: 6, max: 4 },
    });
    expect(refusal(() => cellsOf(x, x, LIMITS))).toMatchObject({
      code: "GRID_TWICE",
      context: { axis: "steps" },
    });
  });
});

describe("completion", () => {
  it("offers each axis with an example, and of one that is named all examples", () => {
    const all = completeAxis("", LIMITS);
    expect(all).toHaveLength(AXIS_NAMES.length);
    // Where no models can be named, they are no axis to choose.
    const { offered: _, ...others } = LIMITS;
    expect(completeAxis("", others).some((text) => text.startsWith("model="))).toBe(false);
    for (const text of [...all, ...AXIS_NAMES.flatMap((name) => completeAxis(`${name}=`, LIMITS))])
      expect(read(text).values.length, text).toBeGreaterThan(0);
    expect(completeAxis("gui", LIMITS)).toEqual([
      "guidance=3,7.5,12",
      "guidance=1-13 (+3)",
      "guidance=1-13 [5]",
    ]);
  });

  it("goes on with the values that are not in the list yet", () => {
    expect(completeAxis("scheduler=euler,dp", LIMITS).slice(0, 2)).toEqual([
      "scheduler=euler,dpm++2m",
      "scheduler=euler,dpm++2m-karras",
    ]);
    expect(completeAxis("scheduler=euler,eu", LIMITS)[0]).toBe("scheduler=euler,euler-ancestral");
  });
});
