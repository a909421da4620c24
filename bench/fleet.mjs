// A large installation in small: many hosts, many servers, one PostgreSQL server in a temporary folder (with fsync). Hosts
// are the real loop with cards that only take their time (bench/support/scripted-hosts.mjs), people ask by a skewed
// demand: the n-th server is asked in as often as n to the power of -1.5, and so is the n-th person of each.
//
// First the hosts' sum: the same jobs by one, two and four hosts. Then the run: so many jobs wait already, more come all
// the time, at a share of what the hosts can do. It tells how long claims took and people waited, how evenly those were served
// who had something waiting from beginning to end (Jain's index: 1 is even, 1/n all for one), and what the database did.
// With --bot all jobs come by commands in the local Discord, to the real bot, which is then measured too.
//
// The figures of the last run are in docs/scale.md.
// Run: npm run build && npm run bench -- fleet [--hosts 100] [--minutes 3] [--pair 10 (seconds)] [--servers 10000]
//   [--waiting 2000] [--load 0.8] [--bot] [--only sum | run] [--smoke]
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { startLocalDiscord } from "local-discord/testing";
import sharp from "sharp";
import { createEvents } from "../dist/core/events.js";
import { DEFAULT_IMAGE_OPTIONS, DEFAULT_TEXT_OPTIONS } from "../dist/core/options.js";
import { announced } from "../dist/db/announce.js";
import { EventRelay, HEARD } from "../dist/db/postgres/relay.js";
import { postgresStore } from "../dist/db/postgres/store.js";
import { randomFrom, startBot } from "../test/soak/ledger.mjs";
import { args, SMOKE } from "./support/arguments.mjs";
import { botEnvironment } from "./support/bot-environment.mjs";
import { postgresServer } from "./support/postgres.mjs";

const { values } = parseArgs({
  args,
  options: {
    hosts: { type: "string", default: SMOKE ? "4" : "100" },
    minutes: { type: "string", default: SMOKE ? "0.1" : "3" },
    pair: { type: "string", default: SMOKE ? "0.5" : "10" },
    servers: { type: "string", default: SMOKE ? "20" : "10000" },
    waiting: { type: "string", default: SMOKE ? "20" : "2000" },
    load: { type: "string", default: "0.8" },
    only: { type: "string" },
    bot: { type: "boolean", default: false },
  },
});
const HOSTS = Number(values.hosts);
const PAIR_MS = Number(values.pair) * 1_000;
const SERVERS = Number(values.servers);
const WAITING = Number(values.waiting);
const RUN_MS = Number(values.minutes) * 60_000;
const PEOPLE_OF_A_SERVER = 50;
/** Of a pair, the share of its rewrite. */
const TEXT_SHARE = 0.05;
const PROCESSES = 4;

const random = randomFrom(19);
/** A number below `most`, the n-th as often as n to the power of -1.5. */
function skewed(most) {
  for (;;) {
    const number = Math.floor((1 - random()) ** -2) - 1;
    if (number < most) return number;
  }
}
const sorted = (list) => [...list].sort((a, b) => a - b);
const at = (list, share) => sorted(list)[Math.floor(share * (list.length - 1))] ?? Number.NaN;
const spread = (list, unit, digits = 1) =>
  `median ${at(list, 0.5).toFixed(digits)} ${unit}, 95th percentile ${at(list, 0.95).toFixed(digits)}, 99th ${at(list, 0.99).toFixed(digits)}, most ${at(list, 1).toFixed(digits)}`;
const load = () => `load ${loadavg()[0].toFixed(1)}`;

const folder = mkdtempSync(join(tmpdir(), "bench-fleet-"));
const pictures = join(folder, "pictures");
mkdirSync(pictures);
const picture = join(folder, "picture.png");
await sharp({ create: { width: 64, height: 64, channels: 3, background: "#446688" } })
  .png()
  .toFile(picture);

const { server, query } = await postgresServer({ fsync: "on", max_connections: "1000" });
/** Each run has a database of its own. */
let databases = 0;
async function newDatabase() {
  const name = `fleet_${++databases}`;
  await query(server.url, `create database ${name}`);
  return server.url.replace(/\/postgres$/, `/${name}`);
}

