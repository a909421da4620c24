// Kills the bot again and again during a stream of commands, then counts what people got.
//
// The bot is the built program in its own process, with the miniature checkpoints; the local Discord runs
// here, so it survives every kill and sees everything. People use /compare, /optimize and /batch with its
// Start, press Cancel, and "New seed" under results. Each round starts the bot and ends it with SIGKILL:
// after a random time, or at the very moment when Discord has handled one of its requests and the bot does
// not know yet. In four of ten rounds the worker is killed, frozen or run out of memory first, or the whole
// bot is frozen for a while. Afterwards the bot may work in peace until nothing is open, and has to stop
// within 5 s. Promise: each accepted command ends in exactly one message with a result, a failure or a
// cancellation; a Start that Discord showed as accepted made a job, unless its bot was killed right then (the
// draft keeps its Start); no job is left; the database is intact; a worker that its bot left behind, frozen or
// not, is gone when the next bot is ready.
//
// Run: npm run build && node test/soak/kill.mjs [--kills 300] [--seed 1] [--minutes 240] [--verbose]     (Linux: it freezes processes)
// Ctrl+C ends the kills early; the peaceful end and the count follow all the same.
import { execFileSync } from "node:child_process";
import { createWriteStream, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { startLocalDiscord } from "local-discord/testing";
import { botEnvironment, QUICK_JOBS } from "../../bench/support/bot-environment.mjs";
import {
  DEFERRED,
  DEFERRED_UPDATE,
  endOf,
  hasButton,
  hasFinalColor,
  Ledger,
  randomFrom,
  startBot as start,
  tryTo,
} from "./ledger.mjs";

const { values: flags } = parseArgs({
  options: {
    kills: { type: "string", default: "300" },
    seed: { type: "string", default: "1" },
    // No new round after this many minutes, however many kills there were.
    minutes: { type: "string", default: "240" },
    verbose: { type: "boolean", default: false },
  },
});
const KILLS = Number(flags.kills);
/** A press that was accepted this long before its bot was killed must have been done. */
const DONE_WITHIN_MS = 1_000;
/** A frozen bot does nothing for up to this long. */
const FROZEN_AT_MOST_MS = 4_000;
/** Limit of open commands, so that the stream is as fast as the killed bot can serve it. */
const MOST_OPEN = 12;
const STOP_MS = 5_000;
const TOKEN_MS = 25_000;

const random = randomFrom(Number(flags.seed));
const between = (low, high) => low + random() * (high - low);
const pick = (list) => list[Math.floor(random() * list.length)];

const folder = mkdtempSync(join(tmpdir(), "promptist-kill-"));
const log = createWriteStream(join(folder, "bot.log"));
const local = await startLocalDiscord({
  page: false,
  spec: false,
  // A bot that starts every few seconds would have to wait for the gateway and use up the day's sessions.
  // Tokens expire so early that many results come later and go to the channel.
  limits: { identifyMs: 0, identifiesPerDay: 1e9, messagesPerChannel: 1e6, tokenMs: TOKEN_MS },
});
const environment = botEnvironment(local, join(folder, "data"), {
  ...QUICK_JOBS,
  WORKER_SILENCE_MS: "10000",
  PHASE_MS: "4000",
});
const ledger = new Ledger(local, join(folder, "data"));

let enough = false;
process.once("SIGINT", () => {
  enough = true;
});

const counts = {
  kills: 0,
  "worker killed": 0,
  "worker frozen": 0,
  "worker without memory": 0,
  "bot frozen": 0,
};
const moments = {};
const commands = [];
let bot = null;
/** The workers of bots that were killed, until they are seen to be gone. */
const orphans = new Set();
process.on("exit", () => {
  bot?.child.kill("SIGKILL");
  for (const worker of orphans) if (isWorker(worker)) signal(worker, "SIGKILL");
});

const startBot = () => ({
  ...start(folder, environment, log),
  workers: new Set(),
  patienceMs: DONE_WITHIN_MS,
});

/** Processes whose parent is `pid`. */
function childrenOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);
  } catch (error) {
    if (error.code === "ENOENT" || error.code === "ESRCH") return [];
    throw error;
  }
}

function signal(pid, name) {
  try {
    process.kill(pid, name);
    return true;
  } catch (error) {
    if (error.code === "ESRCH") return false;
    throw error;
  }
}

/** Whether this process is a worker that has not ended; a zombie has no command line. */
function isWorker(pid) {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("worker.js");
  } catch (error) {
    if (error.code === "ENOENT" || error.code === "ESRCH") return false;
    throw error;
  }
}

