import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openWeightFile } from "../../../src/checkpoints/files/open.js";
import { writeSafetensors } from "../../../src/checkpoints/files/safetensors.js";
import { drawPicture } from "../../../src/inference/diffusion/pipeline.js";
import { encodePrompts } from "../../../src/inference/diffusion/prompts.js";
import { StableDiffusion } from "../../../src/inference/diffusion/stable-diffusion.js";
import { ClipTokenizer } from "../../../src/inference/tokenizers/tokenizer.js";

const GOLDEN = fileURLToPath(new URL("../../golden/", import.meta.url));
const REFERENCE = join(GOLDEN, "weighted");

interface Case {
  readonly id: string;
  readonly prompt: string;
  readonly negative: string;
  readonly tokens: number;
  readonly clipSkip?: number;
}
const { cases, shift, every, steps, guidance, seed, pictures } = JSON.parse(
  readFileSync(join(REFERENCE, "cases.json"), "utf8"),
) as { cases: Case[]; pictures: string[] } & Record<
  "shift" | "every" | "steps" | "guidance" | "seed",
  number
>;
const states = openWeightFile(join(REFERENCE, "states.safetensors"));

let root: string;
let tokenizer: ClipTokenizer;
const models = new Map<number, StableDiffusion>();

/** The golden's pipeline: that of words.py with another bias, so that the mean of the states is not near zero. */
function shifted(): string {
  const directory = join(root, "model");
  cpSync(join(GOLDEN, "words/stable-diffusion"), directory, { recursive: true });
  const file = join(directory, "text_encoder/model.safetensors");
  const weights = openWeightFile(file);
  const tensors = weights.names.map((name) => ({
    name,
    type: "F32" as const,
    shape: weights.get(name)!.shape,
    data: new Uint8Array(
      weights.readFloat32(name).map((x) => (name.endsWith("final_layer_norm.bias") ? x + shift : x)).buffer,
    ),
  }));
  writeSafetensors(file, tensors);
  return directory;
}

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "promptist-weighted-"));
  const directory = shifted();
  tokenizer = ClipTokenizer.open(join(directory, "tokenizer"));
  for (const clipSkip of [0, 1])
    models.set(
      clipSkip,
      await StableDiffusion.open({
        directory,
        clipSkip,
        device: { name: "cpu", note: null },
        precision: "fp32",
        cacheDir: join(root, "cache"),
        threads: 1,
      }),
    );
}, 60_000);
afterAll(async () => {
  for (const model of models.values()) await model.release();
  rmSync(root, { recursive: true, force: true });
});

const modelOf = ({ clipSkip = 0 }: Partial<Case>) => models.get(clipSkip)!;
const weighted = ({ prompt, negative }: Case) => ({
  prompt,
  negative,
  guidance,
  prompts: "weighted" as const,
});

describe("weighted prompts beside AUTOMATIC1111's own code", () => {
  it.each(cases)("$id: the states agree to 1e-4", async (one) => {
    const { text, truncated } = await encodePrompts(modelOf(one), tokenizer, weighted(one));
    expect(truncated).toBeNull();
    const [rows, tokens, D] = text.shape as [number, number, number];
    expect([rows, tokens]).toEqual([2, one.tokens]);
    const expected = states.readFloat32(one.id);
    const each = Math.ceil(tokens / every);
    let largest = 0;
    // The golden has the prompt first.
    for (const [row, theirs] of [1, 0].entries())
      for (let i = 0; i < each; i++)
        for (let j = 0; j < D; j++) {
          const ours = text.data[(row * tokens + i * every) * D + j]!;
          largest = Math.max(largest, Math.abs(ours - expected[(theirs * each + i) * D + j]!));
        }
    expect(largest).toBeLessThan(1e-4);
  });

  it.each(pictures)("%s: the picture agrees with diffusers'", async (id) => {
    const one = cases.find((it) => it.id === id)!;
    const options = { steps, seed, scheduler: "pndm", size: null } as const;
    const { pixels } = await drawPicture(modelOf(one), tokenizer, { ...weighted(one), ...options });
    const theirs = await sharp(join(REFERENCE, `${id}.png`))
      .removeAlpha()
      .raw()
      .toBuffer();
    expect(pixels.length).toBe(theirs.length);
    const differences = Array.from(pixels, (value, i) => Math.abs(value - theirs[i]!));
    expect(Math.max(...differences)).toBeLessThanOrEqual(3);
  });
});

describe("weighted prompts", () => {
  it("are read as by diffusers where they are short and have no marks, with CLIP skip too", async () => {
    const one = { prompt: "A cat in the rain, highly detailed", negative: "dog", guidance };
    for (const model of models.values()) {
      const plain = await encodePrompts(model, tokenizer, one);
      const read = await encodePrompts(model, tokenizer, { ...one, prompts: "weighted" });
      expect(read).toEqual(plain);
    }
  });

  it("have one row without guidance", async () => {
    const one = { prompt: "cat BREAK dog", negative: "(", guidance: 1, prompts: "weighted" as const };
    const { text } = await encodePrompts(modelOf({}), tokenizer, one);
    expect(text.shape.slice(0, 2)).toEqual([1, 2 * 77]);
  });

  it("stay numbers whatever the weights are", async () => {
    for (const prompt of ["(a cat:0)", "(a:10) (b:-10)", "(a:.) (b:0.0001)", "BREAK", ""]) {
      const { text } = await encodePrompts(modelOf({}), tokenizer, { ...weighted(cases[0]!), prompt });
      expect(
        text.data.every((x) => Number.isFinite(x) && Math.abs(x) < 1e4),
        prompt,
      ).toBe(true);
    }
  });

  it("end at a bounded number of chunks, and the rest is told", async () => {
    const words = Array.from({ length: 3000 }, (_, i) => (i % 9 === 8 ? "cat," : "cat"));
    for (const prompt of [words.join(" "), `(${words.join(" ")}:1.2)`]) {
      const { chunks, truncated } = tokenizer.encodeWeighted(prompt);
      expect(chunks).toHaveLength(16);
      const read = chunks.flatMap(({ ids }) => ids).filter((id) => id < tokenizer.bosId);
      const [cat] = tokenizer.encode("cat").ids.slice(1);
      const left = truncated!.split(" ").length;
      expect(left).toBeGreaterThan(1000);
      expect(read.filter((id) => id === cat)).toHaveLength(words.length - left);
    }
    const broken = tokenizer.encodeWeighted("cat BREAK ".repeat(40));
    expect(broken.chunks).toHaveLength(16);
    expect(broken.truncated!.split(" ")).toHaveLength(24);
  });
});
