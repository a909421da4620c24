import { codeOf, InputError } from "../../core/errors.js";
import { NO_MODELS } from "../../core/known-models.js";
import {
  DEFAULT_SIDES,
  fitsSides,
  IMAGE_RANGES,
  type ImageOptions,
  isInRange,
  type OwnOptions,
  type PictureSize,
  parseSize,
  REWRITE_LENGTH_FACTOR,
  SIDE_MULTIPLE,
  type Sides,
  showSize,
} from "../../core/options.js";
import { sizeWithin } from "../../core/picture-memory.js";
import { asDrawn } from "../../core/speeds.js";
import { PICTURE_MAX_BYTES, readPictureText } from "../../pictures/read-text.js";
import { cleanPrompt, isLongerThan } from "../../prompt-files/clean-prompt.js";
import {
  missingModels,
  modelsOf,
  type PicturePrompt,
  readPicturePrompt,
} from "../../prompt-files/picture-prompt.js";
import { pictureProblems } from "../words/english/pictures.js";
import { againstOf, type PairSides, readOpponent } from "./opponents.js";
import { type CommandContext, checkedPrompt, type Limits, type Prompts } from "./request.js";

/** A file of a message or a command, as Discord describes it. */
export interface AttachedPicture {
  readonly url: string;
  readonly size: number;
}

/** Fetches an attached picture's file. Throws InputError PICTURE_TOO_BIG or FILE_UNREACHABLE. */
export async function fetchAttached(
  { url, size }: AttachedPicture,
  { download }: Pick<CommandContext, "download">,
): Promise<Uint8Array> {
  const tooBig = () =>
    new InputError("PICTURE_TOO_BIG", `The picture is larger than ${PICTURE_MAX_BYTES} bytes.`, {
      limit: PICTURE_MAX_BYTES,
    });
  if (size > PICTURE_MAX_BYTES) throw tooBig();
  try {
    return await download(url, PICTURE_MAX_BYTES);
  } catch (error) {
    throw codeOf(error) === "FILE_TOO_BIG" ? tooBig() : error;
  }
}

/**
 * Fetches an attached picture and reads what its texts say.
 * @throws InputError PICTURE_* or FILE_UNREACHABLE
 */
export async function readAttached(
  attached: AttachedPicture,
  context: CommandContext,
): Promise<PicturePrompt> {
  const bytes = await fetchAttached(attached, context);
  return readPicturePrompt(readPictureText(bytes), (context.limits.sides ?? DEFAULT_SIDES).own);
}

/** What of a picture can't be drawn here as it was, and what is done instead, as sentences without a full stop. */
export function differences(
  picture: PicturePrompt,
  { defaults: { models }, limits, offered = NO_MODELS }: CommandContext,
): string[] {
  const { turbo } = offered;
  const own = picture.image.speed === "turbo" && turbo?.fits ? [turbo.name] : [];
  const { model, loras: named = [] } = modelsOf(picture, offered);
  const loras = [...(models?.loras ?? []), ...own, ...named.map(({ name }) => name)];
  return [
    ...picture.unread,
    ...(models === undefined
      ? []
      : missingModels(picture, { ...models, model: model || models.model, loras })),
    ...withinLimits(picture.image, limits).changed,
  ];
}

/** What is asked for beside the picture; it comes before what the picture says. */
export interface BesidePicture {
  readonly prompt: string | null;
  /** Whether Promptist is to make a new rewrite where the picture has one. */
  readonly rewriteAnew: boolean;
  /** The other side in place of the picture's own; null for the prompt as written. */
  readonly opponent?: PairSides["against"] | null;
  readonly given: (name: keyof ImageOptions) => boolean;
  readonly pairs: number;
}

/**
 * A picture's prompt and settings as the prompts of a comparison. A pair of ours is drawn again with its own
 * rewrite. Throws InputError PICTURE_*, INPUT_TOO_LONG or FILE_UNREACHABLE.
 */
export async function promptsFromPicture(
  attached: AttachedPicture,
  context: CommandContext,
  { prompt: typed, rewriteAnew, opponent, given, pairs }: BesidePicture,
): Promise<Prompts> {
  const { limits } = context;
  const picture = await readAttached(attached, context);
  const isSheet = picture.pairs.length > 0;
  if (isSheet && typed === null) throw new InputError("PICTURE_SHEET", "A contact sheet has many prompts.");
  const prompt = typed ?? checkedPrompt(picture.prompt, limits);
  const wanted = typed === null && !rewriteAnew ? picture.rewrite : null;
  const rewrite = wanted === null ? null : checkedRewrite(wanted, limits);
  const { offered = NO_MODELS, defaults } = context;
  const { image: drawn } = withinLimits(picture.image, limits);
  const image = { ...drawn, ...withoutConfigured(modelsOf(picture, offered), defaults.models?.loras ?? []) };
  const against =
    opponent === undefined
      ? ownOpponent(picture, typed === null && !rewriteAnew, context)
      : (opponent ?? undefined);
  const own = Object.entries({ ...image, ...(picture.seed === undefined ? {} : { seed: picture.seed }) });
  const remarks = [
    ...differences(picture, context),
    ...(wanted !== null && rewrite === null ? [pictureProblems.newRewrite] : []),
  ];
  return {
    isAsDrawn: !given("style"),
    image: Object.fromEntries(own.filter(([name]) => !given(name as keyof ImageOptions))),
    items: Array.from({ length: pairs }, () => ({
      prompt,
      rewrite,
      ...againstOf(against),
    })),
    ...(remarks.length === 0 ? {} : { notes: notesOf(remarks) }),
  };
}

