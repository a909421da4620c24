import { InputError } from "../core/errors.js";
import { type EntryRef, type FileNotes, MORE_MAX } from "../core/file-notes.js";
import type { OfferedModels } from "../core/known-models.js";
import { type OwnOptions, REWRITE_LENGTH_FACTOR } from "../core/options.js";
import type { Style } from "../core/styles.js";
import { cleanPrompt, isLongerThan } from "./clean-prompt.js";
import { decode } from "./decode.js";
import { type Format, type RawEntry, readers } from "./formats.js";
import { capitalize, NoteTaker, shapeError } from "./notes.js";
import { readOptions } from "./row-options.js";

/** One prompt of a file; `optimized` is null if Promptist has yet to rewrite it. */
export interface PromptPair {
  readonly prompt: string;
  readonly optimized: string | null;
  /** Where the file has it. */
  readonly at: EntryRef;
  /**
   * Present if the file has them, as a batch's own report does: the seed and options to draw the pair with.
   * Types and names are checked; the caller checks the ranges.
   */
  readonly seed?: number;
  readonly image?: OwnOptions;
  /** What is to rewrite the prompt, by name. */
  readonly rewriter?: string;
  /** What writes the other side in place of the prompt as written, by name; `against_text`: its text, if it is there. */
  readonly against?: string;
  readonly againstText?: string;
}

/** What a file holds: the prompts that can be used, and what a person should know of the rest. */
export interface PromptFile {
  readonly pairs: readonly PromptPair[];
  readonly notes: FileNotes;
}

export interface PromptFileLimits {
  readonly maxBytes: number;
  /** Prompts beyond these are counted and not read. */
  readonly maxPrompts: number;
  /** In characters (code points). */
  readonly maxPromptLength: number;
  /** Pixels of the checkpoint's own side, for rows with an aspect or one side; 512 by default. */
  readonly side?: number;
  /** The styles that rows may name; the presets by default. */
  readonly styles?: readonly Style[];
  /** The models and LoRAs that rows may name; none by default. */
  readonly offered?: OfferedModels;
}

const FORMATS: Readonly<Record<string, Format>> = {
  txt: "text",
  json: "json",
  jsonl: "jsonl",
  ndjson: "jsonl",
  csv: "csv",
  tsv: "tsv",
  tab: "tsv",
};

/**
 * Reads a list of prompts.
 *
 * `.txt` holds one prompt a line, also numbered, with bullets, or as A1111 and Midjourney write them. `.json`
 * holds texts and objects, in a list or in an object; `.jsonl` holds one of these a line. `.csv` and `.tsv`
 * have a column for the prompt, or a single column without a header. Columns and keys are known by the names
 * of row-options.ts. What can't be used is left out and noted; the rest is read. The file name decides the
 * format; the bytes decide whether it is text at all, and in which encoding.
 *
 * @throws InputError where nothing can be used: its message says where and what is wrong and how to fix it;
 * `context` has the same as data (`unit` and `number` of the entry, `limit`, `found`, `kind`, `problem`).
 */
export function parsePromptFile(bytes: Uint8Array, fileName: string, limits: PromptFileLimits): PromptFile {
  const format = formatOf(fileName);
  if (format === null) {
    throw new InputError(
      "FILE_TYPE",
      "Only .txt, .json, .jsonl, .csv and .tsv files can be read; rename or convert the file.",
    );
  }
  if (bytes.length > limits.maxBytes) {
    throw new InputError(
      "FILE_TOO_BIG",
      `The file has ${bytes.length} bytes and the limit is ${limits.maxBytes}; split it into smaller files.`,
      { limit: limits.maxBytes, found: bytes.length },
    );
  }
  const { text, guessed } = decode(bytes);
  const notes = new NoteTaker();
  const pairs: PromptPair[] = [];
  readers[format](text, {
    notes,
    take: (entry) => {
      if (pairs.length === limits.maxPrompts) {
        notes.more += 1;
        return notes.more < MORE_MAX;
      }
      try {
        const { unread, ...pair } = checkEntry(entry, limits);
        for (const problem of [...entry.unread, ...unread]) notes.noteUnread(entry.at, problem);
        pairs.push(pair);
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        notes.leaveOut(entry.at, error);
      }
      return true;
    },
  });
  if (pairs.length === 0)
    throw notes.firstError ?? new InputError("FILE_EMPTY", "The file holds no prompt; write at least one.");
  return { pairs, notes: notes.toJson(guessed) };
}

function checkEntry(
  { at, prompt, optimized, given }: RawEntry,
  { maxPromptLength, side, styles, offered }: PromptFileLimits,
): PromptPair & { readonly unread: readonly string[] } {
  const original = checkText(at, prompt, maxPromptLength);
  if (original === "") throw shapeError(at, "the prompt is empty", "Write a prompt there, or remove it.");
  const rewrite = optimized === null ? "" : checkText(at, optimized, maxPromptLength * REWRITE_LENGTH_FACTOR);
  const options = readOptions(given, side, styles, offered);
  if ("problem" in options) throw shapeError(at, options.problem, "Correct it, or remove the column.");
  const { seed, image, rewriter, against, unread } = options;
  const againstText = checkText(at, options.againstText ?? "", maxPromptLength * REWRITE_LENGTH_FACTOR);
  if (image?.negative !== undefined && isLongerThan(image.negative, maxPromptLength))
    throw tooLong(at, maxPromptLength, "the negative prompt is");
  return {
    at,
    prompt: original,
    optimized: rewrite === "" ? null : rewrite,
    ...(seed === undefined ? {} : { seed }),
    ...(image === undefined ? {} : { image }),
    ...(rewriter === undefined || rewrite !== "" ? {} : { rewriter }),
    ...(against === undefined ? {} : { against }),
    ...(againstText === "" ? {} : { againstText }),
    unread: original.includes("{prompt}")
      ? [...unread, "`{prompt}` is a style's gap for a prompt, and stays as written"]
      : unread,
  };
}

function checkText(at: EntryRef, raw: string, limit: number): string {
  // Far beyond the limit, cleaning could not help.
  if (raw.length > 20 * limit + 1000) throw tooLong(at, limit);
  const text = cleanPrompt(raw);
  if (!isLongerThan(text, limit)) return text;
  throw tooLong(at, limit);
}

const tooLong = (at: EntryRef, limit: number, what = "is"): InputError =>
  new InputError(
    "INPUT_TOO_LONG",
    `${capitalize(at.unit)} ${at.number}${what === "is" ? "" : ":"} ${what} longer than ${limit} characters; shorten it.`,
    { ...at, limit },
  );

function formatOf(fileName: string): Format | null {
  const extension = /\.([a-z]+)$/i.exec(fileName.trim())?.[1]?.toLowerCase() ?? "";
  return Object.hasOwn(FORMATS, extension) ? FORMATS[extension]! : null;
}
