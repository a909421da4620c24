import { isUtf8 } from "node:buffer";
import { CsvError, type Info, parse as parseCsv } from "csv-parse/sync";
import { InputError } from "../core/errors.js";
import { type ImageOptions, type PictureSize, REWRITE_LENGTH_FACTOR, SCHEDULERS } from "../core/options.js";

/** One prompt of a file; `optimized` is null if Promptist has yet to rewrite it. */
export interface PromptPair {
  readonly prompt: string;
  readonly optimized: string | null;
  /**
   * Present if the file has them, as a batch's own report does: the seed and options to draw the pair with.
   */
  readonly seed?: number;
  readonly image?: RowOptions;
}

/** Options of one row. Types and names are checked; the caller checks the ranges. */
export type RowOptions = Partial<Omit<ImageOptions, "seed" | "size">> & { readonly size?: PictureSize };

export interface PromptFileLimits {
  readonly maxBytes: number;
  readonly maxPrompts: number;
  /** In characters (code points). */
  readonly maxPromptLength: number;
}

export const PROMPT_FILE_EXTENSIONS = ["txt", "json", "jsonl", "csv"] as const;
type Extension = (typeof PROMPT_FILE_EXTENSIONS)[number];

/** How a message refers to an entry of the file: `line 3` in text and CSV, `entry 3` in JSON. */
type EntryRef = { readonly unit: "line" | "entry"; readonly number: number };
type RawEntry = {
  readonly at: EntryRef;
  readonly prompt: string;
  readonly optimized: string | null;
  /** Keys are those of OPTION_COLUMNS; empty cells are left out. */
  readonly settings: Readonly<Record<string, unknown>>;
};

/**
 * Reads a list of prompts.
 *
 * `.txt` holds one prompt a line. `.json` holds a list of strings, of `{"original", "optimized"}` objects, or
 * of both; `.jsonl` holds one of these a line. `.csv` has a `prompt` column, or `original` and `optimized`
 * columns, or a single column without a header. The columns and keys `seed`, `steps`, `guidance`,
 * `scheduler`, `width`, `height` and `negative` are read too. Text is UTF-8, or UTF-16 with a byte order
 * mark. The file name decides the format; the bytes decide whether it is text at all.
 *
 * @throws InputError whose message says where and what is wrong and how to fix it; `context` has the same as
 * data (`unit` and `number` of the entry, `limit`, `found`, `kind`, `problem`).
 */
export function parsePromptFile(bytes: Uint8Array, fileName: string, limits: PromptFileLimits): PromptPair[] {
  const extension = extensionOf(fileName);
  if (extension === null) {
    throw new InputError(
      "FILE_TYPE",
      "Only .txt, .json, .jsonl and .csv files can be read; rename or convert the file.",
    );
  }
  if (bytes.length > limits.maxBytes) {
    throw new InputError(
      "FILE_TOO_BIG",
      `The file has ${bytes.length} bytes and the limit is ${limits.maxBytes}; split it into smaller files.`,
      { limit: limits.maxBytes, found: bytes.length },
    );
  }
  const text = decode(bytes);
  const entries = readers[extension](text, limits.maxPrompts);
  if (entries === null) {
    throw new InputError(
      "FILE_TOO_MANY",
      `The file holds more than ${limits.maxPrompts} prompts; split it into smaller files.`,
      { limit: limits.maxPrompts },
    );
  }
  if (entries.length === 0) {
    throw new InputError("FILE_EMPTY", "The file holds no prompt; write at least one.");
  }
  return entries.map((entry) => checkEntry(entry, limits.maxPromptLength));
}

/**
 * Cleans a person's text for use as a prompt. Line breaks and tabs become spaces. Other control characters,
 * unpaired surrogates and marks that reverse the reading direction are removed. Spaces are trimmed at both
 * ends only.
 */
