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
import { HUES, layers, placing, SIDE } from "./scenes.mjs";
import { subjects } from "./subjects.mjs";
import { EFFECTS, effectsOf, generator, modifiers, SCENES } from "./words.mjs";

/** Pictures of a subject: plain ones on a white and on other grounds, and with modifiers; one of each scene and style. */
const PLAIN = 4;
const MODIFIED = 9;
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

async function compose(source, kind) {
  const { size, top } = placing(kind.style, kind.scene);
  const { behind, before } = layers(kind);
  const subject = await sharp(source).resize(size, size, { kernel: "lanczos3" }).png().toBuffer();
  return sharp(behind)
    .composite([
      { input: subject, left: Math.round((SIDE - size) / 2), top },
      { input: before, left: 0, top: 0 },
    ])
    .removeAlpha()
    .raw()
    .toBuffer();
}

const random = generator(SEED);
const anyHue = () => 1 + Math.floor(random() * (HUES - 1));
const effects = () => effectsOf(modifiers(random));
/** What is drawn of each subject. */
const kinds = () => [
  ...Array.from({ length: PLAIN }, (_, i) => ({ style: "flat", scene: null, hue: i === 0 ? 0 : anyHue() })),
  ...Array.from({ length: MODIFIED }, () => ({
    style: "3d",
    scene: null,
    hue: anyHue(),
    effects: effects(),
  })),
  ...Object.keys(SCENES).flatMap((scene) => [
    { style: "flat", scene, hue: anyHue() },
    { style: "3d", scene, hue: anyHue(), effects: effects() },
  ]),
];

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
for (const subject of subjects()) {
  const entry = byLabel.get(subject.label);
  if (!entry) throw new Error(`emojibase knows no "${subject.label}"`);
  const files = sources(entry);
  for (const kind of kinds()) {
    pictures.push(await compose(files[kind.style], kind));
    index.push({ ...subject, effects: [], ...kind, tags: entry.tags });
  }
  for (const style of ["flat", "3d"])
    alone.push(await sharp(files[style]).resize(SIDE, SIDE).ensureAlpha().raw().toBuffer());
}
writeFileSync(join(scratch, "pictures.u8"), Buffer.concat(pictures));
writeFileSync(join(scratch, "pictures.json"), JSON.stringify(index));
const told = { scenes: Object.keys(SCENES), effects: Object.keys(EFFECTS) };
writeFileSync(join(scratch, "told.json"), JSON.stringify(told));
writeFileSync(join(scratch, "subjects.u8"), Buffer.concat(alone));
writeFileSync(join(scratch, "subjects.json"), JSON.stringify(subjects()));
const shown = pictures.slice(0, 40 * COLUMNS);
await (await sheetOf(shown, 3)).png().toFile(join(scratch, "pictures.png"));
if (reference) {
  const sheet = await sheetOf(alone, 4);
  await sheet.webp({ quality: 85, alphaQuality: 85 }).toFile(join(reference, "reference.webp"));
  const lines = subjects().map((subject) => JSON.stringify(subject));
  writeFileSync(join(reference, "reference.json"), `[\n${lines.join(",\n")}\n]\n`);
}
console.log(`${pictures.length} pictures of ${subjects().length} subjects in ${scratch}`);
