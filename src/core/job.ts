/**
 * The program's vocabulary as types (docs/glossary.md). Everything here is plain data that fits in a row or a
 * message.
 */

import type { ErrorContext } from "./errors.js";
import type { Grid } from "./grid.js";
import { type PairScores, type PictureJudgement, pairScores } from "./judgement.js";
import type { ImageOptions, OwnOptions, TextOptions } from "./options.js";
import { GIVEN, isModel, NO_REWRITER, rewriterNameOf, titleOf } from "./rewriters.js";
import { type PerSide, SIDES, type Side } from "./side.js";

export type JobKind = "optimize" | "compare" | "batch" | "grid" | "evaluation";
export type JobState = "queued" | "running" | "done" | "failed" | "cancelled";

/** The two kinds of work that take the GPU in turn: rewriting (Promptist) and drawing (Stable Diffusion). */
/** In the order in which a job goes through them. */
export const PHASES = ["text", "image"] as const;
export type Phase = (typeof PHASES)[number];

/** True if the state is final. */
export const isFinished = (state: JobState): boolean =>
  state === "done" || state === "failed" || state === "cancelled";

/** One rewrite that the search found. */
export interface Candidate {
  readonly text: string;
  /** Generated tokens, including the end token if there is one. */
  readonly tokens: number;
  /** The search's own score (length-penalised sum of log-probabilities); null if the mode has none. */
  readonly score: number | null;
}

/** One drawn picture. */
export interface Picture {
  /** File name inside the job's picture folder. */
  readonly file: string;
  /** Milliseconds it took to draw; null if it was copied from another picture. */
  readonly ms: number | null;
  /** Null if it was drawn by a version without judges. */
  readonly judgement: PictureJudgement | null;
}

/** Who writes the text of an item's baseline, in place of the prompt as written. */
export interface Opponent {
  /** Which rewriter, and how it searches. */
  readonly text: TextOptions;
  /** Null until it is written. */
  readonly rewrite: string | null;
  /** Milliseconds that it took; null until it is made, and where it needed no model. */
  readonly ms: number | null;
}

export interface Item {
  /** Position in the job, from 0. */
  readonly index: number;
  readonly prompt: string;
  /** Null until Promptist has rewritten the prompt; a file of pairs sets it from the start. */
  readonly rewrite: string | null;
  /** Milliseconds that the rewrite took; null until it is made, and where it was given. */
  readonly rewriteMs: number | null;
  /** All distinct rewrites, best first; empty for a given pair. */
  readonly candidates: readonly Candidate[];
  /** Seed of this item's two pictures: the job's seed plus the index. */
  readonly seed: number;
  /** How this item is rewritten, instead of as the job says; absent for an item without its own way. */
  readonly text?: TextOptions;
  /** Options of this item that replace the job's; absent for an item without any. */
  readonly image?: OwnOptions;
  /** The one side that is drawn, of an item with a single picture; absent for a pair. */
  readonly only?: Side;
  /** Of a pair of two rewriters; absent where the baseline is the prompt as written. */
  readonly against?: Opponent;
  /** Null until drawn, or where only the other side is. */
  readonly pictures: PerSide<Picture | null>;
  /** File name of the picture that shows both sides; null until drawn, and of a single picture. */
  readonly comparison: string | null;
  /** The item was taken out of the job: nothing more is drawn for it. */
  readonly cancelled: boolean;
  /** Notes for the user, such as words beyond CLIP's 77 tokens. */
  readonly notes: readonly ItemNote[];
}

/** An embedding that a picture was drawn with. */
export interface UsedEmbedding {
  readonly name: string;
  /** Of its file, in hexadecimal. */
  readonly sha256: string;
}

/** A checkpoint or a LoRA that a picture was drawn with. */
export interface UsedModel {
  readonly name: string;
  /** Of its file, or of a folder's UNet, in hexadecimal; null where it is not known. */
  readonly hash: string | null;
}

