import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { startLocalDiscord } from "local-discord/testing";
import { expect, onTestFinished, test } from "vitest";
import { temporaryFolder } from "../support/app.js";
import { childrenOf, startBotProcess, startReadyBot } from "../support/bot-process.js";
import { isFinal } from "../support/bot-world.js";

/** Whether the process runs or is frozen; a zombie does neither. */
function isAlive(pid: number): boolean {
  if (!existsSync(`/proc/${pid}`)) return false;
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  return !/\) [ZX] /.test(stat);
}

test.skipIf(process.platform !== "linux")(
  "a frozen worker whose bot is killed is ended by the next start that gets the data folder",
  { timeout: 300_000 },
  async () => {
    const folder = temporaryFolder();
    onTestFinished(() => folder.remove());
    const local = await startLocalDiscord({ page: false, limits: { identifyMs: 0 } });
    const workers: number[] = [];
    try {
      const first = await startReadyBot(local, folder.path);
      const alice = local.member("alice");
      const handle = await alice.slash("compare", { prompt: "A cat", seed: 1, steps: 100 });
      await handle.waitFor((m) => /step \d+ of 1\d\d/.test(JSON.stringify(m.embeds)), { timeoutMs: 150_000 });
      workers.push(...childrenOf(first.child.pid!));
      expect(workers).toHaveLength(1);
      const [worker] = workers as [number];
      process.kill(worker, "SIGSTOP");

      // One that is refused the folder leaves the other bot's worker alone.
      const refused = startBotProcess(local, folder.path);
      expect(await refused.exited).toEqual([1, null]);
      expect(refused.output()).toContain("Another Promptist is running");
      expect(isAlive(worker)).toBe(true);

      first.child.kill("SIGKILL");
      await first.exited;
      expect(isAlive(worker)).toBe(true);

      const second = await startReadyBot(local, folder.path);
      expect(isAlive(worker)).toBe(false);
      expect(second.output()).toMatch(new RegExp(`ended model process ${worker}, which an earlier run`));
      await handle.waitFor(isFinal, { timeoutMs: 150_000 });
      second.child.kill("SIGTERM");
      expect(await second.exited).toEqual([0, null]);
      await expect.poll(() => readdirSync(join(folder.path, "workers")), { timeout: 10_000 }).toEqual([]);
    } finally {
      for (const worker of workers) if (isAlive(worker)) process.kill(worker, "SIGKILL");
      await local.close();
    }
  },
);
