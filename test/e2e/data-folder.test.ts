import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { startLocalDiscord } from "local-discord/testing";
import { expect, onTestFinished, test } from "vitest";
import { temporaryFolder } from "../support/app.js";
import { startBotProcess, startReadyBot } from "../support/bot-process.js";
import { isFinal } from "../support/bot-world.js";

const WAIT = { timeoutMs: 150_000 };
const occurrences = (text: string, part: string) => text.split(part).length - 1;

test.skipIf(process.platform === "win32")(
  "a removed instance.lock is back before a second bot can start; where the first one was frozen meanwhile, it stops as it wakes, and what was asked for is answered once",
  { timeout: 400_000 },
  async () => {
    const folder = temporaryFolder();
    onTestFinished(() => folder.remove());
    const local = await startLocalDiscord({ page: false, limits: { identifyMs: 0 } });
    const lock = join(folder.path, "instance.lock");
    try {
      const first = await startReadyBot(local, folder.path);
      rmSync(lock);
      await expect.poll(() => existsSync(lock), { timeout: 30_000, interval: 5 }).toBe(true);
      const refused = startBotProcess(local, folder.path);
      expect(await refused.exited).toEqual([1, null]);
      expect(refused.output()).toContain("Another Promptist is running");

      const alice = local.member("alice");
      const handle = await alice.slash("compare", { prompt: "A cat", seed: 1, steps: 100 });
      await handle.waitFor((m) => /step \d+ of 1\d\d/.test(JSON.stringify(m.embeds)), WAIT);
      first.child.kill("SIGSTOP");
      rmSync(lock);
      const second = startBotProcess(local, folder.path);
      await expect.poll(() => second.output(), { timeout: 60_000 }).toContain("is ready");
      first.child.kill("SIGCONT");
      expect(await first.exited).toEqual([1, null]);
      expect(occurrences(first.output(), "Another Promptist has taken the data folder")).toBe(1);

      await handle.waitFor(isFinal, WAIT);
      await local.quiet({ idleMs: 1_000 });
      expect(alice.messages().filter(isFinal)).toHaveLength(1);
      second.child.kill("SIGTERM");
      expect(await second.exited).toEqual([0, null]);
    } finally {
      await local.close();
    }
  },
);

test.skipIf(process.platform === "win32")(
  "a data folder that is deleted under a running bot is told once; the bot answers all the same, and stops in peace",
  { timeout: 300_000 },
  async () => {
    const folder = temporaryFolder();
    onTestFinished(() => folder.remove());
    const local = await startLocalDiscord({ page: false, limits: { identifyMs: 0 } });
    try {
      const bot = await startReadyBot(local, join(folder.path, "data"));
      rmSync(join(folder.path, "data"), { recursive: true });
      const said = "was deleted, moved or replaced while the bot runs";
      await expect.poll(() => bot.output(), { timeout: 30_000 }).toContain(said);
      const alice = local.member("alice");
      for (const seed of [1, 2]) {
        const handle = await alice.slash("compare", { prompt: "A cat", seed });
        expect((await handle.waitFor(isFinal, WAIT)).attachments.length).toBeGreaterThan(0);
      }
      bot.child.kill("SIGTERM");
      expect(await bot.exited).toEqual([0, null]);
      expect(occurrences(bot.output(), said)).toBe(1);
    } finally {
      await local.close();
    }
  },
);
