// Renders the pictures that the miniature is trained on, 64 x 64 RGB, and the words for each. Needs the packages of
// training/package.json:
//   node training/render.mjs <folder of the npm packages> <data folder in the scratch folder> [reference folder]
// Writes pictures.u8 (raw, [N, 64, 64, 3]), pictures.json (N entries), what captions can tell (told.json), the subjects alone, flat and 3D (raw, [subjects, 2,
// 64, 64, 4]), and a sheet to look at; the subjects into the reference folder, too: evaluate.mjs makes of them what it
// compares with.
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import sharp from "sharp";
import { pictureOf, standing } from "./compose.mjs";
import { HUES, SIDE } from "./scenes.mjs";
import { subjects } from "./subjects.mjs";
import {
  COLOURS,
  coloured,
  EFFECTS,
  effectsOf,
  generator,
  modifiers,
  perhapsColoured,
  perhapsScene,
  pick,
  SCENES,
  SIZES,
  some,
  WAYS,
} from "./words.mjs";

/**
 * Pictures of a subject in each style: as it is, on a white and on other grounds; in scenes; of a told colour or size; with
 * a second subject.
 */
const AS_IT_IS = { flat: 4, "3d": 7 };
const IN_SCENES = 3;
const OF_LOOKS = 4;
const OF_TWO = 7;
/** emojibase's number of the group of people and their bodies. */
const PEOPLE = 1;
/** Side of a drawing before it is put into pictures. */
const DRAWN = 128;
const SEED = 21;
const COLUMNS = 50;

const [packages, scratch, reference] = process.argv.slice(2).map((path) => resolve(path));
if (!packages || !scratch) throw new Error("usage: node training/render.mjs <npm folder> <scratch folder>");
const require = createRequire(join(packages, "package.json"));
const emoji = require("emojibase-data/en/data.json");
const flat = require("@iconify-json/fluent-emoji-flat/icons.json");
const solid = join(packages, "node_modules/@lobehub/fluent-emoji-3d/assets");

const slug = (label) =>
  label
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");

