// Draws and rewrites with the miniature, through the program as it is built, and measures how well:
//   npm run miniature:evaluate -- --out <folder for the pictures> --captions 100 --steps 20
// Twice as many pictures as captions: each is drawn plain and with modifiers.
// (a) All subjects put into a picture of the caption's scene and effects: is the one that is nearest to the generated picture
//     the caption's? (references.mjs) The picture may be mirrored, as half of those in training are. Of two subjects each is
//     looked for beside the other one. Half of the captions are asked as none in training, half are of a scene, of two
//     subjects, or of a told colour or size.
// (b) Is a picture of a rewritten prompt nearer to its subject's 3D drawing, and that of the plain prompt nearer to the flat
//     one, than the other way round? Which of the two does the miniature's own style predictor prefer? How far are the
//     pictures of two seeds from each other, where the flat and the 3D drawing of the subject are 100% apart?
// (c) Does a rewrite begin with the prompt, word for word? Does it say a phrase twice, or break a letter? Also of 200 everyday
//     prompts (everyday.txt), by both rewriters, held to the prompt as the miniature is by default, and not.
// (d) The first question again at speed turbo, of as many pictures, and how long a picture takes beside one at full speed.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import sharp from "sharp";
import { Models } from "../dist/cli/parts/models.js";
import { Output } from "../dist/cli/parts/output.js";
import { loadConfig } from "../dist/config.js";
import { rewriterOptions } from "../dist/core/rewriters.js";
import { atSpeed, speedsOf } from "../dist/core/speeds.js";
import {
  distance,
  feature,
  mirrored,
  referenceOf,
  referencesFor,
  referencesOfTwo,
  STYLES,
  subjects,
} from "./references.mjs";
import { SIDE } from "./scenes.mjs";
import {
  COLOURS,
  caption,
  effectsOf,
  generator,
  modifiers,
  pick,
  plural,
  SCENES,
  SIZES,
  WAYS,
} from "./words.mjs";

const SEED = 2026;
const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const { values: flags } = parseArgs({
  options: {
    out: { type: "string", default: join(tmpdir(), "miniature-evaluation") },
    captions: { type: "string", default: "100" },
    steps: { type: "string", default: "20" },
    guidance: { type: "string" },
  },
});
const out = resolve(flags.out);
const CAPTIONS = Number(flags.captions);
mkdirSync(out, { recursive: true });

const random = generator(SEED);
const anyOf = (list) => pick(random, Object.keys(list));
const inScene = () => ({ scene: anyOf(SCENES) });
/** What a caption tells beside its subject: of four a scene in two, a second subject, a colour or size. */
const composites = [
  inScene,
  inScene,
  ({ label }) => ({
    way: anyOf(WAYS),
    second: pick(
      random,
      subjects.filter((subject) => subject.label !== label),
    ),
  }),
  ({ person }) => (person || random() < 0.4 ? { size: anyOf(SIZES) } : { colour: anyOf(COLOURS) }),
];
/** Of four captions: as in training, held out, of a composite, of a composite and held out. */
const cases = Array.from({ length: CAPTIONS }, (_, i) => {
  const heldOut = i % 2 === 1;
  const entry = {
    ...subjects[(i * 37) % subjects.length],
    tags: [],
    style: "flat",
    effects: [],
    scene: null,
  };
  if (i % 4 > 1) Object.assign(entry, composites[(i >> 2) % composites.length](entry));
  return { entry, heldOut, plain: caption(random, entry, { heldOut }) };
});

const config = loadConfig();
const session = await Models.open(config, new Output(false), {});
const free = await Models.open(config, new Output(false), { keepPrompt: "never" });
const { signal } = session;
const imageSettings = {
  ...config.image,
  steps: Number(flags.steps),
  guidance: Number(flags.guidance ?? config.image.guidance),
  size: null,
};

