// Kills a bot, two worker hosts and their PostgreSQL again and again during a stream of commands, then counts what
// people got.
//
// All are the built program in processes of their own, with the miniature checkpoints; the database is a server of its
// own in a temporary folder, the local Discord runs here. Each blow is one of: SIGKILL of the bot or a worker, SIGSTOP
// of a worker for longer than its lease, every connection to the database cut, and a restart of the server, fast or as
// if its process had died. Who was killed starts again. Afterwards all may work in peace until nothing is open.
// Promise: each accepted command is one job and ends in exactly one message; no job is left or undelivered; a holder
// that was taken for dead overwrites nothing.
//
// Run: npm run build && node test/soak/fleet.mjs [--blows 40] [--seed 1] [--minutes 60]     (Linux, with PostgreSQL's programs)
import { createWriteStream, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { startLocalDiscord } from "local-discord/testing";
import { botEnvironment, QUICK_JOBS } from "../../bench/support/bot-environment.mjs";
import { postgresServer } from "../../bench/support/postgres.mjs";
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
const start = (name) =>
  startBot(
    folder,
    botEnvironment(local, join(folder, name), {
      ...QUICK_JOBS,
      IMAGE_STEPS: "20",
      DATABASE_URL: server.url,
      PICTURES: join(folder, "pictures"),
      ROLE: name === "bot" ? "bot" : "worker",
      ...(name === "bot" ? {} : { DISCORD_TOKEN: "" }),
    }),
    log,
  );
const running = new Map();
process.on("exit", () => {
  for (const { child } of running.values()) child.kill("SIGKILL");
});
function launch(name) {
  const program = { ...start(name), isReady: false };
  program.child.stdout.on("data", (said) => {
    program.isReady ||= String(said).includes("is ready");
  });
  running.set(name, program);
}

async function kill(name) {
  const { child, exited } = running.get(name);
  child.kill("SIGKILL");
  await exited;
  launch(name);
}

/** Each resolves when the blow is over and its victim lives again. */
const BLOWS = {
  "bot killed": () => kill("bot"),
  "worker killed": () => kill(pick(["one", "two"])),
  "worker frozen for longer than its lease": async () => {
    const { child } = running.get(pick(["one", "two"]));
    child.kill("SIGSTOP");
    await delay(LEASE_MS + between(3_000, 8_000));
    child.kill("SIGCONT");
  },
  "connections cut": () =>
    query(
      server.url,
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'promptist'",
    ),
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
const problems = [];
let startedInVain = 0;
const startedAt = performance.now();
try {
  launch("bot");
  await local.botOnline(60_000);
  launch("one");
  launch("two");
  const stop = new AbortController();
  const streaming = stream(stop.signal);
  const until = performance.now() + Number(flags.minutes) * 60_000;
  for (let blow = 0; blow < Number(flags.blows) && performance.now() < until; blow += 1) {
    await delay(between(1_000, 8_000));
    const name = pick(Object.keys(BLOWS));
    await BLOWS[name]();
    counts[name] += 1;
    for (const [who, { child, isReady }] of running)
      if (child.exitCode !== null) {
        // A start without a database is refused; systemd or Docker try again, as is done here.
        if (isReady) problems.push(`${who} ended by itself with ${child.exitCode} after "${name}"`);
        else startedInVain += 1;
        launch(who);
      }
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
  for (const { id, state, finished_at, delivered_at, failures } of jobs) {
    if (finished_at === null) problems.push(`job ${id} is stuck: ${state}`);
    else if (delivered_at === null) problems.push(`job ${id} was not delivered`);
    if (state === "failed") problems.push(`job ${id} failed: ${failures}`);
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
  for (const name of ["bot", "one", "two"]) {
    const { child, exited } = running.get(name);
    child.kill("SIGTERM");
    const [code] = await exited;
    if (code !== 0) problems.push(`${name} ended with ${code} after SIGTERM`);
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
  await local.close();
  await server.remove();
}
if (problems.length > 0) {
  console.log(`The logs are in ${folder}.`);
  process.exitCode = 1;
} else rmSync(folder, { recursive: true, force: true });