export function cleanPrompt(text: string): string {
  return text
    .replace(/\r\n|[\r\n\t\u2028\u2029]/g, " ")
    .replace(/[\p{Cc}\p{Cs}\u202A-\u202E\u2066-\u2069\uFEFF]/gu, "")
    .trim();
}

/**
 * True if the text has more characters (code points) than the limit; does not scan a text that is far longer.
 */
export function isLongerThan(text: string, limit: number): boolean {
  if (text.length <= limit) return false;
  return text.length > 2 * limit || [...text].length > limit;
}

function checkEntry({ at, prompt, optimized, settings }: RawEntry, maxLength: number): PromptPair {
  const original = checkText(at, prompt, maxLength);
  if (original === "") {
    throw shapeError(at, "the prompt is empty", "Write a prompt there, or remove it.");
  }
  const rewrite = optimized === null ? "" : checkText(at, optimized, maxLength * REWRITE_LENGTH_FACTOR);
  return { prompt: original, optimized: rewrite === "" ? null : rewrite, ...checkOptions(at, settings) };
}

/** Columns of a row besides its texts, as in a batch's report. */
const OPTION_COLUMNS = ["seed", "steps", "guidance", "scheduler", "width", "height", "negative"] as const;
const OPTIONS_HINT = "Correct it, or remove the column.";

function checkOptions(at: EntryRef, given: RawEntry["settings"]): Pick<PromptPair, "seed" | "image"> {
  const bad = (name: string, what: string) => shapeError(at, `\`${name}\` is not ${what}`, OPTIONS_HINT);
  const numberOf = (name: string, whole: boolean): number | undefined => {
    const value = given[name];
    if (value === undefined) return undefined;
    const parsed = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
    const fits = whole ? Number.isSafeInteger(parsed) : Number.isFinite(parsed);
    if (typeof parsed !== "number" || !fits || parsed < 0)
      throw bad(name, whole ? "a whole number from 0 on" : "a number from 0 on");
    return parsed;
  };
  const seed = numberOf("seed", true);
  const [steps, guidance] = [numberOf("steps", true), numberOf("guidance", false)];
  const [width, height] = [numberOf("width", true), numberOf("height", true)];
  const { scheduler, negative } = given;
  const known = SCHEDULERS.find((name) => name === scheduler);
  if (scheduler !== undefined && known === undefined)
    throw bad("scheduler", `one of ${SCHEDULERS.join(", ")}`);
  if (negative !== undefined && typeof negative !== "string") throw bad("negative", "a text");
  const image: RowOptions = {
    ...(steps === undefined ? {} : { steps }),
    ...(guidance === undefined ? {} : { guidance }),
    ...(known === undefined ? {} : { scheduler: known }),
    ...(width === undefined || height === undefined ? {} : { size: { width, height } }),
    ...(negative === undefined ? {} : { negative: cleanPrompt(negative) }),
  };
  return {
    ...(seed === undefined ? {} : { seed }),
    ...(Object.keys(image).length === 0 ? {} : { image }),
  };
}

/**
 * The options that all rows of a file share; a job draws with one set. Throws InputError FILE_SHAPE if rows
 * differ.
 */
export function commonOptions(pairs: readonly PromptPair[]): RowOptions {
  const [first = {}, ...others] = pairs.map(({ image = {} }) => image);
  const wanted = JSON.stringify(first);
  const odd = others.findIndex((image) => JSON.stringify(image) !== wanted);
  if (odd === -1) return first;
  throw shapeError(
    { unit: "entry", number: odd + 2 },
    "its settings are not those of the first one",
    "Put prompts with other steps, guidance, scheduler, size or negative prompt into a file of their own.",
  );
}

function checkText(at: EntryRef, raw: string, limit: number): string {
  const text = cleanPrompt(raw);
  if (!isLongerThan(text, limit)) return text;
  throw new InputError(
    "INPUT_TOO_LONG",
    `${capitalize(at.unit)} ${at.number} is longer than ${limit} characters; shorten it.`,
    { ...at, limit },
  );
}

