import { expect, test } from "vitest";
import { openKept } from "../../../src/db/sqlite/kept-database.js";

test("pragmas answer as the library's own do: rows, one value, or nothing", () => {
  const db = openKept(":memory:");
  expect(db.pragma("user_version")).toEqual([{ user_version: 0 }]);
  db.pragma("user_version = 7");
  expect(db.pragma("user_version", { simple: true })).toBe(7);
  expect(db.pragma("foreign_keys = ON")).not.toBeInstanceOf(Error);
  expect(db.pragma("foreign_keys", { simple: true })).toBe(1);
  db.close();
});

test("statements and transactions work as on any database", () => {
  const db = openKept(":memory:");
  db.exec("create table t (n integer)");
  db.transaction(() => db.prepare("insert into t values (?)").run(3)).immediate();
  expect(db.prepare<[], number>("select n from t").pluck().get()).toBe(3);
  db.close();
  expect(() => db.prepare("select 1")).toThrow("not open");
});
