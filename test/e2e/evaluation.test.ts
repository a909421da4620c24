import { parse } from "csv-parse/sync";
import { startLocalDiscord } from "local-discord/testing";
import { expect, onTestFinished, test } from "vitest";
import { temporaryFolder } from "../support/app.js";
import { hasButton } from "../support/batch.js";
import { startReadyBot } from "../support/bot-process.js";
import { isFinal } from "../support/bot-world.js";
import { unzip } from "../support/zip.js";

/** The whole program with the miniature models: an evaluation goes on where it was killed, and ends with its report. */
test("an evaluation survives a kill in the middle of its pictures", { timeout: 240_000 }, async () => {
  const folder = temporaryFolder();
  onTestFinished(() => folder.remove());
  const local = await startLocalDiscord({ page: false, limits: { identifyMs: 0 } });
  try {
    const admin = local.member("admin");
    const bot = await startReadyBot(local, folder.path);
    const handle = await admin.slash("batch", {
      file: { name: "captions.txt", data: "A cat\nA red rose" },
      evaluate: true,
      // Long enough for a status in between.
      steps: 25,
      seed: 3,
    });
    const draft = await handle.waitFor((it) => hasButton(it, "Start"));
    expect(draft.embeds[0]?.description).toContain("That makes 8 pictures.");
    await admin.press(draft, "Start");
    await handle.waitFor((it) => /picture [2-7] of 8/.test(it.embeds[0]?.description ?? ""), {
      timeoutMs: 60_000,
    });
    bot.child.kill("SIGKILL");
    await bot.exited;

    await startReadyBot(local, folder.path);
    const result = await handle.waitFor(isFinal, { timeoutMs: 120_000 });
    expect(result.embeds[0]?.description).toMatch(/`promptist` (does|can't)/);
    const entries = await unzip(await admin.download(result.attachments[0]!));
    expect(parse(entries.get("pictures.csv")!, { columns: true })).toHaveLength(8);
    const { prompts, seeds, baseline } = JSON.parse(String(entries.get("report.json")));
    expect({ prompts, seeds, baseline }).toEqual({ prompts: 2, seeds: 2, baseline: "none" });
    expect(String(entries.get("report.html")).match(/src="data:image\/webp/g)?.length).toBeGreaterThan(7);
  } finally {
    await local.close();
  }
});
