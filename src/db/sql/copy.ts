import { createHash } from "node:crypto";
import { QueueError } from "../../core/errors.js";
import type { Connection } from "./connection.js";
import { type Statement, sql, type Work } from "./statement.js";

/**
 * Every table that holds what was stored, parents first, with the columns of its key. Not `migrations`, which each
 * database has of its own, and not `hosts`, whose rows are programs that run on a database, not what they keep in it.
 */
export const TABLES: Readonly<Record<string, readonly string[]>> = {
  flags: ["name"],
  arrivals: ["interaction_id"],
  jobs: ["seq"],
  items: ["job", "position"],
  sheets: ["job", "number"],
  job_messages: ["job", "message_id"],
  erased_messages: ["seq"],
  drafts: ["rowid"],
  ballots: ["rowid"],
  votes: ["job_id", "user_id"],
  settings: ["scope", "id", "name"],
  turns: ["user_id", "phase"],
  styles: ["scope", "id", "key"],
  card_usage: ["user_id", "guild_id", "day"],
  favourites: ["job_id"],
};

/** Tables whose column `seq` counts on from the largest one. */
const COUNTED = ["jobs", "erased_messages"];
const COPYING = "copying";

type Row = Readonly<Record<string, string | number | null>>;

/** A batch of a megabyte lies in some rows of `drafts`. */
const PAGE = 200;

export interface CopiedTable {
  readonly table: string;
  readonly rows: number;
}

/**
 * Copies all that is stored into another engine's database, whose schema must be of the same step and hold nothing
 * (a copy that was broken off is begun anew), and reads both again: every row must be the same. No program may work
 * on either meanwhile. Throws QueueError CONFIG when the target holds something, and INTERNAL when a table differs.
 */
export async function copyAll(
  from: Connection,
  to: Connection,
  onTable: (copied: CopiedTable) => void,
): Promise<void> {
  await to.write(prepare);
  const known = new Map<string, string>();
  for (const table of Object.keys(TABLES)) {
    let rows = 0;
    const digest = createHash("sha256");
    for await (const page of pagesOf(from, table)) {
      const copied = page.map((row) => told(row, digest));
      await to.write(() => insertAll(table, copied));
      rows += page.length;
    }
    known.set(table, digest.digest("hex"));
    onTable({ table, rows });
  }
  await to.write(finish);
  for (const [table, expected] of known) {
    const digest = createHash("sha256");
    for await (const page of pagesOf(to, table)) for (const row of page) told(row, digest);
    if (digest.digest("hex") !== expected)
      throw new QueueError(
        "INTERNAL",
        `The copy of the table ${table} differs from what it was copied from. Was a program working on it?`,
      );
  }
}

/** Empties what a broken copy left; refuses what anybody else stored. */
function* prepare(): Work<void> {
  const marked = yield* sql<{ name: string }, object>("select 1 as found from flags where name = @name").get({
    name: COPYING,
  });
  for (const table of Object.keys(TABLES).reverse()) {
    if (marked !== undefined) yield* sql<null>(`delete from ${table}`).run();
    else if ((yield* sql<null, object>(`select 1 as found from ${table} limit 1`).get()) !== undefined)
      throw new QueueError(
        "CONFIG",
        `The database to copy into is in use: its table ${table} is not empty. Choose an empty one, so that nothing is mixed or lost.`,
      );
  }
  yield* sql<{ name: string }>("insert into flags (name, value) values (@name, 'true')").run({
    name: COPYING,
  });
}

function* finish(): Work<void> {
  yield* sql<{ name: string }>("delete from flags where name = @name").run({ name: COPYING });
  for (const table of COUNTED) {
    // SQLite remembers the largest number by itself.
    yield* sql<null, object>(`
      select max(seq) /*postgres , setval(pg_get_serial_sequence('${table}', 'seq'), coalesce(max(seq), 0) + 1, false) */
      from ${table}`).get();
  }
}

async function* pagesOf(connection: Connection, table: string): AsyncGenerator<Row[]> {
  const key = TABLES[table]!;
  const names = key.join(", ");
  const rowid = key.includes("rowid") ? "/*sqlite rowid, */" : "";
  const read = (after: string) =>
    sql<Row, Row>(`select ${rowid} * from ${table} ${after} order by ${names} limit ${PAGE}`);
  const first = read("");
  const next = read(`where (${names}) > (${key.map((name) => `@${name}`).join(", ")})`);
  let page = await connection.read(() => first.all({}));
  while (page.length > 0) {
    yield table === "flags" ? page.filter(({ name }) => name !== COPYING) : page;
    const last = page.at(-1)!;
    page = await connection.read(() => next.all(Object.fromEntries(key.map((name) => [name, last[name]!]))));
  }
}

function* insertAll(table: string, rows: readonly Row[]): Work<void> {
  let insert: Statement<Row, never> | undefined;
  for (const row of rows) {
    const names = Object.keys(row);
    insert ??= sql<Row>(
      `insert into ${table} (${names.join(", ")}) values (${names.map((name) => `@${name}`).join(", ")})`,
    );
    yield* insert.run(row);
  }
}

/** The row without what an engine counts for itself, which the digest is told. */
function told({ rowid: _own, ...row }: Row, digest: { update(text: string): unknown }): Row {
  digest.update(JSON.stringify(Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1))));
  return row;
}
