import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { errorSentence } from "../../src/bot/words/english/errors.js";
import { EXPLANATIONS, explain } from "../../src/cli/parts/explanations.js";

/** The codes as written in the source: a type has no list at run time. */
const source = readFileSync(new URL("../../src/core/errors.ts", import.meta.url), "utf8");
const codes = [...source.matchAll(/^ {2}\| "([A-Z_]+)"/gm)].map(([, code]) => code!);

test("every failure code has an explanation and says what to do", () => {
  expect(codes.length).toBeGreaterThan(35);
  expect(Object.keys(EXPLANATIONS)).toEqual(codes);
  for (const code of codes) {
    const { means, todo } = explain(code)!;
    expect(means, code).toMatch(/^[A-Z].{10,}\.$/);
    expect(todo, code).toMatch(/^[A-Z].*\.$/);
    // The user and the operator get different sentences.
    expect(errorSentence(code), code).not.toBe(means);
  }
});

test("a code is found in upper or lower case, and JavaScript's own property names are unknown", () => {
  expect(explain(" worker_died ")).toMatchObject({ code: "WORKER_DIED" });
  for (const wrong of ["", "NO_SUCH_CODE", "__proto__", "constructor"]) expect(explain(wrong)).toBeNull();
});