/** What of a picture's models is to be named: LoRAs that are always used stay at their own strength. */
function withoutConfigured(
  { model, loras = [] }: Pick<OwnOptions, "model" | "loras">,
  configured: readonly string[],
): Pick<OwnOptions, "model" | "loras"> {
  const named = loras.filter(({ name }) => !configured.includes(name));
  return { ...(model === undefined ? {} : { model }), ...(named.length === 0 ? {} : { loras: named }) };
}

/** The other side that a picture of ours tells of; with its text, unless another one is wanted. */
function ownOpponent(
  { against, seed = 0 }: PicturePrompt,
  isAsDrawn: boolean,
  context: CommandContext,
): PairSides["against"] {
  if (against === null) return undefined;
  const { rewriter, rewrite: written } = against;
  const rewrite = isAsDrawn ? checkedRewrite(written, context.limits) : null;
  // A text that is there needs no rewriter.
  if (rewrite === null) return readOpponent({ against: rewriter }, context, seed);
  return { text: { ...context.defaults.text, rewriter }, rewrite };
}

const notesOf = (picture: readonly string[]) => ({
  encoding: null,
  ignored: [],
  leftOut: [],
  unread: [],
  more: 0,
  comments: 0,
  isReport: false,
  picture,
});

/** The rewrite of a picture of ours; null for one that can't be used. */
export function checkedRewrite(text: string, { maxPromptLength }: Limits): string | null {
  const rewrite = cleanPrompt(text);
  return rewrite === "" || isLongerThan(rewrite, REWRITE_LENGTH_FACTOR * maxPromptLength) ? null : rewrite;
}

/** A picture's options as far as they can be drawn here, and what was changed, as sentences without a full stop. */
export function withinLimits(
  image: OwnOptions,
  { maxSteps, maxPromptLength, sides = DEFAULT_SIDES }: Limits,
): { readonly image: OwnOptions; readonly changed: readonly string[] } {
  const { steps, guidance, size, negative, ...rest } = image;
  const changed: string[] = [];
  const own: { -readonly [Name in keyof OwnOptions]: OwnOptions[Name] } = rest;
  if (steps !== undefined) {
    own.steps = Math.max(IMAGE_RANGES.steps.min, Math.min(maxSteps, steps));
    if (own.steps !== steps) changed.push(pictureProblems.steps(steps, own.steps));
  }
  if (guidance !== undefined) {
    if (isInRange(guidance, IMAGE_RANGES.guidance)) own.guidance = guidance;
    else changed.push(pictureProblems.guidance(guidance));
  }
  if (negative !== undefined)
    own.negative = isLongerThan(negative, maxPromptLength)
      ? [...negative.slice(0, 2 * maxPromptLength)].slice(0, maxPromptLength).join("")
      : negative;
  if (own.negative !== undefined && own.negative !== negative) changed.push(pictureProblems.negative);
  if (size !== undefined && size !== null) {
    own.size = nearestSize(size, sides);
    if (showSize(own.size) !== showSize(size))
      changed.push(pictureProblems.size(showSize(size), showSize(own.size)));
  }
  return { image: asDrawn(own), changed };
}

/** The same shape within the limits, with sides that can be drawn. */
function nearestSize(size: PictureSize, { max, mostPixels }: Sides): PictureSize {
  const whole = parseSize(showSize(size));
  if (whole !== null && fitsSides(whole, { own: max, max, mostPixels: mostPixels ?? null })) return whole;
  const scale = Math.min(1, max / Math.max(1, size.width, size.height));
  const side = (pixels: number) => {
    const rounded = SIDE_MULTIPLE * Math.round((pixels * scale) / SIDE_MULTIPLE);
    return Math.min(max, Math.max(IMAGE_RANGES.side.min, rounded));
  };
  const nearest = { width: side(size.width), height: side(size.height) };
  return sizeWithin(nearest, mostPixels ?? Number.POSITIVE_INFINITY) ?? nearest;
}
