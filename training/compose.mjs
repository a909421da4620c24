// Puts subjects into pictures: the drawings that the miniature is trained on, and those with which its pictures are compared.
import sharp from "sharp";
import { layers, placing, recolour, SIDE } from "./scenes.mjs";
import { COLOURS } from "./words.mjs";

/**
 * A subject where it stands in a picture.
 *
 * @param drawing RGBA: `data`, `width` and `height`
 * @param square of `placing`; what of it is outside the picture is cut off
 * @param look `colour`, of COLOURS, and whether it is `mirrored`
 * @returns RGBA [SIDE * SIDE * 4]
 */
export async function placed({ data, width, height }, { side, left, top }, { colour, mirrored } = {}) {
  const resized = sharp(data, { raw: { width, height, channels: 4 } }).resize(side, side);
  const pixels = await (mirrored ? resized.flop() : resized).raw().toBuffer();
  if (colour) recolour(pixels, COLOURS[colour]);
  const picture = Buffer.alloc(4 * SIDE * SIDE);
  const [from, to] = [Math.max(0, left), Math.min(SIDE, left + side)];
  for (let y = Math.max(0, top); y < Math.min(SIDE, top + side); y++) {
    const row = 4 * (y - top) * side;
    pixels.copy(picture, 4 * (y * SIDE + from), row + 4 * (from - left), row + 4 * (to - left));
  }
  return picture;
}

/** Colours of `above` (RGBA) over `picture` (RGB), which is changed. */
function lay(picture, above) {
  for (let at = 0, a = 0, b = 0; at < SIDE * SIDE; at++, a += 3, b += 4) {
    const opacity = above[b + 3];
    if (opacity === 0) continue;
    for (let c = 0; c < 3; c++) picture[a + c] += (opacity / 255) * (above[b + c] - picture[a + c]);
  }
}

/** What is behind the subjects of such a picture, RGB as floats, and what is before them, RGBA, if anything is. */
export async function ground(kind) {
  const raw = (svg) => sharp(svg).ensureAlpha().raw().toBuffer();
  const { behind, before } = layers(kind);
  const picture = new Float32Array(3 * SIDE * SIDE);
  lay(picture, await raw(behind));
  const front = await raw(before);
  return { picture, before: front.some((value, at) => at % 4 === 3 && value > 0) ? [front] : [] };
}

/** A picture, RGB as floats [SIDE * SIDE * 3], of a ground and the subjects on it (`placed`), those behind first. */
export function composed({ picture, before }, subjects) {
  const whole = picture.slice();
  for (const layer of [...subjects, ...before]) lay(whole, layer);
  return whole;
}

/** The subjects of a picture in the order of `placing`: the second of two is behind. */
export const standing = (kind) => (kind.second ? [kind.second, kind] : [kind]);

/**
 * A picture, RGB bytes [SIDE * SIDE * 3].
 *
 * @param kind as `layers` and `placing` take it
 * @param drawings of its subjects, in the order of `standing`
 */
export async function pictureOf(kind, drawings) {
  const squares = placing(kind);
  const looks = standing(kind);
  const layers = await Promise.all(drawings.map((drawing, i) => placed(drawing, squares[i], looks[i])));
  return Buffer.from(composed(await ground(kind), layers));
}
