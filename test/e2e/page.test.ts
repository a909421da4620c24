import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { browserPath, launchBrowser, live } from "../../packages/local-discord/test/support/browser.js";
import { startApp, type TestApp, temporaryFolder } from "../support/app.js";

if (browserPath === undefined)
  console.warn("SKIPPED: the tests of the chat page need Chromium, and none was found");

/**
 * A newcomer's first steps in a real browser, with the whole program behind it; only the data folder is set
 * up.
 */
describe.skipIf(browserPath === undefined)("a newcomer on the chat page", () => {
  let folder: ReturnType<typeof temporaryFolder>;
  let app: TestApp;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    folder = temporaryFolder();
    app = await startApp(folder.path);
    browser = await launchBrowser();
    page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    page.setDefaultTimeout(60_000);
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
    page.on(
      "request",
      (request) => request.url().startsWith(app.local.url) || complaints.push(request.url()),
    );
    await page.goto(app.local.url);
    await live(page);
  });
  afterAll(async () => {
    await browser?.close();
    await app?.stop();
    folder?.remove();
    expect(complaints).toEqual([]);
    expect(await app.local.spec?.check(true)).toEqual([]);
  });
  const composer = () => page.getByRole("combobox", { name: /^Message/ });
  const last = () => page.locator(".message").last();
  const become = async (name: string) => {
    await page.getByRole("button", { name: /^You are/ }).click();
    await page.getByRole("menuitemradio", { name }).click();
    await page.getByRole("button", { name: new RegExp(`^You are ${name}`) }).waitFor();
    await live(page);
  };

  test("presses an example of the welcome, which is then typed", async () => {
    const examples = page.getByRole("list", { name: "Examples" }).getByRole("button");
    await examples.filter({ hasText: "/compare prompt:A fox in the snow speed:turbo" }).click();
    expect(await composer().inputValue()).toBe("/compare prompt:A fox in the snow speed:turbo");
    await composer().fill("");
  });

  test("types /compare with hints, watches progress in the message and the panel, and sees the pair", async () => {
    await composer().pressSequentially("/com");
    await page.getByRole("option", { name: /\/compare/ }).click();
    await composer().pressSequentially("prompt:A cat in the rain");
    await composer().pressSequentially(" seed:7 steps:100");
    await composer().press("Enter");
    await last().getByText("Alice used /compare").waitFor();
    const bar = page.getByRole("progressbar", { name: "Drawing pictures" });
    await bar.waitFor();
    const seen = new Set<string>();
    await expect
      .poll(
        async () => {
          const value = await bar.getAttribute("aria-valuenow", { timeout: 1_000 }).catch(() => null);
          if (value !== null) seen.add(value);
          return seen.size;
        },
        { timeout: 60_000 },
      )
      .toBeGreaterThan(1);
    await last()
      .getByText(/step \d+ of/)
      .waitFor();
    await last()
      .getByRole("button", { name: /^Enlarge/ })
      .first()
      .waitFor();
    // The baseline may appear first; the pair follows when both are drawn.
    await last()
      .getByRole("button", { name: /^Enlarge/ })
      .nth(1)
      .waitFor();
    await page.locator(".jobs .done", { hasText: "A cat in the rain" }).waitFor();
    await page.getByText("Idle").waitFor();
  });

  test("zooms into the two pictures, one after the other in the same place", async () => {
    await last()
      .getByRole("button", { name: /^Enlarge/ })
      .first()
      .click();
    const dialog = page.getByRole("dialog");
    const first = await dialog.getAttribute("aria-label");
    await expect.poll(() => page.evaluate("document.querySelector('dialog img').naturalWidth")).not.toBe(0);
    const place = await dialog.locator("img").boundingBox();
    await page.keyboard.press("ArrowRight");
    await expect.poll(() => dialog.getAttribute("aria-label")).not.toBe(first);
    expect(await dialog.locator("img").boundingBox()).toEqual(place);
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
  });

  test("votes blind, learns privately which picture was which, and the operator's panel counts the vote", async () => {
    await composer().fill("/compare prompt:A red apple steps:3 blind:true");
    await composer().press("Enter");
    const blind = page.locator(".message", { hasText: "Alice used /compare" }).last();
    await blind.getByRole("button", { name: "A", exact: true }).waitFor();
    expect(await blind.textContent()).not.toMatch(/optimized|baseline/i);
    await blind.getByRole("button", { name: "A", exact: true }).click();
    const revealed = page.locator(".message.ephemeral").last();
    await revealed.getByText(/A was .* B was/).waitFor();
    await page.getByRole("img", { name: /^Optimized \d+ ?%, baseline \d+ ?%/ }).waitFor();
  });

  test("uploads a batch, and another person may not cancel it", async () => {
    await composer().fill("/batch ");
    const [chooser] = await Promise.all([
      page.waitForEvent("filechooser"),
      page.getByRole("option", { name: /^file:/ }).click(),
    ]);
    await chooser.setFiles({
      name: "prompts.txt",
      mimeType: "text/plain",
      buffer: Buffer.from("A fantasy castle\nFear\nThe starry night by Van Gogh\n"),
    });
    await page.getByRole("button", { name: "Remove prompts.txt" }).waitFor();
    await composer().press("Enter");
    await last().getByText("Alice used /batch").waitFor();
    await last().getByRole("button", { name: "Start" }).click();
    await last().getByRole("button", { name: "Cancel" }).waitFor();
    await become("Bob");
    await page.locator(".message", { hasText: "/batch" }).getByRole("button", { name: "Cancel" }).click();
    const refusal = page.locator(".message.ephemeral").last();
    await refusal.getByText(/Only the person who asked for this/).waitFor();
    await become("Alice");
    expect(await page.getByText(/Only the person who asked for this/).count()).toBe(0);
    const done = page.locator(".message", { hasText: "/batch" });
    await done.getByRole("link", { name: /prompts.json/ }).waitFor();
    expect(await done.locator("img").count()).toBeGreaterThan(0);
  });

  test("is refused invalid input, before and after sending", async () => {
    await composer().fill("/compare prompt:A cat steps:1000");
    await page.getByText(/^At most \d+/).waitFor();
    await composer().press("Enter");
    await page
      .getByRole("alert")
      .getByText(/must be at most/)
      .waitFor();
    // The browser reports only the refused request.
    expect(complaints.splice(0)).toEqual([expect.stringContaining("400")]);
    await composer().fill("/batch ");
    await page.locator('input[type="file"]').setInputFiles({
      name: "picture.png",
      mimeType: "image/png",
      buffer: Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 1]),
    });
    await page.getByRole("button", { name: "Remove picture.png" }).waitFor();
    await composer().press("Enter");
    await page.getByText(/file (is a|can't be read)/).waitFor();
  });
});
