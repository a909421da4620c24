import type { LengthRule } from "../../core/options.js";

/**
 * Beam search like Hugging Face's `generate`, for one prompt and without the model: the caller passes the
 * best continuations of the open beams and learns which tokens to append to which beam.
 *
 * Sources: transformers 5.18 `GenerationMixin._beam_search` and its helpers (rule `hf5`), and the
 * `BeamSearchScorer` of transformers 4.23 (rule `hf4`), both with `early_stopping` false. Scores are float32,
 * as there, so that near ties fall the same way.
 *
 * | symbol | meaning |
 * |---|---|
 * | B | beams |
 * | V | vocabulary |
 * | n | tokens generated so far |
 */
export interface BeamOptions {
  readonly beams: number;
  readonly maxNewTokens: number;
  readonly lengthPenalty: number;
  readonly lengthRule: LengthRule;
  readonly eosId: number;
}

/** The best next tokens of each open beam, descending; at least min(2B, V) for each. */
export interface Continuations {
  /** 1 at the first step, when all beams are still the prompt; B later. */
  readonly rows: number;
  /** Continuations of each row. */
  readonly k: number;
  /** Token ids, [rows, k]. */
  readonly ids: ArrayLike<number>;
  /** Log-probabilities after the repetition penalty, [rows, k]. */
  readonly scores: ArrayLike<number>;
}

export interface OpenBeam {
  /** Generated tokens, without the prompt. */
  readonly tokens: readonly number[];
  /** Index among the beams that were open before the last step. */
  readonly parent: number;
  /** Sum of log-probabilities. */
  readonly sum: number;
}

export interface Hypothesis {
  /** Generated tokens, without the prompt and without the end token. */
  readonly tokens: readonly number[];
  /** True if an end token closed it, false if the length limit did. */
  readonly ended: boolean;
  /** Length-penalised sum of log-probabilities. */
  readonly score: number;
}

/** A beam with one more token. */
interface Candidate extends OpenBeam {
  readonly token: number;
}

/** A search between two steps. */
interface State {
  readonly open: readonly OpenBeam[];
  /** The best finished hypotheses, descending; at most B. */
  readonly bank: readonly Hypothesis[];
  readonly done: boolean;
}

/** What a rule may use. */
interface Search extends BeamOptions {
  readonly promptLength: number;
  /** n */
  readonly generated: number;
}

/** Takes the 2B best candidates, descending, and returns the next state. */
type Rule = (state: State, best: readonly Candidate[], search: Search) => State;

/** Added by Hugging Face to rule a score out. */
const RULED_OUT = -1e9;

export class BeamSearch {
  readonly #options: BeamOptions;
  readonly #promptLength: number;
  #state: State;
  #generated = 0;

  /** @param promptLength tokens of the prompt without padding; it enters the score under rule `hf4` only. */
  constructor(promptLength: number, options: BeamOptions) {
    this.#options = options;
    this.#promptLength = promptLength;
    // At first only one beam competes, or all beams would start with the same token.
    const open = Array.from({ length: options.beams }, (_, beam) => ({
      tokens: [],
      parent: 0,
      sum: beam === 0 ? 0 : RULED_OUT,
    }));
    this.#state = { open, bank: [], done: options.maxNewTokens < 1 };
  }

  get done(): boolean {
    return this.#state.done;
  }

  /** The B open beams; the last token of each is what the model reads next. */
  get beams(): readonly OpenBeam[] {
    return this.#state.open;
  }

  /** Distinct finished hypotheses, best first; at most B. */
  get hypotheses(): readonly Hypothesis[] {
    return this.#state.bank;
  }

