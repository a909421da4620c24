import { existsSync, readdirSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { CheckpointError } from "../../core/errors.js";
import { findWeightFiles, openWeights } from "../files/open.js";
import {
  CLIP_REPO,
  type FoundCheckpoint,
  hasTokenizer,
  miniaturesIn,
  type Places,
  STABLE_DIFFUSION_REPOS,
} from "./catalog.js";
import { isFile } from "./diffusion-files.js";
import { cachedSnapshot, repoOfCached } from "./hub-cache.js";
import { openClip } from "./judge-files.js";

/** Absolute paths of the judges' published files; null if missing. */
export interface FoundJudges {
  /** Folder of a CLIP in transformers' layout. */
  readonly clip: string | null;
  /** For messages and records: the folder's name, or `miniature`. */
  readonly clipName: string | null;
  /** File of an aesthetic predictor over this CLIP's embeddings; null without a CLIP. */
  readonly aesthetic: string | null;
  /** Folder of a safety checker. */
  readonly safety: string | null;
}

/** Value that stands for no CLIP: no scores. */
export const NO_CLIP = "none";

/** The predictor of Promptist's reward, among those published beside it. */
const PROMPTIST_PREDICTOR = "sac+logos+ava1-l14-linearMSE.pth";

/**
 * Finds the judges of what `diffusion` draws; opens no weights.
 * - CLIP: the folder that the user named, else `clip` in `checkpointsDir`, else the published one in the hub's
 *   cache. The miniature, and only it, falls
 *   back to the miniature's own.
 * - The predictor belongs to its CLIP: `aesthetic`, or the miniature's.
 * - The safety checker: the checkpoint's own `safety_checker`, else that of `stable-diffusion-v1-5` (here or in the hub's cache), which
 *   all of the 1.x family share; none for the miniature.
 *
 * @param clip a folder, `none`, or nothing
 * @throws CheckpointError CHECKPOINT_MISSING if the named CLIP does not exist or a folder holds several
 * predictors
 */
export function findJudges(
  diffusion: Pick<FoundCheckpoint, "directory" | "isMiniature">,
  checkpointsDir: string,
  clip?: string,
  { miniatureDir = miniaturesIn(checkpointsDir), hubCacheDir }: Places = {},
): FoundJudges {
  const places = { miniatureDir, hubCacheDir };
  const found = clip === NO_CLIP ? null : findClip(diffusion, checkpointsDir, clip, places);
  return {
    clip: found?.directory ?? null,
    clipName: found?.name ?? null,
    aesthetic:
      found && findPredictor(resolve(found.isMiniature ? miniatureDir : checkpointsDir, "aesthetic")),
    safety: findChecker(diffusion, checkpointsDir, hubCacheDir),
  };
}

function findClip(
  { isMiniature }: Pick<FoundCheckpoint, "isMiniature">,
  checkpointsDir: string,
  given: string | undefined,
  { miniatureDir, hubCacheDir }: Places & { readonly miniatureDir: string },
) {
  const miniature = resolve(miniatureDir, "clip");
  if (given !== undefined) {
    const directory = resolve(given);
    if (!existsSync(join(directory, "config.json")))
      throw new CheckpointError(
        "CHECKPOINT_MISSING",
        `${directory} holds no CLIP. Put config.json, the weights, vocab.json and merges.txt of openai/clip-vit-large-patch14 there, or say "${NO_CLIP}" for no scores.`,
      );
    const isOwn = directory === miniature;
    return { directory, name: isOwn ? "miniature" : basename(directory), isMiniature: isOwn };
  }
  // The folder may also hold only a tokenizer, for single-file checkpoints.
  const published = resolve(checkpointsDir, "clip");
  if (existsSync(join(published, "config.json")) && findWeightFiles(published))
    return { directory: published, name: "clip", isMiniature: false };
  const cached = isMiniature ? null : findCachedClip(hubCacheDir);
  if (cached !== null) return { directory: cached, name: "clip", isMiniature: false };
  return isMiniature && existsSync(join(miniature, "config.json"))
    ? { directory: miniature, name: "miniature", isMiniature: true }
    : null;
}

/** Folder of the published CLIP in the hub's cache, if it is whole: programs often fetch only its tokenizer. */
export function findCachedClip(hubCacheDir: string | undefined): string | null {
  const cached = cachedSnapshot(hubCacheDir, CLIP_REPO);
  return cached !== null && isWholeClip(cached.directory) ? cached.directory : null;
}

const isWholeClip = (directory: string): boolean =>
  hasTokenizer(directory) && isWhole(() => openClip(directory).weights("fp32"));

function isWhole(open: () => unknown): boolean {
  try {
    open();
    return true;
  } catch (error) {
    if (error instanceof CheckpointError) return false;
    throw error;
  }
}

function findPredictor(folder: string): string | null {
  if (!existsSync(folder)) return null;
  const names = readdirSync(folder).filter((name) => /\.(pth|pt|safetensors)$/.test(name));
  const name = names.includes(PROMPTIST_PREDICTOR) ? PROMPTIST_PREDICTOR : names[0];
  if (name === undefined) return null;
  if (name !== PROMPTIST_PREDICTOR && names.length > 1)
    throw new CheckpointError(
      "CHECKPOINT_MISSING",
      `${folder} holds several aesthetic predictors (${names.join(", ")}). Leave the one that is to be used.`,
    );
  return join(folder, name);
}

function findChecker(
  { directory, isMiniature }: Pick<FoundCheckpoint, "directory" | "isMiniature">,
  checkpointsDir: string,
  hubCacheDir: string | undefined,
): string | null {
  const own = safetyCheckerOf(directory);
  if (own !== null || isMiniature) return own;
  const cached = STABLE_DIFFUSION_REPOS.flatMap((repo) => cachedSnapshot(hubCacheDir, repo)?.directory ?? []);
  const folders = [resolve(checkpointsDir, "stable-diffusion-v1-5"), ...cached];
  return folders.map(safetyCheckerOf).find((found) => found !== null) ?? null;
}

/**
 * The safety checker in a pipeline's folder or beside a single file; null if there is none, or in the hub's cache
 * none that is whole.
 */
export function safetyCheckerOf(diffusion: string): string | null {
  const folder = join(isFile(diffusion) ? dirname(diffusion) : diffusion, "safety_checker");
  if (!existsSync(join(folder, "config.json"))) return null;
  return repoOfCached(folder) === null || isWhole(() => openWeights(folder)) ? folder : null;
}
