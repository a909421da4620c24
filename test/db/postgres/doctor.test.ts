import { mkdirSync, readFileSync } from "node:fs";
import { describe, expect, inject, onTestFinished, test } from "vitest";
import { storedFindings } from "../../../src/cli/parts/stored-findings.js";
import { loadConfig } from "../../../src/config.js";
import { PROGRAM } from "../../../src/core/version.js";
import { postgresStore } from "../../../src/db/postgres/store.js";
import { markOf, PictureFolder } from "../../../src/pictures/store.js";
import { temporaryFolder } from "../../support/app.js";
import { newSchema, query } from "../../support/postgres-server.js";
import { createS3Server, hasS3Server } from "../../support/s3-server.js";

const server = inject("postgresUrl");

/** The statements of docs/operations.md, for a schema and a role. */
function grants(schema: string, role: string): string {
  const page = readFileSync(new URL("../../../docs/operations.md", import.meta.url), "utf8");
  const [, sql = ""] = /```sql\n(grant usage on schema public to worker;.*?)```/s.exec(page) ?? [];
  return `set search_path = ${schema}; ${sql.replaceAll("schema public", `schema ${schema}`).replaceAll("to worker;", `to ${role};`)}`;
}

describe.skipIf(server == null)("what doctor says of what is stored", () => {
  /** By subject: the state, then what was found and what to do. */
  async function look(settings: Record<string, string>): Promise<Record<string, string>> {
    const folder = temporaryFolder();
    onTestFinished(() => folder.remove());
    const findings = await storedFindings(
      loadConfig({ DATA_DIR: `${folder.path}/data`, ...settings }, folder.path),
    );
    return Object.fromEntries(
      findings.map(({ subject, state, found, todo }) => [subject, `${state}: ${found} -> ${todo}`]),
    );
  }
  async function database() {
    const url = await newSchema(server!);
    const schema = /search_path%3D(\w+)/.exec(url)![1]!;
    const role = `doctor_${schema}`;
    await query(server!, `create role ${role} login; grant usage on schema ${schema} to ${role}`);
    const folder = temporaryFolder();
    onTestFinished(() => folder.remove());
    const pictures = `${folder.path}/pictures`;
    mkdirSync(pictures);
    return { url, schema, role, pictures, workerUrl: url.replace("promptist@", `${role}@`) };
  }

  test("before the first start: a bot makes the tables, a worker waits for it, and nothing is changed", async () => {
    const { url, workerUrl, pictures } = await database();
    const bot = await look({ DATABASE_URL: url, ROLE: "bot", PICTURES: pictures });
    expect(bot.tables).toBe("ok: none yet; the first start makes them -> null");
    expect(bot.rights).toMatch(/^ok: the role promptist may do what a bot does/);
    expect(bot.database).toMatch(/^ok: 127\.0\.0\.1:\d+\/postgres: PostgreSQL \d+/);
    expect(bot.clock).toMatch(/^ok: this machine's is 0\.\d s/);
    expect(bot.hosts).toContain("No worker is heard of: start one");
    const worker = await look({ DATABASE_URL: workerUrl, ROLE: "worker", PICTURES: pictures });
    expect(worker.tables).toMatch(/^missing: .*Start the bot on this database first/);
    expect(
      await query(url, "select relname from pg_class where relnamespace = current_schema()::regnamespace"),
    ).toEqual([]);
  });

  test("a worker without its rights is told the statements, and with docs' grants all is well", async () => {
    const { url, schema, role, workerUrl, pictures } = await database();
    const store = await postgresStore(url);
    onTestFinished(() => store.close());
    const lacking = await look({ DATABASE_URL: workerUrl, ROLE: "worker", PICTURES: pictures });
    expect(lacking.rights).toMatch(
      /^broken: the role doctor_\w+ may not do what a worker does -> As the owner/,
    );
    expect(lacking.rights).toContain(`grant update on jobs to ${role};`);
    expect(lacking.rights).toContain(`grant insert on hosts to ${role};`);
    expect(lacking.tables).toContain("missing: can't be seen");
    await query(server!, grants(schema, role));
    const state = { devices: [], offers: [], pictures: await markOf(new PictureFolder(pictures)) };
    await store.hosts.beat({ name: "the-bot", role: "bot", version: PROGRAM, state, starts: true });
    const worker = await look({ DATABASE_URL: workerUrl, ROLE: "worker", PICTURES: pictures });
    expect(worker.rights).toMatch(/^ok/);
    expect(worker.tables).toMatch(/^ok: of step \d+, as this version's/);
    expect(worker["picture store"]).toMatch(
      /^ok: .*stored, listed, read and deleted; the same as that of the-bot/,
    );
    expect(worker.hosts).toContain("No bot works on this database now");
    expect(worker.Discord).toBeUndefined();

    const asBot = await look({ DATABASE_URL: workerUrl, ROLE: "both", PICTURES: pictures });
    expect(asBot.rights).toContain(`alter table jobs owner to ${role};`);

    const elsewhere = temporaryFolder();
    onTestFinished(() => elsewhere.remove());
    const apart = await look({ DATABASE_URL: workerUrl, ROLE: "worker", PICTURES: elsewhere.path });
    expect(apart["picture store"]).toMatch(/^broken: .* is not the store of the-bot -> Name the same folder/);
    const unmounted = await look({
      DATABASE_URL: workerUrl,
      ROLE: "worker",
      PICTURES: `${elsewhere.path}/mount`,
    });
    expect(unmounted["picture store"]).toMatch(/^broken: .*mount is not there -> Mount it/);

    await query(url, "update hosts set version = 'promptist 0.0.1', paused = 1");
    const different = await look({ DATABASE_URL: url, ROLE: "bot", PICTURES: pictures });
    expect(different.hosts).toContain("Of another version than this one");
    expect(different.hosts).toContain("Paused (/admin resume with its name): the-bot.");
    await query(url, "delete from migrations where number = (select max(number) from migrations)");
    const older = { DATABASE_URL: workerUrl, PICTURES: pictures };
    expect((await look({ ...older, ROLE: "worker" })).tables).toMatch(
      /^broken: .*Update the bot and start it/,
    );
    expect((await look({ ...older, ROLE: "bot" })).tables).toMatch(
      /^note: .*The next start brings them up to date/,
    );
    await query(url, "insert into migrations values (9999, '9999_later', 0)");
    expect((await look({ ...older, ROLE: "bot" })).tables).toMatch(/^broken: .*update this one/);
  });

  test("a database that is not there, and a role without one", async () => {
    const gone = await look({ DATABASE_URL: "postgres://promptist@127.0.0.1:9/postgres", ROLE: "worker" });
    expect(gone.database).toMatch(/^broken: 127\.0\.0\.1:9\/postgres -> .*Check DATABASE_URL/);
    expect((await look({ ROLE: "worker" })).role).toMatch(
      /^missing: worker without a database to share -> .*DATABASE_URL/,
    );
    expect((await look({ ROLE: "both" })).database).toBe("ok: none yet; the first start makes it -> null");
  });

  test.skipIf(!hasS3Server())("a bucket: the same for both, another one, and wrong keys", async () => {
    const { url, pictures: _folder } = await database();
    const store = await postgresStore(url);
    onTestFinished(() => store.close());
    const s3 = await createS3Server(["one", "two"]);
    onTestFinished(() => s3.remove());
    const settings = (bucket: string, secret = s3.keys.secretAccessKey) => ({
      DATABASE_URL: url,
      ROLE: "bot",
      PICTURES: `s3://${bucket}?endpoint=${s3.endpoint}`,
      AWS_ACCESS_KEY_ID: s3.keys.accessKeyId,
      AWS_SECRET_ACCESS_KEY: secret,
    });
    const { openPictures } = await import("../../../src/pictures/open.js");
    const config = loadConfig({ ...settings("one"), DATA_DIR: _folder }, _folder);
    const state = { devices: [], offers: [], pictures: await markOf(await openPictures(config)) };
    await store.hosts.beat({ name: "card", role: "worker", version: PROGRAM, state, starts: true });
    expect((await look(settings("one")))["picture store"]).toMatch(/^ok: .*the same as that of card/);
    expect((await look(settings("two")))["picture store"]).toMatch(/^broken: .*is not the store of card/);
    expect((await look(settings("one", "wrong")))["picture store"]).toMatch(/^broken: .*correct PICTURES/);
  });
});
