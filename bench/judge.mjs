// Measures what judging a pair adds to the time and memory of drawing it with Stable Diffusion 1.5 at
// 512x512, with full-size judges (random weights). Both are timed in turns in one process. On the CPU the
// process' CPU time counts, which other load on the machine does not distort; elsewhere the clock.
// Run: npx promptist checkpoints synthesize stable-diffusion-v1-5 FOLDER/sd
//      npx promptist checkpoints synthesize clip FOLDER/clip
//      npx promptist checkpoints synthesize safety-checker FOLDER/sd/safety_checker
//      node bench/judge.mjs FOLDER [fp32|fp16] [cpu|webgpu|...] [threads] [rounds] [--smoke]
// With --smoke it takes the miniature and a safety checker of its size.
// Two cases. "two towers": CLIP and the safety checker have different weights, so towers are exchanged within
// each pair. "one tower": the checker is made of CLIP's own tower, and texts are embedded by Stable
// Diffusion's text encoder (its weights are passed off as CLIP's, as they should be with the published
// files). Graphs stay in FOLDER/cache. With 0 rounds nothing is drawn: the process holds only the judges, and
// its peak memory is theirs.
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { writeSafetensors } from "../dist/checkpoints/files/safetensors.js";
import { openClip, openSafetyChecker } from "../dist/checkpoints/layouts/judge-files.js";
import { synthesizeSafetyChecker } from "../dist/checkpoints/synthesize.js";
import { StableDiffusion } from "../dist/inference/diffusion/stable-diffusion.js";
import { Judge } from "../dist/inference/judging/judge.js";
import { TorchRandom } from "../dist/inference/numbers/torch-random.js";
import { resolveDevice } from "../dist/inference/runtime/device.js";
import { args, SMOKE } from "./support/arguments.mjs";

const [folder, precision = "fp32", deviceName = "cpu", threads = "2", rounds = "2"] = SMOKE
  ? [smallModels(), "fp32", "cpu", "1", "1"]
  : args;
/** UNet calls of PNDM's 50 steps, the default of /compare. */
const CALLS = 51;
const at = (...path) => join(folder, ...path);
const cacheDir = at("cache");
/** Of the latents of two pictures of 512x512, or of the miniature's. */
const LATENTS = SMOKE ? [2, 12, 8, 8] : [2, 4, 64, 64];
const mib = (bytes) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
const rss = () => process.memoryUsage().rss;
const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

async function seconds(work) {
  const [started, before] = [performance.now(), process.cpuUsage()];
  await work();
  const { user, system } = process.cpuUsage(before);
  return deviceName === "cpu" ? (user + system) / 1e6 : (performance.now() - started) / 1000;
}

/** Writes a checker with CLIP's own tower and the other checker's concepts. */
function writeOneTower(directory) {
  const [clip, checker] = [openClip(at("clip")), openSafetyChecker(at("sd", "safety_checker"))];
  const [own, others] = [clip.weights("fp32"), checker.weights("fp16")];
  const entry = (weights, name) => ({ ...weights.get(name), data: () => weights.read(name) });
  mkdirSync(directory, { recursive: true });
  writeSafetensors(join(directory, "model.safetensors"), [
    ...own.names
      .filter((name) => /^(vision_model|visual_projection)\./.test(name))
      .map((name) => entry(own, name)),
    ...others.names.filter((name) => /^(concept|special)/.test(name)).map((name) => entry(others, name)),
  ]);
  const vision_config = clip.vision;
  writeFileSync(
    join(directory, "config.json"),
    JSON.stringify({ model_type: "clip", vision_config, projection_dim: clip.dimensions }),
  );
}

const picture = (seed) => {
  const noise = new TorchRandom(seed).randn(3 * 512 * 512);
  return { pixels: Uint8Array.from(noise, (value) => 128 + 40 * value), width: 512, height: 512 };
};
const pair = [picture(1), picture(2)];

