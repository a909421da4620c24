import { startLocalDiscord } from "local-discord/testing";
import { describe, expect, inject, onTestFinished, test } from "vitest";
import { temporaryFolder } from "../../support/app.js";
import { startBotProcess, startReadyBot } from "../../support/bot-process.js";
import { isFinal } from "../../support/bot-world.js";
import { freePort } from "../../support/free-port.js";
import { newSchema, query } from "../../support/postgres-server.js";

const server = inject("postgresUrl");
const WAIT = { timeoutMs: 60_000 };
const OUTPUT = { timeout: 60_000 };

describe.skipIf(server == null)("a bot and its standby", () => {
  test("the standby goes on where a frozen bot stopped, which sends nothing more, and is replaced in turn", {
    timeout: 180_000,
  }, async () => {
    const url = await newSchema(server!);
    const folders = Array.from({ length: 3 }, () => temporaryFolder());
    onTestFinished(() => {
      for (const folder of folders) folder.remove();
    });
    const local = await startLocalDiscord({ page: false, limits: { identifyMs: 0 } });
    onTestFinished(() => local.close());
    const alice = local.member("alice");
    const shared = { DATABASE_URL: url, PICTURES: `${folders[0]!.path}/pictures` };
    const port = await freePort();

    const first = await startReadyBot(local, folders[0]!.path, { ...shared, ROLE: "bot" });
    startBotProcess(local, folders[1]!.path, { ...shared, ROLE: "worker", DISCORD_TOKEN: "" });
    const second = startBotProcess(local, folders[2]!.path, {
      ...shared,
      ROLE: "bot",
      METRICS_PORT: String(port),
    });
    await expect.poll(second.output, OUTPUT).toContain("This one is its standby");
    const measured = async () => (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    expect(await measured()).toContain("promptist_standby 1");
    const hosts = () =>
      query<{ role: string; waits: boolean; ended: boolean }>(
        url,
        `select role, (state::json ->> 'isWaiting') is not null as waits, ended_at is not null as ended
         from hosts order by started_at`,
      );
    const standby = { role: "bot", waits: true, ended: false };
    await expect.poll(hosts, OUTPUT).toContainEqual(standby);
    const identified = () =>
      local.transcript.entries.filter(
        (entry) => entry.kind === "gateway" && entry.from === "bot" && entry.op === 2,
      ).length;
    expect(identified()).toBe(1);

    const kept = await alice.slash("compare", { prompt: "a blue cup", seed: 2, steps: 100 });
    await kept.waitFor((m) => /step \d+ of 1\d\d/.test(JSON.stringify(m.embeds)), WAIT);
    first.child.kill("SIGSTOP");
    await expect.poll(second.output, OUTPUT).toContain("is ready");
    expect(identified()).toBe(2);
    expect(await measured()).toContain("promptist_standby 0");
    await expect.poll(hosts, OUTPUT).not.toContainEqual(standby);
    expect(await hosts()).toContainEqual({ ...standby, waits: false });
    await kept.waitFor(isFinal, WAIT);
    await expect
      .poll(() => query(url, "select delivered_at is not null as delivered from jobs"), OUTPUT)
      .toEqual([{ delivered: true }]);

    // What it heard meanwhile waits in its connections: progress, the end of the job.
    const before = local.transcript.entries.length;
    first.child.kill("SIGCONT");
    expect(await first.exited).toEqual([1, null]);
    expect(first.output()).toContain("Another Promptist has taken the database");
    const sent = local.transcript.entries
      .slice(before)
      .filter((entry) => entry.kind === "rest" && entry.method !== "GET");
    expect(sent).toEqual([]);

    // A rolling update: the new one waits, the old one is stopped.
    const third = startBotProcess(local, folders[0]!.path, { ...shared, ROLE: "bot" });
    await expect.poll(third.output, OUTPUT).toContain("This one is its standby");
    second.child.kill("SIGTERM");
    expect(await second.exited).toEqual([0, null]);
    await expect.poll(third.output, OUTPUT).toContain("is ready");
    const next = await alice.slash("optimize", { prompt: "a red apple" });
    await next.waitFor(isFinal, WAIT);
    const messages = [...local.state.messages.values()].filter(
      ({ authorId }) => authorId === local.state.bot.id,
    );
    expect(messages).toHaveLength(2);

    // A standby that isn't needed leaves without a word to Discord.
    const fourth = startBotProcess(local, folders[2]!.path, { ...shared, ROLE: "bot" });
    await expect.poll(fourth.output, OUTPUT).toContain("This one is its standby");
    await expect.poll(hosts, OUTPUT).toContainEqual(standby);
    fourth.child.kill("SIGTERM");
    expect(await fourth.exited).toEqual([0, null]);
    expect(await hosts()).toContainEqual({ ...standby, ended: true });
  });
});
