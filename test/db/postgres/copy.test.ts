import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, inject, test } from "vitest";
import type { PostgresConnection } from "../../../src/db/postgres/connection.js";
import { openPostgres } from "../../../src/db/postgres/open.js";
import { copyAll, TABLES } from "../../../src/db/sql/copy.js";
import { sqlStore } from "../../../src/db/sql/store.js";
import { SqliteConnection } from "../../../src/db/sqlite/connection.js";
import { openDatabase } from "../../../src/db/sqlite/open.js";
import { newSchema, query } from "../../support/postgres-server.js";
import { newJob } from "../contract/fixtures.js";

const server = inject("postgresUrl");

describe.skipIf(server == null)("copying between the engines", () => {
  let folder: string;
  let url: string;
  let sqlite: SqliteConnection;
  let postgres: PostgresConnection;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "copy-"));
    sqlite = new SqliteConnection(openDatabase(join(folder, "queue.db")));
    url = await newSchema(server!);
    postgres = await openPostgres(url);
  });
  afterEach(async () => {
    await sqlite.close();
    await postgres.close();
    rmSync(folder, { recursive: true });
  });

  /** Some of everything, with characters of all kinds. */
  async function fill(connection: SqliteConnection | PostgresConnection) {
    const { queue, votes, settings, drafts, deliveries } = sqlStore(connection);
    for (let i = 0; i < 450; i++)
      await queue.enqueue(newJob({ user: `user-${i % 7}`, prompts: [`猫 🐱 \0 ￾ ${i}`, "b"] }));
    const claim = (await queue.claim("text", "loop"))!;
    await queue.saveText(claim, 0, { rewrite: "x", candidates: [], notes: [{ code: "unchanged" }], ms: 3 });
    await queue.complete(claim);
    await deliveries.posted(claim.job.id, "channel", "message");
    await votes.open(claim.job, 5);
    await votes.vote(claim.job.id, "ada", "left");
    await settings.set("server", "guild", "steps", 20, "ada");
    await drafts.add(
      {
        kind: "batch",
        text: claim.job.text,
        image: claim.job.image,
        items: [{ prompt: "c", rewrite: null }],
        preview: false,
      },
      claim.job.origin,
      99,
    );
    await queue.arrive({ ...claim.job.origin, interactionId: "another" });
    await queue.setPaused(true);
    return claim.job.id;
  }

  test("there and back again everything is as it was, and both count on", async () => {
    const id = await fill(sqlite);
    const counted: Record<string, number> = {};
    await copyAll(sqlite, postgres, ({ table, rows }) => {
      counted[table] = rows;
    });
    expect(counted).toMatchObject({
      jobs: 450,
      items: 900,
      votes: 1,
      drafts: 1,
      settings: 1,
      turns: 7,
      flags: 1,
    });
    const before = sqlStore(sqlite);
    const after = sqlStore(postgres);
    expect(await after.queue.get(id)).toEqual(await before.queue.get(id));
    expect((await after.queue.open()).map((job) => job.id)).toEqual(
      (await before.queue.open()).map((job) => job.id),
    );
    expect(await after.queue.paused()).toBe(true);
    await after.queue.enqueue(newJob({ user: "later" }));

    const back = new SqliteConnection(openDatabase(join(folder, "back.db")));
    await copyAll(postgres, back, () => {});
    expect((await sqlStore(back).queue.open()).map((job) => job.id)).toEqual(
      (await after.queue.open()).map((job) => job.id),
    );
    await sqlStore(back).queue.enqueue(newJob({ user: "last" }));
    await back.close();
  });

  test("a database that holds something is refused unchanged, and a copy that was broken off is begun anew", async () => {
    await fill(sqlite);
    await sqlStore(postgres).queue.enqueue(newJob({ user: "ada" }));
    await expect(copyAll(sqlite, postgres, () => {})).rejects.toMatchObject({
      code: "CONFIG",
      message: expect.stringContaining("not empty"),
    });
    expect((await sqlStore(postgres).queue.depth()).queued).toBe(1);

    url = await newSchema(server!);
    const fresh = await openPostgres(url);
    const stop = new Error("pulled the plug");
    const breaking = copyAll(sqlite, fresh, ({ table }) => {
      if (table === "items") throw stop;
    });
    await expect(breaking).rejects.toBe(stop);
    await copyAll(sqlite, fresh, () => {});
    expect((await sqlStore(fresh).queue.depth()).queued).toBe(449);
    await fresh.close();
  });

  test("every table is copied", async () => {
    const tables = await query<{ name: string }>(
      url,
      "select table_name as name from information_schema.tables where table_schema = current_schema()",
    );
    expect([...Object.keys(TABLES), "hosts", "migrations"].sort()).toEqual(
      tables.map(({ name }) => name).sort(),
    );
  });
});
