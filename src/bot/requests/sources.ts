import { createHash } from "node:crypto";
import { InputError } from "../../core/errors.js";
import type { Job, Picture } from "../../core/job.js";
import { newId } from "../../core/job-id.js";
import { DEFAULT_SIDES, type ImageOptions, STRENGTH_RANGE } from "../../core/options.js";
import type { Where } from "../../core/settings.js";
import type { PerSide } from "../../core/side.js";
import {
  type Concern,
  concernOf,
  type From,
  isJudged,
  leastStrength,
  type Source,
  stepsTaken,
} from "../../core/source.js";
import { decodeSource } from "../../pictures/read-picture.js";
import type { PictureKey, PictureStore } from "../../pictures/store.js";
import type { Audience } from "../messages/parts/audience.js";
import { acceptedConcerns } from "../messages/parts/picture-policy.js";
import { type AttachedPicture, fetchAttached } from "./from-picture.js";
import { type CommandContext, checkRange, type Prompts, type SourceFile } from "./request.js";

/** The file of an attached picture, and of a side's drawn one. No picture that is drawn has such a name. */
const ATTACHED = "source.png";
const fileOf = (side: string) => `source-${side}.png`;

/** Shares of a picture that are cut off without a word. */
const UNNOTICED = 0.02;

/**
 * Prompts that go on from an attached picture: it is decoded once, as it is displayed, and nothing but its pixels is
 * stored. Throws InputError PICTURE_* or FILE_UNREACHABLE.
 */
export async function fromAttached(
  attached: AttachedPicture,
  strength: number,
  context: CommandContext,
  { size: asked }: Pick<ImageOptions, "size">,
  prompts: Prompts,
): Promise<Prompts> {
  const bytes = await fetchAttached(attached, context);
  const { png, width, height, isAnimated } = await decodeSource(bytes);
  const { own } = context.limits.sides ?? DEFAULT_SIDES;
  const size = prompts.image?.size ?? asked ?? { width: own, height: own };
  const shape = (width * size.height) / (height * size.width);
  const isCropped = Math.abs(Math.log(shape)) > UNNOTICED;
  const notes = [
    ...(isAnimated ? [{ code: "first-frame" } as const] : []),
    ...(isCropped ? [{ code: "cropped" } as const] : []),
  ];
  const source: Source = { file: ATTACHED, sha256: sha256Of(bytes) };
  return {
    ...prompts,
    items: prompts.items.map((item) => ({ ...item, notes: [...(item.notes ?? []), ...notes] })),
    image: { ...prompts.image, size, from: fromOf(strength, { baseline: source, optimized: source }) },
    sources: [{ file: ATTACHED, picture: png }],
  };
}

/**
 * What goes on from pictures that a job drew, one for each side; the same for both where only one is given.
 * @throws InputError PICTURE_GONE where one is deleted
 */
export async function fromDrawn(
  { id: jobId }: Pick<Job, "id">,
  pictures: Partial<PerSide<Picture | null>>,
  strength: number,
  store: PictureStore,
): Promise<{ readonly from: From; readonly sources: readonly SourceFile[] }> {
  const sources: Partial<Record<keyof typeof pictures, Source>> = {};
  const files: SourceFile[] = [];
  for (const side of ["baseline", "optimized"] as const) {
    const drawn = pictures[side];
    if (!drawn) continue;
    const key = { jobId, file: drawn.file };
    const bytes = await store.read(key);
    if (bytes === null) throw gone(key);
    const file = fileOf(side);
    const { safety = "unchecked" } = drawn.judgement ?? {};
    sources[side] = { file, sha256: sha256Of(bytes), safety };
    files.push({ file, picture: key });
  }
  const { baseline, optimized } = sources;
  const one = baseline ?? optimized;
  if (one === undefined) throw gone({ jobId, file: "a picture" });
  const from = fromOf(strength, { baseline: baseline ?? one, optimized: optimized ?? one });
  return { from, sources: files };
}

/** Throws InputError INPUT_OPTION for a strength that takes no step of the path. */
export function checkStrength({ from, steps }: Pick<ImageOptions, "from" | "steps">): void {
  if (from === undefined || stepsTaken(steps, from.strength) >= 1) return;
  checkRange("strength", from.strength, { ...STRENGTH_RANGE, min: leastStrength(steps) });
}

/** `accepts` is told when the pictures are stored. */
const fromOf = (strength: number, sources: PerSide<Source>): From => ({ strength, sources, accepts: [] });

const sha256Of = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

const gone = ({ jobId, file }: PictureKey) =>
  new InputError("PICTURE_GONE", `${file} of job ${jobId}, to go on from, is deleted.`);

const REFUSED = { flagged: "PICTURE_FLAGGED", unchecked: "PICTURE_UNCHECKED" } as const;

export interface SourcesOptions {
  readonly pictures: PictureStore;
  /** Throws DiscordError where Discord does not say what the channel is. */
  readonly audienceOf: (where: Where) => Promise<Audience>;
}

/** The pictures that jobs go on from: stores them before the job, which never lacks one. */
export class Sources {
  readonly #options: SourcesOptions;

  constructor(options: SourcesOptions) {
    this.#options = options;
  }

  /**
   * Stores the pictures of a job or draft to come, whose new id it answers, and notes which may be used there.
   * @throws InputError PICTURE_GONE if one is deleted, PICTURE_FLAGGED if it is known that it may not be used
   */
  async bring(
    from: From,
    files: readonly SourceFile[],
    where: Where,
  ): Promise<{ readonly id: string; readonly from: From }> {
    const accepts = acceptedConcerns(await this.#options.audienceOf(where));
    for (const source of Object.values(from.sources)) checkVerdict(source, accepts);
    const id = newId();
    try {
      for (const { file, picture } of files) await this.#store({ jobId: id, file }, picture);
    } catch (error) {
      await this.drop(id);
      throw error;
    }
    return { id, from: { ...from, accepts } };
  }

  /** Deletes what was stored for a job or draft that did not come to be. */
  async drop(id: string): Promise<void> {
    await this.#options.pictures.remove(id);
  }

  async #store(key: PictureKey, picture: SourceFile["picture"]): Promise<void> {
    const { pictures } = this.#options;
    if (picture instanceof Uint8Array) await pictures.write(key, picture);
    else if (!(await pictures.copy(picture, key))) throw gone(picture);
  }
}

/** A picture that nothing has looked at yet is judged before it is used. */
function checkVerdict(source: Source, accepts: readonly Concern[]): void {
  const concern = isJudged(source) ? concernOf(source.safety ?? "unchecked") : null;
  if (concern !== null && !accepts.includes(concern))
    throw new InputError(REFUSED[concern], `The picture to go on from is ${concern}.`);
}
