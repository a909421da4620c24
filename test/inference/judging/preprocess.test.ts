import { join } from "node:path";
import sharp from "sharp";
import { expect, test } from "vitest";
import { openWeightFile } from "../../../src/checkpoints/files/open.js";
import { parseConfig, readConfig } from "../../../src/checkpoints/layouts/config.js";
import { clipPixels, preprocessorConfig } from "../../../src/inference/judging/preprocess.js";
import { resizeBicubic } from "../../../src/pictures/resize.js";
import { CLIP, clipNumbers, goldenPicture, isTallAndShrinks } from "./golden-judges.js";

const pictures = Object.keys(clipNumbers.cases.quick!.cosines);

test.each(Object.keys(clipNumbers.cases))("pixels of %s are the processor's, to the byte", async (name) => {
  const config = readConfig(join(CLIP, name), "preprocessor_config.json", preprocessorConfig);
  const expected = openWeightFile(join(CLIP, name, "expected.safetensors"));
  expect(pictures.length).toBe(7);
  for (const picture of pictures) {
    const actual = clipPixels(await goldenPicture(picture), config);
    const wanted = expected.readFloat32(picture);
    expect(actual.length).toBe(wanted.length);
    const plane = actual.length / 3;
    const off = (c: number) => {
      let most = 0;
      for (let i = c * plane; i < (c + 1) * plane; i++)
        most = Math.max(most, Math.abs(actual[i]! - wanted[i]!));
      return most * config.image_std[c]! * 255;
    };
    // In units of 1/255: a byte that is off by one counts as 1.
    const most = isTallAndShrinks(name, picture) ? 2.001 : 1e-3;
    for (const c of [0, 1, 2]) expect(off(c), `${picture}, channel ${c}`).toBeLessThan(most);
  }
});

test("sharp's own cubic would differ by more than 1 of 255", async () => {
  const picture = await goldenPicture("blocks-64x64");
  const ours = resizeBicubic(picture, 28, 28).pixels;
  const theirs = await sharp(picture.pixels, { raw: { width: 64, height: 64, channels: 3 } })
    .resize(28, 28, { kernel: "cubic", fit: "fill" })
    .raw()
    .toBuffer();
  const differences = ours.map((value, i) => Math.abs(value - theirs[i]!));
  expect(Math.max(...differences)).toBeGreaterThan(1);
});

test("reads published and newer spellings of sizes", () => {
  const old = parseConfig("here", { size: 224, crop_size: 224 }, preprocessorConfig);
  const named = { size: { shortest_edge: 224 }, crop_size: { height: 224, width: 224 } };
  expect(parseConfig("here", named, preprocessorConfig)).toMatchObject({ size: old.size, crop_size: 224 });
  expect(parseConfig("here", {}, preprocessorConfig).size).toBe(224);
});

test.each([
  [{ resample: 2 }, /resample/],
  [{ do_resize: false }, /do_resize/],
  [{ size: 100, crop_size: 224 }, /crop_size/],
  [{ crop_size: { height: 224, width: 200 } }, /crop_size/],
])("a processor that does something else is refused: %j", (config, message) => {
  expect(() => parseConfig("here", config, preprocessorConfig)).toThrow(message);
});
