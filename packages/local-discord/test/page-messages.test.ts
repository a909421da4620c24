import fc from "fast-check";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type LocalDiscord, startLocalDiscord } from "../src/testing/index.js";
import { browserPath, launchBrowser, live } from "./support/browser.js";

if (browserPath === undefined)
  console.warn("SKIPPED: the tests of the chat page need Chromium, and none was found");

const MESSAGES = Number(process.env.FUZZ_CASES ?? 300);
const SEED = 20_261_128;
/** Messages on the page at a time; Discord's client shows no more either. */
const BATCH = 50;

const ids = fc.constantFrom("0", "1", "123456789012345678", "99999999999999999999999999");
const timestamp = fc
  .tuple(
    fc.oneof(
      fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }).map(String),
      fc.constantFrom("0", "-0", "8640000000000", "8640000000001", "-8640000000001", "9".repeat(400)),
    ),
    fc.constantFrom("", ":t", ":T", ":d", ":D", ":f", ":F", ":R", ":x", ":"),
  )
  .map((parts) => `<t:${parts.join("")}>`);
const entity = fc
  .tuple(fc.constantFrom("<@", "<@!", "<@&", "<#", "</help:", "</:", "<:a:", "<a:b:", "<:", "<id:"), ids)
  .map((parts) => `${parts.join("")}>`);
const url = fc.constantFrom(
  "https://example.com",
  "<https://example.com>",
  "https://[",
  "http://%",
  "[x](https://example.com)",
  "[**x**](<https://example.com/a(b)>)",
  "[](http://a)",
  "[x](javascript:alert)",
  "[[x](https://a)](https://b)",
);
const odd = fc.constantFrom(
  ..."@everyone \\ \\* <script> </div> __proto__ \u202e \u200b \ufffd \ud800 \u0000 👨‍👩‍👧‍👦 ﷺ".split(" "),
  " ",
  "\n",
  "\r\n",
  "a".repeat(2000),
  "\u0301".repeat(500),
);
const line = fc.constantFrom(
  "\n> ",
  "\n>>> ",
  "\n# ",
  "\n### ",
  "\n-# ",
  "\n- ",
  "\n  * ",
  "\n1. ",
  "\n999999999999999999999. ",
);
const marks = fc.constantFrom("*", "**", "***", "_", "__", "~~", "||", "`", "``", "```", "```js\n", "\n```");
const { markup } = fc.letrec<{ markup: string; nested: string }>((tie) => ({
  markup: fc
    .array(fc.oneof(timestamp, entity, url, odd, line, marks, fc.string({ unit: "binary" }), tie("nested")), {
      minLength: 1,
      maxLength: 12,
    })
    .map((parts) => parts.join("")),
  nested: fc.tuple(marks, tie("markup")).map(([mark, inner]) => `${mark}${inner}${mark}`),
}));
const repeated = fc
  .tuple(
    fc.oneof(timestamp, entity, url, line, marks, fc.constantFrom("> ", ">>> ", "[", "](", "**_", "||__")),
    fc.nat(2000),
  )
  .map(([piece, count]) => piece.repeat(count));
/** What somebody may say: at most 2,000 characters, and not blank. */
const said = fc
  .oneof({ weight: 5, arbitrary: markup }, { weight: 1, arbitrary: repeated })
  .map((text) => text.slice(0, 2000))
  .filter((text) => text.trim() !== "");

/** A promise that the test resolves. */
function gate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

