import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { OptionInputs } from "local-discord/testing";
import { describe, expect, it, onTestFinished } from "vitest";
import { refusals } from "../../src/bot/words/english/refusals.js";
import { hasButton, toldPrivately } from "../support/batch.js";
import { makeBot, startWorld, type World, withFailing } from "../support/bot-world.js";

/** A CDN on loopback that answers only when told to. */
async function slowCdn() {
  let open = () => {};
  let target = "";
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const server = createServer(async ({ url = "" }, response) => {
    await opened;
    const file = await fetch(`${target}${url.slice("/cdn".length)}`);
    response.writeHead(file.status).end(Buffer.from(await file.arrayBuffer()));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  });
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    serves: (cdnUrl: string) => {
      target = cdnUrl;
    },
    answer: () => open(),
  };
}

/** Takes the ranges out of the registered commands, as a client does that does not check them. */
function withoutClientChecks({ local }: World): void {
  for (const command of local.state.commands.values()) {
    for (const option of command.options ?? []) {
      for (const key of ["min_value", "max_value", "min_length", "max_length"] as const) delete option[key];
    }
  }
}

/** Nothing was stored, nothing broke, and the next good command works. */
async function expectUnharmed(world: World): Promise<void> {
  expect(await world.queue.depth()).toEqual({ queued: 0, running: 0, undelivered: 0 });
  expect(world.problems.filter((line) => line.startsWith("error"))).toEqual([]);
  await (await world.local.member("alice").slash("optimize", { prompt: "A cat" })).done();
  expect((await world.queue.depth()).queued).toBe(1);
}

describe("an option that can't be used", () => {
  it.each<[string, string, OptionInputs, string]>([
    ["a prompt of control characters", "compare", { prompt: "\u0007\u202e" }, "The prompt is empty."],
    [
      "a long prompt",
      "optimize",
      { prompt: "x".repeat(1001) },
      "The prompt is longer than 1,000 characters.",
    ],
    ["too many steps", "compare", { prompt: "a", steps: 101 }, "`steps` takes a whole number from 1 to 100."],
    ["no steps", "compare", { prompt: "a", steps: 0 }, "`steps` takes a whole number from 1 to 100."],
    ["a negative seed", "compare", { prompt: "a", seed: -1 }, "`seed` takes a whole number from 0 to"],
    ["wild guidance", "compare", { prompt: "a", guidance: 51 }, "`guidance` takes a number from 0 to 50."],
    [
      "a long negative",
      "compare",
      { prompt: "a", negative: "x".repeat(1001) },
      "`negative` takes a text of at most",
    ],
  ])("%s is refused privately and at once", async (_name, command, options, sentence) => {
    const world = await startWorld();
    withoutClientChecks(world);
    const handle = await world.local.member("alice").slash(command, options);
    expect(handle.ephemeral).toBe(true);
    expect(handle.loading).toBe(false);
    expect(handle.message?.content).toContain(sentence);
    await expectUnharmed(world);
  });
});

describe("a file that can be used in part", () => {
  it.each<[string, { name: string; data: Uint8Array | string }, RegExp]>([
    ["JSON with an entry of another shape", { name: "a.json", data: '["a", {"x": 1}]' }, /entry 2:/],
    [
      "Latin-1",
      { name: "a.txt", data: Buffer.from("un caf\xe9 cr\xe8me \xe0 la fen\xeatre", "latin1") },
      /is not UTF-8/,
    ],
    ["too many lines", { name: "a.txt", data: "a\n".repeat(4_000) }, /Only the first 20 prompts/],
    ["a line that is too long", { name: "a.txt", data: `ok\n${"x".repeat(1001)}` }, /line 2:/],
  ])("%s is offered with what is left out", async (_name, file, told) => {
    const world = await startWorld();
    const handle = await world.local.member("alice").slash("batch", { file });
    const preview = await handle.waitFor((m) => hasButton(m, "Start"));
    expect(preview.embeds[0]?.description).toMatch(told);
    await expectUnharmed(world);
  });
});

