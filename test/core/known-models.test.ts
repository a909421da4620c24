import { describe, expect, test } from "vitest";
import { codeOf, contextOf, type ErrorCode, type ErrorContext } from "../../src/core/errors.js";
import {
  type OfferedModels,
  offeredName,
  offeredOf,
  readLoras,
  takeMentions,
  withOfferedModels,
} from "../../src/core/known-models.js";
import { within } from "../support/within.js";

const KNOWN = {
  own: "stable-diffusion-v1-5",
  models: ["stable-diffusion-v1-5", "Dreamy", "anime/mix"],
  loras: ["pastel", "ink lines", "spicy"],
};
const ALL: OfferedModels = { ...KNOWN, adult: [] };

function caught(work: () => unknown): { code: ErrorCode; context: ErrorContext } {
  try {
    work();
  } catch (error) {
    return { code: codeOf(error), context: contextOf(error) };
  }
  throw new Error("nothing was thrown");
}

describe("takeMentions", () => {
  test.each<[string, string, [string, string | undefined][]]>([
    ["a cat", "a cat", []],
    ["a cat <lora:pastel:0.8>", "a cat", [["pastel", "0.8"]]],
    ["a cat, <lora:pastel:0.8>, at night", "a cat, at night", [["pastel", "0.8"]]],
    ["<lora:pastel>, a cat", "a cat", [["pastel", undefined]]],
    ["a <LoRA:pastel:1:0.5> cat", "a cat", [["pastel", "1"]]],
    [
      "a cat<lora:pastel:.5><lora:ink lines:-1>, blue",
      "a cat, blue",
      [
        ["pastel", ".5"],
        ["ink lines", "-1"],
      ],
    ],
    ["<lora:pastel:1>", "", [["pastel", "1"]]],
    ["a <b> cat <lora:>", "a <b> cat <lora:>", []],
  ])("of %s", (prompt, text, loras) =>
    expect(takeMentions(prompt)).toEqual({
      text,
      loras: loras.map(([name, strength]) => ({ name, strength })),
    }),
  );

  test("takes no longer for text that was made to hold it up", () => {
    const started = performance.now();
    takeMentions("<lora:".repeat(20_000));
    takeMentions(`${"<lora:a:".repeat(20_000)}>`);
    expect(performance.now() - started).toBeLessThan(within(1_000));
  });
});

describe("names", () => {
  test("are found in any case, with or without the file's end and A1111's hash", () => {
    for (const wanted of ["dreamy", " DREAMY.safetensors", "Dreamy [0123abcd]"])
      expect(offeredName(wanted, "model", ALL)).toBe("Dreamy");
  });

  test("that are not there are refused with the nearest one", () => {
    expect(caught(() => offeredName("pastell", "LoRA", ALL))).toEqual({
      code: "INPUT_MODEL",
      context: { model: "pastell", kind: "LoRA", near: "pastel" },
    });
    expect(caught(() => offeredName("Dreamy", "LoRA", ALL)).context).toEqual({
      model: "Dreamy",
      kind: "LoRA",
    });
  });

  test("with an 18+ mark are neither offered nor taken outside age-restricted channels", () => {
    const rules = { adult: ["Spicy"], isAgeRestricted: false };
    const here = offeredOf(KNOWN, rules);
    expect(here.loras).toEqual(["pastel", "ink lines"]);
    expect(caught(() => offeredName("spicy", "LoRA", here)).code).toBe("MODEL_ADULT");
    expect(offeredOf(KNOWN, { ...rules, isAgeRestricted: true }).loras).toEqual(KNOWN.loras);
  });

  test("are those that are offered, among them always the configured model", () => {
    const here = offeredOf(KNOWN, {
      models: ["Dreamy"],
      loras: [],
      adult: [KNOWN.own],
      isAgeRestricted: false,
    });
    expect([here.models, here.loras]).toEqual([[KNOWN.own, "Dreamy"], []]);
    expect(caught(() => offeredName("pastel", "LoRA", here)).code).toBe("INPUT_MODEL");
  });
});

describe("readLoras", () => {
  test("takes several, with a strength of their own or the one for all", () => {
    expect(readLoras("Pastel:0.5, ink lines,pastel:0.7", 0.9, ALL)).toEqual([
      { name: "pastel", strength: 0.7 },
      { name: "ink lines", strength: 0.9 },
    ]);
  });

  test.each(["pastel:strong", "pastel:", "pastel:11"])("refuses %s", (text) =>
    expect(caught(() => readLoras(text, 1, ALL)).code).toBe("INPUT_OPTION"),
  );
});

test("the configured model by its name is no other one", () => {
  expect(withOfferedModels({ model: "Stable-Diffusion-v1-5" }, ALL)).toEqual({ model: "" });
  expect(withOfferedModels({ model: "dreamy", loras: [{ name: "PASTEL", strength: 1 }] }, ALL)).toEqual({
    model: "Dreamy",
    loras: [{ name: "pastel", strength: 1 }],
  });
});
