import { once } from "node:events";
import { connect } from "node:net";
import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  type LocalDiscord,
  type OperatorPanel,
  type OperatorSnapshot,
  type OperatorTaste,
  startLocalDiscord,
  startOperatorPanel,
} from "../src/testing/index.js";
import { browserPath, launchBrowser } from "./support/browser.js";

if (browserPath === undefined)
  console.warn("SKIPPED: the tests of the operator's page need Chromium, and none was found");

const AT = Date.UTC(2026, 0, 1);
const MESSAGE = "https://discord.com/channels/111111111111111111/222222222222222222/333333333333333333";
const SNAPSHOT: OperatorSnapshot = {
  queue: { waiting: 0, running: 1, undelivered: 0, paused: false },
  phase: null,
  memory: [{ name: "Bot", bytes: 150 * 2 ** 20 }],
  jobs: [
    { id: "a1", kind: "compare", state: "running", title: "A cat in the rain", at: AT },
    {
      id: "b2",
      kind: "batch",
      state: "failed",
      title: "A dog",
      at: AT,
      reason: "WORKER_DIED: it ended with signal SIGKILL",
      url: MESSAGE,
    },
  ],
  models: [
    { use: "Rewriting prompts", name: "promptist", device: "cpu", loaded: true },
    { use: "Drawing pictures", name: "stable-diffusion-v1-5", loaded: false },
  ],
  hosts: [
    {
      name: "bot-1a2b",
      role: "bot",
      condition: "running",
      version: "0.2.0",
      differs: false,
      otherPictures: false,
      seenAt: AT,
      agoMs: 10,
      offers: [],
      devices: [],
    },
    {
      name: "card-3c4d",
      role: "worker",
      condition: "running",
      version: "0.1.0",
      differs: true,
      otherPictures: true,
      seenAt: AT,
      agoMs: 3_000,
      offers: ["promptist", "sd"],
      devices: [
        { name: "cuda:0", doing: "Drawing pictures", job: "a1", models: ["sd"], bytes: 2 ** 30 },
        { name: "cuda:1", doing: "waits for work", models: [], bytes: 0, setAside: "WORKER_DIED: lost" },
      ],
    },
    {
      name: "gone-5e6f",
      role: "worker",
      condition: "silent",
      version: "0.2.0",
      differs: false,
      otherPictures: false,
      seenAt: AT,
      agoMs: 40_000,
      offers: ["sd"],
      devices: [],
    },
    {
      name: "spare-7a8b",
      role: "bot",
      condition: "waiting",
      version: "0.2.0",
      differs: false,
      otherPictures: false,
      seenAt: AT,
      agoMs: 2_000,
      offers: [],
      devices: [],
    },
  ],
  disk: { folder: "/srv/data", bytes: 2 ** 30, free: 5 * 2 ** 30 },
  log: [{ at: AT, level: "warn", text: "a1 the log's last line" }],
};

const done: string[] = [];
let paused = false;
let pausedHost = "";
const operator = (): OperatorSnapshot => ({
  ...SNAPSHOT,
  queue: { ...SNAPSHOT.queue, paused },
  hosts: SNAPSHOT.hosts!.map((it) => (it.name === pausedHost ? { ...it, condition: "paused" } : it)),
});
const actions = {
  cancel: async (job: string) => void done.push(`cancel ${job}`),
  pause: async () => {
    paused = true;
    done.push("pause");
  },
  resume: async () => {
    paused = false;
    done.push("resume");
  },
  pauseHost: async (name: string) => {
    pausedHost = name;
    done.push(`pause ${name}`);
  },
  resumeHost: async (name: string) => {
    pausedHost = "";
    done.push(`resume ${name}`);
  },
};

