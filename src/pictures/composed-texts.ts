import { readFile } from "node:fs/promises";
import type { Grid } from "../core/grid.js";
import type { PairFiles } from "./pair-card.js";
import { OWN_VERSION, parseOwn } from "./parameters.js";
import { isPng, readPngText } from "./png-text.js";

/** The text chunks of a picture that shows both sides of a pair: those of the first, with `side` both. */
export async function comparisonTexts(pair: PairFiles): Promise<Record<string, string>> {
  const { parameters, Software, promptist } = await textsOf(pair.files.baseline);
  return {
    ...(parameters === undefined ? {} : { parameters }),
    promptist: JSON.stringify({ version: OWN_VERSION, ...ownOfPair(promptist, pair), side: "both" }),
    ...(Software === undefined ? {} : { Software }),
  };
}

/** The text chunks of a contact sheet: only our own, since it has no one prompt. */
export async function sheetTexts(
  pairs: readonly PairFiles[],
  numbers: readonly number[],
): Promise<Record<string, string>> {
  const texts = await Promise.all(pairs.map(({ files }) => textsOf(files.baseline)));
  const own = pairs.map((pair, i) => {
    const { version: _, program: __, ...rest } = ownOfPair(texts[i]!.promptist, pair);
    return { number: numbers[i], ...rest, side: "both" };
  });
  const { Software } = texts[0] ?? {};
  return {
    promptist: JSON.stringify({
      version: OWN_VERSION,
      ...(Software === undefined ? {} : { program: Software }),
      pairs: own,
    }),
    ...(Software === undefined ? {} : { Software }),
  };
}

/** The text chunks of a grid: the axes, and what the cell was drawn with whose picture is `first`. */
export async function gridTexts(grid: Grid, first: string | null): Promise<Record<string, string>> {
  const { Software, promptist } = first === null ? {} : await textsOf(first);
  const own = promptist === undefined ? null : parseOwn(promptist);
  return {
    promptist: JSON.stringify({ version: OWN_VERSION, ...own, grid }),
    ...(Software === undefined ? {} : { Software }),
  };
}

/** What a pair has in common, and both its prompts. */
function ownOfPair(promptist: string | undefined, { texts }: PairFiles): Record<string, unknown> {
  const { prompt: _, ...own } = (promptist === undefined ? null : parseOwn(promptist)) ?? {};
  // With `against`, the baseline shows another text than the prompt as written.
  const original = "against" in own ? {} : { original: texts.baseline };
  return { ...own, ...original, rewrite: texts.optimized };
}

async function textsOf(file: string): Promise<Record<string, string>> {
  const bytes = await readFile(file);
  return isPng(bytes) ? readPngText(bytes) : {};
}
