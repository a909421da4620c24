import { existsSync } from "node:fs";
import { dirname, extname, resolve } from "node:path";
import { findModels } from "../checkpoints/library/find-models.js";
import { resolveNames } from "../checkpoints/library/resolve-names.js";
import type { Config } from "../config.js";
import { CheckpointError, InputError } from "../core/errors.js";
import { showSize } from "../core/options.js";
import type { Models } from "./parts/models.js";
import type { CommonFlags, ImageFlags } from "./parts/options.js";
import { makeOutFolder } from "./parts/out-folder.js";
import type { Output } from "./parts/output.js";

export interface UpscaleFlags extends CommonFlags, Pick<ImageFlags, "precision"> {
  readonly out: string;
  readonly model?: string;
  readonly scale?: number;
  readonly tile?: number;
}

/** `promptist upscale PICTURE --out FILE.png`: makes a picture larger with an upscaler, in tiles where it is large. */
export async function upscale(
  models: Models,
  output: Output,
  config: Config,
  picture: string,
  { model, out, scale, tile }: UpscaleFlags,
): Promise<void> {
  const target = resolve(out);
  if (extname(target).toLowerCase() !== ".png")
    throw new InputError("INPUT_OPTION", `--out must name a .png file, not ${out}`);
  const upscaler = await findUpscaler(config, model);
  await makeOutFolder(dirname(target));
  const { upscaled, info } = await models.withTool({ phase: "upscale", file: upscaler }, async (host) => ({
    upscaled: await host.call(
      "upscale",
      { file: resolve(picture), out: target, factor: scale, tile },
      { signal: models.signal, onProgress: output.progress("upscaling") },
    ),
    info: host.info,
  }));
  for (const note of info.notes) output.say(`Note: ${note}`);
  const { from, seconds } = upscaled;
  output.result(
    { ...upscaled, picture: resolve(picture), upscaler, precision: info.precision, device: info.device },
    `${target}  (${showSize(from)} to ${showSize(upscaled)}, ${seconds.toFixed(1)} s)`,
  );
}

/** The file of the upscaler that is named, else of the only one on this machine. Throws CheckpointError. */
export async function findUpscaler(config: Config, given: string | undefined): Promise<string> {
  if (given !== undefined) {
    const { upscaler = given } = await resolveNames({ upscaler: given }, config);
    if (existsSync(resolve(upscaler))) return resolve(upscaler);
    throw new CheckpointError("CHECKPOINT_MISSING", `There is no upscaler "${given}". ${GET_ONE}`);
  }
  const { models } = await findModels(config);
  const fitting = models.filter(({ kind, misfit }) => kind === "upscaler" && misfit === null);
  const [only, another] = fitting;
  if (only === undefined)
    throw new CheckpointError("CHECKPOINT_MISSING", `There is no upscaler on this machine. ${GET_ONE}`);
  if (another === undefined) return only.path;
  throw new CheckpointError(
    "CHECKPOINT_MISSING",
    `There are ${fitting.length} upscalers. Name one with --model: ${fitting.map(({ name }) => name).join(", ")}`,
  );
}

const GET_ONE =
  "Put an ESRGAN or Real-ESRGAN into CHECKPOINTS_DIR/upscale_models, name its folder in MODELS_DIRS, or run: promptist checkpoints pull realesrgan-x4";
