import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Migration } from "../../../src/db/sql/migrations.js";
import { migrate, sqliteMigrations } from "../../../src/db/sqlite/migrate.js";
import { openDatabase } from "../../../src/db/sqlite/open.js";
import { sqliteStore } from "../../../src/db/sqlite/store.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "migrate-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

const tables = (db: Database.Database) =>
  db.prepare("select name from sqlite_schema where type = 'table' order by name").pluck().all();
const steps = (db: Database.Database) =>
  db.prepare("select number, name from migrations order by number").raw().all();

const step = (number: number, sql: string): Migration => ({ number, name: `000${number}_step`, sql });

test("schema.sql is what the migrations make (npm run schema writes it anew)", async () => {
  const db = openDatabase(join(folder, "queue.db"));
  const statements = db
    .prepare<[], string>(
      "select sql from sqlite_schema where sql is not null and name not like 'sqlite_%' order by tbl_name, type desc, name",
    )
    .pluck()
    .all();
  db.close();
  const dump = `-- The schema after all migrations. Written by npm run schema, never by hand.\n\n${statements.map((sql) => `${sql};\n`).join("\n")}`;
  await expect(dump).toMatchFileSnapshot("../../../src/db/sqlite/schema.sql");
});

test("numbers count up from 1 without a gap", () => {
  const numbers = sqliteMigrations().map((migration) => migration.number);
  expect(numbers).toEqual(numbers.map((_, index) => index + 1));
});

test("steps are applied once, in order, and recorded", () => {
  const db = new Database(join(folder, "queue.db"));
  const first = step(1, "create table one (a integer)");
  migrate(db, [first]);
  migrate(db, [first, step(2, "create table two (a integer); insert into one values (2)")]);
  migrate(db, [first, step(2, "create table two (a integer); insert into one values (2)")]);
  expect(steps(db)).toEqual([
    [1, "0001_step"],
    [2, "0002_step"],
  ]);
  expect(db.prepare("select count(*) from one").pluck().get()).toBe(1);
  db.close();
});

test("a step that fails leaves the database at the step before", () => {
  const db = new Database(join(folder, "queue.db"));
  const broken = [
    step(1, "create table one (a integer)"),
    step(2, "create table two (a integer); drop table nowhere"),
  ];
  expect(() => migrate(db, broken)).toThrow("no such table: nowhere");
  expect(tables(db)).toEqual(["migrations", "one"]);
  expect(steps(db)).toEqual([[1, "0001_step"]]);
  db.close();
});

test("an update with jobs waiting keeps them, and the older program refuses what the newer one wrote", async () => {
  const file = join(folder, "queue.db");
  const released = sqliteMigrations().slice(0, 5);
  const old = new Database(file);
  migrate(old, released);
  old.exec(`
    insert into jobs (id, kind, state, phase, user_id, channel_id, locale, application_id, interaction_id,
      interaction_token, token_expires_at, text_settings, image_settings, created_at, owner)
    values ('waits', 'optimize', 'queued', 'text', 'ada', 'channel', 'en-US', 'app', 'i1', 'token', 0, '{}', '{}', 1, null),
      ('runs', 'optimize', 'running', 'text', 'bob', 'channel', 'en-US', 'app', 'i2', 'token', 0, '{}', '{}', 2, 'gone');
    insert into items (job, position, prompt, seed) select seq, 0, 'A cat', 1 from jobs`);
  old.close();

  const { queue, deliveries, close } = sqliteStore(openDatabase(file));
  expect(await queue.recover("all")).toMatchObject([{ id: "runs", state: "queued" }]);
  for (const id of ["waits", "runs"]) {
    const claim = await queue.claim("text", "the new program");
    expect(claim?.job.id).toBe(id);
    await queue.saveText(claim!, 0, { rewrite: "A better cat", candidates: [], notes: [] });
    expect(await queue.complete(claim!)).toBe(true);
  }
  expect((await deliveries.undelivered()).sort()).toEqual(["runs", "waits"]);
  await close();

  const again = new Database(file);
  const before = tables(again);
  expect(() => migrate(again, released)).toThrowError(
    expect.objectContaining({ code: "QUEUE_NEWER_SCHEMA" }),
  );
  expect(tables(again)).toEqual(before);
  again.close();
});

test("a newer schema is refused before anything is changed", () => {
  const file = join(folder, "queue.db");
  const newer = openDatabase(file);
  migrate(newer, [
    ...sqliteMigrations(),
    { number: 9_000, name: "9000_later", sql: "create table later (a integer)" },
  ]);
  newer.close();
  expect(() => openDatabase(file)).toThrowError(
    expect.objectContaining({ code: "QUEUE_NEWER_SCHEMA", message: expect.stringContaining("9000_later") }),
  );
  expect(() => openDatabase(file)).toThrow("Update the program, or restore the backup");
});