export type ItemNote =
  | { readonly code: "unchanged" }
  /** Of an attached picture to go on from: it is animated, or of another shape than what is drawn. */
  | { readonly code: "first-frame" }
  | { readonly code: "cropped" }
  /** What of the message that the prompt comes from was not taken, as sentences' parts without a full stop. */
  | { readonly code: "left-out"; readonly problems: readonly string[] }
  /** Promptist read only the beginning of the prompt; `words` are the rest, behind its rewrite as written. */
  | { readonly code: "unread"; readonly words: string }
  /** The rewrite was held to begin with the prompt, instead of being what the model writes by itself. */
  | { readonly code: "kept"; readonly side: Side }
  /** The rewrite was chosen by what the server likes, with these phrases as the reason. */
  | {
      readonly code: "taste";
      /** Whether it is the model's own first. */
      readonly isFirst: boolean;
      /** It is not the one that is liked best, but taken to learn. */
      readonly explores: boolean;
      /** The probability with which it was taken. */
      readonly propensity: number;
      /** Phrases that it has and the first lacks, and those that it is without. */
      readonly liked: readonly string[];
      readonly disliked: readonly string[];
    }
  | { readonly code: "truncated"; readonly side: Side | "negative"; readonly words: string }
  | ({ readonly code: "embedding"; readonly side: Side } & UsedEmbedding)
  /** The model first, then the LoRAs, of a picture whose options name any of them. */
  | { readonly code: "models"; readonly side: Side; readonly used: readonly UsedModel[] }
  | { readonly code: "redone"; readonly side: Side }
  | { readonly code: "plain"; readonly side: Side };

/**
 * `redone`: half precision was not enough, so a part of the drawing was computed again. `plain`: the picture is
 * of one colour, and that is what the model drew.
 */
export type PictureNote = "redone" | "plain";

/**
 * What an evaluation compares. Its items are single pictures: prompt by prompt, of each one rewriter by rewriter, and
 * of each one seed by seed.
 */
export interface EvaluationDesign {
  /** By name (core/rewriters.ts). */
  readonly rewriters: readonly string[];
  /** Index of the one that the others are compared with. */
  readonly baseline: number;
  /** Pictures of each prompt and rewriter; those of all rewriters have the same seeds. */
  readonly seeds: number;
}

/** Which prompt, rewriter and seed an item of an evaluation is of, each from 0. */
export function placeIn({ rewriters, seeds }: EvaluationDesign, index: number) {
  const perPrompt = rewriters.length * seeds;
  return {
    prompt: Math.floor(index / perPrompt),
    rewriter: Math.floor((index % perPrompt) / seeds),
    seed: index % seeds,
  };
}

/** Where the command came from. Ids are Discord snowflakes. */
export interface Origin {
  readonly userId: string;
  readonly guildId: string | null;
  readonly channelId: string;
  readonly locale: string;
  readonly applicationId: string;
  readonly interactionId: string;
  readonly interactionToken: string;
  /** Milliseconds since the epoch; after this the token can no longer edit anything. */
  readonly tokenExpiresAt: number;
}

/** The address of a message on Discord, or of its channel. */
export const linkTo = (
  { guildId, channelId }: Pick<Origin, "guildId" | "channelId">,
  messageId?: string | null,
): string =>
  ["https://discord.com/channels", guildId ?? "@me", channelId, messageId].filter(Boolean).join("/");

export interface Failure {
  readonly code: string;
  /** Values of the code's sentence; absent where it has none. */
  readonly context?: ErrorContext;
  /** For the log and the operator, never for a channel. */
  readonly detail: string;
  readonly at: number;
}

