import { describe, expect, it } from "vitest";
import type { Item, Job } from "../../../src/core/job.js";
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
const of = (image: object, item: object = {}) =>
  recipe(
    { image } as Job,
    { prompt: "a cat", rewrite: "a fine cat", seed: 1, image: null, ...item } as unknown as Item,
    "baseline",
    "v1-5",
  );

describe("the recipe of a picture", () => {
  it.each(
    Object.entries({
      steps: 21,
      guidance: 7,
      negative: "",
      size: null,
      scheduler: "ddim",
      anOptionOfLater: true,
    }),
  )("is another one with another %s", (name, value) => {
    expect(of({ ...IMAGE, [name]: value })).not.toBe(of(IMAGE));
  });

  it("is another one with another seed or prompt", () => {
    expect(of(IMAGE, { seed: 2 })).not.toBe(of(IMAGE));
    expect(of(IMAGE, { prompt: "a dog" })).not.toBe(of(IMAGE));
  });

  it("is the same whatever the order of the options", () => {
    const { size, ...others } = IMAGE;
    const turned = Object.fromEntries(Object.entries(others).reverse());
    expect(of({ ...turned, size: { height: 768, width: 512 } })).toBe(of({ size, ...others }));
  });
});
