import { setImmediate } from "node:timers/promises";
import type { TextOptions } from "../../core/options.js";
import { allowedScores, spare } from "./allowed.js";
import { BeamSearch, type Hypothesis } from "./beam-search.js";
import type { Decoder, Request, Scores, Step } from "./decoder.js";
import type { KeptText } from "./kept.js";
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
 * vocabulary. Where a rule says what may be written (kept.ts), the other tokens are left out before one is chosen.
 */

export interface GenerateOptions {
  readonly eosId: number;
  readonly vocabulary: number;
  readonly signal?: AbortSignal | undefined;
  /** Called after each token. */
  readonly onStep?: ((done: number) => void) | undefined;
  /** What may be written behind each prompt; anything where absent. */
  readonly rules?: readonly KeptText[] | undefined;
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
  const { eosId, vocabulary, rules } = options;
  const searches = prompts.map(({ length }, i) => ({
    search: new BeamSearch(length, { ...settings, eosId }),
    rule: rules?.[i],
  }));
  const wanted = Math.min(2 * settings.beams, vocabulary);
  const request: Request = {
    k: rules === undefined ? wanted : spare(wanted, vocabulary),
    normalize: true,
    penalty: settings.repetitionPenalty,
  };
  let open = searches;
  let scores = await decoder.start(prompts, request);
  for (let done = 1; ; done++) {
    const rows = scores.rows / open.length;
    if (rules !== undefined) {
      const rowRules = open.flatMap(({ search, rule }) =>
        search.beams.slice(0, rows).map(({ tokens }) => rule!.after(tokens)),
      );
      scores = await allowedScores(decoder, scores, request, { wanted, vocabulary, rules: rowRules });
    }
    const { k } = scores;
    for (const [i, { search }] of open.entries()) {
      const range = [i * rows * k, (i + 1) * rows * k] as const;
      search.step({
        rows,
        k,
        ids: scores.tokens.subarray(...range),
        scores: scores.scores.subarray(...range),
      });
    }
    await between(done, options);
    const going = open.map((one, index) => ({ ...one, index })).filter(({ search }) => !search.done);
    if (going.length === 0) return searches.map(({ search }) => search.hypotheses);
    scores = await decoder.next(
      going.map(({ search, index }) => ({
        index,
        // At first all beams are one row.
        steps: search.beams.map(({ parent, tokens }) => ({
          parent: Math.min(parent, rows - 1),
          token: tokens[tokens.length - 1]!,
        })),
      })),
      request,
    );
    open = going;
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
  const { eosId, vocabulary, rules } = options;
  const sampling = mode === "sample";
  // A few more than top-k keeps, to see whether others equal the last.
  const wanted = Math.min(sampling ? (topK > 0 ? topK + 8 : vocabulary) : 1, vocabulary);
  const request: Request = {
    k: rules === undefined ? wanted : spare(wanted, vocabulary),
    normalize: false,
    penalty: settings.repetitionPenalty,
  };
  const whole = (scores: Scores) =>
    !sampling ||
    Array.from({ length: scores.rows }, (_, row) => row).every((row) =>
      topKReaches(scores.scores.subarray(row * scores.k, (row + 1) * scores.k), topK, vocabulary),
    );

  // Each prompt has its own generator, so that it gets the same text in any group.
  const texts = prompts.map((_, i) => ({
    tokens: [] as number[],
    ended: false,
    random: new SeededRandom(settings.seed),
    rule: rules?.[i],
  }));
  let open = texts;
  /** The best tokens that may be written, and all of them where some that are as good might be missing. */
  const enough = async (first: Scores): Promise<Scores> => {
    const allowed = (scores: Scores, most: number): Scores | Promise<Scores> =>
      rules === undefined
        ? scores
        : allowedScores(decoder, scores, request, {
            wanted: most,
            vocabulary,
            rules: open.map(({ rule, tokens }) => rule!.after(tokens)),
          });
    const found = await allowed(first, wanted);
    if (whole(found)) return found;
    return allowed(await decoder.again({ ...request, k: vocabulary }), vocabulary);
  };
  let scores = await decoder.start(prompts, request);
  for (let done = 1; ; done++) {
    scores = await enough(scores);
    const { k } = scores;
    for (const [i, text] of open.entries()) {
      const ids = scores.tokens.subarray(i * k, (i + 1) * k);
      const logits = scores.scores.subarray(i * k, (i + 1) * k);
      const token = sampling ? draw(distribution(ids, logits, settings), text.random.uniform()) : ids[0]!;
      if (token === eosId) text.ended = true;
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