/** Looks at the next READY whether the workers of earlier bots are gone; the returned function gives it up. */
function expectNoneLeftBehind() {
  const before = [...orphans];
  const unsubscribe = local.transcript.subscribe((entry) => {
    if (!MOMENTS["at READY"](entry)) return;
    unsubscribe();
    for (const worker of before) {
      if (isWorker(worker)) problems.push(`worker ${worker} outlived the start of the next bot`);
      else orphans.delete(worker);
    }
  });
  return unsubscribe;
}

/** Harms the bot's worker, or freezes the bot; returns whether there was one. */
function assault(running) {
  const [worker] = childrenOf(running.child.pid);
  if (worker === undefined) return false;
  const kind = pick([
    "worker killed",
    "worker killed",
    "worker frozen",
    "worker without memory",
    "bot frozen",
  ]);
  if (kind === "bot frozen") {
    signal(running.child.pid, "SIGSTOP");
    const until = between(200, FROZEN_AT_MOST_MS);
    running.patienceMs += FROZEN_AT_MOST_MS;
    setTimeout(() => signal(running.child.pid, "SIGCONT"), until);
    counts[kind] += 1;
    return true;
  }
  running.workers.add(worker);
  if (kind === "worker killed" && !signal(worker, "SIGKILL")) return false;
  // Before it has become a worker it is a copy of the bot, which no start looks for.
  if (kind === "worker frozen" && !(isWorker(worker) && signal(worker, "SIGSTOP"))) return false;
  if (kind === "worker without memory") {
    // It keeps the memory it has; the next large allocation fails, as on a full machine.
    const pages = Number(readFileSync(`/proc/${worker}/statm`, "utf8").split(" ")[0]);
    execFileSync("prlimit", ["--pid", String(worker), `--as=${pages * 4096 + Math.round(between(0, 4e6))}`]);
  }
  counts[kind] += 1;
  return true;
}

/**
 * Waits a random while, then until there is a worker, and harms it; gives up after some seconds or with the
 * bot.
 */
async function assaultOnce(running) {
  await local.botOnline(60_000);
  await delay(between(0, 1_500));
  for (let tries = 0; tries < 200 && running.child.exitCode === null; tries += 1) {
    if (assault(running)) return;
    await delay(50);
  }
}

/** Resolves as soon as the transcript shows an entry that satisfies `wanted`. */
function seen(wanted, stop) {
  return new Promise((resolve) => {
    const unsubscribe = local.transcript.subscribe((entry) => {
      if (!wanted(entry)) return;
      unsubscribe();
      resolve("seen");
    });
    stop.addEventListener("abort", () => {
      unsubscribe();
      resolve("not seen");
    });
  });
}

const isResult = ({ kind, method, request }) =>
  kind === "rest" && (method === "PATCH" || method === "POST") && hasFinalColor(request);
/** Moments to kill at: Discord has handled the request but not answered yet. */
const MOMENTS = {
  "after the acknowledgement": ({ kind, path }) => kind === "rest" && path.endsWith("/callback"),
  "after a result": isResult,
  "after a status": (entry) => entry.kind === "rest" && entry.method === "PATCH" && !isResult(entry),
  "at READY": ({ kind, event }) => kind === "gateway" && event === "READY",
};

const OFTEN = [
  "after a result",
  "after a result",
  "after a result",
  "after a status",
  "after a status",
  "after the acknowledgement",
  "at READY",
];

const people = ["alice", "bob", "admin"].map((name) => local.member(name));

/** Commands that Discord received, however they were answered, and that have not ended. */
const openCommands = () =>
  commands.filter(
    (it) => it.state === "sent" || (it.state === "accepted" && !isLeft(it) && ledger.finals(it).length === 0),
  );

/** A batch that stays a draft: its Start was pressed, and no job came of it. */
const isLeft = (command) => command.start !== undefined && ledger.jobsOf(command).length === 0;

/** The message once it has this button, or null if it doesn't get it in time. */
const buttonOf = (handle, label) =>
  handle.waitFor((it) => hasButton(it, label), { timeoutMs: 20_000 }).catch(() => null);

/**
 * Presses Start once. Whoever is shown that nothing came of it may press again; whoever is shown that it was
 * accepted won't, so then it must have been done.
 */
async function startBatch(person, command) {
  const { handle } = command;
  await handle.done({ timeoutMs: 600_000 });
  await delay(between(0, 1_000));
  if (!hasButton(handle.message, "Start")) return;
  const running = bot;
  const press = await tryTo(person.press(handle.message, "Start"));
  if (press !== null) command.ids.push(press.id);
  const isAccepted = press !== null && press.record.answer === DEFERRED_UPDATE;
  command.start = { isAccepted, running, at: performance.now() };
}

