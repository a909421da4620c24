import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { openDatabase } from "../../../src/db/sqlite/open.js";
import { sqliteStore } from "../../../src/db/sqlite/store.js";
import { compileSources } from "./child/sources.js";

const SCRIPT = fileURLToPath(new URL("./child/work-queue.mjs", import.meta.url));
const RUNS = 20;

/**
 * Runs the child until it has said `lines` lines, waits the given time more, so that the kill falls anywhere within a
 * call, and kills it. Answers all that it said: each line tells of a call that had returned.
 */
async function runAndKill(args: readonly string[], lines: number, moreMs: number): Promise<string[]> {
  const child = spawn(process.execPath, [SCRIPT, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  const said: string[] = [];
  const reader = createInterface(child.stdout!);
  const enough = new Promise<void>((resolve, reject) => {
    reader.on("line", (line) => {
      said.push(line);
      if (said.length === lines) resolve();
    });
    child.once("exit", (code) => reject(new Error(`the child ended by itself with ${code}`)));
  });
  try {
    await enough;
    await new Promise((resolve) => setTimeout(resolve, moreMs));
  } finally {
    const closed = once(child, "close");
    child.removeAllListeners("exit");
    child.kill("SIGKILL");
    await closed;
  }
  return said;
}

test("a program killed 20 times in the middle of its work loses nothing that was acknowledged", async () => {
  const sources = compileSources();
  const folder = mkdtempSync(join(tmpdir(), "kill-"));
  const file = join(folder, "queue.db");
  const enqueued = new Set<string>();
  const texts = new Set<string>();
  const pictures = new Set<string>();
  const done = new Set<string>();
  const advanced = new Set<string>();
  const delivered = new Set<string>();
  const drafted = new Set<string>();
  const lists: Record<string, Set<string>> = {
    drafted,
    enqueued,
    text: texts,
    pictures,
    done,
    advanced,
    delivered,
  };
  try {
    for (let run = 0; run < RUNS; run += 1) {
      // Primes, so that the runs stop at other steps of the child's loop; fractions of a commit's time on top.
      const said = await runAndKill(
        [sources.dir, file, `run-${run}`],
        3 + ((run * 7) % 31),
        (run * 0.37) % 3,
      );
      for (const line of said) {
        const [verb, ...rest] = line.split(" ") as [string, ...string[]];
        if (verb !== "recovered") lists[verb]!.add(rest.join(" "));
      }

      const db = openDatabase(file);
      expect(db.pragma("integrity_check", { simple: true })).toBe("ok");
      expect(db.pragma("foreign_key_check")).toEqual([]);
      const { queue, close } = sqliteStore(db);
      const asDraft = db.prepare<[], string>("select origin ->> '$.interactionId' from drafts").pluck().all();
      const asJob = db.prepare<[], string>("select interaction_id from jobs").pluck().all();
      expect([...asDraft, ...asJob], "each once").toHaveLength(new Set([...asDraft, ...asJob]).size);
      expect([...asDraft, ...asJob]).toEqual(expect.arrayContaining([...drafted]));
      for (const id of enqueued) expect((await queue.get(id))?.items, `${id} of run ${run}`).toHaveLength(2);
      for (const entry of texts) {
        const [id, item] = entry.split(" ") as [string, string];
        expect((await queue.get(id))?.items[Number(item)]?.rewrite).toBe(`${id} rewritten ${item}`);
      }
      for (const entry of pictures) {
        const [id, item] = entry.split(" ") as [string, string];
        expect((await queue.get(id))?.items[Number(item)]).toMatchObject({
          pictures: { baseline: { file: "a.png" }, optimized: { file: "b.png" } },
        });
      }
      for (const id of advanced) expect((await queue.get(id))?.phase).toBe("image");
      for (const id of done) expect((await queue.get(id))?.state).toBe("done");
      for (const id of delivered) expect((await queue.get(id))?.delivery.messageId).toBe("message");
      await close();
    }
    expect(enqueued.size).toBeGreaterThan(RUNS);
    expect(texts.size).toBeGreaterThan(RUNS);
    expect(done.size).toBeGreaterThan(5);

    const db = openDatabase(file);
    const { queue, close } = sqliteStore(db);
    await queue.recover("all");
    expect((await queue.depth()).running).toBe(0);
    await close();
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    sources.remove();
  }
});
