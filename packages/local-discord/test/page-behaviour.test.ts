import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { type LocalDiscord, startLocalDiscord } from "../src/testing/index.js";
import { browserPath, launchBrowser, live } from "./support/browser.js";
import { connect, startSampleBot } from "./support/sample-bot.js";

if (browserPath === undefined)
  console.warn("SKIPPED: the tests of the chat page need Chromium, and none was found");

describe.skipIf(browserPath === undefined)("the chat page, as Discord's own client does it", () => {
  let local: LocalDiscord;
  let bot: Awaited<ReturnType<typeof connect>> | null;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser?.close());
  beforeEach(async () => {
    local = await startLocalDiscord();
    bot = null;
  });
  afterEach(async () => {
    await page?.context().close();
    await bot?.destroy();
    await local.close();
    expect(complaints.splice(0)).toEqual([]);
  });

  async function open(options: BrowserContextOptions = {}, address = local.url): Promise<void> {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
    page = await context.newPage();
    page.setDefaultTimeout(20_000);
    page.on("pageerror", (error) => complaints.push(String(error)));
    await page.goto(address);
    await live(page);
  }
  const composer = () => page.getByRole("combobox", { name: /^Message/ });
  const send = async (text: string) => {
    await composer().fill(text);
    await composer().press("Enter");
  };
  /** Whether the reader sees a part of the page in whole. */
  const isInView = async (selector: string) => {
    const box = await page.locator(selector).boundingBox();
    // The input line covers what lies below it.
    const line = selector.startsWith(".menu") ? null : await page.locator(".status").boundingBox();
    const end = line?.y ?? page.viewportSize()!.height;
    return box !== null && box.y >= 0 && box.y + box.height <= end;
  };
  const many = (count = 60) =>
    Array.from({ length: count }, (_, n) => local.member("bob").say(`message ${n}`));

  test("goes down to what one sends, from wherever one reads", async () => {
    many();
    await open();
    const list = page.getByRole("log");
    await list.evaluate("document.querySelector('.messages').scrollTop = 0");
    await page.getByRole("button", { name: /To the newest/ }).waitFor();
    local.member("bob").say("somebody else's message");
    await page.getByText("somebody else's message").waitFor();
    expect(await page.evaluate("document.querySelector('.messages').scrollTop")).toBe(0);
    await send("my own message");
    await page.getByText("my own message").waitFor();
    await page.getByRole("button", { name: /To the newest/ }).waitFor({ state: "detached" });
    await expect.poll(() => isInView(".message:last-child")).toBe(true);
  });

  test("opens a list of choices upward near the end, in whole, and Escape closes it after a click", async () => {
    many(30);
    bot = await startSampleBot(local);
    await open();
    await send("/panel ");
    const choice = page.getByRole("combobox", { name: "A style" });
    await choice.click();
    await page.getByRole("option", { name: "photo" }).waitFor();
    for (const name of ["oil", "watercolour", "pencil", "photo"]) {
      const option = page.getByRole("option", { name });
      const box = (await option.boundingBox())!;
      expect(box.y + box.height).toBeLessThanOrEqual(800);
      // What lies on top there is the entry itself: nothing cuts or covers it.
      const top = `document.elementFromPoint(${box.x + 20}, ${box.y + box.height - 3})`;
      expect(await page.evaluate(`${top}.closest('[role="option"]')?.textContent`)).toBe(name);
    }
    const [button, listbox] = [
      (await choice.boundingBox())!,
      (await page.getByRole("listbox", { name: "A style" }).boundingBox())!,
    ];
    expect(listbox.y + listbox.height).toBeLessThanOrEqual(button.y);
    await page.getByRole("option", { name: "oil" }).click();
    await page.keyboard.press("Escape");
    await page.getByRole("listbox", { name: "A style" }).waitFor({ state: "detached" });
  });

  test("opens a message's menu in the window, and Escape closes it after a click on its heading", async () => {
    const messages = many(30);
    await open({ viewport: { width: 900, height: 500 } });
    await page.locator(`[data-id="${messages.at(-1)!.id}"] .text`).click({ button: "right" });
    const menu = page.getByRole("menu");
    await menu.waitFor();
    expect(await isInView(".menu")).toBe(true);
    await menu.getByText("Message", { exact: true }).click();
    await page.keyboard.press("Escape");
    await menu.waitFor({ state: "detached" });
  });

  test("tells that the bot is offline, and that it is back", async () => {
    bot = await startSampleBot(local);
    await open();
    await page.getByText("promptist is online").waitFor();
    await bot.destroy();
    await page.getByText("promptist is offline", { exact: true }).waitFor();
    await page.getByText("promptist is offline. Nobody answers commands until it is back.").waitFor();
    bot = await connect(local);
    await page.getByText("promptist is online").waitFor();
    await page.getByText(/Nobody answers commands/).waitFor({ state: "detached" });
  });

  test("tells that the server is gone, keeps what was typed, and heals by itself", async () => {
    await local.close();
    const folder = mkdtempSync(join(tmpdir(), "local-discord-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    local = await startLocalDiscord({ folder });
    many(30);
    await open();
    const port = Number(new URL(local.url).port);
    await local.close();
    await page.getByText("The server is not there. This page connects again by itself.").waitFor();
    await expect.poll(() => isInView(".message:last-child")).toBe(true);
    await page.locator(".presence", { hasText: "The server is not there" }).waitFor();
    await send("typed while nobody listens");
    expect(await composer().inputValue()).toBe("typed while nobody listens");
    expect(await page.getByText("Failed to fetch").count()).toBe(0);
    local = await startLocalDiscord({ port, folder });
    await page.getByText(/connects again by itself/).waitFor({ state: "detached" });
    await live(page);
    await expect.poll(() => page.getByRole("alert").count()).toBe(0);
    await composer().press("Enter");
    await page.locator(".message", { hasText: "typed while nobody listens" }).waitFor();
  });

  test("follows a link to a message inside, also to another channel and from an address", async () => {
    const early = local.member("bob").say("the message that is linked");
    many();
    const link = (channel: string, message = "") =>
      `https://discord.com/channels/${local.guildId}/${channel}${message && `/${message}`}`;
    const general = local.channelId("general");
    local.member("bob").say(`near: ${link(general, early.id)}`);
    local.member("bob").say(`gone: ${link(general, "1234567890123456789")}`);
    local.member("bob").say(`elsewhere: ${link("1234567890123456789", "1")}`);
    local.member("bob").say(`from afar: ${link(general, early.id)}`, { channel: "gallery" });
    await open();
    const near = page.locator(".message", { hasText: "near:" }).getByRole("link");
    expect(await near.textContent()).toBe("#general › message");
    for (let time = 0; time < 2; time++) {
      await near.click();
      await expect.poll(() => isInView(`[data-id="${early.id}"]`)).toBe(true);
      expect(new URL(page.url()).hash).toBe("");
    }
    await page.locator(".message", { hasText: "gone:" }).getByRole("link").click();
    await page
      .getByRole("alert")
      .getByText(/no longer here/)
      .waitFor();
    const outside = page.locator(".message", { hasText: "elsewhere:" }).getByRole("link");
    expect(await outside.getAttribute("target")).toBe("_blank");
    await page.getByRole("button", { name: "gallery" }).click();
    await page.locator(".message", { hasText: "from afar:" }).getByRole("link").click();
    await page.getByRole("heading", { name: "general", exact: true }).waitFor();
    await expect.poll(() => isInView(`[data-id="${early.id}"]`)).toBe(true);
    await page.context().close();
    await open({}, `${local.url}/#/${general}/${early.id}`);
    await expect.poll(() => isInView(`[data-id="${early.id}"]`)).toBe(true);
  });

  test("takes a double click for one press, and fast Enters for one command", async () => {
    bot = await startSampleBot(local);
    await open();
    const posts: string[] = [];
    page.on("request", (request) => {
      if (request.method() === "POST") posts.push(new URL(request.url()).pathname);
    });
    await composer().fill("/panel ");
    // All at once, as a held or hasty key does, before any answer can arrive.
    await page.evaluate(`(() => {
      const box = document.querySelector(".composer textarea");
      for (let n = 0; n < 6; n++)
        box.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true }));
    })()`);
    const left = page.getByRole("button", { name: "Left", exact: true });
    await left.waitFor();
    await left.dblclick();
    await page.getByText("@Alice voted for left").waitFor();
    expect(posts).toEqual(["/local/command", "/local/component"]);
    expect(await page.locator(".message").count()).toBe(1);
  });

  test("asks for the age before it shows an age-restricted channel, once for each person", async () => {
    const secret = local.member("bob").say("for adults", { channel: "after-dark" });
    await open();
    const enter = () => page.getByRole("button", { name: /after-dark/ }).click();
    await enter();
    await page.getByRole("heading", { name: "#after-dark is age-restricted" }).waitFor();
    expect(await page.locator(`[data-id="${secret.id}"]`).count()).toBe(0);
    expect(await composer().count()).toBe(0);
    await page.getByRole("button", { name: "I am 18 or older" }).click();
    await page.getByText("for adults").waitFor();
    await page.reload();
    await page.getByText("for adults").waitFor();
    await page.getByRole("button", { name: /^You are/ }).click();
    await page.getByRole("menuitemradio", { name: /^Bob/ }).click();
    await page.getByRole("heading", { name: "#after-dark is age-restricted" }).waitFor();
    expect(await page.getByText("for adults").count()).toBe(0);
  });

  test("offers every language that a bot may speak here", async () => {
    await open();
    await page.getByRole("button", { name: /^You are/ }).click();
    for (const name of ["English", "Deutsch", "Español", "Français", "日本語", "Português", "Русский"])
      expect(await page.getByRole("menuitemradio", { name, exact: true }).count()).toBe(1);
    expect(await isInView(".menu")).toBe(true);
    await page.getByRole("menuitemradio", { name: "Русский" }).click();
    await expect.poll(() => local.state.users.get(local.member("alice").id)?.locale).toBe("ru");
  });
});
