// test/soak/nth.mjs preloads this into the bot and its workers (NODE_OPTIONS). It counts the calls that write
// to the database or to files, and makes one of them fail as FAIL_AT says: a Plan as JSON.
//
// Plan: { trace, kind?, mode?, n? }. `trace` is a file that gets a line for each call, "kind<TAB>what", so that
// the count goes on from one worker to the next, and the line "fired" before the fault.
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { isMainThread } from "node:worker_threads";

const script = basename(process.argv[1] ?? "");
const ROLE = script === "promptist.js" ? "bot" : script === "worker.js" ? "worker" : null;
if (isMainThread && ROLE !== null) await install(JSON.parse(process.env.FAIL_AT));

/** @param {{ trace: string, kind?: string, mode?: string, n?: number }} plan */
async function install({ trace, kind, mode, n }) {
  const { openSync, writeSync, readFileSync } = fs;
  const before = fs.existsSync(trace) ? readFileSync(trace, "utf8").split("\n") : [];
  let hasFired = before.includes("fired");
  const file = openSync(trace, "a");
  const fileKind = `${ROLE} file`;
  const counts = {};
  for (const of of ["sql", fileKind]) counts[of] = before.filter((it) => it.startsWith(`${of}\t`)).length;

  /** Counts a call; returns how it must fail, or null. */
  function next(of, what) {
    counts[of] += 1;
    writeSync(file, `${of}\t${what.replaceAll(/\s+/g, " ")}\n`);
    if (hasFired || of !== kind || counts[of] !== n) return null;
    hasFired = true;
    writeSync(file, "fired\n");
    return mode;
  }

  function die() {
    if (mode.startsWith("both")) process.kill(process.ppid, "SIGKILL");
    process.kill(process.pid, "SIGKILL");
  }

  /** Runs a synchronous call, or lets it fail. */
  function fail(how, run, error) {
    if (how === null) return run();
    if (how.endsWith("killed before")) die();
    if (!how.endsWith("killed after")) throw error(how);
    run();
    die();
  }

  async function failLater(how, run, error) {
    if (how === null) return run();
    if (how.endsWith("killed before")) die();
    if (!how.endsWith("killed after")) throw error(how);
    await run();
    die();
  }

  await wrapFiles();
  if (ROLE === "bot") await wrapSql();

  function wrapFiles() {
    const systemError = (syscall) => (code) => {
      const said = { ENOSPC: "no space left on device", EIO: "i/o error" }[code];
      const errno = { ENOSPC: -28, EIO: -5 }[code];
      return Object.assign(new Error(`${code}: ${said}, ${syscall}`), { code, errno, syscall });
    };
    const always = () => true;
    const isFile = ([descriptor]) => typeof descriptor !== "number" || descriptor > 2;
    const opens = ([, flags]) =>
      typeof flags === "number"
        ? (flags & (fs.constants.O_WRONLY | fs.constants.O_RDWR)) !== 0
        : !/^rs?$/.test(flags ?? "r");
    const calls = {
      open: opens,
      write: isFile,
      writev: isFile,
      writeFile: isFile,
      appendFile: isFile,
      fsync: always,
      fdatasync: always,
      rename: always,
      mkdir: always,
    };
    // Node's own functions call each other.
    let isInside = false;
    const show = (name, [path, to]) =>
      [
        name,
        ...[path, name === "rename" ? to : null]
          .filter((it) => typeof it === "string")
          .map((it) => basename(it)),
      ].join(" ");
    for (const [name, counted] of Object.entries(calls)) {
      const sync = fs[`${name}Sync`];
      fs[`${name}Sync`] = function (...args) {
        if (isInside || !counted(args)) return sync.apply(this, args);
        const how = next(fileKind, show(name, args));
        isInside = true;
        try {
          return fail(how, () => sync.apply(this, args), systemError(name));
        } finally {
          isInside = false;
        }
      };
      const called = fs[name];
      fs[name] = function (...args) {
        const done = args.at(-1);
        if (isInside || typeof done !== "function" || !counted(args)) return called.apply(this, args);
        const how = next(fileKind, show(name, args));
        if (how === null) return called.apply(this, args);
        const run = () =>
          new Promise((resolve) => called.call(this, ...args.slice(0, -1), (...answer) => resolve(answer)));
        failLater(how, run, systemError(name)).then((answer) => done(...answer), done);
      };
      const promised = fs.promises[name];
      if (promised === undefined) continue;
      fs.promises[name] = async (...args) => {
        if (!counted(args)) return promised(...args);
        return failLater(next(fileKind, show(name, args)), () => promised(...args), systemError(name));
      };
    }
    return wrapHandles(systemError);
  }

  async function wrapHandles(systemError) {
    const handle = await fs.promises.open(fileURLToPath(import.meta.url));
    const prototype = Object.getPrototypeOf(handle);
    await handle.close();
    const writes = new WeakMap();
    for (const name of ["write", "writev", "writeFile", "appendFile", "sync", "datasync", "truncate"]) {
      const own = prototype[name];
      prototype[name] = function (...args) {
        // A graph is hundreds of writes of one kind: the 1st, 2nd, 4th, 8th ... of a file stand for them.
        const nth = (writes.get(this) ?? 0) + 1;
        if (name === "write") writes.set(this, nth);
        if (name === "write" && (nth & (nth - 1)) !== 0) return own.apply(this, args);
        return failLater(next(fileKind, `handle ${name}`), () => own.apply(this, args), systemError(name));
      };
    }
    syncBuiltinESMExports();
  }

  async function wrapSql() {
    const { default: Database } = await import("better-sqlite3");
    const message = { SQLITE_FULL: "database or disk is full", SQLITE_IOERR: "disk I/O error" };
    const sqlError = (code) => new Database.SqliteError(message[code], code);
    const memory = new Database(":memory:");
    const statement = memory.prepare("select 1");
    // Node 24.19 and later abort when the collector frees one of them; see src/db/sqlite/kept-database.ts.
    process.once("exit", () => [memory, statement]);
    const prototype = Object.getPrototypeOf(statement);
    // A transaction that only reads writes nothing at its end either.
    let reads = false;
    const writes = (statement) => {
      const word = /^\s*(\w+)(\s+immediate)?/i.exec(statement.source);
      if (word?.[1].toLowerCase() === "begin") {
        reads = word[2] === undefined;
        return !reads;
      }
      if (/^(commit|end|savepoint|release)$/i.test(word?.[1])) return !reads;
      return !statement.readonly && !/^rollback$/i.test(word?.[1]);
    };
    for (const name of ["run", "get", "all"]) {
      const own = prototype[name];
      prototype[name] = function (...args) {
        if (!writes(this)) return own.apply(this, args);
        return fail(next("sql", this.source.slice(0, 80)), () => own.apply(this, args), sqlError);
      };
    }
    const exec = Database.prototype.exec;
    Database.prototype.exec = function (sql) {
      return fail(next("sql", sql.slice(0, 80)), () => exec.call(this, sql), sqlError);
    };
    memory.close();
  }
}
