import { linkSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, expect, test } from "vitest";
import { codeOf, QueueError } from "../../../src/core/errors.js";
import { openDatabase } from "../../../src/db/sqlite/open.js";
import { sqliteStore } from "../../../src/db/sqlite/store.js";
import { newJob } from "../contract/fixtures.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "open-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

/** What a call throws, as a QueueError. */
function refusal(work: () => unknown): QueueError {
  try {
    work();
  } catch (error) {
    expect(error).toBeInstanceOf(QueueError);
    return error as QueueError;
  }
  throw new Error("nothing was thrown");
}

test("a new database survives power cuts and keeps its foreign keys", () => {
  const db = openDatabase(join(folder, "data", "queue.db"));
  expect(db.pragma("journal_mode", { simple: true })).toBe("wal");
  expect(db.pragma("synchronous", { simple: true })).toBe(2); // FULL
  expect(db.pragma("foreign_keys", { simple: true })).toBe(1);
  expect(db.pragma("busy_timeout", { simple: true })).toBe(20);
  db.close();
});

test.skipIf(process.platform === "win32")("folder and files are the owner's alone", () => {
  const file = join(folder, "data", "queue.db");
  const db = openDatabase(file);
  const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);
  expect(mode(join(folder, "data"))).toBe("700");
  expect([file, `${file}-wal`, `${file}-shm`].map(mode)).toEqual(["600", "600", "600"]);
  db.close();
});

test("a database with a second name is refused, until it is a file of its own", () => {
  const file = join(folder, "queue.db");
  openDatabase(file).close();
  linkSync(file, join(folder, "other.db"));
  const error = refusal(() => openDatabase(file));
  expect(error.code).toBe("CONFIG");
  expect(error.message).toContain(`${file} has a second name (a hard link)`);
  rmSync(join(folder, "other.db"));
  openDatabase(file).close();
});

test("a file that is no database is refused with a sentence and left as it is", () => {
  const file = join(folder, "queue.db");
  writeFileSync(file, "this is a letter, not a database\n".repeat(100));
  const error = refusal(() => openDatabase(file));
  expect(error.code).toBe("CONFIG");
  expect(error.message).toContain(`${file} is not a database of this program`);
  expect(error.cause).toBeInstanceOf(Database.SqliteError);
  expect(statSync(file).size).toBe(3_300);
});

test("another program's database is refused and gets none of our tables", () => {
  const file = join(folder, "queue.db");
  const theirs = new Database(file);
  theirs.exec("create table bookmarks (url text)");
  theirs.close();
  const error = refusal(() => openDatabase(file));
  expect(error.code).toBe("CONFIG");
  expect(error.message).toContain("has the table bookmarks");
  const again = new Database(file);
  expect(again.prepare("select name from sqlite_schema").pluck().all()).toEqual(["bookmarks"]);
  again.close();
});

test("a path that is a folder, or below a file, is refused with a sentence", () => {
  mkdirSync(join(folder, "queue.db"));
  expect(refusal(() => openDatabase(join(folder, "queue.db"))).code).toBe("CONFIG");
  writeFileSync(join(folder, "file"), "");
  const error = refusal(() => openDatabase(join(folder, "file", "queue.db")));
  expect(error.code).toBe("CONFIG");
  expect(error.message).toContain("Check that the data folder is a folder");
});

test("a full disk is told as DISK_FULL, and what was stored before is still there", async () => {
  const db = openDatabase(join(folder, "queue.db"));
  const { queue, close } = sqliteStore(db);
  const first = await queue.enqueue(newJob({ user: "ada" }));
  // The limit makes SQLite fail just as a write that finds no room does.
  db.pragma(`max_page_count = ${db.pragma("page_count", { simple: true })}`);
  const prompts = Array.from({ length: 200 }, () => "word ".repeat(200));
  const error = await queue.enqueue(newJob({ user: "ada", prompts })).catch((thrown: unknown) => thrown);
  expect(codeOf(error)).toBe("DISK_FULL");
  expect((error as Error).message).toContain("is full");

  expect(await queue.open()).toEqual([first]);
  db.pragma("max_page_count = 1000000");
  expect((await queue.enqueue(newJob({ user: "ada", prompts }))).items).toHaveLength(200);
  expect(db.pragma("integrity_check", { simple: true })).toBe("ok");
  await close();
});

test("a write that waits too long for another program is QUEUE_BUSY_DATABASE", async () => {
  const file = join(folder, "queue.db");
  const db = openDatabase(file);
  const { queue, close } = sqliteStore(db, { busyMs: 100 });
  const other = new Database(file);
  other.exec("begin immediate");
  await expect(queue.enqueue(newJob({ user: "ada" }))).rejects.toMatchObject({ code: "QUEUE_BUSY_DATABASE" });
  other.exec("rollback");
  await queue.enqueue(newJob({ user: "ada" }));
  other.close();
  await close();
});

test("every part of the store waits until another program has written", async () => {
  const file = join(folder, "queue.db");
  const db = openDatabase(file);
  const { queue, votes, settings, drafts, records, close } = sqliteStore(db);
  const { kind, text, image, items, origin } = newJob({ user: "ada" });
  const job = await queue.enqueue(newJob({ user: "bob" }));
  await queue.complete((await queue.claim("text", "loop"))!);
  const other = new Database(file);
  other.exec("begin immediate");
  let isHeld = true;
  const writes = [
    queue.enqueue(newJob({ user: "ada" })),
    votes.open(job, null),
    settings.set("user", "ada", "ping", true, "ada"),
    drafts.add({ kind, text, image, items, preview: false }, origin, 0),
    records.drop(job.id),
  ].map((write) => write.then(() => expect(isHeld).toBe(false)));
  // Reads wait for nobody.
  expect((await queue.depth()).queued).toBe(0);
  isHeld = false;
  other.exec("rollback");
  await Promise.all(writes);
  other.close();
  await close();
});
