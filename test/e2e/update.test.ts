import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { SIDES } from "../../src/core/side.js";
import { startApp, temporaryFolder } from "../support/app.js";

const OLD = fileURLToPath(new URL("../golden/database-0384bb2.sqlite", import.meta.url));

test("the program takes over a database of 0384bb2 and finishes the jobs that wait in it", async () => {
  const folder = temporaryFolder();
  onTestFinished(folder.remove);
  copyFileSync(OLD, join(folder.path, "promptist.sqlite"));
  const app = await startApp(folder.path);
  onTestFinished(app.stop);
  const { queue, store, events } = app;

  const open = (await queue.open()).map(({ id }) => id);
  expect(open).toHaveLength(5);
  expect(await queue.paused()).toBe(true);
  const waiting = new Set(open);
  const done = new Promise<void>((resolve) => {
    events.on("job.finished", ({ jobId }) => {
      waiting.delete(jobId);
      if (waiting.size === 0) resolve();
    });
  });
  await queue.setPaused(false);
  await done;
  for (const id of open) {
    const job = (await queue.get(id))!;
    expect(job, job.items[0]!.prompt).toMatchObject({ state: "done" });
    for (const { rewrite, pictures } of job.items) {
      expect(rewrite).not.toBeNull();
      const drawn = SIDES.filter((side) => pictures[side] !== null);
      expect(drawn).toEqual(job.kind === "optimize" ? [] : SIDES);
    }
  }
  expect(await store.votes.total({})).toEqual({ optimized: 1, baseline: 1, tie: 1, bad: 1 });
}, 120_000);
