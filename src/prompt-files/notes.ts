import { InputError } from "../core/errors.js";
import type { EntryRef, FileNotes, Remark } from "../core/file-notes.js";
import { shown } from "./row-options.js";

const REMARKS_MAX = 50;
const NUMBERS_MAX = 1000;
const IGNORED_MAX = 30;

type Growing = { -readonly [K in keyof Remark]: Remark[K] } & { numbers: number[] };

/** Gathers the notes while a file is read. */
export class NoteTaker {
  more = 0;
  comments = 0;
  isReport = false;
  /** Why the first entry was left out. */
  firstError: InputError | null = null;
  readonly #ignored = new Set<string>();
  readonly #leftOut = new Map<string, Growing>();
  readonly #unread = new Map<string, Growing>();

  ignore(name: string): void {
    if (this.#ignored.size < IGNORED_MAX && name.trim() !== "") this.#ignored.add(shown(name));
  }

  leaveOut(at: EntryRef, error: InputError): void {
    this.firstError ??= error;
    add(this.#leftOut, at, problemOf(error));
  }

  /** The same for an entry of the wrong shape; only the first one's error is made, as each costs a stack trace. */
  leaveOutShape(at: EntryRef, problem: string, advice: string, cause?: unknown): void {
    this.firstError ??= shapeError(at, problem, advice, cause);
    add(this.#leftOut, at, problem);
  }

  noteUnread(at: EntryRef, problem: string): void {
    add(this.#unread, at, problem);
  }

  toJson(encoding: string | null): FileNotes {
    const { more, comments, isReport } = this;
    return {
      encoding,
      ignored: isReport ? [] : [...this.#ignored],
      leftOut: [...this.#leftOut.values()],
      unread: [...this.#unread.values()],
      more,
      comments,
      isReport,
    };
  }
}

/** Notes with more entries that were left out, such as those whose options are out of range. */
export function withLeftOut(
  notes: FileNotes,
  left: readonly { readonly at: EntryRef; readonly error: InputError }[],
): FileNotes {
  const remarks = new Map(notes.leftOut.map((it) => [it.problem, { ...it, numbers: [...it.numbers] }]));
  for (const { at, error } of left) add(remarks, at, problemOf(error));
  return { ...notes, leftOut: [...remarks.values()] };
}

function add(remarks: Map<string, Growing>, { unit, number }: EntryRef, problem: string): void {
  const isKnown = remarks.has(problem);
  const key = isKnown || remarks.size < REMARKS_MAX ? problem : "other problems like these";
  const remark = remarks.get(key) ?? { problem: key, unit, numbers: [], count: 0 };
  remark.count += 1;
  if (remark.numbers.length < NUMBERS_MAX) remark.numbers.push(number);
  remarks.set(key, remark);
}

function problemOf({ code, message, context }: InputError): string {
  if (typeof context.problem === "string") return context.problem;
  if (code === "INPUT_TOO_LONG") return `longer than ${context.limit} characters`;
  return message.replace(/\.$/, "");
}

export function shapeError(at: EntryRef, problem: string, advice: string, cause?: unknown): InputError {
  return new InputError(
    "FILE_SHAPE",
    `${capitalize(at.unit)} ${at.number}: ${problem}. ${advice}`,
    { ...at, problem },
    { cause },
  );
}

export const capitalize = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);