function extensionOf(fileName: string): Extension | null {
  const match = /\.([a-z]+)$/i.exec(fileName.trim());
  const extension = match?.[1]?.toLowerCase();
  return PROMPT_FILE_EXTENSIONS.find((known) => known === extension) ?? null;
}

// --- bytes to text ---

/** First bytes of formats that people attach by mistake. */
const SIGNATURES: readonly { readonly kind: string; readonly bytes: readonly number[] }[] = [
  { kind: "PNG picture", bytes: [0x89, 0x50, 0x4e, 0x47] },
  { kind: "JPEG picture", bytes: [0xff, 0xd8, 0xff] },
  { kind: "GIF picture", bytes: [0x47, 0x49, 0x46, 0x38] },
  { kind: "PDF document", bytes: [0x25, 0x50, 0x44, 0x46, 0x2d] },
  { kind: "zip archive or office document", bytes: [0x50, 0x4b, 0x03, 0x04] },
  { kind: "gzip archive", bytes: [0x1f, 0x8b, 0x08] },
  { kind: "old office document", bytes: [0xd0, 0xcf, 0x11, 0xe0] },
  { kind: "rich text document", bytes: [0x7b, 0x5c, 0x72, 0x74, 0x66] },
];

function decode(bytes: Uint8Array): string {
  const starts = (...head: number[]) => head.every((byte, i) => bytes[i] === byte);
  if (starts(0xff, 0xfe, 0, 0) || starts(0, 0, 0xfe, 0xff)) {
    throw encodingError("The file is UTF-32.", { problem: "utf-32" });
  }
  if (starts(0xff, 0xfe)) return decodeUtf16(bytes, "utf-16le");
  if (starts(0xfe, 0xff)) return decodeUtf16(bytes, "utf-16be");

  const signature = SIGNATURES.find(({ bytes: head }) => starts(...head));
  if (signature !== undefined) throw binaryError(signature.kind);
  if (looksLikeUtf16(bytes)) {
    throw encodingError("The file is UTF-16 without a byte order mark.", { problem: "utf-16" });
  }
  if (bytes.includes(0)) throw binaryError("binary file");
  if (!isUtf8(bytes)) {
    const number = firstBadLine(bytes);
    throw encodingError(`Line ${number} is not UTF-8.`, { problem: "utf-8", unit: "line", number });
  }
  return new TextDecoder("utf-8").decode(bytes);
}