function send() {
  const person = pick(people);
  const number = commands.length;
  const name = pick(["compare", "compare", "optimize", "optimize", "batch"]);
  const channel = pick(["general", "gallery", "dm"]);
  const prompt = `A cat, number ${number}`;
  const options = {
    compare: { prompt, seed: number, ...(random() < 0.3 ? { pairs: 2 } : {}) },
    optimize: { prompt },
    batch: { file: { name: "prompts.txt", data: `${prompt}\n${prompt}, a second` } },
  };
  const command = note(name, () => person.slash(name, options[name], { channel }));
  command.answered.then(async (handle) => {
    if (handle === null) return;
    if (name === "batch") {
      await startBatch(person, command);
      command.started = true;
    } else if (random() < 0.08) {
      const shown = await buttonOf(handle, "Cancel");
      if (shown !== null) await tryTo(person.press(shown, "Cancel"));
    } else if (name === "compare" && random() < 0.1) {
      const result = await buttonOf(handle, "New seed");
      if (result !== null) note("New seed", () => person.press(result, "New seed"));
    }
  });
}

/** Records a command or press that asks for a job, from the moment it is sent. */
function note(name, use) {
  const command = { name, state: "sent", handle: null, ids: [], number: commands.length };
  commands.push(command);
  command.answered = tryTo(use()).then((handle) => {
    command.handle = handle;
    command.state =
      handle === null ? "not answered" : handle.record.answer === DEFERRED ? "accepted" : "refused";
    if (handle !== null) command.ids.push(handle.id);
    return command.state === "accepted" ? handle : null;
  });
  return command;
}

async function stream(signalStop) {
  while (!signalStop.aborted) {
    await delay(between(50, 700));
    const ready = local.state.botOnline && people[0].commands().includes("compare");
    if (!ready) continue;
    // A result after its token's end names only its job, and so does a batch after its Start.
    ledger.readJobIds();
    if (openCommands().length < MOST_OPEN) send();
  }
}

async function round() {
  const running = startBot();
  bot = running;
  const stopWatching = expectNoneLeftBehind();
  const stop = new AbortController();
  if (random() < 0.4) await assaultOnce(running);
  const longest = pick([1_000, 3_000, 6_000, 12_000]);
  // Some kills hit the start; most are timed from when the bot is ready, however slow the machine.
  const atStart = random() < 0.2;
  const timed = async () => {
    if (!atStart) await local.botOnline(60_000);
    await delay(between(50, longest), undefined, { signal: stop.signal });
  };
  const name = random() < 0.6 ? pick(OFTEN) : null;
  let moment = "after a time";
  if (name !== null) {
    const nth = Math.ceil(between(0, 2));
    const many = (async () => {
      for (let i = 0; i < nth; i += 1) if ((await seen(MOMENTS[name], stop.signal)) !== "seen") return "none";
      return "seen";
    })();
    const limit = local
      .botOnline(60_000)
      .then(() => delay(8_000, "none", { signal: stop.signal }))
      .catch(() => "none");
    if ((await Promise.race([many, limit, running.exited])) === "seen") moment = name;
  } else {
    await Promise.race([timed().catch(() => {}), running.exited]);
    if (atStart) moment = "at the start";
  }
  if (running.child.exitCode !== null)
    throw new Error(`the bot ended by itself with ${running.child.exitCode}; see ${folder}/bot.log`);
  for (const worker of childrenOf(running.child.pid)) running.workers.add(worker);
  signal(running.child.pid, "SIGKILL");
  running.killedAt = performance.now();
  stop.abort();
  counts.kills += 1;
  moments[moment] = (moments[moment] ?? 0) + 1;
  await running.exited;
  stopWatching();
  for (const worker of running.workers) orphans.add(worker);
}

