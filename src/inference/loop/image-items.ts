import { readWords } from "../../core/emphasis.js";
import type { Events } from "../../core/events.js";
import {
  drawnSides,
  hasOverview,
  type Item,
  type ItemNote,
  imageOf,
  isKept,
  type Job,
  judgementsOf,
  type Picture,
  rewriterOf,
  textOfSide,
  type UsedEmbedding,
  writersOf,
} from "../../core/job.js";
import { isFlagged, judgedAgain, type PictureJudgement } from "../../core/judgement.js";
import { modelKey, modelSetOf } from "../../core/model-set.js";
import { type ImageOptions, promptModeOf } from "../../core/options.js";
import { rewriterNameOf } from "../../core/rewriters.js";
import { SIDES, type Side } from "../../core/side.js";
import { isGuided } from "../../core/source.js";
import { applyStyle } from "../../core/styles.js";
import type { Claim, Queue } from "../../db/queue.js";
import { PAIRS_PER_SHEET } from "../../pictures/contact-sheet.js";
import { captionOf, type PairFiles } from "../../pictures/pair-card.js";
import type { PairTexts } from "../../pictures/parameters.js";
import { retellPair } from "../../pictures/png.js";
import {
  comparisonFile,
  type PictureStore,
  sheetFile,
  sideFile,
  withheldVariant,
} from "../../pictures/store.js";
import { drawGrid } from "./grid-picture.js";
import type { Host, ItemWork, Piece } from "./phase.js";
import { SourceCheck, type UpscalerOf } from "./source-check.js";

/** Milliseconds between two previews of a picture: as often as its message may be edited. */
const PREVIEW_MS = 2_500;

export interface ImageItemsOptions {
  readonly queue: Queue;
  readonly events: Events;
  readonly pictures: PictureStore;
  /** Name of the checkpoint that draws with these options, for captions and metadata. */
  readonly checkpoint: (image: ImageOptions) => string;
  /** Lanczos alone where it is left out. */
  readonly upscalerOf?: UpscalerOf;
  readonly now: () => number;
}

/** A drawn or copied picture, with its notes for the user. */
interface Made {
  readonly picture: Picture;
  readonly notes: readonly ItemNote[];
}

/**
 * The image phase: draws both sides of a pair from one seed and composes them, ten pairs to a contact sheet. An
 * item with a single picture has nothing to compose; a grid shows all of its job's.
 */
export class ImageItems implements ItemWork {
  readonly groupSize = 1;
  readonly #options: ImageItemsOptions;
  readonly #sources: SourceCheck;

  constructor(options: ImageItemsOptions) {
    this.#options = options;
    this.#sources = new SourceCheck(options.pictures, options.upscalerOf);
  }

