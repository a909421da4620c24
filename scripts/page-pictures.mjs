// Runs the real program and takes pictures of its page in Chromium; for the scripts beside it.
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import sharp from "sharp";

export const ROOT = fileURLToPath(new URL("../", import.meta.url));
export const IMAGES = join(ROOT, "docs", "images");
export const WIDE = { width: 1280, height: 800 };
export const PHONE = { width: 390, height: 844 };

/** Whether a message shows a result or the end of a job. */
export const isDone = (message) => [0x22c55e, 0x6b7280].includes(message.embeds[0]?.color ?? 0);

/**
 * Starts the built program of a checkout with a browser, on a new data folder.
 * @param settings more of its environment; a function gets the data folder
 */
export async function startProgram(settings = {}, root = ROOT) {
  const load = (file) => import(pathToFileURL(join(root, file)));
  const { loadConfig } = await load("dist/config.js");
  const { createApp } = await load("dist/main.js");
  const dataDir = mkdtempSync(join(tmpdir(), "promptist-screenshots-"));
  const more = typeof settings === "function" ? await settings(dataDir) : settings;
  const environment = {
    DATA_DIR: dataDir,
    CHECKPOINTS_DIR: join(root, "checkpoints"),
    LOCAL_DISCORD_PORT: "0",
    LOG_LEVEL: "error",
    IMAGE_STEPS: "20",
    DEVICE: "cpu",
    ...more,
  };
  const app = await createApp(loadConfig(environment, root));
  // Before it was a package, the local Discord had its people itself.
  const testing = "packages/local-discord/dist/testing/index.js";
  const local = existsSync(join(root, testing)) ? (await load(testing)).forTests(app.local) : app.local;
  const browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"],
  });

  /** Opens the page as one person sees it. */
  async function open({ viewport = WIDE, colorScheme = "light", user = "alice", operator = false } = {}) {
    const context = await browser.newContext({ viewport, colorScheme, bypassCSP: true });
    await context.addInitScript(`sessionStorage.user ??= "${user}"; localStorage.operator ??= "${operator}"`);
    const page = await context.newPage();
    await page.goto(app.local.url);
    await page.getByRole("combobox", { name: /^Message/ }).waitFor();
    return page;
  }

  async function stop() {
    await browser.close();
    await app.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }

  return { app, local, open, stop };
}

/** Saves a page with few colours: the file is small, and nobody sees the difference. Closes the page. */
export async function shoot(page, name) {
  // Wait for pictures that are loading and for animations. Pictures out of sight never load, so they are left
  // out.
  await page.evaluate(`Promise.all([...document.images].filter((it) => {
    const { top, bottom } = it.getBoundingClientRect();
    return it.complete || (bottom > 0 && top < innerHeight);
  }).map((it) => Promise.race([it.decode().catch(() => {}), new Promise((resolve) => setTimeout(resolve, 3000))])))`);
  await page.waitForFunction(
    "document.getAnimations().every((it) => it.effect.getTiming().iterations === Infinity)",
  );
  await save(await page.screenshot(), name);
  await page.context().close();
}

/** Saves a picture, given as a file or its data, under docs/images. */
export async function save(picture, name, colours = 128) {
  await sharp(picture)
    .png({ palette: true, colours, effort: 10 })
    .toFile(join(IMAGES, `${name}.png`));
}

/** Scrolls to the channel's end. */
export async function toEnd(page) {
  await page.locator(".message").last().waitFor();
  await page.locator(".messages").evaluate((it) => it.scrollTo(0, it.scrollHeight));
}
