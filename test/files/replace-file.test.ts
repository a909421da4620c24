import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { replaceFile } from "../../src/files/replace-file.js";

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