console.log("Rewriting");
/** The report's seven, and others that no training line has; most of it can't be drawn by the miniature. */
const UNSEEN = `
A cat in the rain; A fantasy castle; Fear; A cyberpunk detective standing in neon rain with a robotic arm;
A beautiful sunset over the mountains; Portrait of a warrior; The starry night by Van Gogh; A futuristic city with flying cars;
a lighthouse in a storm; An astronaut riding a horse; two foxes playing chess; a Viking longship at dawn; The last samurai;
A bowl of ramen; a steampunk submarine; Winter cabin with smoke from the chimney; a jazz band in New Orleans; Moss;
An abandoned amusement park; A librarian with purple hair; a knight and his squire; the tower of Babel; Loneliness;
a hummingbird drinking nectar; Cats dancing in a space club; A rabbit is wearing a space suit; a caravan crossing dunes;
The roof is wet from the rain; A melting grandfather clock; a girl with a lantern; Several railroad tracks with one train passing by;
an otter in a kayak; Kyoto in autumn; Medusa; a cottage made of gingerbread; A whale above the clouds; ballet dancers backstage;
a blacksmith at work; The gates of Mordor; a tiny dragon asleep on a teacup`
  .split(";")
  .map((prompt) => prompt.replace(/\s+/g, " ").trim());
const letters = () =>
  Array.from({ length: 3 + Math.floor(random() * 6) }, () => pick(random, [..."etaoinshrdlucmfw"])).join("");
/** Words of any letters, which can only be copied piece by piece. */
const strange = Array.from(
  { length: UNSEEN.length },
  () => `A ${letters()} ${pick(random, ["beside", "under", "behind"])} ${letters()} ${letters()}`,
);
const prompts = cases.map(({ plain }) => plain);
const rewrites = await session.withModel("text", (host) =>
  host.call(
    "optimize",
    { prompts: [...prompts, ...UNSEEN, ...strange], options: { ...config.text, seed: SEED } },
    { signal },
  ),
);
const keeps = (prompt, { rewrite }) =>
  rewrite.startsWith(prompt) && !/^[\p{L}\p{M}\p{N}]/u.test(rewrite.slice(prompt.length));
const phrasesOf = (text) =>
  text
    .split(/[,;.|\n，、；。]/u)
    .map((phrase) =>
      phrase
        .toLowerCase()
        .replace(/[^\p{L}\p{M}\p{N}\p{S}]+/gu, " ")
        .trim(),
    )
    .filter(Boolean);
/** Of a kept prompt only what was added counts, which may repeat nothing; the prompt may repeat itself. */
function repeats(prompt, { rewrite }) {
  const own = keeps(prompt, { rewrite }) ? phrasesOf(prompt) : [];
  const added = phrasesOf(rewrite).slice(own.length);
  return new Set([...own, ...added]).size < new Set(own).size + added.length;
}

const everyday = readFileSync(here("everyday.txt"), "utf8").trim().split("\n");
async function everydayRows(models, name, how) {
  const options = { ...rewriterOptions(name, config.text), seed: SEED };
  const made = await models.withRewriter(name, (host) =>
    host.call("optimize", { prompts: everyday, options }, { signal }),
  );
  const rows = [
    ["word for word", keeps],
    ["repeat a phrase", repeats],
    ["with a broken letter", (_, { rewrite }) => rewrite.includes("\ufffd")],
  ];
  return rows.map(([what, test]) => [
    `everyday prompts, ${name}${how}: ${what}`,
    share(everyday.map((prompt, i) => test(prompt, made[i]))),
  ]);
}
const words = (text) => ` ${text.toLowerCase().replaceAll(/[^\p{L}\p{N}]+/gu, " ")} `;
/** The subject's name as the caption has it, for the longest name is the one that was meant. */
const subjectOf = ({ entry, plain }) =>
  [entry.name, ...entry.others]
    .flatMap((name) => [name, plural(name)])
    .filter((name) => words(plain).includes(words(name)))
    .sort((a, b) => b.length - a.length)[0];
const subjectKept = cases.map((one, i) => words(rewrites[i].rewrite).includes(words(subjectOf(one))));
const kept = [...prompts, ...UNSEEN, ...strange].map((prompt, i) => keeps(prompt, rewrites[i]));

