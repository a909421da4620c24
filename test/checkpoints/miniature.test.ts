import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { ClipTokenizer, Gpt2Tokenizer } from "../../src/inference/tokenizers/tokenizer.js";

const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const MINIATURE = at("checkpoints/miniature");
const cases = JSON.parse(readFileSync(at("test/golden/checkpoints-miniature.json"), "utf8")) as {
  text: string;
  gpt2: number[];
  clip: number[];
}[];

const filesOf = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => /\.(json|txt|safetensors)$/.test(name))
    .sort();

describe("the miniature", () => {
  it("is small enough for every clone", () => {
    const bytes = filesOf(MINIATURE).reduce(
      (sum, name) => sum + readFileSync(join(MINIATURE, name)).length,
      0,
    );
    expect(bytes).toBeLessThan(40e6);
  });

  it.each(cases)("tokenizes $text as transformers does", ({ text, gpt2, clip }) => {
    expect(Gpt2Tokenizer.open(join(MINIATURE, "promptist")).encode(text)).toEqual(gpt2);
    expect(ClipTokenizer.open(join(MINIATURE, "stable-diffusion", "tokenizer")).encode(text).ids).toEqual(
      clip,
    );
  });
});
