import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { startLocalDiscord } from "local-discord/testing";
import { describe, expect, inject, onTestFinished, test } from "vitest";
import { temporaryFolder } from "../../support/app.js";
import { startBotProcess, startReadyBot } from "../../support/bot-process.js";
import { isFinal } from "../../support/bot-world.js";
import { newSchema, query } from "../../support/postgres-server.js";

const server = inject("postgresUrl");
const WAIT = { timeoutMs: 150_000 };
const run = promisify(execFile);

describe.skipIf(server == null)("the whole program", () => {
  test("grows from a file to PostgreSQL with what waits, draws there, survives kill -9, and is not copied meanwhile", {
    timeout: 300_000,
  }, async () => {
    const url = await newSchema(server!);
    const folder = temporaryFolder();
    onTestFinished(() => folder.remove());
    const local = await startLocalDiscord({ page: false, limits: { identifyMs: 0 } });
    onTestFinished(() => local.close());
    const alice = local.member("alice");

    const onFile = await startReadyBot(local, folder.path);
    const waiting = await alice.slash("compare", { prompt: "a red apple", seed: 1, steps: 100 });
    await waiting.waitFor((m) => /step \d+ of 1\d\d/.test(JSON.stringify(m.embeds)), WAIT);
    onFile.child.kill("SIGKILL");
    await onFile.exited;

    const environment = { ...process.env, DATA_DIR: folder.path };
    const copied = await run(process.execPath, ["bin/promptist.js", "db", "copy", "--to", url], {
      env: environment,
    });
    expect(copied.stdout).toContain("compared every row");
    expect(copied.stderr).toContain("jobs: 1");
    expect(copied.stdout + copied.stderr).not.toContain("promptist@");

    const first = startBotProcess(local, folder.path, { DATABASE_URL: url });
    await waiting.waitFor(isFinal, WAIT);
    const second = await alice.slash("compare", { prompt: "a blue cup", seed: 2, steps: 100 });
    await second.waitFor((m) => /step \d+ of 1\d\d/.test(JSON.stringify(m.embeds)), WAIT);
    first.child.kill("SIGKILL");
    await first.exited;

    const next = startBotProcess(local, folder.path, { DATABASE_URL: url });
    await second.waitFor(isFinal, WAIT);
    await expect(
      run(process.execPath, ["bin/promptist.js", "db", "copy", "--from", url]),
    ).rejects.toMatchObject({
      stderr: expect.stringContaining("Another Promptist works on the database 127.0.0.1"),
    });
    next.child.kill("SIGTERM");
    expect(await next.exited).toEqual([0, null]);
    expect(await query(url, "select state, count(*)::int as jobs from jobs group by state")).toEqual([
      { state: "done", jobs: 2 },
    ]);
  });
});
