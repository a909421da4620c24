import { readFileSync } from "node:fs";
import { startLocalDiscord } from "local-discord/testing";
import { describe, expect, inject, onTestFinished, test } from "vitest";
import { temporaryFolder } from "../../support/app.js";
import { startBotProcess, startReadyBot } from "../../support/bot-process.js";
import { isFinal } from "../../support/bot-world.js";
import { newSchema, query } from "../../support/postgres-server.js";
import { within } from "../../support/within.js";

const server = inject("postgresUrl");
const WAIT = { timeoutMs: 150_000 };

/** The statements of docs/operations.md, for a schema and a role. */
function grants(schema: string, role: string): string {
  const page = readFileSync(new URL("../../../docs/operations.md", import.meta.url), "utf8");
  const [, sql = ""] = /```sql\n(grant usage on schema public to worker;.*?)```/s.exec(page) ?? [];
  expect(sql.match(/ on (\w+)/g)).not.toBeNull();
  return `set search_path = ${schema}; ${sql.replaceAll("schema public", `schema ${schema}`).replaceAll("to worker;", `to ${role};`)}`;
}

describe.skipIf(server == null)("a bot and two workers", () => {
  test("workers draw for a bot without a device; what a killed one held goes on in the other", {
    timeout: 300_000,
  }, async () => {
    const url = await newSchema(server!);
    const schema = /search_path%3D(\w+)/.exec(url)![1]!;
    const folders = [0, 1, 2].map(() => temporaryFolder());
    onTestFinished(() => {
      for (const folder of folders) folder.remove();
    });
    const local = await startLocalDiscord({ page: false, limits: { identifyMs: 0 } });
    onTestFinished(() => local.close());
    const alice = local.member("alice");
    const shared = { DATABASE_URL: url, PICTURES: `${folders[0]!.path}/pictures`, PREVIEW: "on" };

    const tooEarly = startBotProcess(local, folders[1]!.path, {
      ...shared,
      ROLE: "worker",
      DATABASE_URL: "",
    });
    expect(await tooEarly.exited).toEqual([2, null]);
    expect(tooEarly.output()).toContain("set DATABASE_URL");

    await startReadyBot(local, folders[0]!.path, { ...shared, ROLE: "bot" });
    const role = `worker_${schema}`;
    const start = (number: 1 | 2) =>
      startBotProcess(local, folders[number]!.path, {
        ...shared,
        DATABASE_URL: url.replace("promptist@", `${role}@`),
        ROLE: "worker",
        DISCORD_TOKEN: "",
      });
    await query(server!, `create role ${role} login; grant usage on schema ${schema} to ${role}`);
    const refused = start(1);
    expect(await refused.exited).toEqual([1, null]);
    expect(refused.output()).toContain(`grant update on jobs to ${role};`);
    await query(server!, grants(schema, role));
    const one = start(1);
    await expect.poll(one.output, { timeout: 60_000 }).toContain("The worker is ready");

    // The bot's operator sees it, and pauses it alone.
    const admin = local.member("admin");
    const listed = async () => (await admin.slash("admin hosts")).message?.content ?? "";
    await expect.poll(listed).toMatch(/worker · heard of \d+ s ago/);
    const [worker] = await query<{ name: string }>(url, "select name from hosts where role = 'worker'");
    const paused = await admin.slash("admin pause", { host: worker!.name });
    expect(paused.message?.content).toContain(`\`${worker!.name}\` is paused.`);
    expect(await listed()).toContain("**paused**");
    const held = await alice.slash("optimize", { prompt: "a paused thing" });
    await expect.poll(() => query(url, "select state from jobs")).toEqual([{ state: "queued" }]);
    const [resumed] = await query<{ at: number }>(
      url,
      "select extract(epoch from clock_timestamp()) * 1000 as at",
    );
    await admin.slash("admin resume", { host: worker!.name });
    await held.waitFor(isFinal, WAIT);
    const [started] = await query<{ late: boolean }>(
      url,
      `select started_at >= ${resumed!.at} as late from jobs`,
    );
    expect(started!.late).toBe(true);
    await query(url, "delete from jobs");

    // Progress comes from the worker, and a cancel reaches it in a second.
    const long = await alice.slash("compare", { prompt: "a red apple", seed: 1, steps: 100 });
    await long.waitFor((m) => /step \d+ of 1\d\d/.test(JSON.stringify(m.embeds)), WAIT);
    const asked = performance.now();
    await alice.press(long.message, "Cancel");
    await expect
      .poll(() => query(url, "select state from jobs"), { interval: 20 })
      .toEqual([{ state: "cancelled" }]);
    const cancelMs = performance.now() - asked;
    await long.waitFor(isFinal, WAIT);

    const kept = await alice.slash("compare", { prompt: "a blue cup", seed: 2, steps: 100 });
    await kept.waitFor((m) => /step \d+ of 1\d\d/.test(JSON.stringify(m.embeds)), WAIT);
    one.child.kill("SIGKILL");
    await one.exited;
    const two = start(2);
    await kept.waitFor(isFinal, WAIT);

    // A worker that is told to end finishes what it is at, and the bot delivers it.
    const last = await alice.slash("compare", { prompt: "a green tree", seed: 3, steps: 100 });
    await last.waitFor((m) => /step \d+ of 1\d\d/.test(JSON.stringify(m.embeds)), WAIT);
    two.child.kill("SIGTERM");
    expect(await two.exited).toEqual([0, null]);
    expect(two.output()).toContain("Finishing what is being made");
    await last.waitFor(isFinal, WAIT);
    expect(
      await query(url, "select state, attempt, delivered_at is not null as delivered from jobs order by seq"),
    ).toMatchObject([
      { state: "cancelled", delivered: true },
      { state: "done", delivered: true },
      { state: "done", delivered: true },
    ]);
    // Not with the next lease, which is extended every 3 s.
    expect(cancelMs).toBeLessThan(within(2_000));
  });
});