const device = await resolveDevice(deviceName);
const common = { device, precision, cacheDir, threads: Number(threads) };
if (Number(rounds) === 0) {
  await judgesAlone();
  process.exit();
}
const model = await StableDiffusion.open({ ...common, directory: at("sd") });
const { maxTokens } = model.config;
const ids = [Array(maxTokens).fill(5), Array(maxTokens).fill(7)];
const text = await model.encodeText(ids);
const latents = new TorchRandom(0).randn(LATENTS.reduce((all, size) => all * size));
const step = () => model.predictNoise(latents, LATENTS, 981, text);
console.log(
  `${device.name}, ${precision}, ${threads} threads; Stable Diffusion loaded, ${mib(rss())} resident`,
);

const oneTower = at("one-tower", "safety_checker");
writeOneTower(oneTower);
for (const [title, safety, shared] of [
  ["two towers", at("sd", "safety_checker"), false],
  ["one tower", oneTower, true],
]) {
  let judge;
  const opening = await seconds(async () => {
    judge = await open(safety, shared);
  });
  const [steps, judged] = [[], []];
  for (let round = 0; round < Number(rounds); round++) {
    steps.push(await seconds(step));
    judged.push(
      await seconds(async () => {
        for (const one of pair) await judge.judge(one, `a cat, round ${round}`);
      }),
    );
  }
  const making = 2 * CALLS * median(steps);
  console.log(
    [
      `${title}:`,
      `  opening ${opening.toFixed(1)} s (once a phase; much less once graphs and comparison are in the cache)`,
      `  UNet call ${steps.map((s) => s.toFixed(2)).join(", ")} s; ${2 * CALLS} of them ${making.toFixed(0)} s`,
      `  judging a pair, loading towers included ${judged.map((s) => s.toFixed(2)).join(", ")} s`,
      `  adds ${((100 * median(judged)) / making).toFixed(2)}% (text encoder, VAE decoder and PNG left out of the making)`,
      `  largest tower ${mib(judge.weightBytes)} of weights`,
      `  vision shared ${judge.sharesVision}, text shared ${judge.sharesText}`,
    ].join("\n"),
  );
  await judge.release();
}
await model.release();

function smallModels() {
  const made = mkdtempSync(join(tmpdir(), "bench-judge-"));
  process.on("exit", () => rmSync(made, { recursive: true, force: true, maxRetries: 5 }));
  const miniature = (name) => fileURLToPath(new URL(`../checkpoints/miniature/${name}`, import.meta.url));
  cpSync(miniature("stable-diffusion"), join(made, "sd"), { recursive: true });
  cpSync(miniature("clip"), join(made, "clip"), { recursive: true });
  for (const pipeline of ["sd", "one-tower"])
    cpSync(
      join(made, "clip", "preprocessor_config.json"),
      join(made, pipeline, "feature_extractor", "preprocessor_config.json"),
    );
  synthesizeSafetyChecker(join(made, "sd", "safety_checker"), openClip(join(made, "clip")).vision, 1);
  return made;
}

async function judgesAlone() {
  const peak = () => process.resourceUsage().maxRSS * 1024;
  const judge = await Judge.open({ ...common, files: filesWith(at("sd", "safety_checker")) });
  const before = peak();
  const one = await seconds(() => judge.embedPicture(pair[0]));
  const withOne = peak();
  for (const picture of pair) await judge.judge(picture, "a cat");
  console.log(
    `${device.name}, ${precision}: largest tower ${mib(judge.weightBytes)} of weights; the process grew from ${mib(before)} to ${mib(withOne)} with a vision tower (${one.toFixed(1)} s) and to ${mib(peak())} with all in turns`,
  );
  await judge.release();
}

function filesWith(safety) {
  return { clip: at("clip"), clipName: "clip", aesthetic: null, safety };
}

async function open(safety, shared) {
  const files = filesWith(safety);
  const weights = openClip(at("clip")).weights(precision);
  const encode = (rows) => model.encodeText(rows);
  return Judge.open({ ...common, files, ...(shared ? { textEncoder: { weights, encode } } : {}) });
}
