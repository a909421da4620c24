// The subjects as they were drawn, put into pictures anew: what a generated picture is compared with. Pictures are compared
// by their features: means of squares of 4 x 4 pixels, and the mean absolute difference of those.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import * as compose from "./compose.mjs";
import { HUES, placing, SIDE } from "./scenes.mjs";

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

/** A subject alone. */
async function drawing(i, style) {
  const tile = 2 * i + STYLES.indexOf(style);
  const [left, top] = [(tile % columns) * SIDE, Math.floor(tile / columns) * SIDE];
  const alone = sharp(sheet.data, { raw: sheet.info }).extract({ left, top, width: SIDE, height: SIDE });
  return { data: await alone.raw().toBuffer(), width: SIDE, height: SIDE };
}
const drawings = Object.fromEntries(
  await Promise.all(
    STYLES.map(async (style) => [style, await Promise.all(subjects.map((_, i) => drawing(i, style)))]),
  ),
);
const indexOf = ({ label }) => subjects.findIndex((subject) => subject.label === label);

/** Keeps what was asked for last. */
class Kept {
  #most;
  #values = new Map();
  constructor(most) {
    this.#most = most;
  }
  get(key, make) {
    const value = this.#values.get(key) ?? make();
    this.#values.delete(key);
    this.#values.set(key, value);
    if (this.#values.size > this.#most) this.#values.delete(this.#values.keys().next().value);
    return value;
  }
}
const places = new Kept(32);
/** All subjects, where one stands in a picture: RGBA [SIDE * SIDE * 4] each. */
const allPlaced = (style, square, look) =>
  places.get(JSON.stringify([style, square, look]), () =>
    Promise.all(drawings[style].map((drawing) => compose.placed(drawing, square, look))),
  );

/** Means of squares: [SIDE * SIDE * 3] -> [PARTS * PARTS * 3] */
const MEAN_OF = Int32Array.from({ length: 3 * SIDE * SIDE }, (_, at) => {
  const [y, x] = [Math.floor(at / 3 / SIDE), Math.floor(at / 3) % SIDE];
  return 3 * (Math.floor(y / SQUARE) * PARTS + Math.floor(x / SQUARE)) + (at % 3);
});
export function feature(pixels) {
  const means = new Float32Array(3 * PARTS * PARTS);
  for (let at = 0; at < pixels.length; at++) means[MEAN_OF[at]] += pixels[at] / SQUARE ** 2;
  return means;
}
export function distance(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += Math.abs(a[i] - b[i]);
  return sum / a.length;
}

const edge = (i) => {
  const [x, y] = [Math.floor(i / 3) % PARTS, Math.floor(i / 3 / PARTS)];
  return (x === 0 || x === PARTS - 1) && y < PARTS / 2;
};

/** One subject's picture of that kind, as training has it: RGB [SIDE * SIDE * 3]. */
export async function pictureOf(i, { mirrored: isMirrored, ...kind }) {
  const picture = await compose.pictureOf(kind, [drawings[kind.style][i]]);
  return isMirrored ? mirrored(picture) : picture;
}

/** Pixels or a feature, left for right. */
export function mirrored(values) {
  const width = Math.sqrt(values.length / 3);
  return values.map((_, at) => {
    const [row, x] = [Math.floor(at / 3 / width), Math.floor(at / 3) % width];
    return values[3 * (row * width + width - 1 - x) + (at % 3)];
  });
}

const made = new Kept(64);

/** The ground of that kind; of the colours that no caption tells of, the one that the upper edges of the picture are like. */
async function groundLike(kind, drawn) {
  let best = { to: Number.POSITIVE_INFINITY };
  for (let hue = 0; hue < HUES; hue++) {
    const ground = await compose.ground({ ...kind, hue });
    const to = feature(ground.picture).reduce(
      (sum, value, i) => sum + (edge(i) ? Math.abs(value - drawn[i]) : 0),
      0,
    );
    if (to < best.to) best = { to, hue, ground };
  }
  return best;
}

/**
 * Every subject's picture of that kind, as features.
 *
 * @param kind `style`, `scene`, `effects` and what else `layers`, `placing` and `placed` take
 * @param drawn the feature of a picture, whose ground they get
 */
export async function referencesFor(kind, drawn) {
  const { hue, ground } = await groundLike(kind, drawn);
  const { style, scene, effects, colour, size } = kind;
  return made.get(JSON.stringify([style, scene, effects, colour, size, hue]), async () => {
    const [square] = placing(kind);
    const all = await allPlaced(style, square, { colour });
    return all.map((one) => feature(compose.composed(ground, [one])));
  });
}

/** One subject's picture of that kind, as `referencesFor` has it. */
export async function referenceOf(subject, kind, drawn) {
  const { ground } = await groundLike(kind, drawn);
  const [square] = placing(kind);
  const one = await compose.placed(drawings[kind.style][subject], square, { colour: kind.colour });
  return feature(compose.composed(ground, [one]));
}

/**
 * Every subject's picture as one of two, beside the other one that is told; both ways that each may look.
 *
 * @param kind with `second`
 * @param varied which of the two, 0 for the first of the caption, is any subject
 * @returns a feature and the `subject` of each
 */
export async function referencesOfTwo(kind, drawn, varied) {
  const { ground } = await groundLike(kind, drawn);
  const squares = placing(kind);
  const found = [];
  const told = compose.standing(kind);
  // Those behind come first, so the caption's second.
  const at = 1 - varied;
  for (const others of [false, true]) {
    const other = told[1 - at];
    const fixed = await compose.placed(drawings[kind.style][indexOf(other)], squares[1 - at], {
      colour: other.colour,
      mirrored: others,
    });
    for (const mirrored of [false, true]) {
      const all = await allPlaced(kind.style, squares[at], { colour: told[at].colour, mirrored });
      for (const [subject, one] of all.entries())
        found.push({
          subject,
          reference: feature(compose.composed(ground, at === 0 ? [one, fixed] : [fixed, one])),
        });
    }
  }
  return found;
}
