import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { Queue } from "../../../src/db/queue.js";
import { backupDatabase } from "../../../src/db/sqlite/backup.js";
import { openDatabase } from "../../../src/db/sqlite/open.js";
import { sqliteStore } from "../../../src/db/sqlite/store.js";
import { newJob } from "../contract/fixtures.js";

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "promptist-backup-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true, maxRetries: 5 }));
  return path;
}

/** A queue in a file, closed when the test is over. */
function openQueue(file: string): Queue {
  const store = sqliteStore(openDatabase(file));
  onTestFinished(() => store.close());
  return store.queue;
}

test("a queue in use is copied as it is at one moment, private and whole, and goes on", async () => {
  const from = folder();
  const queue = openQueue(join(from, "promptist.sqlite"));
  const before = [];
  for (let i = 0; i < 50; i++) before.push((await queue.enqueue(newJob({ user: "ada" }))).id);
  const copy = join(folder(), "copy.sqlite");
  // Its rows are in the log beside the file, which the copy must not need.
  const copying = backupDatabase(join(from, "promptist.sqlite"), copy);
  for (let i = 0; i < 20; i++) await queue.enqueue(newJob({ user: "bob" }));
  expect(await copying).toBe(statSync(copy).size);
  if (process.platform !== "win32") expect(statSync(copy).mode & 0o777).toBe(0o600);

  const restored = openQueue(copy);
  const ids = (await restored.open()).map(({ id }) => id);
  expect(ids).toEqual(expect.arrayContaining(before));
  expect((await queue.depth()).queued).toBe(70);
  expect(ids.length).toBeGreaterThanOrEqual(50);
  // What the copy is for: it serves as a queue.
  expect((await restored.claim("text", "me"))?.job.items).toHaveLength(1);
});

test("nothing is overwritten, and a copy that failed leaves no file", async () => {
  const from = folder();
  const file = join(from, "promptist.sqlite");
  await expect(backupDatabase(file, join(from, "copy"))).rejects.toMatchObject({ code: "CONFIG" });
  openQueue(file);
  const there = join(from, "there");
  writeFileSync(there, "mine");
  await expect(backupDatabase(file, there)).rejects.toMatchObject({ code: "CONFIG" });
  expect(readFileSync(there, "utf8")).toBe("mine");
  const broken = join(from, "broken");
  writeFileSync(broken, "no database at all, but as long as the header of one would be".repeat(20));
  await expect(backupDatabase(broken, join(from, "copy"))).rejects.toMatchObject({ code: "CONFIG" });
  expect(() => statSync(join(from, "copy"))).toThrow("ENOENT");
});