  async make(host: Host, claim: Claim, pieces: readonly Piece[], signal: AbortSignal): Promise<boolean> {
    for (const { item } of pieces) if (!(await this.#drawItem(host, claim, item, signal))) return false;
    return true;
  }

  /** Draws a contact sheet for each ten pairs without one; the last may have fewer. */
  async afterGroup(host: Host, claim: Claim, isOver: boolean): Promise<boolean> {
    if (!hasOverview(claim.job)) return true;
    const { queue, pictures, checkpoint } = this.#options;
    const job = await queue.get(claim.job.id);
    if (job === undefined) return false;
    if (job.grid !== undefined) {
      if (!isOver) return true;
      const sheet = await drawGrid(host, job, job.grid, pictures, checkpoint(job.image));
      return queue.saveSheet(claim, sheet);
    }
    // Items of one model are drawn together, so a sheet may lack some between its first and last.
    const shown = new Set(job.sheets.flatMap((sheet) => sheet.items));
    const composed = job.items.filter((item) => item.comparison !== null && !shown.has(item.index));
    for (let from = 0; from < composed.length; from += PAIRS_PER_SHEET) {
      const items = composed.slice(from, from + PAIRS_PER_SHEET);
      if (items.length < PAIRS_PER_SHEET && !isOver) return true;
      const number = job.sheets.length + from / PAIRS_PER_SHEET + 1;
      const file = pictures.nameOf(sheetFile(number), claim.attempt);
      const numbers = items.map(({ index }) => index + 1);
      const pairs = await Promise.all(items.map((item) => this.#pairFiles(job, item)));
      const draw = (pairs: readonly PairFiles[], file: string) =>
        pictures.create({ jobId: job.id, file }, (path) =>
          host.call("sheet", { pairs, file: path, numbers }),
        );
      await draw(
        pairs.map(({ whole }) => whole),
        file,
      );
      if (pairs.some(({ withheld }) => withheld.withheld?.length)) {
        await draw(
          pairs.map(({ withheld }) => withheld),
          withheldVariant(file),
        );
      }
      const sheet = { number, file, items: items.map(({ index }) => index) };
      if (!(await queue.saveSheet(claim, sheet))) return false;
    }
    return true;
  }

  /** Draws the missing pictures of an item, storing each as soon as it is done, then composes those of a pair. */
  async #drawItem(host: Host, claim: Claim, item: Item, signal: AbortSignal): Promise<boolean> {
    const { queue, pictures } = this.#options;
    const { job } = claim;
    let pair = item;
    for (const side of drawnSides(item)) {
      if (pair.pictures[side] !== null) continue;
      const { picture, notes } =
        (await this.#reuse(host, job, pair, side)) ?? (await this.#draw(host, job, pair, side, signal));
      const result = { pictures: { [side]: picture }, notes };
      if (!(await queue.savePictures(claim, item.index, result))) return false;
      pair = { ...pair, pictures: { ...pair.pictures, [side]: picture } };
    }
    if (item.only !== undefined) return true;
    const file = pictures.nameOf(comparisonFile(item.index), claim.attempt);
    const { whole, withheld } = await this.#pairFiles(job, pair);
    const compose = (pair: PairFiles, file: string) =>
      pictures.create({ jobId: job.id, file }, (path) => host.call("compose", { pair, file: path }));
    await compose(whole, file);
    // With both sides blank there would be nothing to see.
    if (withheld.withheld?.length === 1) await compose(withheld, withheldVariant(file));
    return queue.savePictures(claim, item.index, { comparison: file });
  }

  async #draw(host: Host, job: Job, item: Item, side: Side, signal: AbortSignal): Promise<Made> {
    const { events, pictures, checkpoint, now } = this.#options;
    const file = pictures.nameOf(sideFile(item.index, side), job.attempt);
    const where = { jobId: job.id, item: item.index };
    const { from: _, ...options } = imageOf(job, item);
    const from = await this.#sources.from(host, job, imageOf(job, item), side);
    const harmless = host.info.harmless === true && (from === null || from.isHarmless === true);
    const started = now();
    const {
      truncated,
      truncatedNegative = null,
      embeddings = [],
      models = [],
      notes,
      judgement,
    } = await pictures.create({ jobId: job.id, file }, (path) =>
      host.call(
        "draw",
        {
          prompt: promptOf(item, side),
          plainPrompt: plainPromptOf(job, item),
          options,
          from,
          file: path,
          checkpoint: checkpoint(options),
          pair: pairTextsOf(job, item, side),
          previewMs: job.preview ? PREVIEW_MS : null,
        },
        {
          signal,
          onProgress: (step, steps) =>
            events.emit("job.progress", {
              ...where,
              phase: "image",
              items: job.items.length,
              output: side,
              ...(item.only === undefined ? {} : { single: true }),
              ...(isGuided(options.guidance) ? {} : { unguided: true }),
              step,
              steps,
            }),
          onPreview: (data) => events.emit("job.preview", { ...where, side, data, harmless }),
        },
      ),
    );
    return {
      picture: { file, ms: now() - started, judgement },
      notes: [
        ...cutNote(side, truncated),
        ...cutNote("negative", truncatedNegative),
        ...(modelKey(modelSetOf(options)) === "" || models.length === 0
          ? []
          : [{ code: "models" as const, side, used: models }]),
        ...embeddings.map((used): ItemNote => ({ code: "embedding", side, ...used })),
        ...notes.map((code) => ({ code, side })),
      ],
    };
  }

  /**
   * The same prompt with the same options gives the same picture, so an existing one is copied: the other
   * side of a pair that Promptist left unchanged, or a picture of the job's parent. Null if it must be drawn.
   */
  async #reuse(host: Host, job: Job, item: Item, side: Side): Promise<Made | null> {
    const { queue, pictures, checkpoint } = this.#options;
    const own = await queue.get(job.id);
    const parent = job.parentId === null ? undefined : await queue.get(job.parentId);
    const options = imageOf(job, item);
    const wanted = recipe(job, item, side, checkpoint(options), askedFor(host, job, item, side));
    const file = pictures.nameOf(sideFile(item.index, side), job.attempt);
    for (const source of [own, parent]) {
      if (source === undefined || source.checkpoints.diffusion === null) continue;
      for (const other of source.items) {
        for (const otherSide of SIDES) {
          const picture = other.pictures[otherSide];
          if (picture === null) continue;
          // A job of several models names the last one; what a model's own options are, the recipe tells.
          const diffusion = source === own ? checkpoint(options) : source.checkpoints.diffusion;
          if (recipe(source, other, otherSide, diffusion, embeddingsOf(other, otherSide)) !== wanted)
            continue;
          const png = await pictures.read({ jobId: source.id, file: picture.file });
          if (png === null) continue;
          await pictures.write({ jobId: job.id, file }, retellPair(png, pairTextsOf(job, item, side)));
          const notes = other.notes.flatMap((note): ItemNote[] => {
            if (!("side" in note)) return [];
            if (note.side === "negative") return [note];
            return note.side === otherSide ? [{ ...note, side }] : [];
          });
          // Relevance is measured against the plain prompt, which may be different now.
          const kept =
            other.prompt === item.prompt || picture.judgement === null
              ? picture.judgement
              : { ...picture.judgement, relevance: null };
          const path = await pictures.localPath({ jobId: job.id, file });
          const judgement = await completed(kept, () =>
            host.call("judge", { file: path, plainPrompt: plainPromptOf(job, item) }),
          );
          return {
            picture: { file, ms: null, judgement },
            notes,
          };
        }
      }
    }
    return null;
  }

  /** A drawn pair unchanged, and the same with blank panels for its flagged pictures. */
  async #pairFiles(job: Job, item: Item): Promise<{ whole: PairFiles; withheld: PairFiles }> {
    const { pictures, checkpoint } = this.#options;
    const options = imageOf(job, item);
    const path = (side: Side) =>
      pictures.localPath({ jobId: job.id, file: item.pictures[side]?.file ?? sideFile(item.index, side) });
    const writers = writersOf(job, item);
    const whole = {
      texts: { baseline: promptOf(item, "baseline"), optimized: promptOf(item, "optimized") },
      ...(writers === null ? {} : { writers }),
      files: { baseline: await path("baseline"), optimized: await path("optimized") },
      caption: captionOf(options, checkpoint(options)),
    };
    const judgements = judgementsOf(item);
    return { whole, withheld: { ...whole, withheld: SIDES.filter((side) => isFlagged(judgements[side])) } };
  }
}

const cutNote = (side: Side | "negative", words: string | null): ItemNote[] =>
  words === null ? [] : [{ code: "truncated", side, words }];

const promptOf = (item: Item, side: Side): string => textOfSide(item, side) ?? "";

const plainPromptOf = (job: Job, item: Item): string =>
  readWords(item.prompt, promptModeOf(imageOf(job, item)));

/** The embeddings that a picture was drawn with. */
const embeddingsOf = (item: Item, side: Side): UsedEmbedding[] =>
  item.notes.flatMap((note) => (note.code === "embedding" && note.side === side ? [note] : []));

/** The embeddings that the worker has for the names in a picture's prompts. */
function askedFor({ info }: Host, job: Job, item: Item, side: Side): readonly UsedEmbedding[] {
  const { guidance, style, ...image } = imageOf(job, item);
  const { prompt, negative } = applyStyle({ prompt: promptOf(item, side), negative: image.negative }, style);
  const text = `${prompt}\n${guidance > 1 ? negative : ""}`.toLowerCase();
  return (info.embeddings ?? []).filter(({ names }) =>
    names.some((name) => text.includes(name.toLowerCase())),
  );
}

/** Of which pair a picture is; null for a single one of a prompt as written. */
function pairTextsOf(job: Job, item: Item, side: Side): PairTexts | null {
  const { prompt, rewrite, only, against } = item;
  if (only === "baseline" && against === undefined) return null;
  return {
    side,
    original: prompt,
    rewrite: rewrite ?? "",
    rewriter: rewriterOf(job, item),
    ...(isKept(item) ? { kept: true } : {}),
    ...(against === undefined
      ? {}
      : { against: { rewriter: rewriterNameOf(against.text), rewrite: against.rewrite ?? "" } }),
  };
}

/**
 * Everything that decides how a picture looks, as one string to compare. All options count, so a new one needs
 * no line here; a speed is only a name for others.
 */
export function recipe(
  job: Job,
  item: Item,
  side: Side,
  checkpoint: string,
  embeddings: readonly UsedEmbedding[],
): string {
  const image = imageOf(job, item);
  const { size, from, speed: _, ...others } = { ...image, prompts: promptModeOf(image) };
  const options = Object.entries(others).sort(([a], [b]) => (a < b ? -1 : 1));
  const source = from && [from.strength, from.sources[side].sha256, from.enlarge ?? 1, from.upscaler];
  const used = embeddings.map(({ name, sha256 }) => `${name} ${sha256}`).sort();
  return JSON.stringify([
    promptOf(item, side),
    checkpoint,
    size?.width,
    size?.height,
    options,
    used,
    ...(source === undefined ? [] : [source]),
  ]);
}

/** Keeps what was judged of a copied picture and judges the rest now. */
async function completed(
  kept: PictureJudgement | null,
  judge: () => Promise<PictureJudgement>,
): Promise<PictureJudgement> {
  if (kept === null) return judge();
  const isWhole = kept.relevance !== null && kept.beauty !== null && kept.safety !== "unchecked";
  return isWhole ? kept : judgedAgain(kept, await judge());
}
