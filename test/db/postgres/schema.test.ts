import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, inject, test } from "vitest";
import { openPostgres } from "../../../src/db/postgres/open.js";
import { openDatabase } from "../../../src/db/sqlite/open.js";
import { newSchema, query } from "../../support/postgres-server.js";

const server = inject("postgresUrl");

describe.skipIf(server == null)("the schema", () => {
  let url: string;
  beforeEach(async () => {
    url = await newSchema(server!);
  });
  const open = async () => (await openPostgres(url)).close();

  test("has the tables and columns of SQLite's", async () => {
    await open();
    const columns = await query<{ name: string }>(
      url,
      `select table_name || '.' || column_name as name from information_schema.columns
       where table_schema = current_schema() and column_name <> 'rowid' order by 1`,
    );
    const folder = mkdtempSync(join(tmpdir(), "schema-"));
    const sqlite = openDatabase(join(folder, "queue.db"));
    const expected = sqlite
      .prepare(
        `select t.name || '.' || c.name from sqlite_schema t, pragma_table_info(t.name) c
         where t.type = 'table' and t.name not like 'sqlite_%'`,
      )
      .pluck()
      .all() as string[];
    sqlite.close();
    rmSync(folder, { recursive: true });
    expect(columns.map(({ name }) => name).sort()).toEqual(expected.sort());
  });

  test("is brought up to date once, however many programs start at once", async () => {
    await Promise.all(Array.from({ length: 5 }, open));
    const steps = await query<{ number: number }>(url, "select number from migrations");
    expect(new Set(steps.map(({ number }) => number)).size).toBe(steps.length);
    expect(steps.length).toBeGreaterThan(0);
  });

  test("of a newer program is refused unchanged", async () => {
    await open();
    await query(url, "insert into migrations values (9999, '9999_later', 0)");
    await expect(open()).rejects.toMatchObject({
      code: "QUEUE_NEWER_SCHEMA",
      message: expect.stringContaining("9999_later"),
    });
  });

  test("with another program's tables is refused unchanged", async () => {
    await query(url, "create table customers (id int)");
    await expect(open()).rejects.toMatchObject({
      code: "CONFIG",
      message: expect.stringContaining("it has the table customers"),
    });
    expect(
      await query(url, "select 1 from information_schema.tables where table_schema = current_schema()"),
    ).toHaveLength(1);
  });

  test("of a name that is not there, or of a role without rights, is refused with what to do", async () => {
    const nowhere = `${server}?options=${encodeURIComponent("-c search_path=nowhere")}`;
    await expect(openPostgres(nowhere)).rejects.toMatchObject({
      code: "CONFIG",
      message: expect.stringContaining("create schema"),
    });
    await query(server!, "create role visitor login");
    const visitor = url.replace("promptist@", "visitor@");
    await expect(openPostgres(visitor)).rejects.toMatchObject({ code: "CONFIG" });
    await expect(openPostgres(server!.replace("/postgres", "/no_database"))).rejects.toMatchObject({
      code: "CONFIG",
      message: expect.stringContaining("no_database"),
    });
  });
});