console.log("Drawing");
const known = await session.sets.known();
const turboSettings = atSpeed(imageSettings, "turbo", speedsOf(imageSettings, known.turbo));
async function drawAll(settings, folder, seed = SEED, list = asked) {
  mkdirSync(folder, { recursive: true });
  return session.withModelsOf([settings], async (host, { checkpoint }) => {
    const made = [];
    for (const [i, { kind, prompt, plain, ...about }] of list.entries()) {
      const file = join(folder, `${String(i >> 1).padStart(3, "0")}-${kind}.png`);
      const options = { ...settings, seed: seed + (i >> 1) };
      const started = performance.now();
      const { judgement } = await host.call(
        "draw",
        { prompt, plainPrompt: plain, options, pair: null, file, checkpoint },
        { signal },
      );
      const ms = performance.now() - started;
      made.push({
        ...about,
        kind,
        prompt,
        file,
        ms,
        beauty: judgement?.beauty ?? null,
        drawn: await seen(file),
      });
    }
    return made;
  });
}
const seen = async (file) =>
  feature(await sharp(file).removeAlpha().resize(SIDE, SIDE, { fit: "fill" }).raw().toBuffer());
const asked = [];
for (const [i, { entry, heldOut, plain }] of cases.entries()) {
  // Held-out optimized prompts are the optimizer's own; the others have modifiers in the manner of training.
  const optimized = heldOut ? rewrites[i].rewrite : `${plain}, ${modifiers(random)}`;
  asked.push({ entry, heldOut, kind: "flat", prompt: plain, plain });
  asked.push({ entry, heldOut, kind: "3d", prompt: optimized, plain });
}
const drawings = await drawAll(imageSettings, out);
const turbo = await drawAll(turboSettings, join(out, "turbo"));
const again = await drawAll(imageSettings, join(out, "again"), SEED + 1000, asked.slice(0, 80));

/** Pictures that the drawn one may be, nearest first: of every subject in each style; of two, of one beside the other. */
async function candidatesFor({ entry, drawn }, effects, varied = 0) {
  const found = [];
  for (const style of STYLES) {
    const kind = { ...entry, style, effects: style === "flat" ? [] : effects };
    if (entry.second) {
      const references = await referencesOfTwo(kind, drawn, varied);
      for (const one of references) found.push({ ...one, style, to: distance(drawn, one.reference) });
    } else
      for (const side of [drawn, mirrored(drawn)])
        for (const [subject, reference] of (await referencesFor(kind, side)).entries())
          found.push({ style, subject, reference, to: distance(side, reference) });
  }
  return found.sort((a, b) => a.to - b.to);
}
const indexOf = ({ label }) => subjects.findIndex((subject) => subject.label === label);
/** Of what a caption can tell, the one that makes the own subject's picture most like the drawn one. */
async function nearestLook({ entry, drawn, kind }, effects, key, values) {
  let best = { to: Number.POSITIVE_INFINITY };
  for (const value of [undefined, ...values])
    for (const side of [drawn, mirrored(drawn)]) {
      const told = { ...entry, style: kind, effects: kind === "flat" ? [] : effects, [key]: value };
      const to = distance(side, await referenceOf(indexOf(entry), told, side));
      if (to < best.to) best = { to, value };
    }
  return best.value;
}

const apart = [];
for (const drawing of [...drawings, ...turbo]) {
  const { entry } = drawing;
  const effects = effectsOf(drawing.prompt);
  const candidates = await candidatesFor(drawing, effects);
  const nearestOf = (style) =>
    candidates.find((one) => one.subject === indexOf(entry) && one.style === style);
  const [flat, solid] = STYLES.map(nearestOf);
  drawing.found = subjects[candidates[0].subject].name;
  drawing.subject = candidates[0].subject === indexOf(entry);
  drawing.style = (flat.to < solid.to ? "flat" : "3d") === drawing.kind;
  if (entry.second) {
    const [other] = await candidatesFor(drawing, effects, 1);
    drawing.foundSecond = subjects[other.subject].name;
    drawing.ofTwo = [drawing.subject, other.subject === indexOf(entry.second)];
    drawing.subject = drawing.ofTwo.every(Boolean);
  }
  for (const [key, values] of [
    ["colour", Object.keys(COLOURS)],
    ["size", Object.keys(SIZES)],
  ])
    if (entry[key]) drawing[key] = (await nearestLook(drawing, effects, key, values)) === entry[key];
  if (apart.length < again.length) apart.push(distance(flat.reference, solid.reference));
}
const mean = (list) => list.reduce((sum, value) => sum + value, 0) / list.length;
const betweenSeeds = mean(again.map(({ drawn }, i) => distance(drawn, drawings[i].drawn)));