describe("a file that can't be used", () => {
  const png = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13]);

  it.each<[string, { name: string; data: Uint8Array | string }, string]>([
    ["a picture named .txt", { name: "a.txt", data: png }, "The file is a PNG picture, not text."],
    ["an unknown kind", { name: "a.docx", data: "a cat" }, "This kind of file can't be read."],
    ["an empty file", { name: "a.txt", data: "\n\n" }, "The file holds no prompt."],
    ["broken JSON", { name: "a.json", data: '["a"' }, "is not valid JSON"],
    ["a table without a prompt column", { name: "a.csv", data: "x,y\n1,2\n" }, "none is named `prompt`"],
  ])("%s ends in a sentence", async (_name, file, sentence) => {
    const world = await startWorld();
    const handle = await world.local.member("alice").slash("batch", { file });
    const message = await handle.waitFor((m) => m.content !== "");
    expect(handle.ephemeral).toBe(true);
    await expect.poll(() => world.queue.arrivals()).toEqual([]);
    expect(message.content).toContain(sentence);
    expect(message.content).not.toMatch(/undefined|NaN|Error/);
    await expectUnharmed(world);
  });

  it("because of a refused word in it is refused privately", async () => {
    const world = await startWorld();
    const { local, settings } = world;
    await settings.set("server", local.guildId, "refusedWords", ["gore"], "admin");
    const file = { name: "a.txt", data: "A cat\nGore\n" };
    const handle = await local.member("alice").slash("batch", { file });
    expect(handle.ephemeral).toBe(true);
    expect(handle.message?.content).toContain("is not allowed here");
    await expectUnharmed(world);
  });

  it("because it is too large is refused privately, before it is fetched", async () => {
    const world = await startWorld();
    const handle = await world.local.member("alice").slash("batch", {
      file: { name: "a.txt", data: "x".repeat(10_001) },
    });
    expect(handle.ephemeral).toBe(true);
    expect(handle.message?.content).toContain("The file is larger than 9.8 KiB.");
    await expectUnharmed(world);
  });

  it("is refused privately however long it takes to fetch, and nothing of it stays in the channel", async () => {
    const cdn = await slowCdn();
    const world = await startWorld({ bot: { cdnUrl: `${cdn.origin}/cdn` } });
    const { local } = world;
    cdn.serves(local.cdnUrl);
    local.state.cdn.baseUrl = `${cdn.origin}/cdn`;
    const alice = local.member("alice");
    const handle = await alice.slash("batch", { file: { name: "a.csv", data: "x,y\n1,2\n" } });
    // Discord waits for no answer any longer, so the command is acknowledged where all can see it.
    expect(handle.loading).toBe(true);
    expect(handle.ephemeral).toBe(false);
    cdn.answer();
    expect((await toldPrivately(handle)).content).toContain("none is named `prompt`");
    expect([...local.state.messages.values()].map(({ visibleTo }) => visibleTo)).toEqual([alice.id]);
    await expect.poll(() => world.queue.arrivals()).toEqual([]);
    expect(world.problems).toEqual([]);
  });

  it("is told after a restart where the program stopped between both", async () => {
    const cdn = await slowCdn();
    const world = await startWorld({ bot: { cdnUrl: `${cdn.origin}/cdn` } });
    const { local } = world;
    cdn.serves(local.cdnUrl);
    local.state.cdn.baseUrl = `${cdn.origin}/cdn`;
    const handle = await local
      .member("alice")
      .slash("batch", { file: { name: "a.csv", data: "x,y\n1,2\n" } });
    local.faults.onRest("POST", /^\/webhooks\/\d+\/[^/]+$/, { close: "before" }, Number.MAX_SAFE_INTEGER);
    cdn.answer();
    await expect.poll(() => handle.message, { timeout: 20_000 }).toBeNull();
    await world.bot.stop();
    expect(await world.queue.arrivals()).toHaveLength(1);
    local.faults.clearRest();
    const next = makeBot(world);
    onTestFinished(() => next.stop());
    await next.start();
    await expect.poll(() => handle.followUps.map(({ content }) => content)).toEqual([refusals.interrupted]);
    expect(await world.queue.arrivals()).toEqual([]);
  });

  it("because its address has expired is asked for again", async () => {
    const world = await startWorld({ local: { limits: { cdnUrlMs: -1_000 } } });
    const handle = await world.local
      .member("alice")
      .slash("batch", { file: { name: "a.txt", data: "a cat" } });
    const message = await handle.waitFor((m) => m.content !== "");
    expect(message.content).toBe("The file could not be fetched from Discord. Attach it again.");
    await expectUnharmed(world);
  });

  it("because it lies on a foreign server is not fetched", async () => {
    const world = await startWorld({ bot: { cdnUrl: "http://localhost:1/cdn" } });
    const handle = await world.local
      .member("alice")
      .slash("batch", { file: { name: "a.txt", data: "a cat" } });
    const message = await handle.waitFor((m) => m.content !== "");
    expect(message.content).toBe("The file could not be fetched from Discord. Attach it again.");
    await expectUnharmed(world);
  });
});

