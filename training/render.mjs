// Renders the drawings that the miniature is trained on, 64 x 64 RGB, and the words for each. Needs the packages of
// training/package.json:
//   node training/render.mjs <folder of the npm packages> <data folder in the scratch folder> [reference folder]
// Writes pictures.u8 (raw, [N, 64, 64, 3]), pictures.json (N entries) and a sheet to look at; into the reference folder, what
// evaluate.mjs compares with.
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import sharp from "sharp";
import { subjects } from "./subjects.mjs";

const SIDE = 64;
/** White around each drawing. */
const MARGIN = 2;

/** Places behind a subject: what a caption says, and how much of the picture the subject takes. */
const SCENES = [
  { name: "rain", words: ["in the rain", "standing in the rain"], draw: rain },
  { name: "night", words: ["at night", "under the stars"], draw: night },
  { name: "snow", words: ["in the snow", "on a snowy day"], draw: snow },
];
const SCENE_SUBJECTS = ["cat face", "dog face", "castle", "detective", "robot"];
/** Share of the side that a subject in a scene takes. */
const SCENE_SCALE = 0.8;

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

/** A subject of that size in pixels, transparent around. */
const drawing = (source, size) => sharp(source).resize(size, size, { kernel: "lanczos3" }).png().toBuffer();

async function compose(background, layer, size, top) {
  const left = Math.round((SIDE - size) / 2);
  return sharp(background)
    .composite([{ input: layer, left, top }])
    .removeAlpha()
    .raw()
    .toBuffer();
}

const white = () =>
  sharp({ create: { width: SIDE, height: SIDE, channels: 3, background: "#ffffff" } })
    .png()
    .toBuffer();

/** Streaks, stars or flakes at fixed places: a scene looks the same behind each subject. */
const places = (count) => Array.from({ length: count }, (_, i) => [(i * 37 + 11) % 64, (i * 23 + 7) % 64]);
const sky = (style, top, bottom, marks) => {
  const fill = style === "flat" ? top : "url(#g)";
  return Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"><defs><linearGradient id="g" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="${top}"/><stop offset="1" stop-color="${bottom}"/></linearGradient></defs><rect width="64" height="64" fill="${fill}"/>${marks}</svg>`,
  );
};
function rain(style) {
  const lines = places(16).map(
    ([x, y]) => `<line x1="${x}" y1="${y}" x2="${x - 4}" y2="${y + 9}" stroke="#e8f4ff" stroke-width="1.6"/>`,
  );
  return sky(style, "#8aa4bf", "#4c6078", lines.join(""));
}
function night(style) {
  const stars = places(14).map(([x, y]) => `<circle cx="${x}" cy="${y}" r="1.3" fill="#fff6c8"/>`);
  return sky(style, "#20265a", "#5a3f86", stars.join(""));
}
function snow(style) {
  const flakes = places(16).map(([x, y]) => `<circle cx="${x}" cy="${y}" r="2" fill="#ffffff"/>`);
  return sky(
    style,
    "#a9d4ee",
    "#dceaf6",
    `${flakes.join("")}<rect y="52" width="64" height="12" fill="#ffffff"/>`,
  );
}

mkdirSync(scratch, { recursive: true });
const pictures = [];
const index = [];
const byLabel = new Map(emoji.map((entry) => [entry.label, entry]));
for (const subject of subjects()) {
  const entry = byLabel.get(subject.label);
  if (!entry) throw new Error(`emojibase knows no "${subject.label}"`);
  const files = sources(entry);
  for (const style of ["flat", "3d"]) {
    const size = SIDE - 2 * MARGIN;
    pictures.push(await compose(await white(), await drawing(files[style], size), size, MARGIN));
    index.push({ ...subject, style, scene: null, words: [], tags: entry.tags });
    if (!SCENE_SUBJECTS.includes(subject.label)) continue;
    const small = Math.round(SIDE * SCENE_SCALE);
    for (const scene of SCENES) {
      const background = await sharp(scene.draw(style)).png().toBuffer();
      pictures.push(await compose(background, await drawing(files[style], small), small, SIDE - small - 2));
      index.push({ ...subject, style, scene: scene.name, words: scene.words, tags: [] });
    }
  }
}
writeFileSync(join(scratch, "pictures.u8"), Buffer.concat(pictures));
writeFileSync(join(scratch, "pictures.json"), JSON.stringify(index, null, 1));

const columns = 32;
const sheet = sharp({
  create: {
    width: columns * SIDE,
    height: Math.ceil(pictures.length / columns) * SIDE,
    channels: 3,
    background: "#fff",
  },
});
const tiles = pictures.map((input, i) => ({
  input,
  raw: { width: SIDE, height: SIDE, channels: 3 },
  left: (i % columns) * SIDE,
  top: Math.floor(i / columns) * SIDE,
}));
const png = await sheet.composite(tiles).png().toBuffer();
writeFileSync(join(scratch, "pictures.png"), png);
if (reference) {
  await sharp(png).webp({ quality: 90 }).toFile(join(reference, "reference.webp"));
  const lines = index.map(({ label, name, others, style, scene, words }) =>
    JSON.stringify({ label, name, others, style, scene, words }),
  );
  writeFileSync(join(reference, "reference.json"), `[\n${lines.join(",\n")}\n]\n`);
}
console.log(`${pictures.length} pictures of ${subjects().length} subjects in ${scratch}`);
