import type { ItemNoun, JobKind } from "../../../core/job.js";
import type { Variation } from "../../../core/options.js";
import type { Side } from "../../../core/side.js";
import type { Choice } from "../../../db/votes.js";
import { capitalized, count } from "./parts.js";

/** Titles, buttons, menus and alt texts. */
export const labels = {
  commands: {
    optimize: "Optimize",
    compare: "Compare",
    batch: "Batch",
    grid: "Grid",
    evaluation: "Evaluation",
  } satisfies Record<JobKind, string>,
  cancel: "Cancel",
  compareThis: "Compare this",
  start: "Start",
  discard: "Discard",
  takeOut: (noun: ItemNoun) => `Take ${noun}s out`,
  choosePrompts: (noun: ItemNoun, first: number, last: number) => `${capitalized(noun)}s ${first} to ${last}`,
  pair: (number: number, seed: number) => `Pair ${number}, seed ${seed}`,
  redraw: "Redraw",
  tryAgain: "Try again",
  change: "Reword",
  asWritten: "As written",
  previewAlt: "The picture as it forms",
  votes: { left: "A", right: "B", tie: "Tie", bad: "Both bad" } satisfies Record<Choice, string>,
  reveal: "Reveal to all",
  again: "New seed",
  /** Go on from a result's pictures: each side from its own, or both from one. */
  vary: { small: "Vary (small)", large: "Vary (large)" } satisfies Record<Variation, string>,
  use: { baseline: "Use left", optimized: "Use right", only: "Use this" },
  enlarge: "Enlarge",
  larger: (which: Side | "only", times: number, size: string) =>
    `${{ baseline: "Left", optimized: "Right", only: "This" }[which]}, ${times} times: ${size}`,
  editPrompt: "Edit prompt",
  editFirst: "Edit first",
  drawPair: "Draw the pair",
  drawRaw: "Draw as written",
  info: "Info",
  favourite: "To the gallery",
  delete: "Delete",
  own: "First rewrite",
  chooseBeam: "Draw another rewrite",
  chooseWords: "Leave out added words",
  editPromptTitle: "Edit the prompt; the seed stays",
  editRewriteTitle: "Edit the rewrite before it is drawn",
  usePromptTitle: "The prompt to go on from this picture",
  prompt: "Prompt",
  /** Of a rewriter with this title. */
  rewriteBy: (rewriter: string) => `Rewritten by ${rewriter}`,
  against: (rewriter: string) => `Against ${rewriter}`,
  givenRewrite: "Optimized",
  negative: "Negative prompt",
  baselineAlt: (prompt: string) => `Drawn from the prompt as written: ${prompt}`,
  optimizedAlt: (prompt: string) => `Drawn from the rewritten prompt: ${prompt}`,
  comparisonAlt: (prompt: string, optimized: string) =>
    `Two pictures side by side. Left, the prompt as written: ${prompt}. Right, rewritten: ${optimized}`,
  contactSheetAlt: (prompts: readonly string[]) =>
    `Pairs of pictures for ${count(prompts.length, "prompt")}: ${prompts.join("; ")}`,
} as const;