  /** Takes the continuations of the open beams, in their order, and chooses the next ones. */
  step(continuations: Continuations): void {
    const best = candidatesOf(this.#state.open, continuations).slice(0, 2 * this.#options.beams);
    const search = { ...this.#options, promptLength: this.#promptLength, generated: this.#generated };
    this.#state = RULES[this.#options.lengthRule](this.#state, best, search);
    this.#generated++;
  }
}

/** Every open beam with each of its continuations, best first. */
function candidatesOf(open: readonly OpenBeam[], { rows, k, ids, scores }: Continuations): Candidate[] {
  const all = open.flatMap(({ tokens, sum }, parent) => {
    const row = rows === 1 ? 0 : parent;
    return Array.from({ length: k }, (_, i) => {
      const token = ids[row * k + i]!;
      return { tokens, token, parent, sum: Math.fround(scores[row * k + i]! + sum) };
    });
  });
  // Equal sums keep the order of beams and tokens; torch leaves theirs open.
  return all.sort((a, b) => b.sum - a.sum || a.parent - b.parent || a.token - b.token);
}

/** transformers 5: the end token counts as length, the prompt does not. */
const hf5: Rule = ({ open, bank }, best, { beams, maxNewTokens, lengthPenalty, eosId, generated }) => {
  const length = generated + 1;
  const atLimit = length >= maxNewTokens;
  const isFinished = ({ token }: Candidate) => atLimit || token === eosId;
  const divisor = Math.fround(length ** lengthPenalty);

  const banked = best
    .slice(0, beams)
    .filter(isFinished)
    .map((candidate) => hypothesis(candidate, Math.fround(candidate.sum / divisor), eosId))
    .filter(({ score }) => score > RULED_OUT);
  const nextBank = mergeBest(bank, banked, beams);

  const running = best.filter((candidate) => !isFinished(candidate)).slice(0, beams);
  // If every candidate has finished, there is nothing to continue.
  const nextOpen = best.every(isFinished) ? open : running.map(extended);
  const worst = nextBank.length === beams ? nextBank[beams - 1]!.score : RULED_OUT;
  const canImprove = Math.fround(nextOpen[0]!.sum / divisor) > worst;
  return { open: nextOpen, bank: nextBank, done: !canImprove || nextOpen === open };
};

/** transformers 4.23: the prompt counts as length, the end token does not. */
const hf4: Rule = (
  { bank },
  best,
  { beams, maxNewTokens, lengthPenalty, eosId, promptLength, generated },
) => {
  const penalty = (length: number) => length ** lengthPenalty;
  const length = promptLength + generated;
  const running: Candidate[] = [];
  let nextBank = bank;
  for (const [rank, candidate] of best.entries()) {
    if (running.length === beams) break;
    if (candidate.token !== eosId) running.push(candidate);
    else if (rank < beams)
      nextBank = mergeBest(nextBank, [hypothesis(candidate, candidate.sum / penalty(length), eosId)], beams);
  }
  const open = running.map(extended);
  const isFull = nextBank.length === beams;
  if (isFull && nextBank[beams - 1]!.score >= best[0]!.sum / penalty(length))
    return { open, bank: nextBank, done: true };
  if (generated + 1 < maxNewTokens) return { open, bank: nextBank, done: false };
  const cut = open
    .filter(({ sum }) => sum > RULED_OUT)
    .map(({ tokens, sum }) => ({ tokens, ended: false, score: sum / penalty(length + 1) }));
  return { open, bank: mergeBest(nextBank, cut, beams), done: true };
};

const RULES: Readonly<Record<LengthRule, Rule>> = { hf5, hf4 };

const extended = ({ tokens, token, parent, sum }: Candidate): OpenBeam => ({
  tokens: [...tokens, token],
  parent,
  sum,
});

const hypothesis = ({ tokens, token }: Candidate, score: number, eosId: number): Hypothesis =>
  token === eosId ? { tokens, ended: true, score } : { tokens: [...tokens, token], ended: false, score };

/** The best `count` of both, descending; among equals, earlier ones first. */
function mergeBest(bank: readonly Hypothesis[], more: readonly Hypothesis[], count: number): Hypothesis[] {
  return [...bank, ...more].sort((a, b) => b.score - a.score).slice(0, count);
}
