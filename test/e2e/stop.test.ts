import { existsSync } from "node:fs";
import { join } from "node:path";
import { startLocalDiscord } from "local-discord/testing";
import { expect, onTestFinished, test } from "vitest";
import { openKept } from "../../src/db/sqlite/kept-database.js";
import { temporaryFolder } from "../support/app.js";
import { childrenOf, startBotProcess, startReadyBot } from "../support/bot-process.js";
import { isFinal } from "../support/bot-world.js";
import { within } from "../support/within.js";

const WAIT = { timeoutMs: 150_000 };

test.skipIf(process.platform === "win32")(
  "SIGTERM during a picture, while Discord hangs, ends it within 5 s and requeues the job; the next start finishes it; a second Ctrl+C ends it at once",
  { timeout: 400_000 },
  async () => {
    const folder = temporaryFolder();
    onTestFinished(() => folder.remove());
    const local = await startLocalDiscord({ page: false, limits: { identifyMs: 0 } });
    try {
      const first = await startReadyBot(local, folder.path);
      const alice = local.member("alice");
      const handle = await alice.slash("compare", { prompt: "A cat", seed: 1, steps: 100 });
      await handle.waitFor((m) => /step \d+ of 1\d\d/.test(JSON.stringify(m.embeds)), WAIT);
      // From now on Discord accepts edits but answers nothing.
      local.faults.onRest("PATCH", /messages/, { delayMs: 60_000 }, 1_000);
      local.faults.onRest("POST", /./, { delayMs: 60_000 }, 1_000);
      const asked = performance.now();
      first.child.kill("SIGTERM");
      expect(await first.exited).toEqual([0, null]);
      expect(performance.now() - asked).toBeLessThan(within(5_000));
      expect(first.output()).toContain("Stopping");
      // A clean goodbye: close code 1000 ends the session; a broken connection would not.
      expect(local.state.botOnline).toBe(false);
      const db = openKept(join(folder.path, "promptist.sqlite"), { readonly: true });
      expect(db.prepare("select state, failures from jobs").get()).toEqual({
        state: "queued",
        failures: "[]",
      });
      db.close();

      local.faults.clearRest();
      const second = startBotProcess(local, folder.path);
      await handle.waitFor(isFinal, WAIT);

      // A stuck worker, so that the first signal has something to wait for.
      const next = await alice.slash("compare", { prompt: "A dog", seed: 2, steps: 100 });
      await next.waitFor((m) => /step \d+ of 1\d\d/.test(JSON.stringify(m.embeds)), WAIT);
      if (process.platform === "linux")
        for (const worker of childrenOf(second.child.pid!)) {
          process.kill(worker, "SIGSTOP");
          // A frozen worker does not hear that its bot has ended.
          onTestFinished(() => {
            if (existsSync(`/proc/${worker}`)) process.kill(worker, "SIGKILL");
          });
        }
      const interrupted = performance.now();
      second.child.kill("SIGINT");
      await expect.poll(() => second.output(), { interval: 5 }).toContain("Stopping");
      second.child.kill("SIGINT");
      const [code] = await second.exited;
      // Well before a worker's grace period ends. Where nothing can be frozen, the first signal may have been
      // enough.
      if (process.platform === "linux") expect(code).toBe(1);
      expect(performance.now() - interrupted).toBeLessThan(within(1_500));
    } finally {
      await local.close();
    }
  },
);
