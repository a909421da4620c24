import type { LengthRule } from "../../core/job.js";

/**
 * Beam search as Hugging Face's `generate` does it, for one prompt, without the model: the caller hands in the best
 * continuations of the open beams and is told which tokens to append to which of them.
 *
 * Source: transformers 5.18 `GenerationMixin._beam_search` and its helpers (rule `hf5`), and the `BeamSearchScorer` of
 * transformers 4.23 (rule `hf4`). Scores are kept in float32, as there, so that near ties fall the same way.
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
  /** True: stop at B finished hypotheses. "never": stop only when no open beam can win. Default false. */
  readonly earlyStopping?: boolean | "never";
  readonly eosId: number;
}

/** The best next tokens of each open beam, descending; at least min(2B, V) for each. */
export interface Continuations {
  /** 1 at the first step, where all beams still are the prompt; B later. */
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
  /** True where an end token closed it, false where the length did. */
  readonly ended: boolean;
  /** Length-penalised sum of log-probabilities. */
  readonly score: number;
}

interface Scored {
  readonly parent: number;
  readonly token: number;
  readonly sum: number;
}

/** What Hugging Face adds to a score to rule it out. */
const RULED_OUT = -1e9;

export class BeamSearch {
  private readonly options: Required<BeamOptions>;
  private open: OpenBeam[];
  private bank: Hypothesis[] = [];
  private generated = 0;
  private improvable = true;
  private finished = false;

  /** @param promptLength tokens of the prompt without padding; it enters the score under rule `hf4` only. */
  constructor(
    private readonly promptLength: number,
    options: BeamOptions,
  ) {
    this.options = { earlyStopping: false, ...options };
    // Only the first beam competes at first, so that the beams do not all start with the same token.
    this.open = Array.from({ length: options.beams }, (_, beam) => ({
      tokens: [],
      parent: 0,
      sum: beam === 0 ? 0 : RULED_OUT,
    }));
    if (options.maxNewTokens < 1) this.finished = true;
  }

  get done(): boolean {
    return this.finished;
  }

  /** The B open beams; the last token of each is what the model reads next. */
  get beams(): readonly OpenBeam[] {
    return this.open;
  }

  /** Takes the continuations of the open beams, in their order, and chooses the next ones. */
  step(continuations: Continuations): void {
    const best = this.best(continuations, 2 * this.options.beams);
    if (this.options.lengthRule === "hf5") this.stepHf5(best);
    else this.stepHf4(best);
  }

  /** Finished hypotheses, all different, best first; at most B. */
  get hypotheses(): readonly Hypothesis[] {
    return this.bank;
  }

  private best({ rows, k, ids, scores }: Continuations, count: number): Scored[] {
    const all: Scored[] = [];
    for (const [parent, { sum }] of this.open.entries()) {
      const row = rows === 1 ? 0 : parent;
      for (let i = row * k; i < (row + 1) * k; i++) {
        all.push({ parent, token: ids[i]!, sum: Math.fround(scores[i]! + sum) });
      }
    }
    // Equal sums keep the order of beams and tokens; torch leaves theirs open.
    return all.sort((a, b) => b.sum - a.sum || a.parent - b.parent || a.token - b.token).slice(0, count);
  }

  private extend({ parent, token, sum }: Scored): OpenBeam {
    return { tokens: [...this.open[parent]!.tokens, token], parent, sum };
  }

  private stepHf5(best: readonly Scored[]): void {
    const { beams, maxNewTokens, lengthPenalty, earlyStopping, eosId } = this.options;
    const length = this.generated + 1;
    const atLimit = length >= maxNewTokens;
    const isFinished = (candidate: Scored) => atLimit || candidate.token === eosId;

    // The end token counts, the prompt does not.
    const divisor = Math.fround(length ** lengthPenalty);
    const full = this.bank.length === beams;
    if (this.improvable && !(full && earlyStopping === true)) {
      const banked = best
        .slice(0, beams)
        .filter(isFinished)
        .map((candidate) => this.finish(candidate, Math.fround(candidate.sum / divisor)))
        .filter(({ score }) => score > RULED_OUT);
      this.bank = mergeBest(this.bank, banked, beams);
    }
    const allFinished = best.every(isFinished);
    const running = best.filter((candidate) => !isFinished(candidate)).slice(0, beams);
    if (!allFinished) this.open = running.map((candidate) => this.extend(candidate));
    this.generated = length;

    const hoped = earlyStopping === "never" && lengthPenalty > 0 ? maxNewTokens : length;
    const bestPossible = Math.fround(this.open[0]!.sum / Math.fround(hoped ** lengthPenalty));
    const isFull = this.bank.length === beams;
    const worst = isFull ? this.bank[beams - 1]!.score : RULED_OUT;
    this.improvable = this.improvable && bestPossible > worst;
    this.finished = !this.improvable || (isFull && earlyStopping === true) || allFinished;
  }

  private finish({ parent, token }: Scored, score: number): Hypothesis {
    const tokens = this.open[parent]!.tokens;
    const ended = token === this.options.eosId;
    return { tokens: ended ? tokens : [...tokens, token], ended, score };
  }

  private stepHf4(best: readonly Scored[]): void {
    const { beams, maxNewTokens, lengthPenalty, earlyStopping, eosId } = this.options;
    // The prompt counts, the end token does not.
    const length = this.promptLength + this.generated;
    const running: Scored[] = [];
    for (const [rank, candidate] of best.entries()) {
      if (running.length === beams) break;
      if (candidate.token !== eosId) running.push(candidate);
      else if (rank < beams) this.add(this.finish(candidate, candidate.sum / length ** lengthPenalty));
    }
    const before = this.bank.length === beams;
    this.finished =
      before &&
      (earlyStopping === true || this.bank[beams - 1]!.score >= best[0]!.sum / length ** lengthPenalty);
    this.open = running.map((candidate) => this.extend(candidate));
    this.generated++;
    if (this.finished || this.generated < maxNewTokens) return;
    this.finished = true;
    for (const { tokens, sum } of this.open) {
      if (sum <= RULED_OUT) continue;
      this.add({ tokens, ended: false, score: sum / (length + 1) ** lengthPenalty });
    }
  }

  private add(hypothesis: Hypothesis): void {
    this.bank = mergeBest(this.bank, [hypothesis], this.options.beams);
  }
}

/** The best `count` of both, descending; of equals, the one that was there first. */
function mergeBest(bank: readonly Hypothesis[], more: readonly Hypothesis[], count: number): Hypothesis[] {
  return [...bank, ...more].sort((a, b) => b.score - a.score).slice(0, count);
}
