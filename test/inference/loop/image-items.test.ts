import { describe, expect, it } from "vitest";
import type { Item, Job, UsedEmbedding } from "../../../src/core/job.js";
import type { ImageOptions } from "../../../src/core/options.js";
import { recipe } from "../../../src/inference/loop/image-items.js";

const IMAGE: ImageOptions = {
  seed: 1,
  steps: 20,
  guidance: 7.5,
  negative: "blurry",
  size: { width: 512, height: 768 },
  scheduler: "pndm",
};
const of = (image: object, item: object = {}, embeddings: readonly UsedEmbedding[] = []) =>
  recipe(
    { image } as Job,
    { prompt: "a cat", rewrite: "a fine cat", seed: 1, image: null, ...item } as unknown as Item,
    "baseline",
    "v1-5",
    embeddings,
  );

describe("the recipe of a picture", () => {
  it.each(
    Object.entries({
      steps: 21,
      guidance: 7,
      negative: "",
      size: null,
      scheduler: "ddim",
      prompts: "weighted",
      anOptionOfLater: true,
    }),
  )("is another one with another %s", (name, value) => {
    expect(of({ ...IMAGE, [name]: value })).not.toBe(of(IMAGE));
  });

  it("is another one with another seed or prompt", () => {
    expect(of(IMAGE, { seed: 2 })).not.toBe(of(IMAGE));
    expect(of(IMAGE, { prompt: "a dog" })).not.toBe(of(IMAGE));
  });

  it("is another one with other embeddings, in whatever order", () => {
    const [one, two] = [
      { name: "style", sha256: "1a" },
      { name: "cat", sha256: "2b" },
    ] as const;
    expect(of(IMAGE, {}, [one])).not.toBe(of(IMAGE));
    expect(of(IMAGE, {}, [{ ...one, sha256: "3c" }])).not.toBe(of(IMAGE, {}, [one]));
    expect(of(IMAGE, {}, [one, two])).toBe(of(IMAGE, {}, [two, one]));
  });

  it("is another one with another picture to go on from, wherever that one's file is", () => {
    const from = (sha256: string, strength = 0.6, file = "source.png", theirs = "other") => ({
      ...IMAGE,
      from: {
        strength,
        sources: { baseline: { file, sha256 }, optimized: { file, sha256: theirs } },
        accepts: [],
      },
    });
    expect(of(from("1a"))).not.toBe(of(IMAGE));
    expect(of(from("2b"))).not.toBe(of(from("1a")));
    expect(of(from("1a", 0.7))).not.toBe(of(from("1a")));
    expect(of(from("1a", 0.6, "1-baseline.png", "another"))).toBe(of(from("1a")));
  });

  it("is that of jobs from before prompts could be read in two ways", () => {
    expect(of({ ...IMAGE, prompts: "diffusers" })).toBe(of(IMAGE));
  });

  it("is the same whatever the order of the options", () => {
    const { size, ...others } = IMAGE;
    const turned = Object.fromEntries(Object.entries(others).reverse());
    expect(of({ ...turned, size: { height: 768, width: 512 } })).toBe(of({ size, ...others }));
  });
});
