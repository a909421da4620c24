import { CsvError, type Info, parse as parseCsv } from "csv-parse/sync";
import { InputError } from "../core/errors.js";
import type { EntryRef } from "../core/file-notes.js";
import { cleanPrompt } from "./clean-prompt.js";
import { type NoteTaker, shapeError } from "./notes.js";
import {
  type FoundPrompt,
  isComment,
  readContinuation,
  readPromptLine,
  withMore,
  withoutMarker,
} from "./prompt-text.js";
import { type FieldName, fieldOf, type GivenOptions, type OptionName, positionsOf } from "./row-options.js";

export type Format = "text" | "json" | "jsonl" | "csv" | "tsv";

/** An entry of a file before its values are checked. */
export interface RawEntry {
  readonly at: EntryRef;
  readonly prompt: string;
  readonly optimized: string | null;
  readonly given: GivenOptions;
  readonly unread: readonly string[];
}

/** Where a reader puts what it finds. */
interface Sink {
  readonly notes: NoteTaker;
  /** False where nothing more needs to be read. */
  readonly take: (entry: RawEntry) => boolean;
}

/** Reads a text's entries in order. Throws InputError where the text is not of this format at all. */
export const readers: Readonly<Record<Format, (text: string, sink: Sink) => void>> = {
  text: readLines,
  json: readJson,
  jsonl: readJsonLines,
  csv: (text, sink) => readCsv(text, sink, CSV_DELIMITERS),
  tsv: (text, sink) => readCsv(text, sink, ["\t"]),
};

const LINE_END = /\r\n|\r|\n/;
const lineAt = (number: number): EntryRef => ({ unit: "line", number });

function readLines(text: string, { notes, take }: Sink): void {
  let open: { at: EntryRef; found: FoundPrompt } | null = null;
  const close = (): boolean => {
    const goesOn = open === null || take({ at: open.at, optimized: null, ...open.found });
    open = null;
    return goesOn;
  };
  for (const [i, line] of text.split(LINE_END).entries()) {
    if (line.trim() === "" || cleanPrompt(line) === "") continue;
    if (isComment(line)) {
      notes.comments += 1;
      continue;
    }
    const more = readContinuation(line);
    if (more !== null && open !== null) {
      open = { ...(open as { at: EntryRef; found: FoundPrompt }), found: withMore(open.found, more) };
      continue;
    }
    if (!close()) return;
    open = { at: lineAt(i + 1), found: readPromptLine(withoutMarker(line)) };
  }
  close();
}

// --- JSON ---

const JSON_EXAMPLE =
  'Write a list such as ["a cat", "a dog"] or [{"original": "a cat", "optimized": "a cat, detailed"}].';
const JSON_LINES_EXAMPLE =
  'Write one a line, such as "a cat" or {"original": "a cat", "optimized": "a cat, detailed"}.';

/** A number that JavaScript would round is kept as a text. */
const parseJson = (text: string): unknown =>
  JSON.parse(text.replace(/("(?:noise_)?seed"\s{0,9}:\s{0,9})(-?\d{16,40})(?=[\s,}\]])/gi, '$1"$2"'));

