import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { DiskError } from "../../src/core/errors.js";
import { isUnfinished, makeFolder, replaceFile } from "../../src/files/replace-file.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "replace-file-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it("creates the folder, writes all kinds of content and sets the time", async () => {
  const path = join(folder, "new", "file");
  await replaceFile(path, "text");
  expect(readFileSync(path, "utf8")).toBe("text");
  await replaceFile(path, Buffer.from("bytes"), { modified: new Date(1_000_000) });
  expect(readFileSync(path, "utf8")).toBe("bytes");
  expect(statSync(path).mtimeMs).toBe(1_000_000);
  await replaceFile(path, async (file) => {
    await file.write("in ");
    // The new content stays invisible until it is complete.
    expect(readFileSync(path, "utf8")).toBe("bytes");
    await file.write("parts");
  });
  expect(readFileSync(path, "utf8")).toBe("in parts");
  expect(readdirSync(join(folder, "new"))).toEqual(["file"]);
});

it("keeps the old content and leaves nothing behind when writing fails", async () => {
  const path = join(folder, "file");
  await replaceFile(path, "old");
  const failing = replaceFile(path, async (file) => {
    await file.write("half");
    throw new Error("the disk is full");
  });
  await expect(failing).rejects.toThrow("the disk is full");
  expect(readFileSync(path, "utf8")).toBe("old");
  expect(readdirSync(folder)).toEqual(["file"]);
});

it("keeps concurrent writers of one file apart", async () => {
  const path = join(folder, "file");
  const contents = Array.from({ length: 8 }, (_, i) => String(i).repeat(10_000));
  await Promise.all(contents.map((content) => replaceFile(path, content)));
  expect(contents).toContain(readFileSync(path, "utf8"));
  expect(readdirSync(folder)).toEqual(["file"]);
});

it("makes folders that only their owner may look into, whatever the umask", async () => {
  const umask = process.umask(0);
  try {
    await makeFolder(join(folder, "data", "graphs"));
    await replaceFile(join(folder, "data", "pictures", "job", "file"), "text");
  } finally {
    process.umask(umask);
  }
  for (const path of ["data", "data/graphs", "data/pictures", "data/pictures/job"])
    expect(statSync(join(folder, path)).mode & 0o777, path).toBe(0o700);
});

it.each(["EACCES", "EPERM", "EROFS"])("says that nothing may be written, on %s", async (code) => {
  const path = join(folder, "file");
  const cause = Object.assign(new Error(code), { code, syscall: "write" });
  const failing = replaceFile(path, () => Promise.reject(cause));
  await expect(failing).rejects.toBeInstanceOf(DiskError);
  await expect(failing).rejects.toMatchObject({
    code: "DISK_READ_ONLY",
    message: `${path} cannot be written (${code}).`,
    cause,
  });
  expect(readdirSync(folder)).toEqual([]);
});

it("knows the names of what it has not finished", async () => {
  let names: string[] = [];
  await replaceFile(join(folder, "1-baseline.png"), async () => {
    names = readdirSync(folder);
  });
  expect(names).toHaveLength(1);
  expect(names.every(isUnfinished)).toBe(true);
  expect(["1-baseline.png", ".hub.json", "a.tmp", ".nomedia.tmp"].some(isUnfinished)).toBe(false);
});
