import { CsvError, parse as parseCsv } from "csv-parse/sync";
import { InputError } from "../core/errors.js";
import { STYLE_MAX, type Style, styleKey } from "../core/styles.js";
import { cleanPrompt } from "./clean-prompt.js";
import { decode } from "./decode.js";

/** What a file of styles holds. */
export interface StylesFile {
  readonly styles: readonly Style[];
  /** Names of styles that are left out because a text of theirs, or the name itself, is too long. */
  readonly tooLong: readonly string[];
  /** Styles beyond the most that are read. */
  readonly more: number;
}

/** A file of the most styles with the longest texts is larger, but nobody writes one. */
export const STYLES_FILE_MAX_BYTES = 2 ** 18;

/** Columns by their names, in A1111's files of any age. */
const COLUMNS = {
  name: ["name"],
  prompt: ["prompt", "text"],
  negative: ["negative_prompt", "negative"],
} as const;

/**
 * Reads A1111's `styles.csv` (modules/styles.py): a header `name,prompt,negative_prompt`, of old files `name,text`, and a
 * style a row. Rows without words, which only part its menu, and comments with `#` are passed over; the last of two
 * styles with one name counts.
 * @throws InputError FILE_TOO_BIG, FILE_BINARY, FILE_ENCODING, or FILE_STYLES
 */
export function readStylesCsv(bytes: Uint8Array): StylesFile {
  if (bytes.length > STYLES_FILE_MAX_BYTES)
    throw new InputError(
      "FILE_TOO_BIG",
      `The file has ${bytes.length} bytes and the limit is ${STYLES_FILE_MAX_BYTES}; split it into smaller files.`,
      { limit: STYLES_FILE_MAX_BYTES, found: bytes.length },
    );
  const [header, ...rows] = rowsOf(decode(bytes).text);
  const at = columnsOf(header ?? []);
  const styles = new Map<string, Style>();
  const tooLong: string[] = [];
  let more = 0;
  for (const row of rows) {
    const cell = (column: keyof typeof COLUMNS) => cleanPrompt(row[at[column]] ?? "");
    const [name, prompt, negative] = [cell("name"), cell("prompt"), cell("negative")];
    if (name === "" || name.startsWith("#") || (prompt === "" && negative === "")) continue;
    const isLong = Math.max(prompt.length, negative.length) > STYLE_MAX.words;
    if (isLong || name.length > STYLE_MAX.name) tooLong.push(name.slice(0, STYLE_MAX.name));
    else if (styles.size < STYLE_MAX.styles || styles.has(styleKey(name)))
      styles.set(styleKey(name), { name, prompt, negative });
    else more += 1;
  }
  if (styles.size === 0 && tooLong.length === 0)
    throw new InputError("FILE_STYLES", "The file holds no style; write at least one.");
  return { styles: [...styles.values()], tooLong, more };
}

function rowsOf(text: string): string[][] {
  try {
    return parseCsv(text, {
      relax_column_count: true,
      relax_quotes: true,
      skip_empty_lines: true,
    });
  } catch (cause) {
    if (!(cause instanceof CsvError)) throw cause;
    throw shapeError(`its quotes make no sense (${cause.message})`, cause);
  }
}

function columnsOf(header: readonly string[]): Readonly<Record<keyof typeof COLUMNS, number>> {
  const names = header.map((name) => name.trim().toLowerCase());
  const at = (column: keyof typeof COLUMNS) =>
    Math.max(-1, ...COLUMNS[column].map((name) => names.indexOf(name)));
  const [name, prompt, negative] = [at("name"), at("prompt"), at("negative")];
  if (name === -1 || prompt === -1)
    throw shapeError("its first line does not name the columns `name`, `prompt` and `negative_prompt`");
  return { name, prompt, negative };
}

const shapeError = (problem: string, cause?: unknown): InputError =>
  new InputError(
    "FILE_STYLES",
    `The file is no list of styles: ${problem}.`,
    {},
    cause === undefined ? {} : { cause },
  );