function readJson(text: string, sink: Sink): void {
  if (text.trim() === "") return;
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (cause) {
    if (isJsonLines(text)) {
      readJsonLines(text, sink);
      return;
    }
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
  const list = listOf(value);
  if (list === null)
    throw new InputError("FILE_SHAPE", `The file is JSON, but not a list. ${JSON_EXAMPLE}`, {
      problem: "not a list",
    });
  let number = 0;
  for (const entry of entriesOf(list, 0)) {
    number += 1;
    if (!takeJson(entry, { unit: "entry", number }, sink)) return;
  }
}

/** Whether the first of several lines is an object or a list of its own. */
function isJsonLines(text: string): boolean {
  const [first = "", second] = text.trim().split(LINE_END, 2);
  if (second === undefined || !/^[{["]/.test(first.trim())) return false;
  try {
    JSON.parse(first);
    return true;
  } catch {
    return false;
  }
}

function readJsonLines(text: string, sink: Sink): void {
  for (const [i, line] of text.split(LINE_END).entries()) {
    if (line.trim() === "") continue;
    const at = lineAt(i + 1);
    let value: unknown;
    try {
      value = parseJson(line);
    } catch (cause) {
      sink.notes.leaveOutShape(at, "not valid JSON", JSON_LINES_EXAMPLE, cause);
      continue;
    }
    for (const entry of Array.isArray(value) ? entriesOf(value, 0) : [value])
      if (!takeJson(entry, at, sink)) return;
  }
}

type JsonObject = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** How deep lists may lie in lists. */
const DEPTH_MAX = 8;
/** Names of lists in the answers of galleries and in exports. */
const LIST_NAMES = ["prompts", "images", "data", "items", "results", "entries", "rows", "pictures", "list"];

/** The list that a file is or holds; null where it is neither a list nor an object with prompts. */
function listOf(value: unknown, depth = 0): readonly unknown[] | null {
  if (Array.isArray(value)) return value;
  if (!isObject(value) || depth > DEPTH_MAX) return null;
  const keys = Object.keys(value);
  const named = LIST_NAMES.flatMap((name) => keys.filter((key) => key.toLowerCase() === name));
  const lists = [...named, ...keys].filter((key) => Array.isArray(value[key]));
  const { prompt } = keyedFields(value);
  if (typeof prompt?.value === "string") return [value];
  if (prompt !== undefined && Array.isArray(prompt.value)) return [value];
  if (lists[0] !== undefined) return value[lists[0]] as unknown[];
  if (keys.length > 0 && keys.every((key) => /^(?:prompt[\s_-]?)?\d+$/i.test(key)))
    return Object.values(value);
  for (const key of keys) {
    const inner = isObject(value[key]) ? listOf(value[key], depth + 1) : null;
    if (inner !== null) return inner;
  }
  return null;
}

/** Entries in order, also those of lists in the list, and each of an object's several prompts. */
function* entriesOf(list: readonly unknown[], depth: number): Generator<unknown> {
  for (const value of list) {
    if (Array.isArray(value) && depth < DEPTH_MAX) yield* entriesOf(value, depth + 1);
    else if (isObject(value)) {
      const { prompt } = keyedFields(value);
      if (prompt !== undefined && Array.isArray(prompt.value)) {
        for (const text of prompt.value) yield isObject(text) ? text : { ...value, [prompt.as]: text };
      } else yield value;
    } else yield value;
  }
}

type Fields = Partial<Record<FieldName, { readonly as: string; readonly value: unknown }>>;

/** An object's fields, by the keys that name them best. */
function keyedFields(value: JsonObject): Fields {
  const keys = Object.keys(value).filter((key) => value[key] !== null);
  return Object.fromEntries(
    Object.entries(positionsOf(keys)).map(([field, at]) => [
      field,
      { as: keys[at]!, value: value[keys[at]!] },
    ]),
  );
}

function takeJson(value: unknown, at: EntryRef, sink: Sink): boolean {
  const leaveOut = (problem: string): boolean => {
    sink.notes.leaveOutShape(at, problem, JSON_EXAMPLE);
    return true;
  };
  if (typeof value === "string") return takeCell(value, null, {}, at, sink);
  if (!isObject(value)) return leaveOut("neither a text nor an object with `original`");
  const { prompt, optimized, ...given } = keyedFields(value);
  for (const key of Object.keys(value)) if (fieldOf(key) === null) sink.notes.ignore(key);
  const rewrite = optimized?.value ?? null;
  if (typeof prompt?.value !== "string") return leaveOut("`original` is missing or not a text");
  if (rewrite !== null && typeof rewrite !== "string") return leaveOut("`optimized` is not a text");
  return takeCell(prompt.value, rewrite, given, at, sink);
}

/** A prompt with a rewrite stands as it is; another may be written as for other programs. */
function takeCell(
  prompt: string,
  optimized: string | null,
  given: GivenOptions,
  at: EntryRef,
  { take }: Sink,
): boolean {
  if (optimized !== null && optimized.trim() !== "")
    return take({ at, prompt, optimized, given, unread: [] });
  const found = readPromptLine(prompt);
  const more = withMore({ prompt: found.prompt, given, unread: [] }, found);
  return take({ at, optimized, ...more });
}

// --- CSV ---

const CSV_HINT =
  "Put a text that holds a comma or a quote in double quotes, and name the columns `prompt`, or `original` and `optimized`.";
/** Spreadsheets write semicolons where the comma is the decimal sign. */
const CSV_DELIMITERS = [",", ";", "\t", "|"] as const;

function readCsv(content: string, sink: Sink, delimiters: readonly string[]): void {
  const [, named] = /^\s*"?sep=(\\t|[^"\r\n])"?[ \t]*(?:\r\n|\r|\n|$)/i.exec(content) ?? [];
  // Excel's first line, which names the delimiter; the numbers of the lines stay.
  const body = named === undefined ? content : content.replace(/^[^\r\n]*/, "");
  const firstLine = /[^\r\n]*/.exec(body.trimStart())?.[0] ?? "";
  const fitting = [...delimiters].find((d) => columnsOf(splitHeader(firstLine, d)) !== null);
  const delimiter = named === undefined ? (fitting ?? delimiters[0]!) : named === "\\t" ? "\t" : named;
  const table = new Table(sink, delimiter);
  const last = parseRows(body, delimiter, (cells, line) => table.row(cells, lineAt(line)));
  if (last === null) return;
  // The quotes make no sense from here on, so each line stands for itself.
  for (const [i, line] of body.split(LINE_END).entries())
    if (i >= last && line.trim() !== "" && !table.row(splitLine(line, delimiter), lineAt(i + 1))) return;
}

/** Turns rows into entries; the first one may be the header. */
class Table {
  readonly #sink: Sink;
  readonly #delimiter: string;
  #columns: Columns | null = null;

  constructor(sink: Sink, delimiter: string) {
    this.#sink = sink;
    this.#delimiter = delimiter;
  }

  /** False where nothing more needs to be read. */
  row(cells: readonly string[], at: EntryRef): boolean {
    if (cells.every((cell) => cell === "")) return true;
    const header = this.#columns === null ? columnsOf(cells) : null;
    if (header === null) {
      if (this.#columns === null && cells.length > 1)
        throw shapeError(at, `there are ${cells.length} columns and none is named \`prompt\``, CSV_HINT);
      this.#columns ??= ONE_COLUMN;
      return this.#entry(this.#columns, cells, at);
    }
    this.#columns = header;
    this.#sink.notes.isReport = header.isReport;
    for (const name of header.ignored) this.#sink.notes.ignore(name);
    return true;
  }

  #entry({ width, positions, names, isReport }: Columns, cells: readonly string[], at: EntryRef): boolean {
    const { notes, take } = this.#sink;
    // A comma in the only column parts nothing.
    const row = width === 1 && cells.length > 1 ? [cells.join(`${this.#delimiter} `)] : cells;
    if (row.slice(width).some((cell) => cell !== "")) {
      const problem = `there are ${row.length} columns instead of ${width}`;
      notes.leaveOutShape(at, problem, CSV_HINT);
      return true;
    }
    const cell = (field: FieldName): string | undefined => {
      const position = positions[field];
      const value = position === undefined ? undefined : row[position];
      return isReport ? value?.replace(GUARD, "$1") : value;
    };
    const given: GivenOptions = {};
    for (const field of Object.keys(positions) as FieldName[]) {
      const value = cell(field) ?? "";
      if (field !== "prompt" && field !== "optimized" && value !== "")
        given[field as OptionName] = { as: names[positions[field]!]!, value };
    }
    const prompt = cell("prompt") ?? "";
    const optimized = cell("optimized") ?? null;
    if (isReport) return take({ at, prompt, optimized, given, unread: [] });
    return takeCell(prompt, optimized, given, at, this.#sink);
  }
}

const splitHeader = (line: string, delimiter: string): string[] =>
  line.split(delimiter).map((name) => name.replace(/^\s*"|"\s*$/g, ""));

/**
 * A report puts an apostrophe before texts that a spreadsheet would take for a formula; removed when read.
 */
const GUARD = /^'('*[=+\-@\t\r])/;

interface Columns {
  readonly width: number;
  readonly names: readonly string[];
  readonly positions: Partial<Record<FieldName, number>>;
  /** Names of columns that are not read. */
  readonly ignored: readonly string[];
  /** Whether the file is a batch's report. */
  readonly isReport: boolean;
}
const ONE_COLUMN: Columns = {
  width: 1,
  names: ["prompt"],
  positions: { prompt: 0 },
  ignored: [],
  isReport: false,
};

/** The columns, or null if the row is not a header. */
function columnsOf(row: readonly string[]): Columns | null {
  const names = row.map((name) => name.trim());
  const positions = positionsOf(names);
  if (positions.prompt === undefined) return null;
  const plain = names.map((name) => name.toLowerCase());
  const read = new Set(Object.values(positions));
  return {
    width: row.length,
    names,
    positions,
    ignored: names.filter((_, at) => !read.has(at)),
    isReport: plain.includes("job") && plain.includes("seed"),
  };
}

/** Ends csv-parse's reading before the text ends. */
const ENOUGH = new Error("enough rows were read");

/**
 * Parses rows until the end, or until quotes make no sense: then answers how many lines are behind it, and
 * null otherwise.
 */
function parseRows(
  text: string,
  delimiter: string,
  onRow: (cells: readonly string[], line: number) => boolean,
): number | null {
  let lines = 0;
  try {
    parseCsv(text, {
      delimiter,
      info: true,
      record_delimiter: ["\r\n", "\n", "\r"],
      relax_column_count: true,
      relax_quotes: true,
      skip_empty_lines: true,
      skip_records_with_empty_values: true,
      trim: true,
      on_record: (row: unknown) => {
        const { record, info } = row as { readonly record: string[]; readonly info: Info };
        lines = info.lines;
        if (!onRow(record, info.lines)) throw ENOUGH;
        // Nothing is kept: a file may hold half a million rows.
        return null;
      },
    });
    return null;
  } catch (error) {
    if (error === ENOUGH) return null;
    if (!(error instanceof CsvError)) throw error;
    return lines;
  }
}

/** The cells of a line; quotes count only around a whole cell. */
function splitLine(line: string, delimiter: string): string[] {
  if (!line.includes('"')) return line.split(delimiter).map((cell) => cell.trim());
  const cells: string[] = [];
  const quoted = /\s*"((?:[^"]|"")*)"\s*/y;
  for (let at = 0; at <= line.length; ) {
    quoted.lastIndex = at;
    const match = quoted.exec(line);
    const end = match === null ? -1 : quoted.lastIndex;
    if (match !== null && (end === line.length || line.startsWith(delimiter, end))) {
      cells.push(match[1]!.replaceAll('""', '"').trim());
      at = end + 1;
      continue;
    }
    const next = line.indexOf(delimiter, at);
    cells.push(line.slice(at, next === -1 ? line.length : next).trim());
    at = next === -1 ? line.length + 1 : next + 1;
  }
  return cells;
}
