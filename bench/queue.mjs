// Measures the queue's calls with 1,000 waiting jobs of 200 users, and the cost of synchronous = FULL over
// NORMAL. The figures of the last run are in docs/scale.md.
// Run: npm run build && node bench/queue.mjs [folder on the disk to measure, or postgres:// of an empty database]
// [--smoke | --large, with ten times as many waiting jobs]
import { mkdtempSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { DEFAULT_TEXT_OPTIONS } from "../dist/core/options.js";
import { postgresStore } from "../dist/db/postgres/store.js";
import { openDatabase } from "../dist/db/sqlite/open.js";
import { sqliteStore } from "../dist/db/sqlite/store.js";
import { args, SMOKE } from "./support/arguments.mjs";

const LARGE = args.includes("--large");
const [JOBS, USERS, FINISHED] = SMOKE ? [50, 10, 50] : LARGE ? [10_000, 2_000, 5_000] : [1_000, 200, 5_000];

const [place = tmpdir()] = args.filter((arg) => !arg.startsWith("--"));
const onServer = place.startsWith("postgres");
const folder = mkdtempSync(join(onServer ? tmpdir() : place, "bench-queue-"));

const job = (n) => ({
  kind: "compare",
  origin: {
    userId: `user-${(n * 7) % USERS}`,
    guildId: "guild",
    channelId: "channel",
    locale: "en-US",
    applicationId: "application",
    interactionId: `interaction-${n}`,
    interactionToken: "token",
    tokenExpiresAt: 0,
  },
  text: DEFAULT_TEXT_OPTIONS,
  image: { seed: n, steps: 50, guidance: 7.5, negative: "", size: null, scheduler: "pndm" },
  items: [{ prompt: "A cat in the rain", rewrite: null }],
  // As without settings.
  caps: { user: 100 },
});

/** Times each call of `work(i)`; prints median, 99th percentile and maximum in milliseconds. */
async function measure(name, times, work) {
  const ms = [];
  for (let i = 0; i < Math.min(times, JOBS); i += 1) {
    const start = performance.now();
    await work(i);
    ms.push(performance.now() - start);
  }
  ms.sort((a, b) => a - b);
  const at = (share) => ms[Math.min(ms.length - 1, Math.floor(share * ms.length))].toFixed(3).padStart(9);
  console.log(`${name.padEnd(34)}${at(0.5)}${at(0.99)}${at(1)}`);
}

// A history like that of some months: finished and delivered jobs that no call should have to scan.
const FINISH = `
  update jobs set state = 'done', finished_at = created_at, delivered_at = created_at, message_id = 'message';
  delete from turns`;
async function fill({ queue }) {
  for (let n = 0; n < FINISHED; n += 1) await queue.enqueue(job(JOBS + n));
}

/** The disk need not have each of these jobs before the next one. */
async function fillFile(db) {
  db.pragma("synchronous = OFF");
  await fill(sqliteStore(db, { maxWaiting: FINISHED }));
  db.exec(FINISH);
  db.pragma("synchronous = FULL");
}
async function fillOnServer() {
  const url = new URL(place);
  url.searchParams.set("options", `${url.searchParams.get("options") ?? ""} -c synchronous_commit=off`);
  const store = await postgresStore(url.href, { maxWaiting: FINISHED });
  await fill(store);
  await store.close();
  const client = new pg.Client({ connectionString: place });
  await client.connect();
  await client.query(FINISH);
  // The server does so by itself after such changes, in its own time.
  await client.query("vacuum analyze");
  await client.end();
}

console.log(
  `${"milliseconds".padEnd(34)}${["median", "99 %", "max"].map((word) => word.padStart(9)).join("")}`,
);
try {
  const db = onServer ? null : openDatabase(join(folder, "queue.db"));
  if (onServer) await fillOnServer();
  else await fillFile(db);
  const store = onServer
    ? await postgresStore(place, { maxWaiting: JOBS })
    : sqliteStore(db, { maxWaiting: JOBS });
  const { queue, deliveries } = store;

  const ids = [];
  await measure(`enqueue, up to ${JOBS} waiting`, JOBS, async (n) =>
    ids.push((await queue.enqueue(job(n))).id),
  );
  console.log(`-- ${JOBS} waiting jobs of ${USERS} users, ${FINISHED} finished ones`);
  await measure("get", 500, (n) => queue.get(ids[n]));
  await measure("position", 500, (n) => queue.position(ids[n]));
  await measure("work (of all who wait)", 100, () => queue.work());
  await measure("depth", 500, () => queue.depth());
  await measure("hasWork, besides a user", 500, () => queue.hasWork("text", "user-0"));
  await measure("nextDueAt", 500, () => queue.nextDueAt());
  await measure("undelivered", 500, () => deliveries.undelivered());
  await measure("open (all jobs, with their items)", 20, () => queue.open());
  await measure("claim + release", 200, async () => queue.release(await queue.claim("text", "bench")));
  const claims = [];
  await measure("claim", 500, async () => claims.push(await queue.claim("text", "bench")));
  await measure("position, 500 of 1,000 running", 500, (n) => queue.position(ids[n]));

  const result = { rewrite: "A cat in the rain, trending on artstation", candidates: [], notes: [] };
  if (db === null) await measure("saveText", 500, (n) => queue.saveText(claims[n], 0, result));
  for (const mode of db === null ? [] : ["FULL", "NORMAL"]) {
    db.pragma("wal_checkpoint(TRUNCATE)");
    db.pragma(`synchronous = ${mode}`);
    await measure(`saveText, synchronous = ${mode}`, 500, (n) => queue.saveText(claims[n], 0, result));
  }
  await store.close();
  console.log(`${Math.round(performance.now() / 1_000)} s in all, load ${loadavg()[0].toFixed(1)}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