const added = rewrites.slice(0, CAPTIONS + UNSEEN.length).map(({ rewrite }) => /, \w+.*, \w/.test(rewrite));
const share = (list) =>
  list.length === 0
    ? "none"
    : `${((100 * list.filter(Boolean).length) / list.length).toFixed(1)}% of ${list.length}`;
const of = (filter, key, among = drawings) => share(among.filter(filter).map((drawing) => drawing[key]));
const median = (list) => list.map(({ ms }) => ms).sort((a, b) => a - b)[list.length >> 1];
const beautiful = drawings.flatMap((one, i) => (i % 2 ? [one.beauty > drawings[i - 1].beauty] : []));
const table = [
  ["nearest drawing is the subject's, all captions", of(() => true, "subject")],
  ["captions as in training", of((d) => !d.heldOut, "subject")],
  ["captions held out", of((d) => d.heldOut, "subject")],
  ["captions of a scene", of((d) => d.entry.scene, "subject")],
  ["captions of two: both", of((d) => d.ofTwo, "subject")],
  ["captions of two: each", share(drawings.flatMap((d) => d.ofTwo ?? []))],
  ["captions of a colour or size", of((d) => d.entry.colour || d.entry.size, "subject")],
  ["of a colour: nearest in that colour", of((d) => d.entry.colour, "colour")],
  ["of a size: nearest in that size", of((d) => d.entry.size, "size")],
  ["captions of the first 100 subjects", of((d) => indexOf(d.entry) < 100, "subject")],
  ["chance", `${(100 / subjects.length).toFixed(1)}%`],
  ["plain prompts: nearer to the flat drawing", of((d) => d.kind === "flat", "style")],
  ["optimized prompts: nearer to the 3D drawing", of((d) => d.kind === "3d", "style")],
  ["optimized picture preferred by the style predictor", share(beautiful)],
  [
    "difference of two seeds, of that between flat and 3D drawing",
    `${((100 * betweenSeeds) / mean(apart)).toFixed(0)}%`,
  ],
  ["rewrite keeps the subject, captions", share(subjectKept)],
  ["rewrite keeps the prompt, captions", share(kept.slice(0, CAPTIONS))],
  ["rewrite keeps the prompt, prompts never seen", share(kept.slice(CAPTIONS, -strange.length))],
  ["rewrite has at least two parts more", share(added)],
  ["rewrite keeps the prompt, random letters", share(kept.slice(-strange.length))],
  ["turbo: nearest drawing is the subject's, all captions", of(() => true, "subject", turbo)],
  ["turbo: captions held out", of((d) => d.heldOut, "subject", turbo)],
  ["turbo: optimized prompts nearer to the 3D drawing", of((d) => d.kind === "3d", "style", turbo)],
  [
    "turbo: time of a picture, of that at full speed",
    `${((100 * median(turbo)) / median(drawings)).toFixed(0)}%`,
  ],
  ...(await everydayRows(session, "promptist", "")),
  ...(await everydayRows(free, "promptist", ", not held")),
  ...(await everydayRows(session, "magicprompt", "")),
];
console.log(table.map(([what, value]) => `| ${what} | ${value} |`).join("\n"));
writeFileSync(
  join(out, "report.json"),
  JSON.stringify(
    {
      table,
      drawings: [...drawings, ...turbo].map(({ drawn, entry, ...d }) => ({ name: entry.name, ...d })),
      rewrites,
    },
    null,
    1,
  ),
);

// The contact sheet: plain and optimized side by side, 96 captions.
const shown = drawings.slice(0, 192);
const COLUMNS = 24;
await sharp({
  create: {
    width: COLUMNS * SIDE,
    height: Math.ceil(shown.length / COLUMNS) * SIDE,
    channels: 3,
    background: "#fff",
  },
})
  .composite(
    await Promise.all(
      shown.map(async ({ file }, i) => ({
        input: await sharp(file).resize(SIDE, SIDE, { fit: "fill" }).toBuffer(),
        left: (i % COLUMNS) * SIDE,
        top: Math.floor(i / COLUMNS) * SIDE,
      })),
    ),
  )
  .png()
  .toFile(join(out, "contact-sheet.png"));
console.log(`Pictures, contact sheet and report in ${out}`);
