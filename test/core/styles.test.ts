import { describe, expect, it } from "vitest";
import { applyStyle, PRESETS, STYLE_MAX, styleKey, styleNamed, withPresets } from "../../src/core/styles.js";

describe("applyStyle", () => {
  const cat = { prompt: "a cat", negative: "dogs" };

  // What A1111's merge_prompts makes of the same texts.
  it.each([
    ["ink of {prompt}, thin", "photo", "ink of a cat, thin", "dogs, photo"],
    ["thin lines", "", "a cat, thin lines", "dogs"],
    ["", "photo", "a cat", "dogs, photo"],
    ["{prompt} and {prompt}", "{prompt}, photo", "a cat and a cat", "dogs, photo"],
  ])("puts %j and %j around a prompt", (prompt, negative, styled, without) => {
    expect(applyStyle(cat, { prompt, negative })).toEqual({ prompt: styled, negative: without });
  });

  it("leaves out what is empty", () => {
    const style = { prompt: "", negative: "photo" };
    expect(applyStyle({ prompt: "a cat", negative: " " }, style)).toEqual({
      prompt: "a cat",
      negative: "photo",
    });
    expect(applyStyle(cat, undefined)).toEqual(cat);
  });

  it("does not add negative words that are there already", () => {
    const style = { prompt: "ink", negative: "Photo, blur" };
    const once = applyStyle(cat, style);
    expect(applyStyle({ ...cat, negative: once.negative }, style).negative).toBe("dogs, Photo, blur");
  });

  it("takes signs of a replacement in a prompt for words", () => {
    const style = { prompt: "ink of {prompt}", negative: "" };
    expect(applyStyle({ prompt: "$& costs $1", negative: "" }, style).prompt).toBe("ink of $& costs $1");
  });
});

describe("presets", () => {
  it("are a dozen with names of their own, within what a server may store", () => {
    expect(PRESETS).toHaveLength(12);
    expect(new Set(PRESETS.map(({ name }) => styleKey(name))).size).toBe(12);
    for (const { name, prompt, negative } of PRESETS) {
      expect(name.length).toBeLessThanOrEqual(STYLE_MAX.name);
      expect(prompt).toContain("{prompt}");
      expect(Math.max(prompt.length, negative.length)).toBeLessThan(120);
      expect(negative).not.toBe("");
    }
  });

  it("give way to a server's own style of the same name", () => {
    const own = [{ name: "Photo", prompt: "snapshot of {prompt}", negative: "" }];
    const all = withPresets(own);
    expect(all).toHaveLength(12);
    expect(styleNamed("PHOTO", all)).toEqual(own[0]);
    expect(styleNamed("woodcut", all)?.prompt).toContain("{prompt}");
    expect(styleNamed("nothing", all)).toBeUndefined();
  });
});