/** The flat drawing and the 3D one of an emoji, as files that sharp reads. */
function sources(entry) {
  const icon = flat.icons[slug(entry.label)];
  if (!icon) throw new Error(`no flat drawing of "${entry.label}"`);
  const [width, height] = [icon.width ?? flat.width ?? 32, icon.height ?? flat.height ?? 32];
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="256" height="256" viewBox="0 0 ${width} ${height}">${icon.body}</svg>`;
  const code = entry.hexcode.toLowerCase();
  const file = [code, code.replaceAll("-fe0f", ""), `${code}-fe0f`]
    .map((name) => join(solid, `${name}.webp`))
    .find((path) => existsSync(path));
  if (!file) throw new Error(`no 3D drawing of "${entry.label}"`);
  return { flat: Buffer.from(svg), "3d": file };
}

const random = generator(SEED);
const anyHue = () => 1 + Math.floor(random() * (HUES - 1));
const eitherSide = () => random() < 0.5;
/** A told colour, a told size, or both. */
function look(subject) {
  const kind = random();
  return {
    ...(kind < 0.75 ? coloured(random, subject) : {}),
    ...(kind > 0.5 ? { size: pick(random, Object.keys(SIZES)) } : {}),
  };
}
/** What is drawn of each subject. */
const kinds = (subject, all) =>
  ["flat", "3d"].flatMap((style) => {
    const made = (kind, hue = anyHue()) => ({
      style,
      scene: null,
      hue,
      effects: style === "flat" ? [] : effectsOf(modifiers(random)),
      ...kind,
    });
    const of = (count, kind) => Array.from({ length: count }, (_, i) => kind(i));
    return [
      ...of(AS_IT_IS[style], (i) => made({}, style === "flat" && i === 0 ? 0 : anyHue())),
      ...some(random, Object.keys(SCENES), IN_SCENES).map((scene) => made({ scene })),
      ...of(OF_LOOKS, () => made(look(subject))),
      ...of(OF_TWO, (i) => {
        const second = pick(
          random,
          all.filter(({ label }) => label !== subject.label),
        );
        return made({
          scene: perhapsScene(random),
          way: i % 2 ? "beside" : "on",
          mirrored: eitherSide(),
          ...perhapsColoured(random, subject),
          second: { ...second, mirrored: eitherSide(), ...perhapsColoured(random, second) },
        });
      }),
    ];
  });

/** Tiles of SIDE x SIDE in rows, as PNG. */
async function sheetOf(tiles, depth) {
  const rows = Math.ceil(tiles.length / COLUMNS);
  const [width, height] = [COLUMNS * SIDE, rows * SIDE];
  const pixels = Buffer.alloc(width * height * depth);
  for (const [i, tile] of tiles.entries())
    for (let y = 0; y < SIDE; y++)
      tile.copy(
        pixels,
        depth * ((Math.floor(i / COLUMNS) * SIDE + y) * width + (i % COLUMNS) * SIDE),
        depth * y * SIDE,
        depth * (y + 1) * SIDE,
      );
  return sharp(pixels, { raw: { width, height, channels: depth } });
}

mkdirSync(scratch, { recursive: true });
const pictures = [];
const index = [];
const alone = [];
const byLabel = new Map(emoji.map((entry) => [entry.label, entry]));
const all = subjects().map((subject) => {
  const entry = byLabel.get(subject.label);
  if (!entry) throw new Error(`emojibase knows no "${subject.label}"`);
  return { ...subject, ...(entry.group === PEOPLE ? { person: true } : {}) };
});
const drawings = new Map();
for (const { label } of all) {
  const entry = byLabel.get(label);
  const files = sources(entry);
  const drawing = async (style) => ({
    data: await sharp(files[style]).resize(DRAWN, DRAWN).ensureAlpha().raw().toBuffer(),
    width: DRAWN,
    height: DRAWN,
  });
  drawings.set(label, { flat: await drawing("flat"), "3d": await drawing("3d") });
  for (const style of ["flat", "3d"])
    alone.push(await sharp(files[style]).resize(SIDE, SIDE).ensureAlpha().raw().toBuffer());
}
for (const subject of all) {
  const entries = kinds(subject, all).map((kind) => ({
    ...subject,
    ...kind,
    tags: byLabel.get(subject.label).tags,
  }));
  const drawn = entries.map((entry) =>
    pictureOf(
      entry,
      standing(entry).map(({ label }) => drawings.get(label)[entry.style]),
    ),
  );
  pictures.push(...(await Promise.all(drawn)));
  index.push(...entries);
}
writeFileSync(join(scratch, "pictures.u8"), Buffer.concat(pictures));
writeFileSync(join(scratch, "pictures.json"), JSON.stringify(index));
const told = {
  scenes: Object.keys(SCENES),
  effects: Object.keys(EFFECTS),
  colours: Object.keys(COLOURS),
  sizes: Object.keys(SIZES),
  ways: Object.keys(WAYS),
};
writeFileSync(join(scratch, "told.json"), JSON.stringify(told));
writeFileSync(join(scratch, "subjects.u8"), Buffer.concat(alone));
writeFileSync(join(scratch, "subjects.json"), JSON.stringify(all));
const shown = pictures.slice(0, 40 * COLUMNS);
await (await sheetOf(shown, 3)).png().toFile(join(scratch, "pictures.png"));
if (reference) {
  const sheet = await sheetOf(alone, 4);
  await sheet.webp({ quality: 85, alphaQuality: 85 }).toFile(join(reference, "reference.webp"));
  const lines = all.map((subject) => JSON.stringify(subject));
  writeFileSync(join(reference, "reference.json"), `[\n${lines.join(",\n")}\n]\n`);
}
console.log(`${pictures.length} pictures of ${all.length} subjects in ${scratch}`);
