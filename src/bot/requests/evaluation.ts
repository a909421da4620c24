import { InputError } from "../../core/errors.js";
import type { EvaluationDesign } from "../../core/job.js";
import { LIMIT_RANGES, type TextOptions } from "../../core/options.js";
import { NO_REWRITER, rewriterNameOf } from "../../core/rewriters.js";
import type { NewItem } from "../../db/queue.js";

/** Rewriters of one evaluation, the prompt as written included. */
const REWRITERS_MAX = 5;
/** Pictures of one evaluation: as many as the largest batch draws. */
const PICTURES_MAX = 2 * LIMIT_RANGES.batch.max;

/** What an evaluation compares, and how each rewriter rewrites. */
export interface EvaluationRequest {
  readonly design: EvaluationDesign;
  /** In the order of the rewriters. */
  readonly texts: readonly TextOptions[];
  /** Prompts for which there is room. */
  readonly maxPrompts: number;
}

/**
 * An evaluation of these rewriters, each once. One alone is compared with the prompt as written; of several that is the
 * baseline where it is among them, else the first. Throws InputError INPUT_EVALUATION for none to compare, or too many.
 */
export function evaluationOf(wanted: readonly TextOptions[], seeds: number): EvaluationRequest {
  const named = new Map(wanted.map((text) => [rewriterNameOf(text), text]));
  const [first] = named.values();
  if (named.size === 1 && first !== undefined && !named.has(NO_REWRITER))
    named.set(NO_REWRITER, { ...first, rewriter: NO_REWRITER });
  const rewriters = [...named.keys()];
  if (rewriters.length < 2 || rewriters.length > REWRITERS_MAX)
    throw new InputError("INPUT_EVALUATION", `An evaluation compares 2 to ${REWRITERS_MAX} rewriters.`, {
      max: REWRITERS_MAX,
    });
  return {
    design: { rewriters, baseline: Math.max(0, rewriters.indexOf(NO_REWRITER)), seeds },
    texts: [...named.values()],
    maxPrompts: Math.floor(PICTURES_MAX / (rewriters.length * seeds)),
  };
}

/** The pictures of an evaluation, in the order of `EvaluationDesign`; `seed`: of the first prompt's first picture. */
export function evaluationItems(
  prompts: readonly string[],
  { design, texts }: Pick<EvaluationRequest, "design" | "texts">,
  seed: number,
): NewItem[] {
  const { rewriters, seeds } = design;
  return prompts.flatMap((prompt, p) =>
    rewriters.flatMap((name, rewriter) =>
      Array.from({ length: seeds }, (_, k) => ({
        prompt,
        rewrite: null,
        only: name === NO_REWRITER ? ("baseline" as const) : ("optimized" as const),
        seed: (seed + p * seeds + k) % Number.MAX_SAFE_INTEGER,
        ...(rewriter === 0 ? {} : { text: texts[rewriter]! }),
      })),
    ),
  );
}
