/**
 * The store's verbs are written once, as generators that yield statements; an engine runs them: SQLite within one
 * turn of the event loop, PostgreSQL over a connection. Both read the same SQL. Where their languages differ, a
 * comment holds what only one of them reads: `/*sqlite ... *\/` or `/*postgres ... *\/` (see `textFor`).
 */

export type Dialect = "sqlite" | "postgres";

/** What the engine must run next. `values` has the statement's named parameters. */
export interface Call {
  // biome-ignore lint/suspicious/noExplicitAny: an engine runs statements of all types
  readonly statement: Statement<any, any>;
  readonly values: Readonly<Record<string, unknown>>;
  /** Only the first row is wanted. */
  readonly first: boolean;
}

export interface Answer {
  readonly rows: readonly unknown[];
  /** How many rows were inserted, updated or deleted. */
  readonly changes: number;
}

/** A piece of a transaction: run it with `yield*` in another, or give it to a Connection. */
export type Work<T> = Generator<Call, T, Answer>;

/** The arguments of a call: none for a statement without parameters. */
type Given<Values> = Values extends object ? [values: Values] : [];

/**
 * One SQL statement with named parameters (`@name`), the values it takes and the rows it answers. Names of columns
 * in camel case are quoted, because PostgreSQL folds others to lower case.
 */
export class Statement<Values extends object | null, Row> {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  *all(...given: Given<Values>): Work<Row[]> {
    return (yield* this.#call(given)).rows as Row[];
  }

  /** The first row. */
  *get(...given: Given<Values>): Work<Row | undefined> {
    return (yield* this.#call(given, true)).rows[0] as Row | undefined;
  }

  /** Answers how many rows it changed. */
  *run(...given: Given<Values>): Work<number> {
    return (yield* this.#call(given)).changes;
  }

  *#call([values]: Given<Values>, first = false): Work<Answer> {
    return yield { statement: this, values: { ...values }, first };
  }
}

/** `Values`: the named parameters, `null` if there are none. `Row`: one row of the answer, in its columns' names. */
export const sql = <Values extends object | null, Row = never>(text: string): Statement<Values, Row> =>
  new Statement(text);

/** The statement as one dialect reads it: its own comments are opened, the other's go. */
export const textFor = (dialect: Dialect, { text }: { readonly text: string }): string =>
  text.replace(/\/\*(sqlite|postgres) (.*?)\*\//gs, (_all, of: string, part: string) =>
    of === dialect ? part : "",
  );
