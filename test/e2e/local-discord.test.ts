import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";
import { startForeignBot } from "../../packages/local-discord/test/support/foreign-bot.js";

/** `promptist local-discord` as people use it: in its own process, known only by its address. */

const BIN = fileURLToPath(new URL("../../bin/promptist.js", import.meta.url));
const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

interface Announcement {
  readonly url: string;
  readonly api: string;
  readonly token: string;
}

async function start(...args: string[]): Promise<{ child: ChildProcess; lines: AsyncIterator<string> }> {
  const child = spawn(process.execPath, [BIN, "local-discord", ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  children.push(child);
  return { child, lines: createInterface({ input: child.stdout! })[Symbol.asyncIterator]() };
}

test("serves another bot: prints what to set, the bot connects, a person gets an answer, Ctrl+C ends it", async () => {
  const { child, lines } = await start("--port", "0", "--json", "--name", "guide");
  const local = JSON.parse((await lines.next()).value as string) as Announcement;
  const get = async (path: string) => (await (await fetch(`${local.url}${path}`)).json()) as never;
  const state = () =>
    get("/local/state?user=alice") as Promise<{ bot: { username: string; online: boolean } }>;
  const bot = await startForeignBot({
    token: local.token,
    apiUrl: local.api,
    botOnline: async (timeoutMs) => {
      await expect
        .poll(async () => (await state()).bot, { timeout: timeoutMs ?? 30_000 })
        .toMatchObject({
          username: "guide",
          online: true,
        });
    },
  });
  const sent = await fetch(`${local.url}/local/command`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ user: "alice", channel: "general", name: "ping", options: {} }),
  });
  expect(sent.status).toBe(200);
  const contents = async () =>
    ((await get("/local/channels/general?user=alice")) as { messages: { content: string }[] }).messages.map(
      (it) => it.content,
    );
  await expect.poll(contents).toEqual(["Pong!"]);
  expect(await bot.stop()).toBe(0);
  const ended = new Promise((resolve) => child.on("exit", resolve));
  child.kill("SIGINT");
  expect(await ended).toBe(0);
});

test("tells a person what to put where, and reports a taken port in a sentence", async () => {
  const { lines } = await start("--port", "0", "--token", "my.own.token");
  const first = (await lines.next()).value as string;
  const url = /http:\/\/127\.0\.0\.1:(\d+)/.exec(first)!;
  let text = "";
  while (!text.includes("Ctrl+C")) text += `${(await lines.next()).value}\n`;
  expect(text).toContain(`rest: { api: "${url[0]}/api", cdn: "${url[0]}/cdn" }`);
  expect(text).toContain('client.login("my.own.token")');

  const second = await start("--port", url[1]!);
  let complaint = "";
  second.child.stderr!.setEncoding("utf8").on("data", (part: string) => {
    complaint += part;
  });
  expect(await new Promise((resolve) => second.child.on("exit", resolve))).toBe(1);
  expect(complaint).toContain(`promptist: Port ${url[1]} of 127.0.0.1 is taken`);
  expect(complaint).not.toMatch(/\n {4}at /);
});
