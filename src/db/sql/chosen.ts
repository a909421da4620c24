import { NO_REWRITER } from "../../core/rewriters.js";

/** What was chosen, of a vote joined with its ballot. */
export const CHOSEN = `
  case when choice in ('tie', 'bad') then choice
       when (choice = 'left') = (left_side = 'optimized') then 'optimized'
       else 'baseline' end`;
/**
 * Whether a ballot's votes count: the rule of core/job.ts's isUnchanged. An erased ballot has no texts, and is kept
 * only where it counts.
 */
export const COUNTED = "(prompt is null or trim(lower(coalesce(against, prompt))) <> trim(lower(rewrite)))";
/** Whether the votes are on a rewrite against the prompt as written, not against another rewriter. */
export const ON_REWRITING = `baseline_rewriter = '${NO_REWRITER}'`;