/** Processor milliseconds of the server's processes, also of those that have ended. */
function serverCpuMs() {
  const fields = (pid) =>
    readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /, "")
      .split(" ");
  const parent = readdirSync("/proc").find((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(`port=${new URL(server.url).port}`);
    } catch {
      return false;
    }
  });
  let ticks = 0;
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = fields(pid);
      if (pid === parent) ticks += stat.slice(11, 15).reduce((sum, one) => sum + Number(one), 0);
      else if (stat[1] === parent) ticks += Number(stat[11]) + Number(stat[12]);
    } catch {
      // It has ended since it was listed.
    }
  }
  return ticks * 10;
}

async function startHosts(count, wish) {
  const names = Array.from({ length: count }, (_one, i) => `host-${i}`);
  const processes = Math.min(PROCESSES, count);
  const children = await Promise.all(
    Array.from({ length: processes }, async (_one, i) => {
      const child = fork(fileURLToPath(new URL("./support/scripted-hosts.mjs", import.meta.url)));
      child.send({ start: { ...wish, names: names.filter((_name, n) => n % processes === i) } });
      await once(child, "message");
      return child;
    }),
  );
  return async () => {
    const told = await Promise.all(
      children.map(async (child) => {
        child.send({ end: true });
        const [said] = await once(child, "message");
        return said;
      }),
    );
    for (const { problems } of told) for (const problem of problems.slice(0, 3)) console.error(problem);
    return {
      claims: told.flatMap(({ claims }) => claims),
      roundTrips: told.reduce((sum, one) => sum + one.roundTrips, 0),
      cpuMs: told.reduce((sum, one) => sum + one.cpuMs, 0),
      problems: told.reduce((sum, one) => sum + one.problems.length, 0),
    };
  };
}

let asked = 0;
const newJob = (guild, person) => ({
  kind: "compare",
  origin: {
    userId: `${guild}-${person}`,
    guildId: `guild-${guild}`,
    channelId: "channel",
    locale: "en-US",
    applicationId: "application",
    interactionId: `interaction-${++asked}`,
    interactionToken: "token",
    tokenExpiresAt: 0,
  },
  text: DEFAULT_TEXT_OPTIONS,
  image: { ...DEFAULT_IMAGE_OPTIONS, guidance: 7.5, seed: asked },
  items: [{ prompt: `A cat in the rain, number ${asked}`, rewrite: null }],
});
const wishOf = (url, pairMs) => ({
  url,
  pictures,
  picture,
  rewriteMs: pairMs * TEXT_SHARE,
  pictureMs: (pairMs * (1 - TEXT_SHARE)) / 2,
  // Loading takes no time here, so that a short run sees both phases.
  phaseMs: pairMs,
});

/** Seconds for the same jobs, by so many hosts. */
async function sum(hosts, jobs, pairMs) {
  const url = await newDatabase();
  const store = await postgresStore(url);
  for (let i = 0; i < jobs; i += 1) await store.queue.enqueue(newJob(i % 7, i % 11));
  const startedAt = performance.now();
  const end = await startHosts(hosts, wishOf(url, pairMs));
  while ((await query(url, "select 1 from jobs where finished_at is null limit 1")).length > 0)
    await delay(20);
  // Both from the rows: starting the processes is no work.
  const [{ ms }] = await query(url, "select (max(finished_at) - min(started_at))::float8 as ms from jobs");
  await end();
  await store.close();
  return { seconds: ms / 1_000, wallMs: performance.now() - startedAt };
}

async function compareHosts() {
  const [jobs, pairMs] = SMOKE ? [8, 400] : [64, 1_500];
  const one = await sum(1, jobs, pairMs);
  for (const hosts of [1, 2, 4]) {
    const { seconds } = hosts === 1 ? one : await sum(hosts, jobs, pairMs);
    const ideal = (jobs * pairMs) / 1_000 / hosts;
    console.log(
      `${jobs} pairs of ${pairMs / 1_000} s by ${hosts} host(s): ${seconds.toFixed(1)} s, ${(one.seconds / seconds).toFixed(2)} times the work of one (without a queue ${ideal.toFixed(1)} s), ${load()}`,
    );
  }
}

