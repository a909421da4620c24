import { join } from "node:path";
import { z } from "zod";
import { CheckpointError } from "../../core/errors.js";
import { readConfig } from "./config.js";

/*
 * Checks that a folder holds the kind of model it is used as, before anything large is opened. A BERT used as
 * Promptist, or an SDXL used as Stable Diffusion 1.5, gets a clear message. The sizes have bounds in the
 * schemas of `models`.
 */

const modelConfig = z.looseObject({
  model_type: z.string().optional(),
  architectures: z.array(z.string()).nullish(),
});

/**
 * Throws CHECKPOINT_MISSING, CHECKPOINT_CORRUPT or CHECKPOINT_ARCHITECTURE unless the folder is a GPT-2
 * language model.
 */
export function requireGpt2(directory: string): void {
  const { model_type: type, architectures } = readConfig(directory, "config.json", modelConfig);
  if (type === "gpt2") return;
  const found = [type, ...(architectures ?? [])].filter(Boolean).join(", ");
  throw wrongArchitecture(
    join(directory, "config.json"),
    `a ${found || "model of unknown type"}`,
    "a rewriter is a GPT-2 (model_type gpt2)",
  );
}

const pipelineIndex = z.looseObject({
  /** A list [file, class] names code of the repository's own, which is not run. */
  _class_name: z.union([z.string(), z.array(z.string())]).optional(),
});

/**
 * Pipelines that save the parts of StableDiffusionPipeline under another name, such as for pictures from
 * pictures or with a ControlNet.
 */
const SAME_PARTS = /,|^\w*StableDiffusion(?!XL|3|Upscale|LatentUpscale)\w*Pipeline\w*$/;

/** Parts of a pipeline by folder, with the class that each must have. */
const PARTS = { unet: "UNet2DConditionModel", vae: "AutoencoderKL", text_encoder: "CLIPTextModel" } as const;

const unetConfig = z.looseObject({
  in_channels: z.int().optional(),
  addition_embed_type: z.string().nullish(),
});

/**
 * Throws CHECKPOINT_MISSING, CHECKPOINT_CORRUPT or CHECKPOINT_ARCHITECTURE unless the folder is a pipeline
 * like Stable Diffusion 1.5.
 */
export function requireStableDiffusion(directory: string): void {
  const path = join(directory, "model_index.json");
  const index = readConfig(directory, "model_index.json", pipelineIndex);
  const className = String(index._class_name ?? "pipeline of unknown class");
  if (!SAME_PARTS.test(className)) throw wrongArchitecture(path, `a ${className}`, wanted);
  for (const [part, wantedClass] of Object.entries(PARTS)) {
    const described = index[part];
    const found = Array.isArray(described) ? described[1] : undefined;
    if (found !== wantedClass) {
      throw wrongArchitecture(path, `a pipeline whose ${part} is ${found ?? "absent"}`, wanted);
    }
  }
  const unet = readConfig(join(directory, "unet"), "config.json", unetConfig);
  const unetPath = join(directory, "unet", "config.json");
  if (unet.addition_embed_type) throw wrongArchitecture(unetPath, "a UNet of the SDXL kind", wanted);
  requireTextToImage(unetPath, unet.in_channels);
}

const wanted = "a StableDiffusionPipeline of the 1.x kind is wanted";

/** UNets of the same family that need a picture besides the prompt, by their input channels. */
const WITH_A_PICTURE: ReadonlyMap<number, string> = new Map([
  [5, "a depth-to-image UNet (5 input channels)"],
  [7, "an upscaling UNet (7 input channels)"],
  [8, "a UNet that edits pictures (8 input channels)"],
  [9, "an inpainting UNet (9 input channels)"],
]);

/** Throws CHECKPOINT_ARCHITECTURE for a UNet that cannot draw from a prompt alone. */
export function requireTextToImage(path: string, inChannels: number | undefined): void {
  const found = WITH_A_PICTURE.get(inChannels ?? 0);
  if (found !== undefined) throw wrongArchitecture(path, found, wanted);
}

const wrongArchitecture = (path: string, found: string, wanted: string): CheckpointError =>
  new CheckpointError("CHECKPOINT_ARCHITECTURE", `${path} describes ${found}; ${wanted}.`);