const SERVERS = Array.from({ length: 3 }, (_, n) => ({
  id: `${111 + n}`,
  ...(n === 2 ? {} : { name: `Server ${n + 1}${" of a very long name".repeat(3 * n)}` }),
  on: n === 0,
  votes: 3_000 - 1_000 * n,
}));
const LIKED = { phrase: "soft lighting", share: 0.58, low: 0.52, high: 0.64, n: 1_204 };
const asked: string[] = [];
/** Two servers a page; nobody voted in the last one, and the second can't be read. */
const taste: OperatorTaste = {
  servers: async (skip) => ({ servers: SERVERS.slice(skip, skip + 2), more: skip + 2 < SERVERS.length }),
  of: async (id) => {
    asked.push(id);
    if (id === "112") throw new Error("the database is away");
    if (id === "113") return { chosen: null, first: null, liked: [], disliked: [] };
    return {
      chosen: { share: 0.61, low: 0.57, high: 0.65, n: 640 },
      first: { share: 0.5, low: 0.3, high: 0.7, n: 32 },
      liked: [LIKED],
      disliked: [{ phrase: "greg rutkowski", share: 0.4, low: 0.31, high: 0.49, n: 1_100 }],
    };
  },
};
beforeEach(() => {
  done.length = 0;
  asked.length = 0;
  paused = false;
});

/** Sends a request as no browser would let a page send it; answers the status. */
async function raw(url: string, lines: readonly string[], body = ""): Promise<number> {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  await once(socket, "connect");
  const head = [...lines, `Content-Length: ${body.length}`, "Connection: close"].join("\r\n");
  socket.end(`${head}\r\n\r\n${body}`);
  let answer = "";
  for await (const part of socket) answer += part;
  return Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]);
}

describe.each([
  ["alone", () => startOperatorPanel({ port: 0, operator, actions, taste })],
  ["in the local Discord", () => startLocalDiscord({ operator, actions, taste })],
] as [string, () => Promise<OperatorPanel | LocalDiscord>][])("the operator's routes, %s", (_name, start) => {
  let server: OperatorPanel | LocalDiscord;
  let host: string;
  beforeAll(async () => {
    server = await start();
    host = new URL(server.url).host;
  });
  afterAll(() => server?.close());
  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    fetch(`${server.url}/local/operator/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
    });

  test("tell the state and which actions there are, and run them", async () => {
    const answer = await fetch(`${server.url}/local/operator`);
    expect(await answer.json()).toEqual({
      snapshot: SNAPSHOT,
      actions: ["cancel", "pause", "resume", "pauseHost", "resumeHost"],
      taste: true,
    });
    expect((await post("cancel", { job: "a1" })).status).toBe(200);
    expect((await post("pause", {})).status).toBe(200);
    expect((await post("resume", {})).status).toBe(200);
    expect(done).toEqual(["cancel a1", "pause", "resume"]);
    expect((await post("pauseHost", { host: "card-3c4d" })).status).toBe(200);
    expect((await post("resumeHost", { host: "card-3c4d" })).status).toBe(200);
    expect((await post("pauseHost", {})).status).toBe(400);
    expect(done.slice(3)).toEqual(["pause card-3c4d", "resume card-3c4d"]);
  });

  test("list servers page by page, and tell of one server what is asked", async () => {
    const get = (path: string) => fetch(`${server.url}/local/operator/taste${path}`);
    expect(await (await get("")).json()).toEqual({ servers: SERVERS.slice(0, 2), more: true });
    expect(await (await get("?skip=2")).json()).toEqual({ servers: SERVERS.slice(2), more: false });
    for (const skip of ["-1", "1.5", "x"]) expect((await get(`?skip=${skip}`)).status).toBe(400);
    expect(asked).toEqual([]);
    expect(await (await get("/111")).json()).toMatchObject({ liked: [LIKED] });
    expect((await get("/..%2F..%2Fx")).status).toBe(404);
    expect(asked).toEqual(["111"]);
    const name = ["GET /local/operator/taste HTTP/1.1", "Host: evil.example"];
    expect(await raw(server.url, name)).toBe(403);
  });

  test("refuse another host name, for reading and for acting", async () => {
    for (const name of ["evil.example", `evil.example:${new URL(server.url).port}`, "127.0.0.1", "[::1]"]) {
      expect(await raw(server.url, ["GET /local/operator HTTP/1.1", `Host: ${name}`])).toBe(403);
      const lines = [
        "POST /local/operator/pause HTTP/1.1",
        `Host: ${name}`,
        "Content-Type: application/json",
      ];
      expect(await raw(server.url, lines, "{}")).toBe(403);
    }
    expect(done).toEqual([]);
  });

  test("refuse another origin, for reading and for acting", async () => {
    for (const origin of ["https://evil.example", "null", "http://127.0.0.1:1", `https://${host}`]) {
      expect((await fetch(`${server.url}/local/operator`, { headers: { origin } })).status).toBe(403);
      expect((await post("cancel", { job: "a1" }, { origin })).status).toBe(403);
    }
    expect(done).toEqual([]);
    expect((await post("pause", {}, { origin: server.url })).status).toBe(200);
  });

  test("refuse what a form of another site could send, and wrong bodies", async () => {
    for (const type of [
      "text/plain",
      "application/x-www-form-urlencoded",
      "multipart/form-data; boundary=x",
      "text/plain; application/json",
    ])
      expect((await post("pause", {}, { "content-type": type })).status).toBe(415);
    const without = ["POST /local/operator/pause HTTP/1.1", `Host: ${host}`];
    expect(await raw(server.url, without, "{}")).toBe(415);
    for (const body of [
      {},
      { job: 1 },
      { job: "" },
      { job: "x".repeat(65) },
      { job: "a1", more: 1 },
      [],
      null,
    ])
      expect((await post("cancel", body)).status).toBe(400);
    expect((await post("pause", { job: "a1" })).status).toBe(400);
    expect((await post("cancel", { job: "x".repeat(20_000) })).status).toBe(413);
    const broken = await fetch(`${server.url}/local/operator/cancel`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "{",
    });
    expect(broken.status).toBe(400);
    expect((await fetch(`${server.url}/local/operator/pause`)).status).toBe(404);
    expect(done).toEqual([]);
  });
});

