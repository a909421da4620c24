import type { EvaluationDesign } from "../../../core/job.js";
import type { Words } from "../../words/english/english.js";

/** What an evaluation draws: its prompts, what is compared, and the pictures that it makes. */
export function evaluationAmount(
  items: { readonly length: number },
  { rewriters, seeds }: EvaluationDesign,
  { evaluationLines }: Words,
): string {
  const prompts = items.length / (rewriters.length * seeds);
  const names = rewriters.map((name) => `\`${name}\``);
  return evaluationLines.amount(prompts, names, seeds, items.length);
}
