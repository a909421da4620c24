// Takes the pictures in docs/images from the real program: npm run build && node scripts/screenshots.mjs
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import sharp from "sharp";
import { loadConfig } from "../dist/config.js";
import { createApp } from "../dist/main.js";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const IMAGES = join(ROOT, "docs", "images");
const WIDE = { width: 1280, height: 800 };
const NARROW = { width: 400, height: 800 };
const WAIT = { timeoutMs: 120_000 };

const dataDir = mkdtempSync(join(tmpdir(), "promptist-screenshots-"));
const settings = {
  DATA_DIR: dataDir,
  CHECKPOINTS_DIR: join(ROOT, "checkpoints"),
  LOCAL_DISCORD_PORT: "0",
  LOG_LEVEL: "error",
  DEVICE: "cpu",
};
const app = await createApp(loadConfig(settings, ROOT));
const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"],
});

/** A page as one person sees it. */
async function open({ viewport = WIDE, colorScheme = "light", user = "alice", operator = false } = {}) {
  const context = await browser.newContext({ viewport, colorScheme, bypassCSP: true });
  await context.addInitScript(`sessionStorage.user ??= "${user}"; localStorage.operator ??= "${operator}"`);
  const page = await context.newPage();
  await page.goto(app.local.url);
  await page.getByRole("combobox", { name: /^Message/ }).waitFor();
  return page;
}

/** Few colours make a small file, and nobody sees the difference. */
async function shoot(page, name) {
  // Pictures that are still loading, and what slides or fades in.
  await page.evaluate("Promise.all([...document.images].map((it) => it.decode().catch(() => {})))");
  await page.waitForFunction(
    "document.getAnimations().every((it) => it.effect.getTiming().iterations === Infinity)",
  );
  const png = await page.screenshot();
  await sharp(png)
    .png({ palette: true, colours: 128, effort: 10 })
    .toFile(join(IMAGES, `${name}.png`));
  await page.context().close();
}

try {
  const alice = app.local.member("alice");
  const progress = await open({ colorScheme: "dark", operator: true });
  const drawing = new Promise((resolve) => {
    app.events.on("job.progress", (event) => event.making === "optimized" && event.step > 4 && resolve());
  });
  const compare = await alice.slash("compare", { prompt: "A cat in the rain", seed: 7, steps: 60 });
  await drawing;
  await progress.getByRole("progressbar").waitFor();
  await progress.getByText("optimized picture").waitFor();
  await shoot(progress, "progress-dark");

  await compare.waitFor((message) => message.attachments.length >= 2, WAIT);
  await alice.slash("optimize", { prompt: "A fantasy castle" }).then((handle) => handle.done(WAIT));
  const pair = await open({ viewport: { ...WIDE, height: 1100 } });
  await pair.locator(".message").first().scrollIntoViewIfNeeded();
  await pair.locator(".messages").evaluate((it) => it.scrollTo(0, 170));
  await shoot(pair, "pair-light");

  const zoom = await open();
  await zoom
    .getByRole("button", { name: /^Enlarge/ })
    .first()
    .click();
  await shoot(zoom, "zoom");

  const typing = await open();
  await typing
    .getByRole("combobox", { name: /^Message/ })
    .pressSequentially("/compare prompt:A cat in the rain ");
  await typing.getByRole("option").first().waitFor();
  await shoot(typing, "typing-light");

  const narrow = await open({ viewport: NARROW, colorScheme: "dark" });
  await shoot(narrow, "narrow-dark");
} finally {
  await browser.close();
  await app.stop();
  rmSync(dataDir, { recursive: true, force: true });
}
