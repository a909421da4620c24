import { existsSync } from "node:fs";
import { type Browser, chromium, type Page } from "playwright-core";

const PLACES = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
  "C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe",
];

/** Path of a Chromium on this machine, or undefined. */
export const browserPath: string | undefined = PLACES.find((path) => existsSync(path));

/** Starts a headless browser with an empty profile that connects only to the page's server. */
export function launchBrowser(): Promise<Browser> {
  if (browserPath === undefined) throw new Error("No Chromium found");
  return chromium.launch({
    executablePath: browserPath,
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

/** Resolves when the page is up to date: its channel is loaded and its events arrive. */
export async function live(page: Page): Promise<void> {
  await page.locator('.layout[aria-busy="false"]').waitFor();
}