function decodeUtf16(bytes: Uint8Array, encoding: "utf-16le" | "utf-16be"): string {
  let text: string;
  try {
    text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch (cause) {
    throw encodingError(
      "The file starts as UTF-16 and goes on as something else.",
      { problem: "utf-16" },
      cause,
    );
  }
  if (text.includes("\0")) throw binaryError("binary file");
  return text;
}

/** In UTF-16, every other byte of Latin text is zero; binary files have zeros anywhere. */
function looksLikeUtf16(bytes: Uint8Array): boolean {
  const head = bytes.subarray(0, 512 - (bytes.length % 2));
  if (head.length < 4) return false;
  for (const parity of [0, 1]) {
    if (head.every((byte, i) => (byte === 0) === (i % 2 === parity))) return true;
  }
  return false;
}

/** Splits into lines before decoding: 0x0A is never part of a longer UTF-8 character. */
function firstBadLine(bytes: Uint8Array): number {
  let number = 1;
  for (let start = 0; start < bytes.length; number++) {
    const newline = bytes.indexOf(0x0a, start);
    const end = newline === -1 ? bytes.length : newline;
    if (!isUtf8(bytes.subarray(start, end))) return number;
    start = end + 1;
  }
  return number;
}

// --- text to entries ---

/** Reads at most `most` entries; null if there are more, without reading them all. */
type Reader = (text: string, most: number) => RawEntry[] | null;

const readers: Record<Extension, Reader> = {
  txt: readLines,
  json: readJson,
  jsonl: readJsonLines,
  csv: readCsv,
};

function readLines(text: string, most: number): RawEntry[] | null {
  const entries: RawEntry[] = [];
  for (const [i, prompt] of text.split(/\r\n|\r|\n/).entries()) {
    if (prompt === "" || cleanPrompt(prompt) === "") continue;
    if (entries.length === most) return null;
    entries.push({ at: { unit: "line", number: i + 1 }, prompt, optimized: null, settings: {} });
  }
  return entries;
}

const JSON_EXAMPLE =
  'Write a list such as ["a cat", "a dog"] or [{"original": "a cat", "optimized": "a cat, detailed"}].';

function readJson(text: string, most: number): RawEntry[] | null {
  if (text.trim() === "") return [];
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch (cause) {
    // Node gives a position only for some faults; without one the text ended too early or is not JSON at all.
    const position = /position (\d+)/.exec(String(cause))?.[1];
    const number = position === undefined ? null : text.slice(0, Number(position)).split("\n").length;
    throw new InputError(
      "FILE_SHAPE",
      `The file is not valid JSON${number === null ? "" : ` (line ${number})`}. ${JSON_EXAMPLE}`,
      { problem: "json", ...(number === null ? {} : { unit: "line", number }) },
      { cause },
    );
  }
  if (!Array.isArray(list)) {
    throw new InputError("FILE_SHAPE", `The file is JSON, but not a list. ${JSON_EXAMPLE}`, {
      problem: "not a list",
    });
  }
  if (list.length > most) return null;
  return list.map((value: unknown, i) => readJsonEntry(value, { unit: "entry", number: i + 1 }));
}

function readJsonLines(text: string, most: number): RawEntry[] | null {
  const entries: RawEntry[] = [];
  for (const [i, line] of text.split(/\r\n|\r|\n/).entries()) {
    if (line.trim() === "") continue;
    if (entries.length === most) return null;
    const at: EntryRef = { unit: "line", number: i + 1 };
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch (cause) {
      throw shapeError(at, "not valid JSON", JSON_LINES_EXAMPLE, cause);
    }
    entries.push(readJsonEntry(value, at));
  }
  return entries;
}

const JSON_LINES_EXAMPLE =
  'Write one a line, such as "a cat" or {"original": "a cat", "optimized": "a cat, detailed"}.';

function readJsonEntry(value: unknown, at: EntryRef): RawEntry {
  if (typeof value === "string") return { at, prompt: value, optimized: null, settings: {} };
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw shapeError(at, "neither a text nor an object with `original`", JSON_EXAMPLE);
  }
  const { original, prompt = original, optimized = null } = value as Record<string, unknown>;
  if (typeof prompt !== "string") throw shapeError(at, "`original` is missing or not a text", JSON_EXAMPLE);
  if (optimized !== null && typeof optimized !== "string") {
    throw shapeError(at, "`optimized` is not a text", JSON_EXAMPLE);
  }
  const all = value as Record<string, unknown>;
  const named = OPTION_COLUMNS.filter((name) => all[name] !== undefined && all[name] !== null);
  return { at, prompt, optimized, settings: Object.fromEntries(named.map((name) => [name, all[name]])) };
}

const CSV_HINT =
  "Put a text that holds a comma or a quote in double quotes, and name the columns `prompt`, or `original` and `optimized`.";
/** Spreadsheets write semicolons where the comma is the decimal sign. */
const CSV_DELIMITERS = [",", ";", "\t"] as const;

