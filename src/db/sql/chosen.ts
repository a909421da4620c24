/** What was chosen, of a vote joined with its ballot. */
export const CHOSEN = `
  case when choice in ('tie', 'bad') then choice
       when (choice = 'left') = (left_side = 'optimized') then 'optimized'
       else 'baseline' end`;
/**
 * Whether a ballot's votes count: the rule of core/job.ts's isUnchanged. An erased ballot has no texts, and is kept
 * only where it counts.
 */
export const COUNTED = "(prompt is null or trim(lower(prompt)) <> trim(lower(rewrite)))";