async function run() {
  const url = await newDatabase();
  const events = createEvents();
  const store = announced(await postgresStore(url, { maxWaiting: 1e6 }), events);
  const relay = new EventRelay({ url, events, heard: HEARD.bot });
  await relay.start();
  const { queue } = store;
  const enqueueMs = [];
  const people = new Set();
  const enqueue = async () => {
    const job = newJob(skewed(SERVERS), skewed(PEOPLE_OF_A_SERVER));
    people.add(job.origin.userId);
    const startedAt = performance.now();
    await queue.enqueue(job);
    enqueueMs.push(performance.now() - startedAt);
  };
  for (let i = 0; i < WAITING; i += 1) await enqueue();
  enqueueMs.length = 0;
  const openedAt = performance.now();
  await queue.open(100);
  const openMs = performance.now() - openedAt;

  const end = await startHosts(HOSTS, wishOf(url, PAIR_MS));
  const perSecond = (Number(values.load) * HOSTS * 1_000) / PAIR_MS;
  console.log(
    `${HOSTS} hosts of ${PAIR_MS / 1_000} s a pair, ${WAITING} jobs waiting, ${perSecond.toFixed(1)} new ones a second of ${people.size} people so far in ${SERVERS} servers`,
  );
  const startedAt = performance.now();
  const [before] = await query(url, "select (extract(epoch from clock_timestamp()) * 1000)::float8 as at");
  const cpuBefore = serverCpuMs();
  let connections = 0;
  for (let n = 0; performance.now() - startedAt < RUN_MS; n += 1) {
    await Promise.all([
      enqueue(),
      delay((-Math.log(1 - random()) * 1_000) / perSecond),
      n % 20 === 0 &&
        query(
          server.url,
          "select count(*)::int as count from pg_stat_activity where application_name like 'promptist%'",
        ).then(([{ count }]) => {
          connections = Math.max(connections, count);
        }),
    ]);
  }
  const seconds = (performance.now() - startedAt) / 1_000;
  const cpuMs = serverCpuMs() - cpuBefore;
  const jobs = await query(
    url,
    `select user_id as "user", created_at::float8 as created, started_at::float8 as started, finished_at::float8 as finished, state from jobs`,
  );
  const { claims, roundTrips, problems, cpuMs: hostsMs } = await end();
  await relay.stop();
  await store.close();

  const done = jobs.filter(({ finished }) => finished !== null);
  const ofUser = Map.groupBy === undefined ? groupBy(jobs) : Map.groupBy(jobs, ({ user }) => user);
  // Whoever had a job open at the beginning and still has one was never without.
  const served = [];
  for (const list of ofUser.values()) {
    const hadWork =
      list.some(({ created }) => created < before.at) && list.some(({ finished }) => finished === null);
    if (hadWork) served.push(list.filter(({ finished }) => finished !== null).length);
  }
  // A smoke run has nobody of whom that is so.
  const jain = (list) =>
    list.reduce((sum, x) => sum + x, 0) ** 2 / (list.length * list.reduce((sum, x) => sum + x * x, 0));
  const waits = (list) =>
    list.map(({ created, finished }) => (finished - Math.max(created, before.at)) / 1_000);
  const heavy = new Set(
    [...ofUser]
      .sort((a, b) => b[1].length - a[1].length)
      .slice(0, 10)
      .map(([user]) => user),
  );
  const found = claims.filter(({ isFound }) => isFound);
  console.log(
    `pairs: ${done.length} in ${seconds.toFixed(0)} s, ${((done.length / seconds / (HOSTS * 1_000)) * PAIR_MS * 100).toFixed(0)} % of what the cards can do, ${jobs.length - done.length} still open; problems: ${problems}; ${load()}`,
  );
  console.log(
    `claims: ${found.length} with a job, ${spread(
      found.map(({ ms }) => ms),
      "ms",
    )}; ${claims.length - found.length} without`,
  );
  console.log(`new jobs: ${spread(enqueueMs, "ms")}; open jobs listed in ${openMs.toFixed(0)} ms`);
  console.log(`from question to result: ${spread(waits(done), "s")}`);
  console.log(
    `  of the ten who asked for most: ${spread(waits(done.filter(({ user }) => heavy.has(user))), "s")}`,
  );
  console.log(
    `  of those who asked once: ${spread(waits(done.filter(({ user }) => ofUser.get(user).length === 1)), "s")}`,
  );
  console.log(
    `served of the ${served.length} who had work throughout: ${at(served, 0)} to ${at(served, 1)} jobs, Jain's index ${jain(served).toFixed(3)}`,
  );
  console.log(
    `database: ${(roundTrips / seconds).toFixed(0)} statements of hosts a second, ${(roundTrips / Math.max(1, done.length)).toFixed(0)} a pair, ${(cpuMs / seconds / 10).toFixed(0)} % of a core, ${(cpuMs / Math.max(1, done.length)).toFixed(0)} ms a pair; most connections ${connections}; all hosts together ${(hostsMs / seconds / 10).toFixed(0)} % of a core`,
  );
}

