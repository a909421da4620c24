import { readFileSync } from "node:fs";
import { parse } from "dotenv";
import { distance } from "fastest-levenshtein";
import { InputError, isMissing } from "../core/errors.js";

/** The settings in a file such as `.env`; none where there is no such file. Throws InputError CONFIG for one that can't be read. */
export function readEnvFile(path: string): Record<string, string> {
  try {
    return parse(readFileSync(path));
  } catch (error) {
    if (isMissing(error)) return {};
    throw new InputError("CONFIG", `${path} cannot be read`, {}, { cause: error });
  }
}

/** The known variable closest to `key` as the end of a sentence, if close enough to be a typo. */
export function nearestName(key: string, names: readonly string[]): string {
  const nearest = names
    .map((known) => ({ known, edits: distance(key.toUpperCase(), known) }))
    .sort((a, b) => a.edits - b.edits)[0];
  return nearest && nearest.edits <= 3 ? `; did you mean ${nearest.known}?` : "";
}
