// The subjects as they were drawn, put into pictures anew: what a generated picture is compared with. Pictures are compared
// by their features: means of squares of 4 x 4 pixels, and the mean absolute difference of those.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { HUES, layers, placing, SIDE } from "./scenes.mjs";

const SQUARE = 4;
const PARTS = SIDE / SQUARE;
export const STYLES = ["flat", "3d"];
const here = (name) => fileURLToPath(new URL(name, import.meta.url));

/** Each subject's label and names, in the order of the sheet. */
export const subjects = JSON.parse(readFileSync(here("reference.json"), "utf8"));
const sheet = await sharp(readFileSync(here("reference.webp")))
  .ensureAlpha()
  .raw()
  .toBuffer({ resolveWithObject: true });
const columns = sheet.info.width / SIDE;

/** A subject's pixels, RGBA, where it stands in such a picture. */
async function place(i, { style, scene }) {
  const tile = 2 * i + STYLES.indexOf(style);
  const [left, top] = [(tile % columns) * SIDE, Math.floor(tile / columns) * SIDE];
  const { size, top: above } = placing(style, scene);
  const side = Math.round((SIDE - size) / 2);
  const subject = sharp(sheet.data, { raw: sheet.info }).extract({ left, top, width: SIDE, height: SIDE });
  return sharp(await subject.raw().toBuffer(), { raw: { width: SIDE, height: SIDE, channels: 4 } })
    .resize(size, size)
    .extend({
      left: side,
      right: SIDE - size - side,
      top: above,
      bottom: SIDE - size - above,
      background: "#00000000",
    })
    .raw()
    .toBuffer();
}
const placed = new Map();
async function allPlaced(kind) {
  const key = `${kind.style} ${kind.scene !== null}`;
  if (!placed.has(key)) placed.set(key, await Promise.all(subjects.map((_, i) => place(i, kind))));
  return placed.get(key);
}

/** Means of squares: [SIDE * SIDE * 3] -> [PARTS * PARTS * 3] */
export function feature(pixels) {
  const means = new Float32Array(3 * PARTS * PARTS);
  for (let y = 0; y < SIDE; y++)
    for (let x = 0; x < SIDE; x++)
      for (let c = 0; c < 3; c++)
        means[3 * (Math.floor(y / SQUARE) * PARTS + Math.floor(x / SQUARE)) + c] +=
          pixels[3 * (y * SIDE + x) + c] / SQUARE ** 2;
  return means;
}
export const distance = (a, b) => a.reduce((sum, value, i) => sum + Math.abs(value - b[i]), 0) / a.length;

const edge = (i) => {
  const [x, y] = [Math.floor(i / 3) % PARTS, Math.floor(i / 3 / PARTS)];
  return (x === 0 || x === PARTS - 1) && y < PARTS / 2;
};

/** Colours of `above` (RGBA) over `picture` (RGB), which is changed. */
function lay(picture, above) {
  for (let at = 0; at < SIDE * SIDE; at++) {
    const alpha = above[4 * at + 3] / 255;
    for (let c = 0; c < 3; c++) picture[3 * at + c] += alpha * (above[4 * at + c] - picture[3 * at + c]);
  }
}
const raw = (svg) => sharp(svg).ensureAlpha().raw().toBuffer();
async function ground(kind) {
  const { behind, before } = layers(kind);
  const picture = new Float32Array(3 * SIDE * SIDE);
  lay(picture, await raw(behind));
  return { picture, before };
}
async function on({ picture, before }, kind, wanted) {
  const [front, all] = [await raw(before), await allPlaced(kind)];
  return wanted.map((i) => {
    const whole = picture.slice();
    lay(whole, all[i]);
    lay(whole, front);
    return whole;
  });
}

/** One subject's picture of that kind, as training has it: RGB [SIDE * SIDE * 3]. */
export async function pictureOf(i, kind) {
  const picture = Uint8Array.from((await on(await ground(kind), kind, [i]))[0]);
  return kind.mirrored ? mirrored(picture) : picture;
}

/** Pixels or a feature, left for right. */
export function mirrored(values) {
  const width = Math.sqrt(values.length / 3);
  return values.map((_, at) => {
    const [row, x] = [Math.floor(at / 3 / width), Math.floor(at / 3) % width];
    return values[3 * (row * width + width - 1 - x) + (at % 3)];
  });
}

/** Of the last kinds that were asked for: a drawing's two sides mostly have the same, and flat ones come again. */
const made = new Map();
const KEPT = 64;

/**
 * Every subject's picture of that kind, as features; of the colours that no caption tells of, the one that the upper edges
 * of the drawn picture are like.
 *
 * @param kind `style`, `scene` and `effects`, as `layers` takes them
 */
export async function referencesFor(kind, drawn) {
  let best = { to: Number.POSITIVE_INFINITY };
  for (let hue = 0; hue < HUES; hue++) {
    const told = { ...kind, hue };
    const here = await ground(told);
    const to = feature(here.picture).reduce(
      (sum, value, i) => sum + (edge(i) ? Math.abs(value - drawn[i]) : 0),
      0,
    );
    if (to < best.to) best = { to, here, told };
  }
  const key = JSON.stringify(best.told);
  const found = made.get(key) ?? (await on(best.here, kind, [...subjects.keys()])).map(feature);
  made.delete(key);
  made.set(key, found);
  if (made.size > KEPT) made.delete(made.keys().next().value);
  return found;
}
