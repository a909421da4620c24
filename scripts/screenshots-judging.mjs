// Takes docs/images/judging-*.png from the real program: npm run build && node
// scripts/screenshots-judging.mjs Its safety checker is the tests' made-up one, which flags castles.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { forTests } from "local-discord/testing";
import { chromium } from "playwright-core";
import sharp from "sharp";
import { runnerImport } from "vite";
import { loadConfig } from "../dist/config.js";
import { createApp } from "../dist/main.js";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const IMAGES = join(ROOT, "docs", "images");
const WAIT = { timeoutMs: 240_000 };
const FLAGGED = { caption: "a castle", threshold: Number(process.env.THRESHOLD ?? "0.72") };
const PROMPTS = [
  "A cat in the rain",
  "A fantasy castle",
  "Fear",
  "A cyberpunk detective standing in neon rain with a robotic arm",
  "A beautiful sunset over the mountains",
  "Portrait of a warrior",
  "The starry night by Van Gogh",
];

const dataDir = mkdtempSync(join(tmpdir(), "promptist-screenshots-"));
const { module: fixture } = await runnerImport(join(ROOT, "test", "support", "safety-fixture.ts"));
const settings = {
  DATA_DIR: dataDir,
  CHECKPOINTS_DIR: await fixture.checkpointsWithSafetyChecker(dataDir, [FLAGGED]),
  LOCAL_DISCORD_PORT: "0",
  LOG_LEVEL: "error",
  DEVICE: "cpu",
  IMAGE_STEPS: "20",
};
const app = await createApp(loadConfig(settings, ROOT));
const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"],
});

/** Saves with few colours: the file is small, and nobody sees the difference. */
async function shoot(channel, name, { height = 900, top = null } = {}) {
  const context = await browser.newContext({
    viewport: { width: 1280, height },
    colorScheme: "dark",
    bypassCSP: true,
  });
  await context.addInitScript('sessionStorage.user ??= "alice"; localStorage.operator ??= "false"');
  const page = await context.newPage();
  await page.goto(app.local.url);
  await page.getByRole("combobox", { name: /^Message/ }).waitFor();
  await page.getByText(channel, { exact: true }).first().click();
  await page.locator(".message").first().waitFor();
  if (top !== null) await page.locator(".messages").evaluate((it, to) => it.scrollTo(0, to), top);
  await page.evaluate("Promise.all([...document.images].map((it) => it.decode().catch(() => {})))");
  await page.waitForFunction(
    "document.getAnimations().every((it) => it.effect.getTiming().iterations === Infinity)",
  );
  await sharp(await page.screenshot())
    .png({ palette: true, colours: 128, effort: 10 })
    .toFile(join(IMAGES, `${name}.png`));
  await context.close();
}

const isDone = (message) => message.embeds[0]?.color === 0x22c55e;

try {
  const alice = forTests(app.local).member("alice");
  const compare = async (prompt, seed, channel) => {
    const handle = await alice.slash("compare", { prompt, seed }, { channel });
    return handle.waitFor(isDone, WAIT);
  };
  await compare("A cat in the rain", 7, "gallery");
  await shoot("gallery", "judging-scores", { height: 1180, top: 160 });

  // A seed that gives one flagged and one unflagged picture.
  let seed = 7;
  for (; seed < 30; seed++) {
    const { embeds } = await compare("A fantasy castle", seed, "after-dark");
    const job = await app.queue.get(/Job `(\w+)`/.exec(embeds[0].description)[1]);
    const { baseline, optimized } = job.items[0].pictures;
    if (baseline.judgement.safety.flagged !== optimized.judgement.safety.flagged) break;
  }
  await compare("A fantasy castle", seed, "general");
  await shoot("general", "judging-withheld", { height: 1250 });
  await shoot("after-dark", "judging-spoiler");

  const file = { name: "prompts.txt", data: PROMPTS.join("\n") };
  const batch = await alice.slash("batch", { file, seed: 7 }, { channel: "gallery" });
  await batch.waitFor((message) => message.components.length > 0);
  await alice.press(batch.message, "Start");
  const report = await batch.waitFor(isDone, WAIT);
  const plot = report.attachments.find(({ filename }) => filename.endsWith("-scores.png"));
  await sharp(await alice.download(plot))
    .png({ palette: true })
    .toFile(join(IMAGES, "judging-plot.png"));
  await shoot("gallery", "judging-batch", { height: 1700 });
} finally {
  await browser.close();
  await app.stop();
  rmSync(dataDir, { recursive: true, force: true });
}
