import { copyFileSync, mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openDatabase } from "../../../src/db/sqlite/open.js";
import { sqliteStore } from "../../../src/db/sqlite/store.js";
import { newJob } from "../contract/fixtures.js";

/** What was promised when the log had this many bytes: after a power cut that leaves at least these, it must hold. */
export interface Promised {
  readonly walBytes: number;
  readonly jobId: string;
  readonly state: "stored" | "rewritten" | "done" | "delivered";
}

export interface Written {
  readonly file: string;
  readonly walBytes: number;
  readonly promises: readonly Promised[];
}

/** A database whose last work is in its write-ahead log alone, as at a power cut, and what each commit promised. */
export async function writeLog(folder: string, jobs: number): Promise<Written> {
  const file = join(folder, "written.db");
  const db = openDatabase(file);
  db.pragma("wal_checkpoint(TRUNCATE)");
  db.pragma("wal_autocheckpoint = 0");
  const { queue, deliveries, close } = sqliteStore(db);
  const promises: Promised[] = [];
  const promise = (jobId: string, state: Promised["state"]) =>
    promises.push({ walBytes: statSync(`${file}-wal`).size, jobId, state });
  for (let i = 0; i < jobs; i += 1) {
    const { id } = await queue.enqueue(
      newJob({ user: `user-${i % 3}`, kind: "optimize", prompts: [`cat ${i}`, "dog"] }),
    );
    promise(id, "stored");
    if (i % 4 === 3) continue;
    const claim = await queue.claim("text", "writer");
    if (claim === undefined) continue;
    const result = { rewrite: `a better cat ${i}`, candidates: [], notes: [] };
    await queue.saveText(claim, 0, result);
    promise(claim.job.id, "rewritten");
    if (i % 4 === 2) continue;
    await queue.complete(claim);
    promise(claim.job.id, "done");
    await deliveries.delivered(claim.job.id, `message-${i}`);
    promise(claim.job.id, "delivered");
  }
  // Copied while it is open: closing would move the log into the database.
  const copy = join(folder, "copy.db");
  copyFileSync(file, copy);
  copyFileSync(`${file}-wal`, `${copy}-wal`);
  await close();
  return { file: copy, walBytes: statSync(`${copy}-wal`).size, promises };
}

/**
 * Cuts a copy of the log at `bytes`, with what a disk may leave of the page that was under way (`torn` bytes of garbage),
 * opens it as the next start does, and answers what is wrong: nothing, if all that the remaining log had promised is there and
 * work goes on.
 */
export async function afterPowerCut(
  written: Written,
  folder: string,
  bytes: number,
  torn: number,
): Promise<string[]> {
  mkdirSync(folder);
  const file = join(folder, "cut.db");
  copyFileSync(written.file, file);
  copyFileSync(`${written.file}-wal`, `${file}-wal`);
  truncateSync(`${file}-wal`, bytes);
  if (torn > 0) {
    const garbage = Buffer.alloc(torn, 0xa5);
    writeFileSync(`${file}-wal`, Buffer.concat([readFileSync(`${file}-wal`), garbage]));
  }

  const problems: string[] = [];
  const db = openDatabase(file);
  const { queue, close } = sqliteStore(db);
  const integrity = db.pragma("integrity_check", { simple: true });
  if (integrity !== "ok") problems.push(`integrity_check: ${integrity}`);
  if ((db.pragma("foreign_key_check") as unknown[]).length > 0) problems.push("foreign_key_check");
  await queue.recover("all");
  for (const { walBytes, jobId, state } of written.promises) {
    if (walBytes > bytes) continue;
    const job = await queue.get(jobId);
    const kept =
      job !== undefined &&
      (state !== "rewritten" || job.items[0]?.rewrite != null) &&
      ((state !== "done" && state !== "delivered") || job.state === "done") &&
      (state !== "delivered" || job.delivery.messageId !== null);
    if (!kept) problems.push(`${jobId} was ${state} at ${walBytes} of ${bytes} bytes, and is not`);
  }
  if ((await queue.depth()).running !== 0) problems.push("a job runs that nobody holds");
  // Work goes on: what waits is served to its end, and new work is taken.
  const fresh = await queue.enqueue(newJob({ user: "after", kind: "optimize" }));
  for (
    let claim = await queue.claim("text", "next");
    claim !== undefined;
    claim = await queue.claim("text", "next")
  ) {
    for (const { index } of claim.job.items)
      await queue.saveText(claim, index, { rewrite: "anew", candidates: [], notes: [] });
    await queue.complete(claim);
  }
  if ((await queue.get(fresh.id))?.state !== "done") problems.push("new work is not served");
  if ((await queue.depth()).queued !== 0) problems.push("a job is stuck");
  await close();
  return problems;
}
