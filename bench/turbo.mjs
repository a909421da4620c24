// Measures a pair of pictures of full-size Stable Diffusion 1.5 (random weights) at 512x512: with a random LoRA of the
// size of LCM-LoRA (rank 64) in 4 steps of lcm without guidance, decoded by the VAE and by TAESD; and with PNDM and
// guidance 7.5, whose 50 steps are computed from those of `FULL_STEPS`.
// Run: npm run build
//      promptist checkpoints synthesize stable-diffusion-v1-5 FOLDER
//      promptist checkpoints synthesize taesd TAESD
//      node bench/turbo.mjs FOLDER TAESD [threads] [folder for the pictures] [--smoke]
// With --smoke it takes the small models of test/golden.
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { openWeights } from "../dist/checkpoints/files/open.js";
import { writeSafetensors } from "../dist/checkpoints/files/safetensors.js";
import { drawPicture } from "../dist/inference/diffusion/pipeline.js";
import { StableDiffusion } from "../dist/inference/diffusion/stable-diffusion.js";
import { TorchRandom } from "../dist/inference/numbers/torch-random.js";
import { float16FromFloat32 } from "../dist/onnx/float16.js";
import { args, SMOKE } from "./support/arguments.mjs";

const golden = (name) => fileURLToPath(new URL(`../test/golden/${name}`, import.meta.url));
const [directory, taesd, threads = "2", out = null] = SMOKE
  ? [golden("sd-small/sd1"), golden("taesd"), "1"]
  : args;
const RANK = SMOKE ? 2 : 64;
const FULL_STEPS = 3;
const SIZE = SMOKE ? { width: 64, height: 64 } : { width: 512, height: 512 };
const cacheDir = mkdtempSync(join(tmpdir(), "bench-turbo-"));

/** What latent consistency distillation trains of a UNet. */
const TRAINED =
  /\.(to_[qkv]|to_out\.0|proj_in|proj_out|ff\.net\.0\.proj|ff\.net\.2|conv[12]|conv_shortcut|(down|up)samplers\.0\.conv|time_emb_proj)\.weight$/;

/** A LoRA under the published names, in fp16, whose numbers change the weights a little. */
function writeLora(path) {
  const weights = openWeights(join(directory, "unet"));
  const random = new TorchRandom(1);
  const half = (shape, scale) => () =>
    new Uint8Array(
      float16FromFloat32(random.randn(shape.reduce((a, b) => a * b)).map((x) => x * scale)).buffer,
    );
  const tensors = weights.names
    .filter((name) => TRAINED.test(name))
    .flatMap((name) => {
      const [to, from, ...kernel] = weights.get(name).shape;
      const key = `lora_unet_${name.replace(/\.weight$/, "").replaceAll(".", "_")}`;
      const down = [RANK, from, ...kernel];
      const up = [to, RANK, ...kernel.map(() => 1)];
      const fan = down.slice(1).reduce((a, b) => a * b);
      const alpha = () => new Uint8Array(float16FromFloat32(Float32Array.of(RANK)).buffer);
      return [
        { name: `${key}.alpha`, type: "F16", shape: [], data: alpha },
        { name: `${key}.lora_down.weight`, type: "F16", shape: down, data: half(down, fan ** -0.5) },
        { name: `${key}.lora_up.weight`, type: "F16", shape: up, data: half(up, 0.1 * RANK ** -0.5) },
      ];
    });
  writeSafetensors(path, tensors);
  const bytes = tensors.reduce((sum, { shape }) => sum + 2 * shape.reduce((a, b) => a * b, 1), 0);
  console.log(`LoRA: ${tensors.length / 3} modules of rank ${RANK}, ${(bytes / 1e6).toFixed(1)} MB`);
}

async function timed(what, compute) {
  const [started, spent] = [performance.now(), process.cpuUsage()];
  const result = await compute();
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(spent);
  const processor = (user + system) / 1e6;
  const peak = (process.resourceUsage().maxRSS / 1024).toFixed(0);
  console.log(
    `${what}: ${seconds.toFixed(1)} s, ${processor.toFixed(1)} s of processor time, peak ${peak} MiB`,
  );
  return { result, seconds, processor };
}

const PROMPTS = { baseline: 100, optimized: 200 };
const tokenizer = {
  encode: (text) => {
    const [first, last] = SMOKE ? [97, 98] : [49406, 49407];
    const word = PROMPTS[text] ?? 50;
    return {
      ids: [first, ...Array(8).fill(SMOKE ? word % 90 : word), ...Array(68).fill(last)],
      truncated: null,
    };
  },
};

async function pair(model, name, options) {
  const pictures = [];
  for (const side of Object.keys(PROMPTS)) {
    const { pixels, width, height, calls } = await drawPicture(model, tokenizer, {
      ...{ prompt: side, negative: "", seed: 5, size: SIZE },
      ...options,
    });
    pictures.push(calls);
    if (out === null) continue;
    mkdirSync(out, { recursive: true });
    await sharp(pixels, { raw: { width, height, channels: 3 } })
      .png()
      .toFile(join(out, `${name}-${side}.png`));
  }
  return pictures;
}

try {
  const lora = join(cacheDir, "lora.safetensors");
  writeLora(lora);
  const open = (options) =>
    StableDiffusion.open({
      directory,
      device: { name: "cpu", note: null },
      precision: "fp32",
      cacheDir,
      threads: Number(threads),
      ...options,
    });
  const turbo = { steps: 4, guidance: 1, scheduler: "lcm" };
  const loras = [{ file: lora, weight: 1 }];
  for (const decoder of ["vae", "taesd"]) {
    const options = { loras, tinyDecoder: taesd, decoder };
    await (await timed(`turbo, ${decoder}: merge, compile and load`, () => open(options))).result.release();
    const { result: model } = await timed(`turbo, ${decoder}: load again`, () => open(options));
    await timed(`turbo, ${decoder}: a pair`, () => pair(model, `turbo-${decoder}`, turbo));
    await model.release();
  }
  const { result: model } = await timed("full: compile and load", () => open({}));
  const full = { guidance: 7.5, scheduler: "pndm" };
  const few = await timed(`full: a pair in ${FULL_STEPS} steps`, () =>
    pair(model, "full", { ...full, steps: FULL_STEPS }),
  );
  const fewer = await timed("full: a pair in 1 step", () => pair(model, "full-1", { ...full, steps: 1 }));
  // PNDM calls the UNet once more than it has steps, but for a single one.
  const calls = FULL_STEPS + 1 - 1;
  const at50 = (of) => fewer[of] + ((few[of] - fewer[of]) / calls) * 50;
  console.log(
    `full: a pair in 50 steps, computed from these: ${at50("seconds").toFixed(0)} s, ${at50("processor").toFixed(0)} s of processor time`,
  );
  await model.release();
} finally {
  rmSync(cacheDir, { recursive: true, force: true });
}
