import type { Client } from "discord.js";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type LocalDiscord, startLocalDiscord } from "../src/testing/index.js";
import { browserPath, launchBrowser, live } from "./support/browser.js";
import { startSampleBot } from "./support/sample-bot.js";

if (browserPath === undefined)
  console.warn("SKIPPED: the tests of the chat page need Chromium, and none was found");

describe.skipIf(browserPath === undefined)("the chat page", () => {
  let local: LocalDiscord;
  let bot: Client<true>;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    local = await startLocalDiscord();
    bot = await startSampleBot(local);
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await bot?.destroy();
    await local?.close();
  });
  beforeEach(async () => {
    await page?.close();
    page = await browser.newPage();
    page.setDefaultTimeout(10_000);
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error") complaints.push(message.text());
    });
    page.on("request", (request) => {
      if (!request.url().startsWith(local.url)) complaints.push(`foreign request: ${request.url()}`);
    });
    complaints.length = 0;
    await page.goto(local.url);
    // Before that no command is known.
    await live(page);
  });

  const composer = () => page.getByRole("combobox", { name: /^Message/ });
  const become = async (name: string) => {
    await page.getByRole("button", { name: /^You are/ }).click();
    await page.getByRole("menuitemradio", { name }).click();
    await page.getByRole("button", { name: new RegExp(`^You are ${name}`) }).waitFor();
    await live(page);
  };
  const last = () => page.locator(".message").last();

  test("a command typed in full and sent with Enter is answered", async () => {
    await composer().fill("/echo text:A cat in the rain: at night times:2");
    await composer().press("Enter");
    await last().getByText("A cat in the rain: at night").first().waitFor();
    expect(await last().locator(".origin").textContent()).toMatch(/Alice used \/echo$/);
    await expect.poll(() => composer().inputValue()).toBe("");
    expect(complaints).toEqual([]);
  });

  test("commands and options can be picked with keys and with the mouse", async () => {
    await composer().pressSequentially("/ec");
    await page.getByRole("option", { name: /\/echo/ }).waitFor();
    await composer().press("Tab");
    expect(await composer().inputValue()).toBe("/echo ");
    await page.getByRole("option", { name: /text:/ }).click();
    await composer().pressSequentially("picked ");
    await page.getByRole("option", { name: /quiet:/ }).click();
    await page.getByRole("option", { name: "true" }).click();
    expect(await composer().inputValue()).toBe("/echo text:picked quiet:true ");
    await composer().press("Enter");
    await last().getByText("Only you can see this").waitFor();
    await last().getByRole("button", { name: "Dismiss message" }).click();
    await expect.poll(() => page.getByText("Only you can see this").count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  test("autocomplete comes from the bot", async () => {
    await composer().fill("/paint prompt:A cat style:");
    await composer().pressSequentially("p");
    await page.getByRole("option", { name: "pencil" }).click();
    expect(await composer().inputValue()).toBe("/paint prompt:A cat style:pencil ");
  });

  test("a deferred answer turns into an embed with pictures that can be enlarged", async () => {
    await composer().fill("/paint prompt:A castle");
    await composer().press("Enter");
    await last().locator(".embed img").waitFor();
    expect(await last().locator(".embed h3").textContent()).toBe("Side by side");
    expect(await last().locator(".pictures img").count()).toBe(2);
    await last().getByRole("button", { name: "Enlarge before" }).click();
    const zoom = page.getByRole("dialog", { name: "before" });
    await zoom.waitFor();
    await expect
      .poll(() => page.evaluate("document.querySelector('dialog.lightbox img').naturalWidth"))
      .toBe(64);
    await page.keyboard.press("Escape");
    await zoom.waitFor({ state: "detached" });
    expect(complaints).toEqual([]);
  });

  test("a file is uploaded for an attachment option, and a missing one is reported", async () => {
    await composer().fill("/batch ");
    await composer().press("Enter");
    expect(await page.getByRole("alert").textContent()).toContain('The option "file" is required');
    complaints.length = 0;
    await page
      .locator('input[type="file"]')
      .setInputFiles({ name: "list.txt", mimeType: "text/plain", buffer: Buffer.from("A cat\nA dog\n") });
    await page.getByText("file: list.txt").waitFor();
    await composer().press("Enter");
    await page.getByText("list.txt: 2 prompts").waitFor();
    await page.getByText("First: A cat").waitFor();
  });

  test("a file dropped on the composer is attached", async () => {
    await composer().fill("/batch ");
    const transfer = await page.evaluateHandle(`(() => {
      const data = new DataTransfer();
      data.items.add(new File(["One\\nTwo\\nThree\\n"], "dropped.txt", { type: "text/plain" }));
      return data;
    })()`);
    await page.locator(".composer").dispatchEvent("drop", { dataTransfer: transfer });
    // Before the file is there, Enter opens the file picker instead.
    await page.locator(".composer").getByText("dropped.txt").waitFor();
    await composer().press("Enter");
    await page.getByText("dropped.txt: 3 prompts").waitFor();
  });

  test("buttons, a select and a modal", async () => {
    await composer().fill("/panel");
    await composer().press("Enter");
    await composer().press("Enter");
    await last().getByRole("button", { name: "Left" }).waitFor();
    expect(await last().getByRole("button", { name: "Closed" }).isDisabled()).toBe(true);
    await last().getByRole("button", { name: "Left" }).click();
    await last().getByText("@Alice voted for left").waitFor();
    await last().getByRole("combobox", { name: "A style" }).click();
    await last().getByRole("option", { name: "oil" }).click();
    await last().getByRole("button", { name: "Done" }).click();
    await page.getByText("Chosen: oil").waitFor();
    await page.getByRole("button", { name: "Edit…" }).last().click();
    const modal = page.getByRole("dialog", { name: "Change the prompt" });
    await modal.getByRole("textbox").fill("A dog");
    await modal.getByRole("button", { name: "Submit" }).click();
    await page.getByText("New prompt: A dog").waitFor();
    await modal.waitFor({ state: "detached" });
    expect(complaints).toEqual([]);
  });

  test("another person sees public messages, no private ones, and their own commands", async () => {
    await composer().fill("/echo text:for alice only quiet:true");
    await composer().press("Enter");
    await page.getByText("for alice only").waitFor();
    await become("Admin");
    await page.locator(".message").getByText("for alice only").waitFor({ state: "detached" });
    await page.getByText("A cat in the rain: at night").first().waitFor();
    expect(await page.getByText("for alice only").count()).toBe(0);
    await composer().pressSequentially("/settings");
    await page.getByRole("option", { name: /settings steps/ }).waitFor();
  });

  test("the text of a message never becomes markup", async () => {
    await composer().fill(
      "<img src=x onerror=alert(1)> **bold** `code` [link](https://example.com) ||hidden||",
    );
    await composer().press("Enter");
    await last().locator("strong").waitFor();
    expect(await last().locator("img").count()).toBe(0);
    expect(await last().textContent()).toContain("<img src=x onerror=alert(1)>");
    expect(await last().locator("a").getAttribute("href")).toBe("https://example.com");
    expect(complaints).toEqual([]);
  });
});