describe("a full queue", () => {
  it("says so and stores nothing", async () => {
    const world = await startWorld({ maxWaiting: 1 });
    const alice = world.local.member("alice");
    await (await alice.slash("optimize", { prompt: "one" })).done();
    const handle = await alice.slash("optimize", { prompt: "two" });
    const message = await handle.waitFor((m) => m.content !== "");
    expect(message.content).toContain("The queue is full, and nothing was stored.");
    expect((await world.queue.depth()).queued).toBe(1);
    await world.loop.runNext();
    await (await alice.slash("optimize", { prompt: "three" })).done();
    expect((await world.queue.depth()).queued).toBe(1);
  });
});

describe("a queue that can't store", () => {
  it.each([
    [Object.assign(new Error("database or disk is full"), { code: "SQLITE_FULL" }), "machine is full"],
    [Object.assign(new Error("database is locked"), { code: "SQLITE_BUSY" }), "The queue is busy right now"],
    [new TypeError("a bug at /a/path"), "Something went wrong inside the bot."],
  ])("ends in a sentence: %s", async (error, sentence) => {
    const world = await startWorld({ wrapStore: (store) => withFailing(store, "queue", "enqueue", error) });
    const handle = await world.local.member("alice").slash("optimize", { prompt: "A cat" });
    const message = await handle.waitFor((m) => m.content !== "");
    expect(message.content).toContain(sentence);
    expect(message.content).not.toContain("/a/path");
    expect((await world.queue.depth()).queued).toBe(0);
  });
});

describe("a command that could not be acknowledged", () => {
  it("is not stored", async () => {
    const world = await startWorld();
    world.local.faults.onRest("POST", /callback$/, { status: 404 }, 2);
    const failed = world.local.member("alice").slash("optimize", { prompt: "lost" });
    await expect(failed).rejects.toThrow("did not respond");
    expect((await world.queue.depth()).queued).toBe(0);
    expect(world.problems.some((line) => line.includes("was not handled"))).toBe(true);
    await (await world.local.member("alice").slash("optimize", { prompt: "found" })).done();
    expect((await world.queue.depth()).queued).toBe(1);
  });
});

describe("a command of an older version", () => {
  it("is answered politely", async () => {
    const world = await startWorld();
    for (const command of world.local.state.commands.values()) {
      if (command.name === "optimize") command.name = "rewrite";
    }
    const handle = await world.local.member("alice").slash("rewrite", { prompt: "A cat" });
    expect(handle.ephemeral).toBe(true);
    expect(handle.message?.content).toContain("belongs to another version of the bot");
  });
});
