import { EMPHASIS_MAX } from "../../core/emphasis.js";
import { InferenceError } from "../../core/errors.js";
import type { ImageOptions } from "../../core/options.js";
import type { TextStates } from "../../models/clip-text.js";
import { isGuided } from "./guidance.js";
import type { DiffusionModel } from "./model.js";

export interface PromptTokenizer {
  /**
   * Ids with start, end and padding, as many as the text encoder takes; `truncated`: the words that did not
   * fit.
   */
  encode(text: string): { readonly ids: readonly number[]; readonly truncated: string | null };
  /** The same with marks read, in chunks of as many ids, each id with its weight; only `weighted` asks for it. */
  encodeWeighted?(text: string): { readonly chunks: readonly Chunk[]; readonly truncated: string | null };
}

interface Chunk {
  readonly ids: readonly number[];
  readonly weights: readonly number[];
}

export interface EncodedPrompts {
  /** Rows: [negative, prompt], or [prompt] without guidance. */
  readonly text: TextStates;
  /** The words of the prompt, and of the negative prompt, that are not read; null if there are none. */
  readonly truncated: string | null;
  readonly truncatedNegative: string | null;
}

type Prompts = Pick<ImageOptions, "guidance" | "negative" | "prompts"> & { readonly prompt: string };

/** What the UNet reads of the prompts, as their option `prompts` says. */
export function encodePrompts(
  model: DiffusionModel,
  tokenizer: PromptTokenizer,
  request: Prompts,
): Promise<EncodedPrompts> {
  return request.prompts === "weighted"
    ? encodeWeighted(model, tokenizer, request)
    : encodePlain(model, tokenizer, request);
}

async function encodePlain(
  model: DiffusionModel,
  tokenizer: PromptTokenizer,
  { prompt: text, negative, guidance }: Prompts,
): Promise<EncodedPrompts> {
  const prompt = tokenizer.encode(text);
  const without = isGuided(guidance) ? tokenizer.encode(negative) : null;
  const rows = without === null ? [prompt.ids] : [without.ids, prompt.ids];
  const states = await model.encodeText(rows, rows.length - 1); // [rows, L, D]
  return {
    text: states,
    truncated: prompt.truncated,
    truncatedNegative: without?.truncated ?? null,
  };
}

/**
 * Both prompts in chunks, the shorter one filled up with empty ones, so that the UNet reads n L tokens of each.
 */
async function encodeWeighted(
  model: DiffusionModel,
  tokenizer: PromptTokenizer,
  { prompt: text, negative, guidance }: Prompts,
): Promise<EncodedPrompts> {
  const read = tokenizer.encodeWeighted?.bind(tokenizer);
  if (read === undefined) throw new InferenceError("INTERNAL", "the tokenizer reads no marks");
  const prompt = read(text);
  const without = isGuided(guidance) ? read(negative) : null;
  const rows = without === null ? [prompt.chunks] : [without.chunks, prompt.chunks];
  const n = Math.max(...rows.map((chunks) => chunks.length));
  const [empty] = read("").chunks;
  const all = rows.flatMap((chunks) => [...chunks, ...Array<Chunk>(n - chunks.length).fill(empty!)]);
  const states = await model.encodeText(
    all.map(({ ids }) => ids),
    all.length - n,
  ); // [rows n, L, D]
  const [, L, D] = states.shape as readonly [number, number, number];
  for (const [i, { weights }] of all.entries())
    weigh(states.data.subarray(i * L * D, (i + 1) * L * D), weights);
  return {
    text: { data: states.data, shape: [rows.length, n * L, D] },
    truncated: prompt.truncated,
    truncatedNegative: without?.truncated ?? null,
  };
}

/**
 * Multiplies each token's state with its weight, and then all with one factor that restores their mean
 * (AUTOMATIC1111's "Original" emphasis; docs/adr/0007-emphasis.md). `states` [L, D] is changed in place.
 */
function weigh(states: Float32Array, weights: readonly number[]): void {
  if (weights.every((weight) => weight === 1)) return;
  const D = states.length / weights.length;
  const before = sum(states);
  for (const [i, weight] of weights.entries()) for (let j = i * D; j < (i + 1) * D; j++) states[j]! *= weight;
  const factor = before / sum(states);
  if (!isMeant(factor, Math.min(...weights), Math.max(...weights))) return;
  for (let j = 0; j < states.length; j++) states[j]! *= factor;
}

/**
 * Whether a factor comes from the weights. Beyond what they can cause, the means of the tokens have cancelled
 * each other out, and the quotient of what is left would ruin the picture.
 */
function isMeant(factor: number, least: number, most: number): boolean {
  if (least <= 0) return Math.abs(factor) <= EMPHASIS_MAX;
  return factor * most >= 1 - SLACK && factor * least <= 1 + SLACK;
}
const SLACK = 1e-6;

const sum = (values: Float32Array): number => values.reduce((total, value) => total + value, 0);
