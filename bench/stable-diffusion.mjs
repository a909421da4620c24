// Measures full-size Stable Diffusion 1.5 (random weights): seconds to compile, load and run one UNet step at
// 512x512, peak memory, and the relative error to diffusers in float32.
// Run: python bench/stable_diffusion_reference.py FOLDER [threads]; npm run build
//      node bench/stable-diffusion.mjs FOLDER [fp32|fp16] [cpu|webgpu|...] [threads] [--smoke]
// With --smoke it takes the small model of test/golden, whose tensors diffusers computed as well.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openWeightFile } from "../dist/checkpoints/files/open.js";
import { StableDiffusion } from "../dist/inference/diffusion/stable-diffusion.js";
import { openDevice } from "../dist/inference/runtime/open-device.js";
import { plansToTry } from "../dist/inference/runtime/precision.js";
import { args, SMOKE } from "./support/arguments.mjs";

const SMALL = fileURLToPath(new URL("../test/golden/sd-small/sd1", import.meta.url));
const [directory, precision = "fp32", deviceName = "cpu", threads = "2"] = SMOKE ? [SMALL, ...args] : args;
const cacheDir = mkdtempSync(join(tmpdir(), "bench-diffusion-"));
const expected = openWeightFile(join(directory, "expected.safetensors"));
const tensor = (name) => expected.readFloat32(name);
const shapeOf = (name) => [...expected.get(name).shape];
const NOISE = SMOKE ? "noise@981.0" : "noise";

function relativeError(actual, wanted) {
  let [difference, length] = [0, 0];
  for (let i = 0; i < wanted.length; i++) {
    difference += (actual[i] - wanted[i]) ** 2;
    length += wanted[i] ** 2;
  }
  return Math.sqrt(difference / length).toExponential(1);
}

async function timed(what, compute, reference) {
  const [started, spent] = [performance.now(), process.cpuUsage()];
  const result = await compute();
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const { user, system } = process.cpuUsage(spent);
  const processor = ((user + system) / 1e6).toFixed(1);
  const peak = (process.resourceUsage().maxRSS / 1024).toFixed(0);
  const error =
    reference === undefined ? "" : `, relative error ${relativeError(result.data ?? result, reference)}`;
  console.log(`${what}: ${seconds} s, ${processor} s of processor time, peak ${peak} MiB${error}`);
  return result;
}

try {
  const device = await openDevice(deviceName, { user: "image", plans: plansToTry(precision), cacheDir });
  if (device.note) console.log(device.note);
  const options = { directory, device, precision, cacheDir, threads: Number(threads) };
  await (await timed("compile and load", () => StableDiffusion.open(options))).release();
  const model = await timed("load again", () => StableDiffusion.open(options));
  console.log(
    `${device.name}, ${model.plan}, ${[...model.arithmetic.avoided].join(", ") || "nothing"} avoided, ${model.weightBytes} bytes of weights`,
  );
  const ids = new Int32Array(expected.read("ids").buffer);
  const rows = [ids.subarray(0, 77), ids.subarray(77)].map((row) => Array.from(row));
  await timed("text encoder, 2 rows", () => model.encodeText(rows), tensor("states"));
  const text = { data: tensor("states"), shape: shapeOf("states") };
  const side = (name) => shapeOf(name).slice(2).join("x");
  for (let i = 0; i < 3; i++)
    await timed(
      `UNet, 2 rows, ${side("latents")}`,
      () => model.predictNoise(tensor("latents"), shapeOf("latents"), 981, text),
      tensor(NOISE),
    );
  await timed(
    `VAE decoder, ${side("image")}`,
    () => model.decode(tensor("decode"), shapeOf("decode")),
    tensor("image"),
  );
  await model.release();
} finally {
  rmSync(cacheDir, { recursive: true, force: true });
}
