import { safetyLines } from "../words/messages.js";
import type { Exhibition, Withheld } from "./picture-policy.js";

/** Pictures that are named one by one. */
const NAMED = 6;

/** What to say about the pictures that are missing or hidden; `many` where the message is that of a batch. */
export function safetySentences(
  { withheld, spoiler, showsFlagged, ageRestricted }: Exhibition,
  many: boolean,
): string[] {
  const about = (
    pictures: readonly Withheld[],
    why: Parameters<typeof safetyLines.withheld>[1],
  ): string[] => {
    if (pictures.length === 0) return [];
    const names = pictures.map(({ item, side }) =>
      many ? safetyLines.pictureOf(item + 1, side) : safetyLines.picture(side),
    );
    const named =
      names.length <= NAMED ? names : [...names.slice(0, NAMED), safetyLines.more(names.length - NAMED)];
    return [safetyLines.withheld(named, why, many ? "command" : "buttons")];
  };
  return [
    ...about(
      withheld.filter(({ flagged }) => flagged),
      ageRestricted ? "flagged-by-choice" : "flagged",
    ),
    ...about(
      withheld.filter(({ flagged }) => !flagged),
      "unchecked",
    ),
    ...(spoiler ? [safetyLines.behindClick(showsFlagged)] : []),
  ];
}
