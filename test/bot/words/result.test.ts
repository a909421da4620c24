import { expect, it } from "vitest";
import { noteLine } from "../../../src/bot/words/result.js";

it("shows a user's words in a note as code", () => {
  expect(noteLine({ code: "truncated", side: "optimized", words: "a ` b" })).toContain("`a ' b`");
});