export interface Job {
  readonly id: string;
  readonly kind: JobKind;
  readonly state: JobState;
  /** The phase that the job is in or needs next. */
  readonly phase: Phase;
  readonly origin: Origin;
  readonly text: TextOptions;
  readonly image: ImageOptions;
  readonly items: readonly Item[];
  /** The axes of a grid, whose cells are the items; absent for other jobs. */
  readonly grid?: Grid;
  /** What an evaluation compares; absent for other jobs. */
  readonly evaluation?: EvaluationDesign;
  /** The job whose result had the button that made this one. */
  readonly parentId: string | null;
  /** If true, people are not told which picture is which until they have voted. */
  readonly blind: boolean;
  /** Grows by one with each claim; rejects writes from an earlier claim. */
  readonly attempt: number;
  /** One entry per failed attempt. */
  readonly failures: readonly Failure[];
  readonly cancelRequested: boolean;
  readonly createdAt: number;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  /** Names of the checkpoints used, for the message and the record. */
  readonly checkpoints: { readonly promptist: string | null; readonly diffusion: string | null };
  /** SHA-256 over their weight files; null if not computed. */
  readonly hashes: { readonly promptist: string | null; readonly diffusion: string | null };
  /** Contact sheets of a job of several items, in order. */
  readonly sheets: readonly Sheet[];
  /** Which limit keeps this job out of line; null for a job that is in line, running or finished. */
  readonly held: LimitScope | null;
  /** Whether to show previews. */
  readonly preview: boolean;
  /** When the pictures were deleted to free space; null while they exist. */
  readonly picturesPrunedAt: number | null;
  readonly delivery: Delivery;
}

/** Whose open jobs a limit counts. */
export type LimitScope = "user" | "channel" | "server";

/** A picture of up to ten pairs of a job, or of all cells of a grid. */
export interface Sheet {
  /** From 1. */
  readonly number: number;
  /** File name inside the job's picture folder. */
  readonly file: string;
  /** Indexes of the items on it. */
  readonly items: readonly number[];
  /** Posted while the job ran, or given up. */
  readonly settled?: true;
}

export interface Delivery {
  /** Null until the result's message is posted. */
  readonly deliveredAt: number | null;
  readonly messageId: string | null;
  readonly attempts: number;
  /** Why delivery was abandoned; the result stays stored. */
  readonly abandoned: string | null;
}

/** The texts of an item, as far as they are written. */
type Texts = Pick<Item, "prompt" | "rewrite"> & { readonly against?: Pick<Opponent, "rewrite"> };

/** The text that a side shows: a rewrite, or the prompt as written; null until it is made. */
export const textOfSide = ({ prompt, rewrite, against }: Texts, side: Side): string | null =>
  side === "optimized" ? rewrite : against === undefined ? prompt : against.rewrite;

/**
 * True if both sides say the same: CLIP reads neither case nor the space around a text, so both pictures are the
 * same.
 */
export function isUnchanged(item: Texts): boolean {
  const [baseline, optimized] = SIDES.map((side) => textOfSide(item, side));
  return baseline != null && optimized != null && plain(baseline) === plain(optimized);
}

const plain = (text: string): string => text.trim().toLowerCase();

/** How the text of a side is made that is no prompt as written; without an item, how its job's rewrites are. */
export const textOptionsOf = (
  { text }: Pick<Job, "text">,
  item: { readonly text?: TextOptions; readonly against?: Pick<Opponent, "text"> } | undefined,
  side: Side = "optimized",
): TextOptions => (side === "baseline" ? item?.against?.text : item?.text) ?? text;

/** Whether the rewriter of the optimized side was held to the prompt's own words. */
export const isKept = ({ notes }: Pick<Item, "notes">): boolean =>
  notes.some((note) => note.code === "kept" && note.side === "optimized");

/**
 * Who wrote the text of an item's side, or is to write it, by name (core/rewriters.ts): `none` for the prompt as
 * written; null where it is a person's or a file's own words.
 */
export function rewriterOf(
  job: Pick<Job, "text">,
  item: Pick<Item, "text" | "rewrite" | "candidates" | "against">,
  side: Side = "optimized",
): string | null {
  if (side === "baseline") return item.against ? rewriterNameOf(item.against.text) : NO_REWRITER;
  const name = rewriterNameOf(textOptionsOf(job, item));
  const isTheirs = ({ text }: Candidate) => text === item.rewrite;
  return item.rewrite === null || !isModel(name) || item.candidates.some(isTheirs) ? name : null;
}