test("the panel alone serves nothing of the local Discord, and no upgrade", async () => {
  const panel = await startOperatorPanel({ port: 0, operator });
  for (const path of ["/local/state", "/local/transcript", "/api/v10/gateway", "/cdn/x", "/page/../panel.ts"])
    expect((await fetch(`${panel.url}${path}`)).status, path).toBe(404);
  const lines = ["GET /local/events?user=alice HTTP/1.1", `Host: ${new URL(panel.url).host}`];
  const upgrade = ["Upgrade: websocket", "Connection: Upgrade"];
  expect(await raw(panel.url, [...lines, ...upgrade])).toBe(404);
  // A program that offers no actions shows no buttons, and one that tells no tastes has no such part.
  expect(await (await fetch(`${panel.url}/local/operator`)).json()).toMatchObject({
    actions: [],
    taste: false,
  });
  expect((await fetch(`${panel.url}/local/operator/taste`)).status).toBe(404);
  const body = { method: "POST", headers: { "content-type": "application/json" }, body: "{}" };
  expect((await fetch(`${panel.url}/local/operator/pause`, body)).status).toBe(404);
  await expect(startOperatorPanel({ port: Number(new URL(panel.url).port), operator })).rejects.toThrow(
    /is taken/,
  );
  await panel.close();
});

