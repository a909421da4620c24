import { startLocalDiscord } from "local-discord/testing";
import { expect, onTestFinished, test } from "vitest";
import { temporaryFolder } from "../support/app.js";
import { hasButton } from "../support/batch.js";
import { type BotProcess, startReadyBot } from "../support/bot-process.js";
import { isFinal } from "../support/bot-world.js";

/** Kills the bot after Discord has handled its next request of this kind, before the bot knows. */
function killAfter(bot: BotProcess, local: Awaited<ReturnType<typeof startLocalDiscord>>, path: RegExp) {
  const unsubscribe = local.transcript.subscribe((entry) => {
    if (entry.kind !== "rest" || !path.test(`${entry.method} ${entry.path}`)) return;
    unsubscribe();
    bot.child.kill("SIGKILL");
  });
  return bot.exited;
}

test("a batch is drawn once, even if the bot is killed at its draft and again at its Start", {
  timeout: 240_000,
}, async () => {
  const folder = temporaryFolder();
  onTestFinished(() => folder.remove());
  const local = await startLocalDiscord({ page: false, limits: { identifyMs: 0 } });
  const start = () => startReadyBot(local, folder.path);
  try {
    const alice = local.member("alice");
    let bot = await start();
    expect(alice.commands()).toContain("batch");
    let killed = killAfter(bot, local, /^PATCH .*original$/);
    const handle = await alice.slash("batch", { file: { name: "prompts.txt", data: "A cat\nA dog" } });
    expect(await killed).toEqual([null, "SIGKILL"]);

    bot = await start();
    const preview = await handle.waitFor((it) => hasButton(it, "Start"), { timeoutMs: 60_000 });
    killed = killAfter(bot, local, /^POST .*callback$/);
    await alice.press(preview, "Start");
    expect(await killed).toEqual([null, "SIGKILL"]);

    await start();
    if (hasButton(handle.message!, "Start")) await alice.press(handle.message, "Start");
    const result = await handle.waitFor(isFinal, { timeoutMs: 120_000 });
    expect(result.embeds[0]?.description).toContain("2 prompts, 4 pictures.");
    await local.quiet({ idleMs: 1_000 });
    expect(alice.messages()).toHaveLength(1);
  } finally {
    await local.close();
  }
});