const groupBy = (jobs) => {
  const groups = new Map();
  for (const job of jobs) groups.set(job.user, [...(groups.get(job.user) ?? []), job]);
  return groups;
};

/** The same by people's commands in the local Discord, to the real bot without a card. */
async function runWithBot() {
  const url = await newDatabase();
  const local = await startLocalDiscord({
    page: false,
    spec: false,
    limits: { identifyMs: 0, cdnBytes: 2 ** 20 },
  });
  const { state } = local;
  const alice = [...state.users.values()].find(({ username }) => username === "alice");
  const channels = [];
  for (let i = 1; i < SERVERS; i += 1) {
    channels.push(state.addChannel(state.addGuild(`Server ${i}`, alice), "general").id);
    // Ids of one millisecond belong to one connection.
    if (i % 5 === 0) await delay(1);
  }
  const bot = startBot(
    folder,
    botEnvironment(local, join(folder, "bot"), {
      DATABASE_URL: url,
      ROLE: "bot",
      PICTURES: pictures,
      LOG_LEVEL: "warn",
    }),
    process.stderr,
  );
  try {
    await new Promise((resolve, reject) => {
      bot.child.stdout.on("data", (said) => String(said).includes("is ready") && resolve());
      bot.exited.then(([code]) => reject(new Error(`the bot ended with ${code}`)));
    });
    const end = await startHosts(HOSTS, wishOf(url, PAIR_MS));
    const perSecond = (Number(values.load) * HOSTS * 1_000) / PAIR_MS;
    const member = local.member("alice");
    const acknowledged = [];
    const results = [];
    const open = [];
    const startedAt = performance.now();
    let failed = 0;
    for (let n = 0; performance.now() - startedAt < RUN_MS; n += 1) {
      const askedAt = performance.now();
      open.push(
        member
          .slash(
            "compare",
            { prompt: `A cat, number ${n}`, seed: n },
            { channel: channels[skewed(channels.length)] },
          )
          .then(async (handle) => {
            acknowledged.push(performance.now() - askedAt);
            await handle.waitFor(
              (message) => message.attachments.length >= 1 && message.embeds[0]?.color === 0x22c55e,
              {
                timeoutMs: 20 * PAIR_MS + 60_000,
              },
            );
            results.push((performance.now() - askedAt) / 1_000);
          })
          .catch(() => {
            failed += 1;
          }),
      );
      await delay((-Math.log(1 - random()) * 1_000) / perSecond);
    }
    await Promise.all(open);
    const { claims } = await end();
    console.log(
      `by commands: ${open.length} in ${SERVERS} servers, ${perSecond.toFixed(1)} a second to ${HOSTS} hosts; ${failed} without a result; ${load()}`,
    );
    console.log(`  acknowledged: ${spread(acknowledged, "ms")}`);
    console.log(
      `  result: ${spread(results, "s")}; claims: ${spread(
        claims.filter(({ isFound }) => isFound).map(({ ms }) => ms),
        "ms",
      )}`,
    );
  } finally {
    bot.child.kill("SIGTERM");
    await bot.exited;
    await local.close();
  }
}

try {
  if (values.only !== "run" && !values.bot) await compareHosts();
  if (values.bot) await runWithBot();
  else if (values.only !== "sum") await run();
} finally {
  await server.remove();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}