describe.skipIf(browserPath === undefined)("the operator's page", () => {
  let panel: OperatorPanel;
  let browser: Browser;
  const complaints: string[] = [];
  beforeAll(async () => {
    panel = await startOperatorPanel({ port: 0, operator, actions, taste });
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await panel?.close();
  });
  afterEach(() => expect(complaints.splice(0)).toEqual([]));

  test("shows jobs with reasons and links, models, disk and log, cancels, pauses and resumes", async () => {
    const page = await browser.newPage({ viewport: { width: 420, height: 900 } });
    page.setDefaultTimeout(20_000);
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
    await page.goto(panel.url);
    await page.getByText("WORKER_DIED: it ended with signal SIGKILL").waitFor();
    const link = page.getByRole("link", { name: "A dog" });
    expect([await link.getAttribute("href"), await link.getAttribute("target")]).toEqual([MESSAGE, "_blank"]);
    await page.getByText("Rewriting prompts · cpu · loaded", { exact: true }).waitFor();
    await page.getByText("Drawing pictures · not loaded", { exact: true }).waitFor();
    await page.getByText("5.00 GB").waitFor();
    await page.getByText("a1 the log's last line").waitFor();
    expect(await page.getByRole("button", { name: "Cancel" }).count()).toBe(1);
    await page.getByRole("button", { name: "Cancel" }).click();
    await expect.poll(() => done).toEqual(["cancel a1"]);
    const now = page.locator("section", { has: page.getByRole("heading", { name: "Now" }) });
    await now.getByRole("button", { name: "Pause" }).click();
    await page.getByText("Paused: nothing new starts").waitFor();
    await now.getByRole("button", { name: "Resume" }).click();
    await page.getByText("Idle").waitFor();
    expect(done).toEqual(["cancel a1", "pause", "resume"]);

    const host = (name: string) => page.locator(".hosts li", { hasText: name });
    const card = host("card-3c4d");
    await card.getByText("worker · heard of 3 s ago").waitFor();
    await card.getByText("0.1.0 · another version than the bot's").waitFor();
    await card.getByText("keeps its pictures in another store than the bot").waitFor();
    await card.getByText("cuda:0 Drawing pictures · a1 · sd, 1.00 GB").waitFor();
    await card.getByText("cuda:1 set aside: WORKER_DIED: lost").waitFor();
    await card.getByText("has promptist, sd").waitFor();
    await host("gone-5e6f").getByText("worker · not heard of for 40 s").waitFor();
    await host("spare-7a8b").getByText("bot · waits as the standby · heard of 2 s ago").waitFor();
    for (const name of ["bot-1a2b", "gone-5e6f"])
      expect(await host(name).getByRole("button").count()).toBe(0);
    await card.getByRole("button", { name: "Pause" }).click();
    await card.getByText("worker · paused · heard of 3 s ago").waitFor();
    await card.getByRole("button", { name: "Resume" }).click();
    await card.getByText("worker · heard of 3 s ago").waitFor();
    expect(done.slice(3)).toEqual(["pause card-3c4d", "resume card-3c4d"]);
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(420);
    await page.close();
  });

  test("lists what servers like when asked, a page at a time, and each server's own when it is opened", async () => {
    const page = await browser.newPage({ viewport: { width: 420, height: 900 } });
    page.setDefaultTimeout(20_000);
    page.on("pageerror", (error) => complaints.push(String(error)));
    await page.goto(panel.url);
    const section = page.locator("section", { has: page.getByRole("heading", { name: "Taste" }) });
    const row = (name: string) => section.locator("li", { hasText: name });
    await section.getByRole("button", { name: "List the servers" }).click();
    await row("Server 1").getByText("on · 3,000 votes").waitFor();
    expect(await section.locator("li").count()).toBe(2);
    await section.getByRole("button", { name: "More" }).click();
    await row("113").getByText("off · 1,000 votes").waitFor();
    expect(await section.getByRole("button").count()).toBe(0);
    expect(asked).toEqual([]);

    await row("Server 1").locator("summary").click();
    const cells = row("Server 1").locator("tbody tr");
    await cells.first().waitFor();
    expect(
      await cells.evaluateAll((rows) => rows.map((it) => [...it.children].map((cell) => cell.textContent))),
    ).toEqual([
      ["Wins"],
      ["as taste chose", "61%", "57% – 65%", "640"],
      ["with the first rewrite", "50%", "30% – 70%", "32"],
      ["Liked"],
      ["soft lighting", "58%", "52% – 64%", "1,204"],
      ["Disliked"],
      ["greg rutkowski", "40%", "31% – 49%", "1,100"],
    ]);
    await row("113").locator("summary").click();
    await row("113").getByText("Too few votes to tell of a phrase yet.").waitFor();
    // What fails is told where it failed.
    await row("Server 2").locator("summary").click();
    await row("Server 2").getByRole("alert").getByText("can't be read").waitFor();
    expect(asked).toEqual(["111", "113", "112"]);
    // Nothing is cut off at the right, however long a server's name is.
    expect(await section.evaluate((it) => it.scrollWidth <= it.clientWidth)).toBe(true);
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(420);
    await page.close();
  });
});
