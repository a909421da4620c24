import { join } from "node:path";
import type { Faults } from "local-discord/testing";
import { startLocalDiscord } from "local-discord/testing";
import { expect, onTestFinished, test } from "vitest";
import { openKept } from "../../src/db/sqlite/kept-database.js";
import { temporaryFolder } from "../support/app.js";
import { startBotProcess, startReadyBot } from "../support/bot-process.js";
import { isFinal } from "../support/bot-world.js";
import { within } from "../support/within.js";

const REFUSALS: readonly (readonly [string, (faults: Faults) => void, string])[] = [
  [
    "its token was reset",
    (faults) => faults.resetToken(),
    "Copy the bot's token again from the developer portal into DISCORD_TOKEN.",
  ],
  [
    "its intents were taken away",
    (faults) => faults.closeGateway(4014, "Disallowed intent(s)."),
    "Enable them for the bot in the developer portal.",
  ],
];

test.each(REFUSALS)(
  "%s while the bot runs: it exits with code 1 within 5 s, says what to do, and the next start serves waiting jobs",
  { timeout: 300_000 },
  async (_name, refuse, sentence) => {
    const folder = temporaryFolder();
    onTestFinished(() => folder.remove());
    const local = await startLocalDiscord({ page: false, limits: { identifyMs: 0 } });
    try {
      const first = await startReadyBot(local, folder.path);
      const handle = await local.member("alice").slash("compare", { prompt: "A cat", seed: 1, steps: 30 });
      await handle.done();
      const { token } = local;
      const refusedAt = performance.now();
      refuse(local.faults);
      expect(await first.exited).toEqual([1, null]);
      expect(performance.now() - refusedAt).toBeLessThan(within(5_000));
      expect(first.output()).toContain(sentence);
      for (const secret of token.split(".").slice(1)) expect(first.output()).not.toContain(secret);
      expect(isFinal(handle.message!)).toBe(false);
      const db = openKept(join(folder.path, "promptist.sqlite"), { readonly: true });
      expect(db.prepare("select state, failures from jobs").all()).toEqual([
        { state: "queued", failures: "[]" },
      ]);
      db.close();

      startBotProcess(local, folder.path);
      await handle.waitFor(isFinal, { timeoutMs: 150_000 });
    } finally {
      await local.close();
    }
  },
);
