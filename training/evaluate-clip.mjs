// Measures the miniature CLIP and its style predictor through the program's own judge, as it is built:
//   npm run miniature:evaluate-clip -- --drawn 40
// (a) Retrieval over 1,000 captions, half of them asked as no training caption asks, and four pictures a subject. A caption
//     is true of a picture of its subject and scene; one with modifiers of the 3D ones alone. Captions look for drawings,
//     and drawings for captions.
// (b) The same captions' search for a picture that the miniature drew: of --drawn pairs, is the picture's own prompt
//     nearer than those of other subjects, and has the optimized picture more style than the baseline?
import { mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { findJudges } from "../dist/checkpoints/layouts/find-judges.js";
import { Models } from "../dist/cli/parts/models.js";
import { Output } from "../dist/cli/parts/output.js";
import { loadConfig } from "../dist/config.js";
import { Judge } from "../dist/inference/judging/judge.js";
import { cosine, normalized } from "../dist/inference/judging/vectors.js";
import { readPicture } from "../dist/pictures/read-picture.js";
import { pictureOf, STYLES, subjects } from "./references.mjs";
import { HUES, SIDE } from "./scenes.mjs";
import { caption, effectsOf, generator, modifiers, pick, SCENES } from "./words.mjs";

const CAPTIONS = 1000;
const SEED = 2027;
const { values: flags } = parseArgs({
  options: {
    out: { type: "string", default: join(tmpdir(), "clip-evaluation") },
    drawn: { type: "string", default: "40" },
    steps: { type: "string", default: "20" },
  },
});
const random = generator(SEED);
const config = loadConfig({ ...process.env, CLIP_CHECKPOINT: "" });
const diffusion = {
  directory: join(config.checkpointsDir, "miniature", "stable-diffusion"),
  isMiniature: true,
};
const files = findJudges(diffusion, config.checkpointsDir, join(config.checkpointsDir, "miniature", "clip"));
const judge = await Judge.open({
  files,
  device: { name: "cpu", note: null },
  precision: "fp32",
  cacheDir: config.cacheDir,
  threads: 1,
});

/** Of each subject a flat and a 3D picture, on a ground of its own and in a scene. */
const entries = subjects.flatMap((subject) =>
  [null, pick(random, Object.keys(SCENES))].flatMap((scene) =>
    STYLES.map((style) => ({
      ...subject,
      style,
      scene,
      effects: style === "3d" ? effectsOf(modifiers(random)) : [],
      hue: Math.floor(random() * HUES),
      mirrored: random() < 0.5,
    })),
  ),
);
const pictures = [];
const beauty = [];
for (const [i, entry] of entries.entries()) {
  const pixels = await pictureOf(Math.floor(i / 4), entry);
  const picture = { pixels, width: SIDE, height: SIDE };
  pictures.push(normalized(await judge.embedPicture(picture)));
  beauty.push((await judge.judge(picture, null)).beauty);
}

const captions = Array.from({ length: CAPTIONS }, (_, i) => {
  const entry = entries[Math.floor(random() * entries.length)];
  const heldOut = i % 2 === 1;
  return { entry, heldOut, text: caption(random, { ...entry, tags: [] }, { heldOut }) };
});
const texts = [];
for (const { text } of captions) texts.push(normalized(await judge.embedText(text)));

const isTrue = (of, entry) =>
  of.label === entry.label && of.scene === entry.scene && (of.style === "flat" || entry.style === "3d");
const scores = texts.map((text) => pictures.map((picture) => cosine(text, picture)));
const ranked = (values) => [...values.keys()].sort((a, b) => values[b] - values[a]);
const percent = (flags) => `${((100 * flags.filter(Boolean).length) / flags.length).toFixed(1)}%`;
const found = captions.map(({ entry, heldOut }, i) => {
  const order = ranked(scores[i]);
  const hit = (n) => order.slice(0, n).some((j) => isTrue(entry, entries[j]));
  const subject = entries[order[0]].label === entry.label;
  return { heldOut, styled: entry.style === "3d", top1: hit(1), top5: hit(5), subject };
});
const row = (title, list) =>
  `${title.padEnd(44)} top-1 ${percent(list.map((one) => one.top1))}, top-5 ${percent(list.map((one) => one.top5))}`;
console.log(row(`${CAPTIONS} captions look for a drawing`, found));
console.log(
  row(
    "  asked as in training",
    found.filter((one) => !one.heldOut),
  ),
);
console.log(
  row(
    "  asked as training never did",
    found.filter((one) => one.heldOut),
  ),
);
console.log(
  `${"  of the right subject, whatever style".padEnd(44)} top-1 ${percent(found.map((one) => one.subject))}`,
);
const byPicture = entries.map((entry, j) => {
  const order = ranked(scores.map((line) => line[j]));
  const hit = (n) => order.slice(0, n).some((i) => isTrue(captions[i].entry, entry));
  return { top1: hit(1), top5: hit(5), asked: captions.some((one) => isTrue(one.entry, entry)) };
});
console.log(
  row(
    `drawings look for one of ${CAPTIONS} captions`,
    byPicture.filter((one) => one.asked),
  ),
);
const [right, wrong] = [[], []];
for (const [i, line] of scores.entries())
  for (const [j, value] of line.entries())
    (isTrue(captions[i].entry, entries[j]) ? right : wrong).push(value);
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
console.log(`cosine: mean ${mean(right).toFixed(2)} where true, ${mean(wrong).toFixed(2)} where not`);
const pairs = entries.flatMap((entry, j) => {
  const solid = entries.findIndex(
    (other) => other.label === entry.label && other.scene === entry.scene && other.style === "3d",
  );
  return entry.style === "flat" && solid >= 0 ? [beauty[solid] - beauty[j]] : [];
});
console.log(
  `style of drawings: 3D above flat in ${percent(pairs.map((gain) => gain > 0))}, by ${mean(pairs).toFixed(2)}`,
);

const count = Number(flags.drawn);
if (count > 0) {
  const out = resolve(flags.out);
  mkdirSync(out, { recursive: true });
  const session = await Models.open(config, new Output(false), {});
  const plain = entries.filter((entry) => entry.style === "flat" && !entry.scene);
  const names = [];
  for (const { name } of subjects) names.push(normalized(await judge.embedText(`a picture of ${name}`)));
  const judged = [];
  await session.withModel("image", async (host) => {
    for (let i = 0; i < count; i++) {
      const entry = plain[(i * 37) % plain.length];
      const prompt = caption(random, { ...entry, tags: [] }, { heldOut: i % 2 === 1 });
      const options = {
        ...config.image,
        guidance: 2,
        steps: Number(flags.steps),
        size: null,
        seed: SEED + i,
      };
      const halves = [];
      for (const [side, text] of [
        ["baseline", prompt],
        ["optimized", `${prompt}, ${modifiers(random)}`],
      ]) {
        const file = join(out, `${i}-${side}.png`);
        const request = {
          prompt: text,
          plainPrompt: prompt,
          options,
          pair: null,
          file,
          checkpoint: "miniature",
        };
        const { judgement } = await host.call("draw", request);
        const embedding = await judge.embedPicture(await readPicture(file));
        const order = ranked(names.map((name) => cosine(name, embedding)));
        const hit = (n) => order.slice(0, n).some((j) => subjects[j].label === entry.label);
        const other = texts[captions.findIndex((one) => one.entry.label !== entry.label)];
        halves.push({ judgement, top1: hit(1), top5: hit(5), other: cosine(other, embedding) });
      }
      judged.push(halves);
    }
  });
  const all = judged.flat();
  console.log(row(`${all.length} pictures drawn look for 1 of ${subjects.length} subjects`, all));
  console.log(
    `  relevance to their own prompt ${mean(all.map((one) => one.judgement.relevance)).toFixed(2)}, to another subject's ${mean(all.map((one) => one.other)).toFixed(2)}`,
  );
  const gains = judged.map(([a, b]) => b.judgement.beauty - a.judgement.beauty);
  console.log(
    `  style gained by the optimized picture: in ${percent(gains.map((gain) => gain > 0))}, by ${mean(gains).toFixed(2)}`,
  );
}
await judge.release();
