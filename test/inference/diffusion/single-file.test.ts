import { cpSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openWeightFile } from "../../../src/checkpoints/files/open.js";
import { writeSafetensors } from "../../../src/checkpoints/files/safetensors.js";
import { vaeOfFile } from "../../../src/checkpoints/layouts/ldm.js";
import type { SchedulerName } from "../../../src/core/options.js";
import { drawPicture } from "../../../src/inference/diffusion/pipeline.js";
import {
  StableDiffusion,
  type StableDiffusionOptions,
} from "../../../src/inference/diffusion/stable-diffusion.js";
import { ClipTokenizer } from "../../../src/inference/tokenizers/tokenizer.js";

const GOLDEN = fileURLToPath(new URL("../../golden/", import.meta.url));
const SOURCE = join(GOLDEN, "checkpoints-single-file");
const REFERENCE = join(GOLDEN, "checkpoints-single-file-options");
const VAE = join(REFERENCE, "vae.pt");

interface Case {
  readonly id: string;
  readonly scheduler: SchedulerName;
  readonly prediction: "epsilon" | "v_prediction";
  readonly zeroSnr: boolean;
  readonly clipSkip: number;
  readonly vae: boolean;
}
const cases: Case[] = JSON.parse(readFileSync(join(REFERENCE, "cases.json"), "utf8"));
const byId = (id: string): Case => cases.find((one) => one.id === id)!;

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "promptist-single-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** The single file with the models' configurations beside it, but without a scheduler's. */
function single(): { folder: string; path: string } {
  const folder = mkdtempSync(join(root, "model-"));
  for (const part of ["unet", "vae", "text_encoder", "model.safetensors"])
    cpSync(join(SOURCE, part), join(folder, part), { recursive: true });
  return { folder, path: join(folder, "model.safetensors") };
}

function sayPrediction(folder: string, { prediction, zeroSnr }: Case): void {
  const parameters = [prediction === "v_prediction" ? "parameterization: v" : "parameterization: eps"];
  if (zeroSnr) parameters.push("zero_terminal_snr: true");
  writeFileSync(
    join(folder, "model.yaml"),
    `model:\n  params:\n${parameters.map((it) => `    ${it}\n`).join("")}`,
  );
}

type Changes = Pick<StableDiffusionOptions, "vae" | "clipSkip">;

async function expectPicture(one: Case, directory: string, changes: Changes = {}): Promise<void> {
  const model = await StableDiffusion.open({
    directory,
    ...changes,
    device: { name: "cpu", note: null },
    precision: "fp32",
    cacheDir: join(root, "cache"),
    threads: 1,
  });
  try {
    const tokenizer = ClipTokenizer.open(`${SOURCE}-tokenizer`);
    const { scheduler } = one;
    const options = { prompt: "A cat in the rain", negative: "", scheduler, steps: 6, guidance: 5, seed: 3 };
    const picture = await drawPicture(model, tokenizer, { ...options, size: null });
    const theirs = await sharp(join(REFERENCE, `${one.id}.png`))
      .removeAlpha()
      .raw()
      .toBuffer();
    expect(picture.pixels.length).toBe(theirs.length);
    const differences = Array.from(picture.pixels, (value, i) => Math.abs(value - theirs[i]!));
    expect(Math.max(...differences)).toBeLessThanOrEqual(3);
  } finally {
    await model.release();
  }
}

describe("a single file beside diffusers' from_single_file", () => {
  it.each(cases.filter(({ vae }) => !vae))("$id", async (one) => {
    const { folder, path } = single();
    if (one.prediction !== "epsilon") sayPrediction(folder, one);
    await expectPicture(one, path, { clipSkip: one.clipSkip });
  });

  it("v, said by an empty tensor of the file", async () => {
    const { path } = single();
    const weights = openWeightFile(path);
    const all = weights.names.map((name) => ({ ...weights.get(name)!, data: weights.read(name) }));
    const flagged = `${path}.new`;
    writeSafetensors(flagged, [...all, { name: "v_pred", type: "F32", shape: [0], data: new Uint8Array(0) }]);
    renameSync(flagged, path);
    await expectPicture(byId("v"), path);
  });

  it("more CLIP skip than layers is refused with the number that fits", async () => {
    const { path } = single();
    await expect(expectPicture(byId("pndm"), path, { clipSkip: 2 })).rejects.toMatchObject({
      code: "INPUT_OPTION",
      message: expect.stringContaining("at most 1"),
    });
  });
});

describe("a VAE apart", () => {
  /** The VAE in a folder with the configuration of the checkpoint's own, under another name. */
  const apart = (name: string): string => {
    const folder = mkdtempSync(join(root, "vae-"));
    cpSync(join(SOURCE, "vae"), join(folder, "vae"), { recursive: true });
    cpSync(VAE, join(folder, name));
    return join(folder, name);
  };

  it("named by its file replaces the single file's own", async () => {
    await expectPicture(byId("vae"), single().path, { vae: apart("other.pt") });
  });

  it("beside the single file under its name is taken without being named", async () => {
    const { folder, path } = single();
    cpSync(VAE, join(folder, "model.vae.pt"));
    await expectPicture(byId("vae"), path);
  });

  it("in diffusers' folder is taken", async () => {
    const folder = mkdtempSync(join(root, "vae-folder-"));
    cpSync(join(SOURCE, "vae", "config.json"), join(folder, "config.json"));
    const weights = vaeOfFile(openWeightFile(VAE));
    const tensors = weights.names.map((name) => ({ ...weights.get(name)!, data: weights.read(name) }));
    writeSafetensors(join(folder, "diffusion_pytorch_model.safetensors"), tensors);
    await expectPicture(byId("vae"), single().path, { vae: folder });
  });

  it("makes a single file without one whole, which is refused alone", async () => {
    const { path } = single();
    const weights = openWeightFile(path);
    const rest = weights.names
      .filter((name) => !name.startsWith("first_stage_model."))
      .map((name) => ({ ...weights.get(name)!, data: weights.read(name) }));
    writeSafetensors(`${path}.new`, rest);
    renameSync(`${path}.new`, path);
    await expect(expectPicture(byId("vae"), path)).rejects.toMatchObject({
      code: "CHECKPOINT_ARCHITECTURE",
      message: expect.stringMatching(/holds no VAE.*--vae.*model\.vae\.safetensors/),
    });
    await expectPicture(byId("vae"), path, { vae: apart("other.pt") });
  });

  it("that is none is refused by name", async () => {
    const { path } = single();
    await expect(
      expectPicture(byId("vae"), path, { vae: join(SOURCE, "unet", "config.json") }),
    ).rejects.toMatchObject({ code: "CHECKPOINT_CORRUPT" });
  });
});
