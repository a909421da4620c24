// Evaluates Promptist's miniature as the paper does (docs/evaluation.md): captions of the miniature's subjects, half of
// them in words of its training and half asked as no training caption asks, drawn from the same seeds as written, with
// a style and rewritten.
// Run: npm run build
//      node bench/evaluate.mjs [captions, 200] [folder for the report] [--smoke]
// With --smoke it takes 2 captions, one seed and 2 steps.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { caption, generator } from "../training/words.mjs";
import { args, SMOKE } from "./support/arguments.mjs";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const [captions = SMOKE ? "2" : "200", out] = args;
const scratch = mkdtempSync(join(tmpdir(), "bench-evaluate-"));
const folder = resolve(out ?? join(scratch, "report"));
mkdirSync(folder, { recursive: true });

const subjects = JSON.parse(readFileSync(here("../training/reference.json"), "utf8"));
const random = generator(2026);
const texts = Array.from({ length: Number(captions) }, (_, i) =>
  caption(
    random,
    { ...subjects[(i * 37) % subjects.length], style: "flat", scene: null, tags: [] },
    { heldOut: i % 2 === 1 },
  ),
);
const file = join(folder, "captions.txt");
writeFileSync(file, `${texts.join("\n")}\n`);

const small = SMOKE ? ["--seeds", "1", "--steps", "2"] : [];
const line = [
  "--rewriters",
  "promptist,style:clay model,none",
  "--out",
  folder,
  "--device",
  "cpu",
  "--json",
  ...small,
];
const started = performance.now();
try {
  const stdout = execFileSync(process.execPath, [here("../bin/promptist.js"), "evaluate", file, ...line], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
    maxBuffer: 64 * 1024 * 1024,
    env: { ...process.env, CHECKPOINTS_DIR: here("../checkpoints"), DATA_DIR: join(scratch, "data") },
  });
  const { rewriters, measures, baseline, prompts, seeds } = JSON.parse(stdout);
  const show = (mean) =>
    mean === null ? "-" : `${mean.mean.toFixed(3)} (${mean.low.toFixed(3)} to ${mean.high.toFixed(3)})`;
  for (const { name, scores, against } of rewriters) {
    for (const measure of measures) console.log(`${name}, ${measure}: ${show(scores[measure])}`);
    for (const measure of against === null ? [] : measures)
      console.log(
        `${name} against ${baseline}, ${measure}: gain ${show(against.gains[measure])}, share of wins ${show(against.wins[measure])}`,
      );
  }
  const pictures = prompts * seeds * rewriters.length;
  console.log(`${pictures} pictures in ${((performance.now() - started) / 1000).toFixed(0)} s`);
} finally {
  rmSync(scratch, { recursive: true });
}
