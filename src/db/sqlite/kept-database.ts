import Database from "better-sqlite3";

/** Databases and their statements, kept from the garbage collector. */
const kept = new Set<object>();

/**
 * Opens a database whose handles live as long as the process.
 *
 * better-sqlite3 12 compiled with Node's headers of 24.19 or later aborts the process when a database or a statement
 * is collected while no JavaScript runs (nodejs/node#65446), as happens when the heap is idle. Version 13 is free of
 * it, but crashes Node 20. A program prepares about a hundred statements, so keeping them costs nothing.
 */
export function openKept(file: string, options?: Database.Options): Database.Database {
  const db = new Database(file, options);
  const prepare = db.prepare.bind(db);
  kept.add(db);
  db.prepare = ((sql: string) => {
    const statement = prepare(sql);
    kept.add(statement);
    return statement;
  }) as typeof db.prepare;
  // The library's own makes a statement for each call.
  db.pragma = (source, { simple = false } = {}) => {
    const statement = db.prepare(`pragma ${source}`);
    if (!statement.reader) return statement.run();
    return simple ? statement.pluck().get() : statement.all();
  };
  return db;
}
