// Strikes a bot, its standby, two worker hosts and their PostgreSQL again and again during a stream of commands, then
// counts what people got.
//
// All are the built program in processes of their own, with the miniature checkpoints; the database is a server of its
// own in a temporary folder behind a proxy, the local Discord runs here. Each blow is one of: SIGKILL of the bot at work or
// a worker, SIGTERM of the bot, SIGSTOP of either for longer than its lock or lease, every connection to the database cut
// by the server or by the network, a slow network, a restart of the server, fast or as if its process had died, and a full
// disk of the picture store. Who ended starts again. Afterwards all may work in peace until nothing is open.
// Promise: each accepted command is one job and ends in exactly one message; no job is left or undelivered; a holder
// that was taken for dead overwrites nothing.
//
// Run: npm run build && node test/soak/fleet.mjs [--blows 40] [--seed 1] [--minutes 60]     (Linux, with PostgreSQL's
// programs; the disk is filled only for root, who may mount one)
import { spawnSync } from "node:child_process";
import { createWriteStream, mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { startLocalDiscord } from "local-discord/testing";
import { botEnvironment, QUICK_JOBS } from "../../bench/support/bot-environment.mjs";
import { postgresServer } from "../../bench/support/postgres.mjs";
import { startProxy } from "../../bench/support/proxy.mjs";
import { LOCK_LIFE_MS } from "../../dist/db/postgres/instance.js";
import { LEASE_MS } from "../../dist/db/queue.js";
import { DEFERRED, isEnd, randomFrom, startBot, tryTo } from "./ledger.mjs";

const { values: flags } = parseArgs({
  options: {
    blows: { type: "string", default: "40" },
    seed: { type: "string", default: "1" },
    minutes: { type: "string", default: "60" },
  },
});
const MOST_OPEN = 8;

const problems = [];
let startedInVain = 0;
let replaced = 0;
const random = randomFrom(Number(flags.seed));
const between = (low, high) => low + random() * (high - low);
const pick = (list) => list[Math.floor(random() * list.length)];

const { server, query } = await postgresServer();
const folder = mkdtempSync(join(tmpdir(), "promptist-fleet-"));
const log = createWriteStream(join(folder, "log"));
const local = await startLocalDiscord({
  page: false,
  spec: false,
  limits: { identifyMs: 0, identifiesPerDay: 1e9, messagesPerChannel: 1e6 },
});
const proxy = await startProxy(new URL(server.url).port);
const url = new URL(server.url);
url.port = proxy.port;
const pictures = join(folder, "pictures");
mkdirSync(pictures);
const canFill =
  spawnSync("mount", ["-t", "tmpfs", "-o", "size=64m,mode=777", "none", pictures], { stdio: "ignore" })
    .status === 0;

const BOTS = ["bot", "other bot"];
const WORKERS = ["one", "two"];
const start = (name) =>
  startBot(
    folder,
    botEnvironment(local, join(folder, name), {
      ...QUICK_JOBS,
      IMAGE_STEPS: "20",
      DATABASE_URL: url.href,
      PICTURES: pictures,
      ...(BOTS.includes(name) ? { ROLE: "bot" } : { ROLE: "worker", DISCORD_TOKEN: "" }),
    }),
    log,
  );
const running = new Map();
process.on("exit", () => {
  for (const { child } of running.values()) child.kill("SIGKILL");
  if (canFill) spawnSync("umount", ["-l", pictures]);
});
function launch(name) {
  const program = { ...start(name), hasSpoken: false, isReady: false, isReplaced: false };
  program.child.stdout.on("data", (said) => {
    program.hasSpoken = true;
    program.isReady ||= String(said).includes("is ready");
  });
  program.child.stderr.on("data", (said) => {
    program.hasSpoken = true;
    program.isReplaced ||= String(said).includes("Another Promptist has taken the database");
  });
  running.set(name, program);
}

/** The bot at work; while the other one starts, any. */
const botAtWork = () => BOTS.find((name) => running.get(name).isReady) ?? BOTS[0];

async function end(name, signal) {
  const { child, exited, isReady } = running.get(name);
  child.kill(signal);
  const [code] = await exited;
  if (signal === "SIGTERM" && isReady && code !== 0)
    problems.push(`${name} ended with ${code} after SIGTERM`);
  launch(name);
}

async function freeze(name, ms) {
  const { child, exited } = running.get(name);
  child.kill("SIGSTOP");
  await delay(ms);
  child.kill("SIGCONT");
  // A bot that was replaced meanwhile sees it in a moment.
  if (BOTS.includes(name)) await Promise.race([exited, delay(5_000)]);
}

/** Starts who has ended by itself. */
function startAgain(blow) {
  for (const [who, { child, isReady, isReplaced }] of running) {
    if (child.exitCode === null) continue;
    // A start without a database is refused, and a bot that the standby replaced ends; systemd or Docker try again.
    if (isReplaced) replaced += 1;
    else if (isReady) problems.push(`${who} ended by itself with ${child.exitCode} after "${blow}"`);
    else startedInVain += 1;
    launch(who);
  }
}

/** Each resolves when the blow is over; who ended by it is started again. */
const BLOWS = {
  "bot killed": () => end(botAtWork(), "SIGKILL"),
  "bot stopped": () => end(botAtWork(), "SIGTERM"),
  "bot frozen for longer than its lock": () => freeze(botAtWork(), LOCK_LIFE_MS + between(1_000, 6_000)),
  "worker killed": () => end(pick(WORKERS), "SIGKILL"),
  "worker frozen for longer than its lease": () => freeze(pick(WORKERS), LEASE_MS + between(3_000, 8_000)),
  "connections cut by the server": () =>
    query(
      server.url,
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'promptist%'",
    ),
  "connections cut by the network": async () => proxy.cut(),
  "network slow": async () => {
    proxy.slow(between(50, 400));
    await delay(between(2_000, 8_000));
    proxy.slow(0);
  },
  "database restarted": async () => {
    await server.stop("fast");
    await delay(between(0, 4_000));
    await server.start();
  },
  "database killed": async () => {
    await server.stop("immediate");
    await delay(between(0, 4_000));
    await server.start();
  },
  ...(canFill
    ? {
        "disk of the pictures full": async () => {
          const { bavail, bsize } = statfsSync(pictures);
          const filler = join(pictures, "filler");
          try {
            writeFileSync(filler, Buffer.alloc(bavail * bsize));
          } catch (error) {
            // A picture that is stored meanwhile takes the last room.
            if (error.code !== "ENOSPC") throw error;
          }
          await delay(between(1_000, 5_000));
          rmSync(filler);
        },
      }
    : {}),
};

const people = ["alice", "bob", "admin"].map((name) => local.member(name));
const commands = [];
const finals = ({ handle, job }) =>
  [...local.state.messages.values()].filter(
    (message) =>
      message.authorId === local.state.bot.id &&
      isEnd(message) &&
      (message.interactionId === handle.id ||
        (job !== undefined && String(message.nonce ?? "").startsWith(job.id))),
  );
const open = () => commands.filter((it) => it.handle !== null && finals(it).length === 0);

async function send() {
  const number = commands.length;
  const prompt = `A cat, number ${number}`;
  const name = pick(["compare", "compare", "optimize"]);
  const handle = await tryTo(
    pick(people).slash(name, name === "compare" ? { prompt, seed: number } : { prompt }, {
      channel: "general",
    }),
  );
  if (handle !== null && handle.record.answer === DEFERRED) commands.push({ handle });
}

async function stream(stop) {
  while (!stop.aborted) {
    await delay(between(100, 900));
    if (!local.state.botOnline || !people[0].commands().includes("compare")) continue;
    if (open().length < MOST_OPEN) await send();
  }
}

const counts = Object.fromEntries(Object.keys(BLOWS).map((name) => [name, 0]));
const startedAt = performance.now();
try {
  launch("bot");
  await local.botOnline(60_000);
  for (const name of [BOTS[1], ...WORKERS]) launch(name);
  const stop = new AbortController();
  const streaming = stream(stop.signal);
  const until = performance.now() + Number(flags.minutes) * 60_000;
  for (let blow = 0; blow < Number(flags.blows) && performance.now() < until; blow += 1) {
    await delay(between(1_000, 8_000));
    const name = pick(Object.keys(BLOWS));
    await BLOWS[name]();
    counts[name] += 1;
    startAgain(name);
  }
  stop.abort();
  await streaming;

  const countOpen = async () => {
    const [{ open }] = await query(
      server.url,
      "select count(*)::int as open from jobs where finished_at is null or (delivered_at is null and delivery_abandoned is null)",
    );
    return open;
  };
  for (const end = performance.now() + 240_000; (await countOpen()) > 0 && performance.now() < end; )
    await delay(500);
  await local.quiet({ idleMs: 1_000, timeoutMs: 30_000 });
  const jobs = await query(server.url, "select * from jobs");
  let outOfRoom = 0;
  for (const { id, state, finished_at, delivered_at, failures } of jobs) {
    if (finished_at === null) problems.push(`job ${id} is stuck: ${state}`);
    else if (delivered_at === null) problems.push(`job ${id} was not delivered`);
    if (state === "failed") {
      if (!JSON.stringify(failures).includes("DISK_FULL"))
        problems.push(`job ${id} failed: ${JSON.stringify(failures)}`);
      else outOfRoom += 1;
    }
  }
  const byInteraction = new Map(jobs.map((job) => [job.interaction_id, job]));
  let lost = 0;
  let doubled = 0;
  for (const command of commands) {
    command.job = byInteraction.get(command.handle.id);
    const messages = finals(command);
    if (messages.length === 0) lost += 1;
    if (messages.length > 1) doubled += 1;
  }
  startAgain("the last blow");
  // The standby first, or it would take over.
  for (const name of [...BOTS.filter((bot) => bot !== botAtWork()), botAtWork(), ...WORKERS]) {
    const { child, exited, hasSpoken } = running.get(name);
    child.kill("SIGTERM");
    const [code] = await exited;
    // What the last blow made start again may not listen to signals yet.
    if (code !== 0 && hasSpoken) problems.push(`${name} ended with ${code} after SIGTERM`);
  }
  if (lost + doubled > 0) problems.push(`${lost} commands without an end, ${doubled} with several`);
  const attempts = jobs.map(({ attempt, kind }) => Number(attempt) - (kind === "compare" ? 2 : 1));
  console.log(
    JSON.stringify(
      {
        blows: counts,
        seconds: Math.round((performance.now() - startedAt) / 1_000),
        commands: commands.length,
        jobs: jobs.length,
        lost,
        doubled,
        "starts while the database was away": startedInVain,
        "bots that the standby replaced while they lived": replaced,
        "jobs that found no room for their pictures": outOfRoom,
        "jobs begun again": attempts.filter((more) => more > 0).length,
        problems,
      },
      null,
      2,
    ),
  );
} finally {
  for (const { child, exited } of running.values()) {
    child.kill("SIGKILL");
    await exited;
  }
  proxy.close();
  await local.close();
  await server.remove();
}
if (canFill) spawnSync("umount", ["-l", pictures]);
if (problems.length > 0) {
  console.log(`The logs are in ${folder}.`);
  process.exitCode = 1;
} else rmSync(folder, { recursive: true, force: true });
