import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { OperatorSnapshot } from "../src/page/operator.js";
import { type LocalDiscord, startLocalDiscord } from "../src/testing/index.js";
import { browserPath, launchBrowser, live } from "./support/browser.js";
import { type ForeignBot, startForeignBot } from "./support/foreign-bot.js";

if (browserPath === undefined)
  console.warn("SKIPPED: the tests of the chat page need Chromium, and none was found");

const SNAPSHOT: OperatorSnapshot = {
  queue: { waiting: 3, running: 1, undelivered: 0 },
  phase: {
    name: "Drawing",
    detail: "miniature on cpu",
    startedAt: Date.UTC(2026, 0, 1),
    progress: { label: "optimized picture", done: 5, total: 20, item: 1, items: 4 },
  },
  memory: [
    { name: "Bot", bytes: 150 * 2 ** 20 },
    { name: "Worker", bytes: 3 * 2 ** 30, peak: true },
  ],
  jobs: [
    { id: "1", kind: "compare", state: "running", title: "A cat in the rain", at: Date.UTC(2026, 0, 1) },
  ],
  votes: { optimized: 3, baseline: 1, summary: "3 of 4 votes." },
};

describe.skipIf(browserPath === undefined)("the chat page with a foreign bot", () => {
  let local: LocalDiscord;
  let bot: ForeignBot;
  let browser: Browser;
  let page: Page;
  let startedAt: number;
  const complaints: string[] = [];

  beforeAll(async () => {
    browser = await launchBrowser();
    startedAt = performance.now();
    local = await startLocalDiscord();
    bot = await startForeignBot(local);
  });
  afterAll(async () => {
    await browser?.close();
    await bot?.stop();
    await local?.close();
  });
  afterEach(async () => {
    await page?.context().close();
    expect(complaints.splice(0)).toEqual([]);
  });

  async function open(options: BrowserContextOptions = {}, { url } = local): Promise<void> {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
    page = await context.newPage();
    page.setDefaultTimeout(10_000);
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
    page.on("request", (request) => request.url().startsWith(url) || complaints.push(request.url()));
    await page.goto(url);
    await live(page);
  }
  const composer = () => page.getByRole("combobox", { name: /^Message/ });
  const last = () => page.locator(".message").last();
  const send = async (text: string) => {
    await composer().fill(text);
    await composer().press("Enter");
  };
  /** Runs one after the other, as on a machine that is too busy to paint in between. */
  const beforePainting = (...steps: string[]) => {
    const settle = "for (let turn = 0; turn < 10; turn++) await null;";
    return page.evaluate(`(async () => { ${steps.map((it) => `${it}; ${settle}`).join("\n")} })()`);
  };
  const css = (selector: string, property: string) =>
    page.evaluate(
      `getComputedStyle(document.querySelector(${JSON.stringify(selector)}))[${JSON.stringify(property)}]`,
    );

  test("the first message appears soon after the start", async () => {
    await open();
    await send("/ping x");
    await page
      .getByRole("alert")
      .getByText(/This command has no options/)
      .waitFor();
    await send("/ping");
    await composer().press("Enter");
    await page.getByText("Pong!").waitFor();
    // The two-second goal assumes an idle machine; the measured time is in the documentation.
    expect(performance.now() - startedAt).toBeLessThan(20_000);
  });

  test("containers, sections, galleries and files are drawn; the lightbox goes from picture to picture", async () => {
    await open();
    await send("/gallery ");
    const container = last().locator(".container");
    await container.getByRole("heading", { name: "Three skies" }).waitFor();
    expect(await container.locator(".pictures img").count()).toBe(3);
    expect(await container.locator(".thumbnail img").count()).toBe(1);
    expect(await container.getByRole("link", { name: /prompts.txt/ }).getAttribute("download")).toBe(
      "prompts.txt",
    );
    expect(await container.getByRole("link", { name: /Source/ }).getAttribute("href")).toBe(
      "https://example.com",
    );
    await container.getByRole("button", { name: "Enlarge dusk" }).click();
    await page.getByRole("dialog", { name: "dusk" }).waitFor();
    await page.keyboard.press("ArrowRight");
    await page.getByRole("dialog", { name: "night" }).waitFor();
    await page.getByText("3 of 3 · 256 × 256").waitFor();
    await page.getByRole("button", { name: "Next picture" }).click();
    await page.getByRole("dialog", { name: "dawn" }).waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await container.getByRole("button", { name: "Like" }).click();
    await page.getByText("Thank you!").waitFor();
  });

  test("an embed with every field is drawn", async () => {
    await open();
    await send("/profile ");
    const embed = last().locator(".embed");
    await embed.getByRole("link", { name: "Some title" }).waitFor();
    expect(await embed.locator("dt").allTextContents()).toEqual(["Seed", "Steps", "Wide"]);
    expect(await embed.locator("pre").getAttribute("data-language")).toBe("js");
    expect(await embed.locator("blockquote").textContent()).toBe("and a quote");
    await embed.getByRole("button", { name: "Spoiler: show" }).click();
    await embed.getByText("a spoiler").waitFor();
    expect(await embed.locator("img").count()).toBe(2);
  });

  test("the key after a click on a command goes to the end of it", async () => {
    await open();
    await send("Look it up: </guide:123456789012345678>");
    await last().getByRole("button", { name: "/guide" }).waitFor();
    await beforePainting(
      'document.querySelector(".message:last-child button[data-command]").click()',
      'document.execCommand("insertText", false, "query:x")',
    );
    expect(await composer().inputValue()).toBe("/guide query:x");
  });

  test("a menu closes on an Escape that comes at once", async () => {
    await open();
    await beforePainting(
      `document.querySelector('button[aria-label^="You are"]').click()`,
      'document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true }))',
    );
    expect(await page.getByRole("menu").count()).toBe(0);
  });

  test("a click on a command in a message writes it, in the user's language", async () => {
    await open();
    await send("Look it up: </guide:123456789012345678>");
    const mention = last().getByRole("button", { name: "/guide" });
    await mention.click();
    await expect.poll(() => composer().inputValue()).toBe("/guide ");
    await page.getByRole("button", { name: /^You are/ }).click();
    await page.getByRole("menuitemradio", { name: "Deutsch" }).click();
    await last().getByRole("button", { name: "/leitfaden" }).click();
    await expect.poll(() => composer().inputValue()).toBe("/leitfaden ");
  });

  test("input is checked before it is sent, and commands are shown in the user's language", async () => {
    await open();
    await composer().fill(`/echo input:${"x".repeat(201)}`);
    await page.getByText("At most 200 characters").waitFor();
    await composer().fill("/echo input:x private:maybe");
    await page.getByText("True or false").waitFor();
    await page.getByRole("button", { name: /^You are/ }).click();
    await page.getByRole("menuitemradio", { name: "Deutsch" }).click();
    await composer().fill("/leit");
    await page.getByRole("option", { name: /\/leitfaden/ }).click();
    await composer().pressSequentially("query:sharding");
    await page.getByRole("option", { name: "Sharding: Getting started" }).click();
    await composer().press("Enter");
    await page.getByText("You searched for").last().waitFor();
    expect(local.state.users.get(local.member("alice").id)?.locale).toBe("de");
    local.state.users.get(local.member("alice").id)!.locale = "en-US";
  });

  test("a form with labels, a radio group and a select, by keyboard alone", async () => {
    await open();
    await send("/feedback ");
    const form = page.getByRole("dialog", { name: "Feedback" });
    await form.waitFor();
    await page.keyboard.type("the colours");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Space");
    await page.keyboard.press("Tab");
    await page.keyboard.press("ArrowDown");
    await form.getByRole("listbox").waitFor();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await form.getByRole("button", { name: "Done" }).click();
    await form.getByRole("button", { name: "Submit" }).click();
    await page.getByText("Liked: the colours. Again: yes. Fruit: pear.").waitFor();
    await form.waitFor({ state: "detached" });
  });

  test("a message's menu holds its commands, by mouse and by key", async () => {
    local.member("bob").say("good morning");
    await open();
    const message = page.locator(".message", { hasText: /good morning/ }).last();
    await message.getByText("good morning").click({ button: "right" });
    await page.getByRole("menuitem", { name: "Translate" }).click();
    await page.getByText("GOOD MORNING", { exact: true }).waitFor();
    await message.hover();
    await message.getByRole("button", { name: /^More for/ }).click();
    await page.getByRole("menu").waitFor();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.getByText("Bob has no avatar.").waitFor();
    // Only its author may delete a message.
    await message.getByRole("button", { name: /^More for/ }).click();
    expect(await page.getByRole("menuitem", { name: "Delete message" }).count()).toBe(0);
    await page.keyboard.press("Escape");
    await send("to be deleted");
    const mine = page.locator(".message", { hasText: "to be deleted" });
    await mine.getByText("to be deleted").click({ button: "right" });
    await page.getByRole("menuitem", { name: "Delete message" }).click();
    await mine.waitFor({ state: "detached" });
  });

  test("unread messages of other servers and direct messages are counted", async () => {
    await open();
    await page.getByRole("button", { name: "Elsewhere" }).click();
    await page.getByText(/is not on this server/).waitFor();
    local.member("bob").say("are you there?", { channel: "general" });
    local.member("bob").say(`<@${local.member("alice").id}>!`, { channel: "general" });
    await page.getByRole("button", { name: "Studio" }).getByText("1").waitFor();
    await expect.poll(() => page.title()).toMatch(/^\(2\) #lounge/);
    await page.getByRole("button", { name: "Direct messages" }).click();
    await page.getByRole("heading", { name: "Direct messages" }).waitFor();
    await page.getByRole("button", { name: "Bob", exact: true }).click();
    await page.getByRole("combobox", { name: "Message @Bob" }).waitFor();
  });

  test("an Enter right after a file was dropped sends it", async () => {
    await open();
    await composer().fill("with a file");
    await beforePainting(
      `const data = new DataTransfer();
      data.items.add(new File(["One"], "quick.txt", { type: "text/plain" }));
      document.querySelector(".messages").dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true }))`,
      'document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true }))',
    );
    await last().getByText("with a file").waitFor();
    expect(
      await last()
        .getByRole("link", { name: /quick.txt/ })
        .count(),
    ).toBe(1);
  });

  test("dropping a file anywhere attaches it to a message", async () => {
    await open();
    const transfer = await page.evaluateHandle(`(() => {
      const data = new DataTransfer();
      data.items.add(new File(["One"], "dropped.txt", { type: "text/plain" }));
      return data;
    })()`);
    await page.locator(".messages").dispatchEvent("drop", { dataTransfer: transfer });
    await page.getByRole("button", { name: "Remove dropped.txt" }).waitFor();
    await composer().press("Enter");
    await last()
      .getByRole("link", { name: /dropped.txt/ })
      .waitFor();
  });

  test("people who may not write are told so", async () => {
    const channel = local.state.channels.get(local.channelId("gallery"))!;
    const before = channel.overwrites;
    channel.overwrites = [{ id: local.member("bob").id, type: 1, allow: 0n, deny: 1n << 11n }];
    await open();
    await page.getByRole("button", { name: /^You are/ }).click();
    await page.getByRole("menuitemradio", { name: /^Bob/ }).click();
    await page.getByRole("button", { name: "gallery" }).click();
    await page.getByText("You do not have permission to send messages in this channel.").waitFor();
    channel.overwrites = before;
  });

  test("light and dark follow the system until one is chosen", async () => {
    await open({ colorScheme: "dark" });
    const dark = await css("body", "backgroundColor");
    await page.getByRole("button", { name: /^You are/ }).click();
    await page.getByRole("menuitemradio", { name: "Light" }).click();
    await page.locator(':root[data-theme="light"]').waitFor();
    const light = await css("body", "backgroundColor");
    expect(light).not.toBe(dark);
    await page.reload();
    await composer().waitFor();
    expect(await css("body", "backgroundColor")).toBe(light);
  });

  test("on a narrow screen the channels become a drawer, and nothing is wider than the screen", async () => {
    await open({ viewport: { width: 360, height: 640 } });
    expect(await page.getByRole("button", { name: "gallery" }).isVisible()).toBe(false);
    await page.getByRole("button", { name: "Channels", exact: true }).click();
    await page.getByRole("button", { name: "gallery" }).click();
    await page.getByRole("combobox", { name: "Message #gallery" }).waitFor();
    await expect.poll(() => page.getByRole("button", { name: "after-dark" }).isVisible()).toBe(false);
    await send("/gallery ");
    await last().locator(".container").waitFor();
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(360);
  });

  test("the operator's panel shows the program's state and the traffic", async () => {
    await open();
    // On a wide screen the panel is open; the button hides it and shows it again.
    const toggle = page.getByRole("button", { name: "Operator's panel", exact: true });
    await page.getByRole("complementary", { name: "Operator" }).waitFor();
    await toggle.click();
    await page.getByRole("complementary", { name: "Operator" }).waitFor({ state: "detached" });
    await toggle.click();
    await page.getByText("PUT /local/operator").waitFor();
    const put = (body: unknown, token = local.token) =>
      fetch(`${local.url}/local/operator`, {
        method: "PUT",
        headers: { authorization: `Bot ${token}`, "content-type": "application/json" },
        body: JSON.stringify(body),
      });
    expect((await put(SNAPSHOT, "wrong")).status).toBe(401);
    const broken = await put({ ...SNAPSHOT, colour: "red" });
    expect([broken.status, await broken.text()]).toEqual([400, expect.stringContaining("colour")]);
    expect((await put(SNAPSHOT)).status).toBe(204);
    const bar = page.getByRole("progressbar", { name: "Drawing" });
    await bar.waitFor();
    expect(await bar.getAttribute("aria-valuenow")).toBe("25");
    await page.getByText("optimized picture, 5 of 20 – 2 of 4 prompts").waitFor();
    await page.getByRole("img", { name: "Optimized 75%, baseline 25%" }).waitFor();
    await page.getByText("3.00 GB").waitFor();
    await page.getByRole("tab", { name: "Traffic" }).click();
    await page.getByText("PUT /applications/").first().waitFor();
    await send("/ping ");
    const call = page.locator(".traffic li", { hasText: "/callback" }).filter({ hasText: '"Pong!"' }).last();
    await call.locator("summary b", { hasText: "204" }).waitFor();
    await call.locator("summary").click();
    await call.getByText('"Pong!"').waitFor();
  });

  test("the operator's panel says that the queue is paused, and resumes it where the program can", async () => {
    await open();
    const snapshot = { ...SNAPSHOT, phase: null, queue: { ...SNAPSHOT.queue, running: 0, paused: true } };
    await fetch(`${local.url}/local/operator`, {
      method: "PUT",
      headers: { authorization: `Bot ${local.token}`, "content-type": "application/json" },
      body: JSON.stringify(snapshot),
    });
    const now = () => page.locator(".operator section", { hasText: "Now" });
    await now().getByText("Paused").waitFor();
    expect(await now().getByText("Idle").count()).toBe(0);
    expect(await now().getByRole("button", { name: "Resume" }).count()).toBe(0);
    const headers = { "content-type": "application/json" };
    const request = { method: "POST", headers, body: "{}" };
    expect((await fetch(`${local.url}/local/operator/resume`, request)).status).toBe(404);

    let paused = true;
    const able = await startLocalDiscord({
      operator: () => ({ ...snapshot, queue: { ...snapshot.queue, paused } }),
      actions: {
        resume: async () => {
          paused = false;
        },
      },
    });
    try {
      await page.context().close();
      await open({}, able);
      await now().getByRole("button", { name: "Resume" }).click();
      await now().getByText("Idle").waitFor();
      expect(paused).toBe(false);
    } finally {
      await able.close();
    }
  });
});
