import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { writeSafetensors } from "../../src/checkpoints/files/safetensors.js";
import { readJson } from "../../src/checkpoints/layouts/config.js";
import { openClip } from "../../src/checkpoints/layouts/judge-files.js";
import { Judge } from "../../src/inference/judging/judge.js";
import { normalized } from "../../src/inference/judging/vectors.js";
import { float16FromFloat32 } from "../../src/onnx/float16.js";

const MINIATURE = fileURLToPath(new URL("../../checkpoints/miniature", import.meta.url));

export interface MadeUpConcept {
  /** A caption in the miniature's words, such as "a pizza". */
  readonly caption: string;
  /** Pictures with this cosine or more show the subject. */
  readonly threshold: number;
}

/**
 * Writes a safety checker in the published layout whose concepts are harmless subjects: the miniature CLIP's
 * vision tower, with its embeddings of captions as concepts.
 * @param pipeline folder of a pipeline; `safety_checker/` and `feature_extractor/` are added
 */
export async function writeMadeUpSafetyChecker(
  pipeline: string,
  concepts: readonly MadeUpConcept[],
  specialCare: readonly MadeUpConcept[] = [{ caption: "a rocket", threshold: 2 }],
): Promise<void> {
  const clipFolder = join(MINIATURE, "clip");
  const clip = openClip(clipFolder);
  const weights = clip.weights("fp16");
  const cacheDir = join(pipeline, "..", "fixture-cache");
  const judge = await Judge.open({
    files: { clip: clipFolder, clipName: null, aesthetic: null, safety: null },
    device: { name: "cpu", note: null },
    precision: "fp32",
    cacheDir,
    threads: 1,
  });
  const directions = async (list: readonly MadeUpConcept[]) => {
    const rows: Float32Array[] = [];
    for (const { caption } of list) rows.push(normalized((await judge.embedText(caption))!));
    return Float32Array.from(rows.flatMap((row) => Array.from(row)));
  };
  const half = (name: string, shape: readonly number[], values: Float32Array) => ({
    name,
    type: "F16" as const,
    shape,
    data: () => new Uint8Array(float16FromFloat32(values).buffer),
  });
  const listed = async (name: string, list: readonly MadeUpConcept[]) => [
    half(name, [list.length, clip.dimensions], await directions(list)),
    half(
      `${name}_weights`,
      [list.length],
      Float32Array.from(list, ({ threshold }) => threshold),
    ),
  ];
  const tower = weights.names
    .filter((name) => /^(vision_model|visual_projection)\./.test(name))
    .map((name) => ({
      ...weights.get(name)!,
      name: name.replace(/^vision_model\./, "vision_model.vision_model."),
      data: () => weights.read(name),
    }));
  const tensors = [
    ...tower,
    ...(await listed("concept_embeds", concepts)),
    ...(await listed("special_care_embeds", specialCare)),
  ];
  await judge.release();
  const folder = join(pipeline, "safety_checker");
  mkdirSync(folder, { recursive: true });
  writeSafetensors(join(folder, "model.fp16.safetensors"), tensors);
  const { vision_config, projection_dim } = readJson(join(clipFolder, "config.json")) as Record<
    string,
    unknown
  >;
  writeFileSync(
    join(folder, "config.json"),
    JSON.stringify({
      architectures: ["StableDiffusionSafetyChecker"],
      model_type: "clip",
      vision_config,
      projection_dim,
    }),
  );
  mkdirSync(join(pipeline, "feature_extractor"), { recursive: true });
  cpSync(
    join(clipFolder, "preprocessor_config.json"),
    join(pipeline, "feature_extractor", "preprocessor_config.json"),
  );
}

/**
 * A folder of checkpoints like the committed one, whose miniature Stable Diffusion has such a checker.
 * @returns the path for CHECKPOINTS_DIR
 */
export async function checkpointsWithSafetyChecker(
  folder: string,
  concepts: readonly MadeUpConcept[],
): Promise<string> {
  const checkpoints = join(folder, "checkpoints");
  cpSync(MINIATURE, join(checkpoints, "miniature"), { recursive: true });
  await writeMadeUpSafetyChecker(join(checkpoints, "miniature", "stable-diffusion"), concepts);
  return checkpoints;
}
