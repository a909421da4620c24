import { describe, expect, it } from "vitest";
import { diffMarkdown } from "../../../src/bot/messages/parts/prompt-diff.js";

describe("the difference of a prompt and its rewrite", () => {
  it.each([
    ["A cat", "A cat, highly detailed", "A cat**, highly detailed**"],
    ["A cat in the rain", "A dog in rain", "A ~~cat~~ **dog** in ~~the~~ rain"],
    ["A cat", "A cat", "A cat"],
    ["", "A cat", "**A cat**"],
    ["A *cat* @everyone", "A *cat* @everyone <@1>", "A \\*cat\\* \\@everyone **\\<\\@1\\>**"],
    ["- a list", "- a list", "\\- a list"],
  ])("%j to %j", (prompt, rewrite, markdown) => {
    expect(diffMarkdown(prompt, rewrite, 500)).toBe(markdown);
  });

  it("is cut between words and closes its marks", () => {
    const text = diffMarkdown("A cat", `A cat, ${"very detailed ".repeat(50)}`, 100);
    expect(text.length).toBeLessThanOrEqual(100);
    expect(text.endsWith("…")).toBe(true);
    expect(text).toMatch(/^A cat\*\*, (very detailed )+very( detailed)?\*\*…$/);
  });
});