function readCsv(content: string, most: number): RawEntry[] | null {
  const firstLine = /[^\r\n]*/.exec(content.trimStart())?.[0] ?? "";
  const delimiter = CSV_DELIMITERS.find((d) => columnsOf(splitHeader(firstLine, d)) !== null) ?? ",";
  // One extra row for a header, and one to detect that there are too many.
  const [first, ...others] = parseRows(content, delimiter, most + 2);
  if (first === undefined) return [];

  const columns = columnsOf(first.cells);
  if (columns === null && first.cells.length > 1) {
    throw shapeError(
      first.at,
      `there are ${first.cells.length} columns and none is named \`prompt\``,
      CSV_HINT,
    );
  }
  const { width, prompt, optimized, settings, isReport } = columns ?? {
    width: 1,
    prompt: 0,
    optimized: -1,
    settings: [],
    isReport: false,
  };
  const text = (value: string | undefined) => (isReport ? value?.replace(GUARD, "$1") : value);
  const rows = columns === null ? [first, ...others] : others;
  if (rows.length > most) return null;
  return rows.map(({ at, cells }) => {
    if (cells.length > width) {
      throw shapeError(at, `there are ${cells.length} columns instead of ${width}`, CSV_HINT);
    }
    const given = settings.flatMap(({ name, at }) => {
      const value = cells[at] ?? "";
      return value === "" ? [] : [[name, name === "negative" ? text(value) : value] as const];
    });
    return {
      at,
      prompt: text(cells[prompt]) ?? "",
      optimized: text(cells[optimized]) ?? null,
      settings: Object.fromEntries(given),
    };
  });
}

const splitHeader = (line: string, delimiter: string): string[] =>
  line.split(delimiter).map((name) => name.replace(/^\s*"|"\s*$/g, ""));

/**
 * A report puts an apostrophe before texts that a spreadsheet would take for a formula; removed when read.
 */
const GUARD = /^'('*[=+\-@\t\r])/;

interface Columns {
  readonly width: number;
  readonly prompt: number;
  readonly optimized: number;
  readonly settings: readonly { readonly name: string; readonly at: number }[];
  /** Whether the file is a batch's report. */
  readonly isReport: boolean;
}

/** The positions of the columns, or null if the row is not a header. */
function columnsOf(row: readonly string[]): Columns | null {
  const names = row.map((name) => name.trim().toLowerCase());
  const prompt = names.findIndex((name) => name === "prompt" || name === "original");
  if (prompt === -1) return null;
  const settings = OPTION_COLUMNS.map((name) => ({ name, at: names.indexOf(name) }));
  return {
    width: row.length,
    prompt,
    optimized: names.indexOf("optimized"),
    settings: settings.filter(({ at }) => at !== -1),
    isReport: names.includes("job") && names.includes("seed"),
  };
}

function parseRows(text: string, delimiter: string, most: number): { at: EntryRef; cells: string[] }[] {
  try {
    const rows = parseCsv(text, {
      delimiter,
      info: true,
      record_delimiter: ["\r\n", "\n", "\r"],
      relax_column_count: true,
      relax_quotes: true,
      skip_empty_lines: true,
      skip_records_with_empty_values: true,
      to: most,
      trim: true,
    }) as unknown as { record: string[]; info: Info }[];
    return rows.map(({ record, info }) => ({ at: { unit: "line", number: info.lines }, cells: record }));
  } catch (cause) {
    if (!(cause instanceof CsvError)) throw cause;
    const number = typeof cause.lines === "number" ? cause.lines : 1;
    throw shapeError({ unit: "line", number }, "the quotes do not match", CSV_HINT, cause);
  }
}

// --- errors ---

function shapeError(at: EntryRef, problem: string, advice: string, cause?: unknown): InputError {
  return new InputError(
    "FILE_SHAPE",
    `${capitalize(at.unit)} ${at.number}: ${problem}. ${advice}`,
    { ...at, problem },
    { cause },
  );
}

const binaryError = (kind: string): InputError =>
  new InputError(
    "FILE_BINARY",
    `The file is a ${kind}, not text; attach a .txt, .json, .jsonl or .csv file.`,
    {
      kind,
    },
  );

const encodingError = (
  problem: string,
  context: Readonly<Record<string, string | number>>,
  cause?: unknown,
): InputError => new InputError("FILE_ENCODING", `${problem} Save the file as UTF-8.`, context, { cause });

const capitalize = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);
