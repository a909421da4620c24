import { expect, test } from "vitest";
import { codeOf } from "../../src/core/errors.js";

const failed = (code: string) => Object.assign(new Error("failed"), { code });

test.for([
  ["ENOSPC", "DISK_FULL"],
  ["EDQUOT", "DISK_FULL"],
  ["SQLITE_FULL", "DISK_FULL"],
  ["EIO", "DISK_FAILED"],
  ["SQLITE_IOERR", "DISK_FAILED"],
  ["SQLITE_IOERR_FSYNC", "DISK_FAILED"],
  ["ENOENT", "INTERNAL"],
] as const)("%s of the system means %s, also as a cause", ([code, meaning]) => {
  expect(codeOf(failed(code))).toBe(meaning);
  expect(codeOf(new Error("the picture was not stored", { cause: failed(code) }))).toBe(meaning);
});

test("a system error whose code is a number is of no known kind", () => {
  expect(codeOf(Object.assign(new Error("odd"), { code: 5 }))).toBe("INTERNAL");
});
