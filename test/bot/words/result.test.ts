import { expect, it } from "vitest";
import { noteLine } from "../../../src/bot/words/result.js";

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
