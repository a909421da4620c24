/** How a message refers to an entry of the file: `line 3` in text and CSV, `entry 3` in JSON. */
export type EntryRef = { readonly unit: "line" | "entry"; readonly number: number };

/** One thing to know, and the entries that it is about. */
export interface Remark {
  /** A sentence's part without a full stop, such as "the prompt is empty". */
  readonly problem: string;
  readonly unit: EntryRef["unit"];
  /** The first ones. */
  readonly numbers: readonly number[];
  /** How many there are in all. */
  readonly count: number;
}

/** What a person should know of a file before anything is drawn. Plain data, of bounded size. */
export interface FileNotes {
  /** The encoding that had to be guessed; null otherwise. */
  readonly encoding: string | null;
  /** Columns or keys that are not read, the first ones. */
  readonly ignored: readonly string[];
  /** Entries that are left out. */
  readonly leftOut: readonly Remark[];
  /** Parts of entries that are not understood; the entries are drawn without them. */
  readonly unread: readonly Remark[];
  /** Prompts beyond the most that a batch may have; counting ends at MORE_MAX. */
  readonly more: number;
  /** Lines that are comments. */
  readonly comments: number;
  /** Whether the file is a batch's own report. */
  readonly isReport: boolean;
  /** In place of all these: what of a picture can't be drawn as it was, as sentences without a full stop. */
  readonly picture?: readonly string[];
}

/** Prompts beyond a batch that are counted. */
export const MORE_MAX = 10_000;