/** What people call who wrote the two texts of a pair of two rewriters; null for other items. `own`: a person or a file. */
export function writersOf(job: Pick<Job, "text">, item: Item, own: string = GIVEN): PerSide<string> | null {
  if (item.against === undefined) return null;
  const nameOf = (side: Side) => {
    const name = rewriterOf(job, item, side);
    return name === null ? own : titleOf(name);
  };
  return { baseline: nameOf("baseline"), optimized: nameOf("optimized") };
}

/** The scores of a pair. */
export const scoresOf = (item: Item): PairScores =>
  pairScores(judgementsOf(item), item.against === undefined);

/** What an item is drawn with; without an item, what its job is. */
export const imageOf = (
  { image }: Pick<Job, "image">,
  item: Pick<Item, "seed" | "image"> | undefined,
): ImageOptions => (item === undefined ? image : { ...image, ...item.image, seed: item.seed });

/** The sides of an item that are drawn, in order. */
export const drawnSides = ({ only }: Pick<Item, "only">): readonly Side[] =>
  only === undefined ? SIDES : [only];

/** Which side alone is drawn, for an item that is to be like this one. */
export const onlyOf = ({ only }: Pick<Item, "only">): Pick<Item, "only"> =>
  only === undefined ? {} : { only };

/** The sides whose text is still to be written. */
export const unwrittenSides = (item: Texts & Pick<Item, "only">): readonly Side[] =>
  drawnSides(item).filter((side) => textOfSide(item, side) === null);

/** Whether an item lacks a rewrite that it needs. */
export const lacksRewrite = (item: Texts & Pick<Item, "only">): boolean => unwrittenSides(item).length > 0;

/** How many pictures an item lacks. */
export const picturesLeft = (item: Pick<Item, "only" | "pictures">): number =>
  drawnSides(item).filter((side) => item.pictures[side] === null).length;

/** The phase that an item needs next, or null if it is complete. */
export function nextPhase(kind: JobKind, item: Item): Phase | null {
  if (item.cancelled) return null;
  if (lacksRewrite(item)) return "text";
  if (kind === "optimize") return null;
  const isComposed = item.only !== undefined || item.comparison !== null;
  return picturesLeft(item) > 0 || !isComposed ? "image" : null;
}

/** True if a job is shown as an overview (contact sheets and a report, or a grid) rather than as one pair. */
export const hasOverview = ({
  kind,
  items,
}: {
  readonly kind: JobKind;
  readonly items: { readonly length: number };
}): boolean => kind === "batch" || kind === "grid" || kind === "evaluation" || items.length > 1;

/** What a job of several items is made of: prompts of a file, pairs of one prompt, or single pictures. */
export type ItemNoun = "prompt" | "pair" | "picture";

export const nounOf = (kind: JobKind): ItemNoun =>
  kind === "batch" ? "prompt" : kind === "grid" || kind === "evaluation" ? "picture" : "pair";

/** Whether items with the same text share one rewrite: those of a grid and of an evaluation. */
export const sharesRewrites = ({ grid, evaluation }: Pick<Job, "grid" | "evaluation">): boolean =>
  grid !== undefined || evaluation !== undefined;

/** The judgements of both pictures of an item; null for a side that is not drawn or was never judged. */
export const judgementsOf = ({ pictures }: Item): PerSide<PictureJudgement | null> => ({
  baseline: pictures.baseline?.judgement ?? null,
  optimized: pictures.optimized?.judgement ?? null,
});

/** How many pictures of the items are drawn; comparisons and contact sheets don't count. */
export const picturesDrawn = (items: readonly Item[]): number =>
  items.reduce((sum, { pictures }) => sum + SIDES.filter((side) => pictures[side] !== null).length, 0);
