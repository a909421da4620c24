import { describe, expect, it } from "vitest";
import { clip, codeBlock } from "../../../src/bot/discord/markdown.js";

describe("a person's text", () => {
  it("is cut between characters", () => {
    expect(clip("abcdef", 6)).toBe("abcdef");
    expect(clip("abcdefg", 6)).toBe("abcde…");
    expect(clip("abcd🐎g", 6)).toBe("abcd…");
  });

  it("cannot leave its code block", () => {
    const block = codeBlock("```js\n@everyone` `` ````", 100);
    expect(block.slice(4, -4)).not.toContain("``");
    expect(block.startsWith("```\n") && block.endsWith("\n```")).toBe(true);
    expect(codeBlock("x".repeat(500), 100)).toHaveLength(100);
  });
});
