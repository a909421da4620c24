import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openWeightFile } from "../../../src/checkpoints/files/open.js";
import type { EmbeddingChoice } from "../../../src/checkpoints/layouts/embeddings.js";
import { drawPicture } from "../../../src/inference/diffusion/pipeline.js";
import { encodePrompts } from "../../../src/inference/diffusion/prompts.js";
import { StableDiffusion } from "../../../src/inference/diffusion/stable-diffusion.js";
import { openPromptReader, type PromptReader } from "../../../src/inference/worker/prompt-tokenizer.js";
import { temporaryFolder } from "../../support/app.js";

const GOLDEN = fileURLToPath(new URL("../../golden/", import.meta.url));
const REFERENCE = join(GOLDEN, "embeddings");
const CHECKPOINT = join(GOLDEN, "words/stable-diffusion");
/** In the order in which the golden's script loads them, which numbers their tokens. */
const FILES: EmbeddingChoice[] = [
  "mycat.pt",
  "learned_embeds.bin",
  "badhands7.safetensors",
  "learned_embeds-2.safetensors",
].map((name) => ({ file: join(REFERENCE, name), isRequired: true }));

interface Case {
  readonly id: string;
  readonly prompt: string;
  readonly negative: string;
  readonly ids: readonly (readonly number[])[];
}
const golden = JSON.parse(readFileSync(join(REFERENCE, "cases.json"), "utf8")) as {
  readonly cases: readonly Case[];
  readonly picture: string;
} & Readonly<Record<"every" | "steps" | "guidance" | "seed", number>>;
const states = openWeightFile(join(REFERENCE, "states.safetensors"));

let folder: ReturnType<typeof temporaryFolder>;
let reader: PromptReader;
let model: StableDiffusion;
const openModel = (vectors: readonly Float32Array[]) =>
  StableDiffusion.open({
    directory: CHECKPOINT,
    vectors,
    device: { name: "cpu", note: null },
    precision: "fp32",
    cacheDir: join(folder.path, "cache"),
    threads: 1,
  });
const vectorsOf = ({ embeddings }: PromptReader) => embeddings.flatMap(({ vectors }) => vectors);

beforeAll(async () => {
  folder = temporaryFolder();
  reader = openPromptReader(join(CHECKPOINT, "tokenizer"), CHECKPOINT, FILES);
  model = await openModel(vectorsOf(reader));
});
afterAll(async () => {
  await model.release();
  folder.remove();
});

describe("embeddings beside diffusers' load_textual_inversion", () => {
  it.each(golden.cases)("$id: the same tokens, and states to 1e-5", async (one) => {
    const { tokenizer } = reader;
    expect([tokenizer.encode(one.negative).ids, tokenizer.encode(one.prompt).ids]).toEqual(one.ids);
    const { text } = await encodePrompts(model, tokenizer, { ...one, guidance: 5 });
    const [, T, D] = text.shape as [number, number, number];
    const expected = states.readFloat32(one.id);
    const each = Math.ceil(T / golden.every);
    let largest = 0;
    for (let row = 0; row < 2; row++)
      for (let i = 0; i < each; i++)
        for (let j = 0; j < D; j++) {
          const ours = text.data[(row * T + i * golden.every) * D + j]!;
          largest = Math.max(largest, Math.abs(ours - expected[(row * each + i) * D + j]!));
        }
    expect(largest).toBeLessThan(1e-5);
  });

  it("draw the same picture", async () => {
    const { prompt, negative } = golden.cases.find(({ id }) => id === golden.picture)!;
    const { steps, guidance, seed } = golden;
    const options = { prompt, negative, steps, guidance, seed, scheduler: "pndm", size: null } as const;
    const { pixels } = await drawPicture(model, reader.tokenizer, options);
    const file = sharp(join(REFERENCE, `${golden.picture}.png`));
    const theirs = await file.removeAlpha().raw().toBuffer();
    expect(pixels.length).toBe(theirs.length);
    const differences = Array.from(pixels, (value, i) => Math.abs(value - theirs[i]!));
    expect(Math.max(...differences)).toBeLessThanOrEqual(3);
  });
});

describe("embeddings", () => {
  it("stand for all of their vectors in any case", () => {
    const { tokenizer } = reader;
    expect(tokenizer.encode("a MyCat").ids).toEqual(tokenizer.encode("a mycat").ids);
  });

  it("are weighed whole, and never torn between two windows", () => {
    const { chunks } = reader.tokenizer.encodeWeighted(`(mycat:1.2) ${"cat ".repeat(71)} badhands7 [mycat]`);
    const [first, second] = chunks as [(typeof chunks)[0], (typeof chunks)[0]];
    const idsOf = (name: string) => reader.tokenizer.units(name)[0]!;
    expect(first.ids.slice(1, 3)).toEqual(idsOf("mycat"));
    expect(first.weights.slice(0, 4)).toEqual([1, 1.2, 1.2, 1]);
    expect(second.ids.slice(1, 6)).toEqual([...idsOf("badhands7"), ...idsOf("mycat")]);
    expect(second.weights.slice(4, 6)).toEqual([1 / 1.1, 1 / 1.1]);
  });

  it("are read alike in both modes where no word is weighed", async () => {
    const one = { prompt: "a mycat in the rain", negative: "badhands7", guidance: 5 };
    expect(await encodePrompts(model, reader.tokenizer, { ...one, prompts: "weighted" })).toEqual(
      await encodePrompts(model, reader.tokenizer, one),
    );
  });

  it("can't take the place of a word, in capitals or not", () => {
    const called = (token: string) =>
      openPromptReader(join(CHECKPOINT, "tokenizer"), CHECKPOINT, [{ ...FILES[0]!, token }]);
    expect(called("cats9").embeddings).toHaveLength(1);
    for (const token of ["th", "TH"])
      expect(() => called(token)).toThrow(/which CLIP's vocabulary has already/);
  });

  it("are reported where they stand in a prompt", () => {
    const used = (...prompts: string[]) => reader.used(prompts, "diffusers").map(({ names }) => names[0]);
    expect(used("a mycat", "badhands7, mycat")).toEqual(["mycat", "badhands7"]);
    expect(used("my cat")).toEqual([]);
    expect(used(`${"rain ".repeat(80)} mycat`)).toEqual([]);
  });

  it("change no compiled graph", async () => {
    const { arithmetic } = model;
    const options = {
      directory: CHECKPOINT,
      device: { name: "cpu", note: null } as const,
      precision: "fp32" as const,
      cacheDir: join(folder.path, "cache"),
      threads: 1,
    };
    expect(arithmetic.float).toBe("float32");
    const all = await StableDiffusion.compile({ ...options, vectors: vectorsOf(reader) });
    const one = await StableDiffusion.compile({ ...options, vectors: vectorsOf(reader).slice(0, 1) });
    const none = await StableDiffusion.compile(options);
    expect(one.graphs.text).toMatchObject({ path: all.graphs.text.path, reused: true });
    expect(none.graphs.text.path).not.toBe(all.graphs.text.path);
  });
});
