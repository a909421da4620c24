import { setImmediate } from "node:timers/promises";
import type { TextOptions } from "../../core/options.js";
import { BeamSearch, type Hypothesis } from "./beam-search.js";
import type { Decoder, Request, Scores, Step } from "./decoder.js";
import { distribution, draw, SeededRandom, topKReaches } from "./sampling.js";

/*
 * How a text is generated, one token at a time:
 *
 *     prompts --tokenizer--> ids --decoder.start--> scores of the next token, for each row
 *                                      |
 *          +---------------------------+
 *          v
 *     choose        beam:   BeamSearch.step keeps the B best rows of each prompt (beam-search.ts)
 *          |        greedy: the best token
 *          |        sample: `draw` from `distribution` (sampling.ts)
 *          v
 *     decoder.next  reads the chosen tokens, one for each row, and returns the next scores
 *          |
 *          +--> choose, until each prompt has ended or has `maxNewTokens`
 *
 * A row is one text being continued: one for each prompt at first, B for each prompt in beam search. All
 * prompts form one group; a finished prompt leaves it. The decoder (decoder.ts) caches the keys and values of
 * a token once for each prompt, however many rows share it (key-value-cache.ts), and the graph
 * (models/gpt2.ts) returns the k best tokens of each row, after the repetition penalty, instead of the whole
 * vocabulary.
 */

export interface GenerateOptions {
  readonly eosId: number;
  readonly vocabulary: number;
  readonly signal?: AbortSignal | undefined;
  /** Called after each token. */
  readonly onStep?: ((done: number) => void) | undefined;
}

/** The finished texts of one prompt as tokens, best first; `score` is null if the mode has none. */
export type Generated = readonly (Omit<Hypothesis, "score"> & { readonly score: number | null })[];

/**
 * Continues each prompt according to `settings`, all in one group; a result does not depend on the rest of
 * the group.
 * @throws the signal's reason once it is aborted, at the next token
 */
export function generate(
  decoder: Decoder,
  prompts: readonly (readonly number[])[],
  settings: TextOptions,
  options: GenerateOptions,
): Promise<Generated[]> {
  return settings.mode === "beam"
    ? searchBeams(decoder, prompts, settings, options)
    : chooseTokens(decoder, prompts, settings, options);
}

async function searchBeams(
  decoder: Decoder,
  prompts: readonly (readonly number[])[],
  settings: TextOptions,
  options: GenerateOptions,
): Promise<Generated[]> {
  const searches = prompts.map(({ length }) => new BeamSearch(length, { ...settings, eosId: options.eosId }));
  const request: Request = {
    k: Math.min(2 * settings.beams, options.vocabulary),
    normalize: true,
    penalty: settings.repetitionPenalty,
  };
  let open = searches;
  let scores = await decoder.start(prompts, request);
  for (let done = 1; ; done++) {
    const rows = scores.rows / open.length;
    const { k } = scores;
    for (const [i, search] of open.entries()) {
      const range = [i * rows * k, (i + 1) * rows * k] as const;
      search.step({
        rows,
        k,
        ids: scores.tokens.subarray(...range),
        scores: scores.scores.subarray(...range),
      });
    }
    await between(done, options);
    const going = open.map((search, index) => ({ search, index })).filter(({ search }) => !search.done);
    if (going.length === 0) return searches.map((search) => search.hypotheses);
    scores = await decoder.next(
      going.map(({ search, index }) => ({
        index,
        steps: search.beams.map(({ parent, tokens }) => ({ parent, token: tokens[tokens.length - 1]! })),
      })),
      request,
    );
    open = going.map(({ search }) => search);
  }
}

/** Greedy search and sampling: one row per prompt. */
async function chooseTokens(
  decoder: Decoder,
  prompts: readonly (readonly number[])[],
  settings: TextOptions,
  options: GenerateOptions,
): Promise<Generated[]> {
  const { mode, topK } = settings;
  const sampling = mode === "sample";
  // A few more than top-k keeps, to see whether others equal the last.
  const enough = sampling ? (topK > 0 ? topK + 8 : options.vocabulary) : 1;
  const request: Request = {
    k: Math.min(enough, options.vocabulary),
    normalize: false,
    penalty: settings.repetitionPenalty,
  };
  const whole = (scores: Scores) =>
    !sampling ||
    Array.from({ length: scores.rows }, (_, row) => row).every((row) =>
      topKReaches(scores.scores.subarray(row * scores.k, (row + 1) * scores.k), topK, options.vocabulary),
    );

  // Each prompt has its own generator, so that it gets the same text in any group.
  const texts = prompts.map(() => ({
    tokens: [] as number[],
    ended: false,
    random: new SeededRandom(settings.seed),
  }));
  let open = texts;
  let scores = await decoder.start(prompts, request);
  for (let done = 1; ; done++) {
    if (!whole(scores)) scores = await decoder.again({ ...request, k: options.vocabulary });
    const { k } = scores;
    for (const [i, text] of open.entries()) {
      const ids = scores.tokens.subarray(i * k, (i + 1) * k);
      const logits = scores.scores.subarray(i * k, (i + 1) * k);
      const token = sampling ? draw(distribution(ids, logits, settings), text.random.uniform()) : ids[0]!;
      if (token === options.eosId) text.ended = true;
      else text.tokens.push(token);
    }
    await between(done, options);
    const going = open
      .map((text, index) => ({ text, index }))
      .filter(({ text }) => !text.ended && text.tokens.length < settings.maxNewTokens);
    if (going.length === 0) return texts.map(({ tokens, ended }) => [{ tokens, ended, score: null }]);
    const steps = ({ tokens }: { tokens: number[] }): Step[] => [{ parent: 0, token: tokens.at(-1)! }];
    scores = await decoder.next(
      going.map(({ text, index }) => ({ index, steps: steps(text) })),
      request,
    );
    open = going.map(({ text }) => text);
  }
}

/**
 * Called between two tokens: a run blocks the thread, so messages (such as a cancel) can only arrive here.
 */
async function between(done: number, { signal, onStep }: GenerateOptions): Promise<void> {
  onStep?.(done);
  await setImmediate();
  signal?.throwIfAborted();
}
