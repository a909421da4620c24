import { expect, it } from "vitest";
import { noteLine } from "../../../src/bot/words/english/result.js";

it("says what Promptist did not read, shortened", () => {
  const line = noteLine({ code: "unread", words: `first ${"word ".repeat(100)}last` });
  expect(line).toMatch(
    /^Promptist can't read such a long prompt to its end\. .*`first word .*… .*word last`$/,
  );
  expect(line.length).toBeLessThan(220);
});

it("shows a user's words in a note as code", () => {
  expect(noteLine({ code: "truncated", side: "optimized", words: "a ` b" })).toContain("`a ' b`");
});

it("says that a picture was computed again, and that one is of one colour", () => {
  expect(noteLine({ code: "redone", side: "optimized" })).toBe(
    "Half precision was not enough for the picture of the rewritten prompt, so it was computed again more exactly.",
  );
  expect(noteLine({ code: "plain", side: "baseline" })).toMatch(
    /^The picture of the prompt is one plain colour/,
  );
});
