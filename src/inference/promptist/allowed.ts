import type { Decoder, Request, Scores } from "./decoder.js";

/** What the best tokens of each row are taken from, where not all may be written. */
export interface Allowed {
  /** Tokens wanted of each row. */
  readonly wanted: number;
  readonly vocabulary: number;
  /** For each row, whether a token may be written. */
  readonly rules: readonly ((token: number) => boolean)[];
}

/** How many tokens more are asked for at first, since some of the best may be forbidden. */
const SPARE = 24;

export const spare = (wanted: number, vocabulary: number): number => Math.min(wanted + SPARE, vocabulary);

/**
 * The `wanted` best tokens of each row that may be written, descending, as transformers' `prefix_allowed_tokens_fn`
 * leaves them: the others' scores are -Infinity, and what is left is not normalised anew. Where the `scores` at hand have
 * too few of them, the whole vocabulary is asked for. A row with fewer even so is filled up with its last one at -Infinity.
 */
export async function allowedScores(
  decoder: Pick<Decoder, "again">,
  scores: Scores,
  request: Request,
  { wanted, vocabulary, rules }: Allowed,
): Promise<Scores> {
  const placesIn = (found: Scores) => rules.map((rule, row) => allowedOf(found, row, rule, wanted));
  let from = scores;
  let places = placesIn(from);
  if (from.k < vocabulary && places.some(({ length }) => length < wanted)) {
    from = await decoder.again({ ...request, k: vocabulary });
    places = placesIn(from);
  }
  const tokens = new Int32Array(rules.length * wanted);
  const values = new Float32Array(rules.length * wanted).fill(Number.NEGATIVE_INFINITY);
  for (const [row, own] of places.entries()) {
    for (let i = 0; i < wanted; i++) {
      const place = own[Math.min(i, own.length - 1)] ?? row * from.k;
      tokens[row * wanted + i] = from.tokens[place]!;
      if (i < own.length) values[row * wanted + i] = from.scores[place]!;
    }
  }
  return { rows: scores.rows, k: wanted, tokens, scores: values };
}

/** Places in `scores` of a row's best tokens that may be written, at most `wanted`. */
function allowedOf(
  { tokens, k }: Scores,
  row: number,
  rule: (token: number) => boolean,
  wanted: number,
): number[] {
  const places: number[] = [];
  for (let place = row * k; place < (row + 1) * k && places.length < wanted; place++)
    if (rule(tokens[place]!)) places.push(place);
  return places;
}
