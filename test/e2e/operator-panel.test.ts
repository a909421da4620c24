import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  type LocalDiscord,
  type OperatorSnapshot,
  type OperatorTaste,
  startLocalDiscord,
} from "local-discord/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadConfig } from "../../src/config.js";
import { openDatabase } from "../../src/db/sqlite/open.js";
import { sqliteStore } from "../../src/db/sqlite/store.js";
import { type App, createApp } from "../../src/main.js";
import { newJob } from "../db/contract/fixtures.js";
import { temporaryFolder, WORKER_FILE } from "../support/app.js";
import { freePort } from "../support/free-port.js";

/** A bot with a token: the local Discord stands for the real one and knows nothing of the panel. */
let local: LocalDiscord;
let folder: ReturnType<typeof temporaryFolder>;
let app: App | null = null;
let port: number;

async function start(): Promise<App> {
  const config = loadConfig(
    {
      DATA_DIR: folder.path,
      CHECKPOINTS_DIR: fileURLToPath(new URL("../../checkpoints/", import.meta.url)),
      DISCORD_TOKEN: local.token,
      DISCORD_API_URL: local.apiUrl,
      OPERATOR_PORT: String(port),
      LOG_LEVEL: "silent",
      DEVICE: "cpu",
    },
    folder.path,
  );
  return createApp(config, { workerFile: WORKER_FILE });
}

beforeAll(async () => {
  local = await startLocalDiscord();
  folder = temporaryFolder();
  port = await freePort();
});
afterAll(async () => {
  await app?.stop();
  await local?.close();
  folder?.remove();
});

const panel = async () => {
  const response = await fetch(`http://127.0.0.1:${port}/local/operator`);
  return ((await response.json()) as { snapshot: OperatorSnapshot }).snapshot;
};
const act = async (name: string, body: unknown) => {
  const headers = { "content-type": "application/json" };
  const init = { method: "POST", headers, body: JSON.stringify(body) };
  expect((await fetch(`http://127.0.0.1:${port}/local/operator/${name}`, init)).status).toBe(200);
};

test("a bot with a token is paused, a job is cancelled and listed after a restart, with its message", async () => {
  app = await start();
  expect(app).toMatchObject({ local: null, panelUrl: `http://127.0.0.1:${port}` });
  const alice = local.member("alice");
  await act("pause", {});
  const handle = await alice.slash("compare", { prompt: "A cat in the rain" });
  await expect.poll(async () => (await panel()).jobs.map((it) => it.state)).toEqual(["queued"]);
  const [job] = (await panel()).jobs;
  await act("cancel", { job: job!.id });
  await handle.waitFor((message) => /cancelled/i.test(JSON.stringify(message)));
  await expect.poll(async () => (await panel()).queue.undelivered).toBe(0);
  await act("resume", {});
  const { log, disk, models, queue } = await panel();
  expect(queue.paused).toBe(false);
  expect(log!.some((it) => it.text.includes(job!.id))).toBe(true);
  expect(JSON.stringify(log)).not.toContain(local.token);
  expect(disk!.bytes).toBeGreaterThan(1_000);
  expect(models!.map((it) => it.loaded)).toEqual([false, false]);

  await app.stop();
  app = await start();
  const [kept] = (await panel()).jobs;
  expect(kept).toMatchObject({ id: job!.id, state: "cancelled", title: "A cat in the rain" });
  expect(kept!.url).toBe(
    `https://discord.com/channels/${local.guildId}/${local.channelId("general")}/${handle.message!.id}`,
  );
});

test("a paused host takes no job, also after its restart, until it is resumed", async () => {
  const alice = local.member("alice");
  const [own] = (await panel()).hosts!;
  expect(own).toMatchObject({ role: "bot and worker", condition: "running", differs: false });
  await act("pauseHost", { host: own!.name });
  expect((await panel()).hosts).toMatchObject([{ name: own!.name, condition: "paused" }]);

  await app?.stop();
  app = await start();
  expect((await panel()).hosts).toMatchObject([{ name: own!.name, condition: "paused" }]);
  const handle = await alice.slash("optimize", { prompt: "A dog" });
  await expect.poll(async () => (await panel()).queue.waiting).toBe(1);
  const resumedAt = Date.now();
  await act("resumeHost", { host: own!.name });
  await handle.waitFor(
    (message) => message.embeds.length > 0 && !/queue|next/i.test(JSON.stringify(message)),
  );
  await expect.poll(async () => (await panel()).queue).toMatchObject({ waiting: 0, running: 0 });
  const job = (await panel()).jobs.find(({ title }) => title === "A dog")!;
  const stored = await app.queue.get(job.id);
  expect(stored!.startedAt).toBeGreaterThanOrEqual(resumedAt);
});

test("what servers like is listed by server, and told of one", async () => {
  const { guildId } = local;
  const tastes = async (path = "") => {
    const response = await fetch(`http://127.0.0.1:${port}/local/operator/taste${path}`);
    expect(response.status).toBe(200);
    return response.json();
  };
  expect(await tastes()).toEqual({ servers: [], more: false });
  const { name } = local.state.guilds.get(guildId)!;
  await app!.store.settings.set("server", guildId, "taste", true, "admin");
  expect(await tastes()).toEqual({ servers: [{ id: guildId, name, on: true, votes: 0 }], more: false });
  await app!.store.settings.reset("server", guildId, "taste");

  await app!.stop();
  await vote([guildId, "999"]);
  app = await start();
  const servers = [
    { id: guildId, name, on: false, votes: 12 },
    // The bot has left this one.
    { id: "999", on: false, votes: 12 },
  ];
  expect(await tastes()).toEqual({ servers: servers.sort((a, b) => (a.id < b.id ? -1 : 1)), more: false });
  const known = (await tastes(`/${guildId}`)) as Awaited<ReturnType<OperatorTaste["of"]>>;
  expect(known).toMatchObject({ chosen: null, first: null, disliked: [] });
  expect(known.liked).toEqual([expect.objectContaining({ phrase: "sharp", n: 12 })]);
  expect(known.liked[0]!.low).toBeLessThan(known.liked[0]!.share);
  expect(known.liked[0]!.share).toBeGreaterThan(0.5);
});

/** Four people like the same added phrase in three delivered pairs of each server. */
async function vote(guildIds: readonly string[]): Promise<void> {
  const database = openDatabase(join(folder.path, "promptist.sqlite"));
  const { queue, votes, close } = sqliteStore(database, { maxWaiting: 100 });
  for (const [n, guildId] of guildIds.flatMap((id) => [id, id, id]).entries()) {
    const wish = newJob({ user: "1", prompts: [`A cat ${n}`], rewrites: [`A cat ${n}, sharp`] });
    const job = await queue.enqueue({ ...wish, origin: { ...wish.origin, guildId } });
    const { left } = await votes.open(job, null);
    for (let voter = 0; voter < 4; voter++)
      await votes.vote(job.id, `voter-${voter}`, left === "optimized" ? "left" : "right");
    database
      .prepare("update jobs set state = 'done', finished_at = 1, delivered_at = 1 where id = ?")
      .run(job.id);
  }
  await close();
}
