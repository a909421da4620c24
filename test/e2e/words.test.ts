import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { temporaryFolder } from "../support/app.js";

/**
 * From prompts to pictures and rewrites by the command line, compared with diffusers and transformers
 * (test/golden/words.py: small random checkpoints; test/golden/miniature_pictures.py: the committed
 * miniature).
 */

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const WORDS = join(ROOT, "test", "golden", "words");
const MINIATURE = join(ROOT, "test", "golden", "miniature");
const readCases = (folder: string) => JSON.parse(readFileSync(join(folder, "cases.json"), "utf8"));
const cases = readCases(WORDS);
let folder: ReturnType<typeof temporaryFolder>;
beforeAll(() => {
  folder = temporaryFolder();
});
afterAll(() => folder.remove());

const promptist = (...args: string[]) =>
  JSON.parse(
    execFileSync(process.execPath, [join(ROOT, "bin", "promptist.js"), ...args, "--json"], {
      cwd: folder.path,
      env: { ...process.env, DATA_DIR: folder.path, DEVICE: "cpu" },
      stdio: ["ignore", "pipe", "ignore"],
      encoding: "utf8",
    }),
  );

interface Picture {
  prompt: string;
  negative?: string;
  seed: number;
  steps: number;
  guidance: number;
  width?: number;
  height?: number;
  scheduler: string;
}

const DRAWN = [
  {
    of: "a random checkpoint",
    folder: WORDS,
    checkpoint: join(WORDS, "stable-diffusion"),
    pictures: cases.pictures as Picture[],
  },
  {
    of: "the miniature",
    folder: MINIATURE,
    checkpoint: join(ROOT, "checkpoints", "miniature", "stable-diffusion"),
    pictures: readCases(MINIATURE) as Picture[],
  },
];

describe("generate draws diffusers' picture", () => {
  it.each(
    DRAWN.flatMap(({ of, folder, checkpoint, pictures }) =>
      pictures.map((picture, i) => ({
        name: `${of}: ${picture.prompt.slice(0, 40)}`,
        reference: join(folder, `picture-${i}.png`),
        checkpoint,
        picture,
      })),
    ),
  )("$name", async ({ name, reference, checkpoint, picture }) => {
    const { prompt, negative = "", seed, steps, guidance, width = 64, height = 64, scheduler } = picture;
    const out = join(folder.path, `${name.replaceAll(/\W+/g, "-")}.png`);
    const result = promptist(
      ...["generate", prompt, "--out", out, "--diffusion", checkpoint],
      ...["--negative", negative, "--seed", String(seed), "--steps", String(steps)],
      ...["--guidance", String(guidance), "--size", `${width}x${height}`, "--scheduler", scheduler],
      ...["--precision", "fp32"],
    );
    const [ours, theirs] = await Promise.all(
      [out, reference].map((path) => sharp(path).removeAlpha().raw().toBuffer()),
    );
    expect(ours!.length).toBe(theirs!.length);
    const differences = Array.from(ours!, (value, at) => Math.abs(value - theirs![at]!));
    expect(Math.max(...differences)).toBeLessThanOrEqual(3);
    expect(differences.reduce((sum, value) => sum + value, 0) / differences.length).toBeLessThan(0.5);
    // Words beyond 77 tokens are not read, and the result says so.
    expect(Boolean(result.truncated)).toBe(prompt.length > 300);
  });

  it("and the pictures differ from each other by far more than the tolerance", async () => {
    const [, a, b] = await Promise.all(
      [0, 1, 2].map((i) =>
        sharp(join(WORDS, `picture-${i}.png`))
          .removeAlpha()
          .raw()
          .toBuffer(),
      ),
    );
    const mean = a!.reduce((sum, value, at) => sum + Math.abs(value - b![at]!), 0) / a!.length;
    expect(mean).toBeGreaterThan(5);
  });
});

describe("optimize finds transformers' beams", () => {
  it.each(cases.rewrites as { prompt: string; texts: string[]; scores: number[] }[])(
    "$prompt",
    ({ prompt, texts, scores }) => {
      const { optimized, candidates } = promptist(
        ...["optimize", prompt, "--promptist", join(WORDS, "promptist"), "--weights", "fp32"],
        ...["--beams", String(cases.beams), "--max-new-tokens", String(cases.tokens)],
      );
      expect(optimized).toBe(texts[0]);
      const distinct = texts.filter((text, at) => texts.indexOf(text) === at);
      expect(candidates.map(({ text }: { text: string }) => text)).toEqual(distinct);
      for (const { text, score } of candidates) {
        const wanted = scores[texts.indexOf(text)]!;
        // Scores are near 1,600, where float32 has steps of 1.2e-4.
        expect(Math.abs(score - wanted) / Math.abs(wanted)).toBeLessThan(1e-6);
      }
    },
  );
});