const started = performance.now();
const stopStream = new AbortController();
const streaming = stream(stopStream.signal);
const problems = [];
try {
  const end = performance.now() + Number(flags.minutes) * 60_000;
  for (let i = 0; i < KILLS && !enough && performance.now() < end; i += 1) {
    await round();
    if (flags.verbose && (i + 1) % 10 === 0) {
      const states = commands.map(({ state }) => state);
      const of = (state) => states.filter((it) => it === state).length;
      console.error(
        `${i + 1} kills, ${Math.round((performance.now() - started) / 1000)} s, ${commands.length} commands: ${of("accepted")} accepted, ${openCommands().length} open`,
      );
    }
  }
  stopStream.abort();
  await streaming;

  // Without kills, everything open must finish.
  const last = startBot();
  bot = last;
  expectNoneLeftBehind();
  const deadline = performance.now() + 240_000;
  await local.botOnline(60_000);
  const waiting = () =>
    commands.filter(
      ({ name, state, started }) =>
        state === "sent" || (name === "batch" && state === "accepted" && !started),
    );
  while ((ledger.countOpen() > 0 || waiting().length > 0) && performance.now() < deadline) await delay(250);
  for (const { name, number, state, handle } of waiting())
    problems.push(`${name} ${number} still waits (${state}): ${JSON.stringify(handle?.message?.embeds)}`);
  await local.quiet({ idleMs: 1_000, timeoutMs: 30_000 });
  const asked = performance.now();
  last.child.kill("SIGTERM");
  const [code] = await last.exited;
  const stopMs = Math.round(performance.now() - asked);
  if (code !== 0 || stopMs > STOP_MS) problems.push(`SIGTERM: exit code ${code} after ${stopMs} ms`);
  if (local.state.botOnline) problems.push("the bot did not say goodbye to the gateway");

  // Count.
  const { integrity, jobs, problems: inDatabase } = ledger.database();
  problems.push(...inDatabase);
  ledger.readJobIds();
  const kinds = {};
  const ends = { done: 0, failed: 0, cancelled: 0, told: 0 };
  const starts = { pressed: 0, "not answered": 0, "cut by a kill": 0, "accepted and not done": 0 };
  let lost = 0;
  let doubled = 0;
  const accepted = commands.filter(({ state }) => state === "accepted");
  for (const command of accepted) {
    const messages = ledger.finals(command);
    kinds[command.name] = (kinds[command.name] ?? 0) + 1;
    const made = ledger.jobsOf(command);
    if (made.length > 1) problems.push(`${command.name} ${command.number} became ${made.length} jobs`);
    if (command.start !== undefined) starts.pressed += 1;
    if (isLeft(command) && hasButton(command.handle.message, "Start")) {
      const { isAccepted, running, at } = command.start;
      const how = !isAccepted
        ? "not answered"
        : running.killedAt - at < running.patienceMs
          ? "cut by a kill"
          : "accepted and not done";
      starts[how] += 1;
      if (how === "accepted and not done")
        problems.push(`${command.name} ${command.number}: Start was accepted and not done`);
    } else if (messages.length === 0) {
      lost += 1;
      const reply = local.state.messages.get(command.handle.record.originalMessageId);
      problems.push(
        `${command.name} ${command.number} (job ${made[0] ?? "none"}) has no end: ${JSON.stringify(reply?.embeds[0] ?? reply?.flags)}`,
      );
    } else if (messages.length > 1) {
      doubled += 1;
      problems.push(`${command.name} ${command.number} ended ${messages.length} times`);
    } else {
      ends[endOf(messages[0])] += 1;
    }
  }
  const { posted, problems: inPictures } = ledger.pictures();
  problems.push(...inPictures);
  for (const worker of orphans)
    if (isWorker(worker)) problems.push(`worker ${worker} outlived its bot and the next one`);
  const leftBehind = readFileSync(join(folder, "bot.log"), "utf8").match(
    /which an earlier run of the bot left behind/g,
  );
  // A short run may have made no picture.
  const made = join(folder, "data", "pictures");
  const leftovers = existsSync(made)
    ? readdirSync(made, { recursive: true }).filter((name) => name.endsWith(".tmp"))
    : [];

  const report = {
    ...counts,
    moments,
    commands: commands.length,
    accepted: accepted.length,
    kinds,
    notAccepted: commands.length - accepted.length,
    ends,
    starts,
    jobs,
    pairsAndSheets: posted,
    lost,
    doubled,
    integrity,
    workersLeftBehindAndEnded: leftBehind?.length ?? 0,
    unfinishedPictureFiles: leftovers.length,
    stopMs,
    seconds: Math.round((performance.now() - started) / 1000),
    seed: Number(flags.seed),
    problems,
  };
  console.log(JSON.stringify(report, null, 2));
} catch (error) {
  problems.push(String(error.stack ?? error));
  console.error(error);
} finally {
  stopStream.abort();
  if (bot !== null && bot.child.exitCode === null && bot.child.signalCode === null) {
    bot.child.kill("SIGKILL");
    await bot.exited;
  }
  await local.close();
  if (problems.length === 0) rmSync(folder, { recursive: true, force: true });
  else console.error(`Kept for a look: ${folder}`);
}
process.exit(problems.length === 0 ? 0 : 1);