describe.skipIf(browserPath === undefined)("the page with any message", () => {
  let local: LocalDiscord;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser?.close());
  beforeEach(async () => {
    local = await startLocalDiscord();
    page = await browser.newPage();
    page.setDefaultTimeout(20_000);
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
    complaints.length = 0;
  });
  afterEach(async () => {
    await page.close();
    await local.close();
  });

  const open = async () => {
    await page.goto(local.url);
    await live(page);
  };
  /** The text of a message on the page, once it is drawn. */
  const drawn = (id: string) => page.locator(`.message[data-id="${id}"] .text`).textContent();

  test("shows a timestamp beyond the last date as text, and what follows", async () => {
    const alice = local.member("alice");
    await open();
    const texts = [
      "<t:99999999999999999:R>",
      "<t:8640000000001>",
      "<t:-8640000000001:F>",
      `<t:${"9".repeat(400)}>`,
    ];
    for (const text of texts) expect(await drawn(alice.say(text).id)).toBe(text);
    expect(await drawn(alice.say("<t:8640000000000:D>").id)).toMatch(/275760/);
    expect(await drawn(alice.say("later").id)).toBe("later");
    await open();
    for (const text of [...texts, "later"]) await page.getByText(text, { exact: true }).waitFor();
    expect(complaints).toEqual([]);
  });

  test("counts a relative timestamp on while nothing else happens", async () => {
    const { id } = local.member("alice").say(`<t:${Math.floor(Date.now() / 1000) - 5}:R>`);
    await open();
    const first = await drawn(id);
    expect(first).toMatch(/seconds ago/);
    await expect.poll(() => drawn(id)).not.toBe(first);
  });

  test("shows the raw text of a message whose drawing fails, and all others", async () => {
    // The failure is put into the module that the page loads, because no message is known to cause one.
    await page.route("**/page/markdown.js", async (route) => {
      const response = await route.fetch();
      const head = "export function markdown(text, names) {";
      const source = await response.text();
      expect(source).toContain(head);
      await route.fulfill({
        response,
        body: source.replace(head, `${head} if (text.includes("fails")) throw new Error("not drawn");`),
      });
    });
    const alice = local.member("alice");
    const before = alice.say("before");
    const early = alice.say("**fails** at once");
    await open();
    expect(await drawn(before.id)).toBe("before");
    expect(await drawn(early.id)).toBe("**fails** at once");
    const later = alice.say("**fails** later");
    expect(await drawn(later.id)).toBe("**fails** later");
    const after = alice.say("**after**");
    expect(await drawn(after.id)).toBe("after");
    local.state.updateMessage({ ...local.state.messages.get(later.id)!, content: "**mended**" });
    await page.locator(`.message[data-id="${later.id}"] strong`).waitFor();
    expect(complaints.every((it) => it.includes("not drawn"))).toBe(true);
    expect(complaints.length).toBeGreaterThanOrEqual(2);
  });

  test("shows a message that is said after the first load and before the stream opens", async () => {
    const alice = local.member("alice");
    const before = alice.say("before");
    const held = gate();
    await page.routeWebSocket("**/local/events*", async (socket) => {
      await held.opened;
      socket.connectToServer();
    });
    await page.goto(local.url);
    expect(await drawn(before.id)).toBe("before");
    const between = alice.say("between");
    held.open();
    expect(await drawn(between.id)).toBe("between");
    expect(complaints).toEqual([]);
  });

  test("keeps what happens while the channel is loading", async () => {
    const alice = local.member("alice");
    const [kept, edited, deleted] = ["kept", "to be edited", "to be deleted"].map((text) => alice.say(text));
    const held = gate();
    let loads = 0;
    let answered = 0;
    await page.route("**/local/channels/*", async (route) => {
      const response = await route.fetch();
      loads++;
      await held.opened;
      await route.fulfill({ response });
      answered++;
    });
    let heard = 0;
    page.on("websocket", (socket) => socket.on("framereceived", () => heard++));
    await page.goto(local.url);
    // The first load has its answer, and events arrive: from here on the answer is old.
    await expect.poll(() => loads).toBeGreaterThan(0);
    await expect.poll(() => alice.say("is the stream open?") && heard).toBeGreaterThan(0);
    const said = alice.say("said");
    local.state.updateMessage({ ...local.state.messages.get(edited!.id)!, content: "edited" });
    local.state.deleteMessage(local.state.messages.get(deleted!.id)!);
    expect(await drawn(said.id)).toBe("said");
    held.open();
    expect(await drawn(kept!.id)).toBe("kept");
    await expect.poll(() => answered).toBe(loads);
    expect(await drawn(said.id)).toBe("said");
    expect(await drawn(edited!.id)).toBe("edited");
    expect(await page.getByText("to be deleted").count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  test(`draws ${MESSAGES} messages of odd markup`, async () => {
    const texts = fc.sample(fc.noBias(said), { numRuns: MESSAGES, seed: SEED });
    const alice = local.member("alice");
    await open();
    for (let at = 0; at < texts.length; at += BATCH) {
      const sent = texts.slice(at, at + BATCH).map((text) => alice.say(text));
      const last = alice.say(`end of ${at}`);
      expect(await drawn(last.id)).toBe(`end of ${at}`);
      const shown = await page
        .locator(".message")
        .evaluateAll((all) => all.map((it) => it.getAttribute("data-id")));
      expect(shown).toEqual([...sent, last].map(({ id }) => id));
      expect({ complaints, texts: complaints.length > 0 && texts.slice(at, at + BATCH) }).toEqual({
        complaints: [],
        texts: false,
      });
      for (const { id } of [...sent, last]) local.state.deleteMessage(local.state.messages.get(id)!);
      await expect.poll(() => page.locator(".message").count()).toBe(0);
    }
  });
});
