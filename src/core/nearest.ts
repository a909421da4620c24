import { distance } from "fastest-levenshtein";

/** Edits, as a share of a name's length, that are taken for a slip. */
const SLIP = 0.25;

/** Names, at most three, that may have been meant by one that is not there; nearest first, without case. */
export function nearestNames(names: readonly string[], wanted: string): string[] {
  const bare = wanted.toLowerCase();
  return names
    .map((name) => ({ name, edits: distance(name.toLowerCase(), bare) }))
    .filter(({ edits }) => edits <= Math.max(1, Math.floor(bare.length * SLIP)))
    .sort((a, b) => a.edits - b.edits)
    .slice(0, 3)
    .map(({ name }) => name);
}
