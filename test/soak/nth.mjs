// Fails the n-th call, for each n: in each trial one /batch of three with its Start, one /compare and one
// /optimize are used once each while one call of the bot fails, once. Then the bot starts again cleanly, and
// each accepted command must have ended exactly once.
//
// Kinds of calls: SQL statements that write (with BEGIN, COMMIT and the migrations of an empty database), REST
// calls to the local Discord, and calls that write files, of the bot and of its workers. A call fails in one
// of the modes below. The bot is the built program in its own process with the miniature; fail-at.mjs, which
// is preloaded, counts its calls and breaks one. The local Discord runs here and survives.
//
// Run: npm run build && node test/soak/nth.mjs --all [--record FILE]
//   --kind KIND            these calls only: sql, rest, file, or "bot file", "worker file"
//   --only KIND/MODE/N     one trial, as a problem names it: --only "sql/killed after/12"
//   --slice HASH/COUNT     every COUNT-th trial; HASH, hexadecimal, says where to begin
//   --seed N, --from N     the order of the trials; leave out those before the N-th
//   --seconds N            begin no trial after this time (after --at-least N trials)
//   --at-once N            trials at the same time
//   --record FILE          add each finished trial to FILE (JSON lines), and don't repeat those that are there
import {
  appendFileSync,
  cpSync,
  createWriteStream,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from "node:fs";
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
  Ledger,
  randomFrom,
  startBot,
  tryTo,
} from "./ledger.mjs";

const KILLS = ["killed before", "killed after"];
const MODES = {
  sql: [...KILLS, "SQLITE_FULL", "SQLITE_IOERR"],
  rest: [...KILLS, "cut before", "cut after", "500", "503"],
  "bot file": [...KILLS, "ENOSPC", "EIO"],
  // "both": the worker and its bot.
  "worker file": [...KILLS, "both killed before", "both killed after", "ENOSPC", "EIO"],
};
const PRELOAD = new URL("./fail-at.mjs", import.meta.url).href;
/** A trial in which work is left after this long is stuck; on a busy machine one takes a minute. */
const STUCK_MS = 240_000;
/** A command that has not ended this long after the bot's last work is lost. */
const LOST_MS = 20_000;
/** A press that was accepted this long before its bot was killed must have been done. */
const DONE_WITHIN_MS = 1_000;
const LOOK_MS = 40;
/** Where the bot keeps what it compiled; trials that fail no file call begin with it. */
const COMPILED = "graphs";

const { values: flags } = parseArgs({
  options: {
    all: { type: "boolean", default: false },
    kind: { type: "string" },
    only: { type: "string" },
    slice: { type: "string" },
    seed: { type: "string", default: "1" },
    from: { type: "string", default: "0" },
    seconds: { type: "string", default: "1e9" },
    "at-least": { type: "string", default: "0" },
    "at-once": { type: "string", default: "1" },
    record: { type: "string" },
  },
});
if (!flags.all && flags.only === undefined && flags.slice === undefined) {
  console.error("Say --all, --slice HASH/COUNT or --only KIND/MODE/N.");
  process.exit(2);
}

const living = new Set();
process.on("exit", () => {
  for (const child of living) child.kill("SIGKILL");
});
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));

/** What a trial found wrong; `type` is its column in the table. */
class Problem extends Error {
  constructor(type, message) {
    super(message);
    this.type = type;
  }
}

/** One run of the commands, and everything that belongs to it. */
class Trial {
  #plan;
  #folder = mkdtempSync(join(tmpdir(), "promptist-nth-"));
  #trace = join(this.#folder, "calls");
  #dataDir = join(this.#folder, "data");
  #log = createWriteStream(join(this.#folder, "bot.log"));
  #deadline = performance.now() + STUCK_MS;
  #commands = [];
  #problems = [];
  #restCalls = [];
  /** What people were told instead of a result. */
  #words = [];
  #hasFired = false;
  #idleSince = null;
  #local;
  #ledger;
  #bot;

  /** @param plan the call that fails: { kind, mode, n }, or null to count the calls */
  constructor(plan) {
    this.#plan = plan;
  }

  /** Does it all; `compiled` is a folder with compiled graphs, or null. */
  async run(compiled) {
    this.#local = await startLocalDiscord({
      page: false,
      spec: false,
      limits: { identifyMs: 0, identifiesPerDay: 1e9, messagesPerChannel: 1e6 },
    });
    this.#ledger = new Ledger(this.#local, this.#dataDir);
    this.#failRest();
    if (compiled !== null) cpSync(compiled, join(this.#dataDir, COMPILED), { recursive: true });
    let ends = {};
    try {
      this.#start({ isClean: false });
      await this.#useCommands();
      await this.#stopAndLookAgain();
      ends = this.#count();
    } catch (error) {
      this.#problem(error.type ?? "broken", error.type === undefined ? error.stack : error.message);
    } finally {
      await this.#end();
    }
    return { ends, words: this.#words, problems: this.#problems, ...this.#calls() };
  }

  get dataDir() {
    return this.#dataDir;
  }

  remove() {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #problem(type, message) {
    this.#problems.push({ type, message: `${message} (kept: ${this.#folder})` });
  }

  /** Starts the bot, and starts it cleanly when the fault has ended it. */
  #start({ isClean }) {
    const environment = botEnvironment(this.#local, this.#dataDir, {
      ...QUICK_JOBS,
      IMAGE_STEPS: "1",
      WORKER_SILENCE_MS: "20000",
    });
    if (!isClean) {
      environment.NODE_OPTIONS = `--import ${PRELOAD}`;
      environment.FAIL_AT = JSON.stringify({ trace: this.#trace, ...this.#plan });
    }
    const bot = { ...startBot(this.#folder, environment, this.#log), isClean, isReady: false };
    let said = "";
    bot.child.stdout.on("data", (text) => {
      if (bot.isReady) return;
      said += text;
      bot.isReady = said.includes("is ready");
    });
    bot.exited.then(([code, signal]) => {
      bot.end = { at: performance.now(), code, signal };
      if (bot.isStopped) return;
      if (isClean) this.#problem("broken", `the bot ended by itself with ${signal ?? code} and no fault`);
      else this.#start({ isClean: true });
    });
    this.#bot = bot;
    living.add(bot.child);
    bot.exited.then(() => living.delete(bot.child));
  }

  /** Lets the n-th REST call fail. */
  #failRest() {
    const { rest } = this.#local.parts;
    const usual = rest.intercept;
    const { kind, mode, n } = this.#plan ?? {};
    rest.intercept = async (call) => {
      if (this.#bot.isClean) return usual(call);
      this.#restCalls.push(`${call.method} ${call.path}`);
      if (kind !== "rest" || this.#restCalls.length !== n || this.#hasFired) return usual(call);
      this.#hasFired = true;
      if (mode.startsWith("killed")) {
        const answer = mode === "killed after" ? await call.run() : { status: 0, body: null };
        const { child, exited } = this.#bot;
        child.kill("SIGKILL");
        await exited;
        return { ...answer, hangUp: true };
      }
      const fault = mode.startsWith("cut") ? { close: mode.slice("cut ".length) } : { status: Number(mode) };
      this.#local.faults.onRest(call.method, /^/, fault);
      return usual(call);
    };
  }

  /** Polls until `look` is true; throws Problem when it takes too long, or the bot cannot go on. */
  async #until(what, look) {
    // A look at once would take a bot that was just killed for one that lives.
    do {
      await delay(LOOK_MS);
      if (this.#problems.length > 0) throw new Problem("broken", `no ${what}`);
      if (performance.now() > this.#deadline) throw new Problem("stuck", `waited ${STUCK_MS} ms for ${what}`);
    } while (!look());
  }

  #ready() {
    const person = this.#local.member("alice");
    return this.#until(
      "a bot that is ready",
      () =>
        this.#bot.isReady &&
        this.#bot.end === undefined &&
        !this.#isDying() &&
        this.#local.state.botOnline &&
        person.commands().includes("compare"),
    );
  }

  /** A bot that its fault has ended counts as alive until its exit is known. */
  #isDying() {
    const { kind, mode } = this.#plan ?? {};
    const endsBot = KILLS.includes(mode) ? kind !== "worker file" : mode?.startsWith("both");
    return endsBot && !this.#bot.isClean && this.#calls().isReached;
  }

  async #useCommands() {
    const [alice, bob, admin] = ["alice", "bob", "admin"].map((name) => this.#local.member(name));
    const batch = await this.#use("batch", () =>
      alice.slash("batch", { file: { name: "prompts.txt", data: "A cat\nA dog\nA red house" } }),
    );
    if (batch.isAccepted) await this.#startBatch(alice, batch);
    await this.#use("compare", () =>
      bob.slash("compare", { prompt: "A boat", seed: 1 }, { channel: "gallery" }),
    );
    await this.#use("optimize", () => admin.slash("optimize", { prompt: "A tree" }));
    await this.#settled();
  }

  /** Uses a command once. */
  async #use(name, send) {
    await this.#ready();
    const handle = await tryTo(send());
    const isAccepted = handle?.record.answer === DEFERRED;
    const command = { name, handle, isAccepted, ids: handle === null ? [] : [handle.id] };
    this.#commands.push(command);
    return command;
  }

  /** Presses Start once, as soon as the preview shows it. */
  async #startBatch(person, batch) {
    const { handle } = batch;
    const isShown = () => handle.message !== null && hasButton(handle.message, "Start");
    await this.#until(
      "the batch's preview",
      () => isShown() || this.#ledger.finals(batch).length > 0 || this.#idleMs() > LOST_MS,
    );
    await this.#ready();
    if (!isShown()) return;
    const bot = this.#bot;
    const at = performance.now();
    const press = await tryTo(person.press(handle.message, "Start"));
    if (press !== null) batch.ids.push(press.id);
    batch.start = { press, bot, at };
  }

  /** Waits until every command has ended and the bot has nothing left to do. */
  async #settled() {
    await this.#ready();
    await this.#until("the end of all commands", () => {
      const idleMs = this.#idleMs();
      if (idleMs === null) return false;
      this.#ledger.readJobIds();
      const areOver = this.#commands.every((it) => !it.isAccepted || this.#isOver(it));
      return areOver || idleMs > LOST_MS;
    });
    await this.#local.quiet({ idleMs: 300, timeoutMs: 30_000 });
  }

  /** How long the bot has lived with nothing left to do, at this look and those before it; null if it has. */
  #idleMs() {
    const isIdle =
      this.#bot.isReady &&
      this.#bot.end === undefined &&
      this.#ledger.hasDatabase &&
      this.#ledger.countOpen() === 0;
    this.#idleSince = isIdle ? (this.#idleSince ?? performance.now()) : null;
    return isIdle ? performance.now() - this.#idleSince : null;
  }

  #isOver(command) {
    if (this.#ledger.finals(command).length > 0) return true;
    return command.start !== undefined && this.#ledger.jobsOf(command).length === 0;
  }

  /** Stops the bot; one that still had the fault, or had met it, is started again cleanly. */
  async #stopAndLookAgain() {
    if (!this.#bot.isClean) {
      await this.#stop();
      this.#start({ isClean: true });
      await this.#settled();
    }
    await this.#stop();
  }

  async #stop() {
    const bot = this.#bot;
    bot.isStopped = true;
    bot.child.kill("SIGTERM");
    const [code, signal] = await bot.exited;
    if (bot.isClean && code !== 0) this.#problem("broken", `SIGTERM: the bot ended with ${signal ?? code}`);
  }

  /** Counts how each command ended. */
  #count() {
    const ledger = this.#ledger;
    for (const { message, type } of [
      ...ledger.database().problems.map((message) => ({ type: "stuck", message })),
      ...ledger.pictures().problems.map((message) => ({ type: "doubled", message })),
    ])
      this.#problem(type, message);
    const ends = {};
    for (const command of this.#commands) {
      const { name, isAccepted, handle } = command;
      if (handle === null) {
        ends[name] = "not answered";
        continue;
      }
      if (ledger.jobsOf(command).length > 1) this.#problem("doubled", `${name} became several jobs`);
      const messages = ledger.finals(command);
      const { start } = command;
      for (const message of [...messages, ...(start?.press ? ledger.toldAfter(start.press) : [])])
        if (endOf(message) !== "done")
          this.#words.push(message.content || message.embeds[0]?.description || message.embeds[0]?.title);
      if (messages.length > 1) this.#problem("doubled", `${name} ended ${messages.length} times`);
      if (!isAccepted) ends[name] = "refused";
      else if (messages.length > 0) ends[name] = endOf(messages[0]);
      else ends[name] = this.#endWithoutMessage(command);
    }
    return ends;
  }

  /** A draft that keeps its Start, where the person saw that nothing came of the press; else it is lost. */
  #endWithoutMessage({ name, handle, start }) {
    const reply = JSON.stringify(handle.message?.embeds[0] ?? handle.message?.content ?? null);
    const isLeft = start !== undefined && handle.message !== null && hasButton(handle.message, "Start");
    if (!isLeft) {
      this.#problem("lost", `${name} has no end: ${reply}`);
      return "lost";
    }
    const { press, bot, at } = start;
    if (press === null) return "Start not answered";
    if (press.record.answer !== DEFERRED_UPDATE || this.#ledger.toldAfter(press).length > 0)
      return "Start told";
    if (bot.end.signal === "SIGKILL" && bot.end.at - at < DONE_WITHIN_MS) return "Start cut by the kill";
    this.#problem("lost", `Start was accepted and not done: ${reply}`);
    return "lost";
  }

  #calls() {
    const lines = existsSync(this.#trace) ? readFileSync(this.#trace, "utf8").split("\n") : [];
    const fired = lines.indexOf("fired");
    const what = { rest: this.#restCalls };
    for (const kind of Object.keys(MODES))
      what[kind] ??= lines.filter((it) => it.startsWith(`${kind}\t`)).map((it) => it.split("\t")[1]);
    const { kind, n } = this.#plan ?? {};
    return {
      what,
      isReached: this.#hasFired || fired >= 0,
      call: kind === undefined ? undefined : what[kind][n - 1],
    };
  }

  async #end() {
    const { child, exited } = this.#bot;
    this.#bot.isStopped = true;
    child.kill("SIGKILL");
    await exited;
    await this.#local.close();
    await new Promise((done) => this.#log.end(done));
  }
}

/** In an order that mixes the kinds: one of each in turn, each kind shuffled by the seed. */
function ordered(counts, seed) {
  const random = randomFrom(seed);
  const lists = Object.entries(MODES).map(([kind, modes]) => {
    const all = Array.from({ length: counts[kind] }, (_, i) =>
      modes.map((mode) => ({ kind, mode, n: i + 1 })),
    );
    return all
      .flat()
      .map((plan) => ({ plan, at: random() }))
      .sort((a, b) => a.at - b.at);
  });
  const longest = Math.max(...lists.map((it) => it.length));
  const order = [];
  for (let i = 0; i < longest; i += 1)
    for (const list of lists) if (i < list.length) order.push(list[i].plan);
  return order;
}

const nameOf = ({ kind, mode, n }) => `${kind}/${mode}/${n}`;

function chosen(counts) {
  if (flags.only !== undefined) {
    const [kind, mode, n] = flags.only.split("/");
    if (!MODES[kind]?.includes(mode) || !(Number(n) > 0))
      throw new Error(`There is no trial "${flags.only}"`);
    return [{ kind, mode, n: Number(n) }];
  }
  const order = ordered(counts, Number(flags.seed)).slice(Number(flags.from));
  const ofKind = order.filter(({ kind }) => flags.kind === undefined || kind.endsWith(flags.kind));
  if (flags.slice === undefined) return ofKind;
  const [hash, count] = flags.slice.split("/");
  const first = Number(BigInt(`0x${hash}`) % BigInt(count));
  return ofKind.filter((_, i) => i % Number(count) === first);
}

const started = performance.now();
const secondsSo = () => (performance.now() - started) / 1000;
const problems = [];
const results = new Map();
if (flags.record !== undefined && existsSync(flags.record))
  for (const line of readFileSync(flags.record, "utf8").split("\n").filter(Boolean)) {
    const result = JSON.parse(line);
    results.set(nameOf(result), result);
  }

const counting = new Trial(null);
const { what, ends: usual, problems: wrong } = await counting.run(null);
for (const { message } of wrong) problems.push(`without a fault: ${message}`);
const counts = Object.fromEntries(Object.entries(what).map(([kind, list]) => [kind, list.length]));
const compiled = join(counting.dataDir, COMPILED);
console.error(
  `Calls without a fault: ${JSON.stringify(counts)}; ends: ${JSON.stringify(usual)}; ${secondsSo().toFixed(1)} s`,
);
if (problems.length === 0 && !existsSync(compiled))
  problems.push(`the bot keeps no "${COMPILED}" in its data folder: ${readdirSync(counting.dataDir)}`);

const plans = problems.length > 0 ? [] : chosen(counts);
const open = plans.filter((plan) => !results.has(nameOf(plan)));
let begun = 0;
async function work() {
  while (open.length > 0 && (secondsSo() < Number(flags.seconds) || begun < Number(flags["at-least"]))) {
    const plan = open.shift();
    begun += 1;
    const trial = new Trial(plan);
    const { isReached, ends, words, call, problems } = await trial.run(
      plan.kind.endsWith("file") ? null : compiled,
    );
    const result = { ...plan, isReached, call, ends, words, problems };
    results.set(nameOf(plan), result);
    if (flags.record !== undefined) appendFileSync(flags.record, `${JSON.stringify(result)}\n`);
    for (const { type, message } of problems) console.error(`${nameOf(plan)} (${call}): ${type}: ${message}`);
    if (problems.length === 0) trial.remove();
  }
}
await Promise.all(Array.from({ length: Number(flags["at-once"]) }, work));
if (problems.length === 0) counting.remove();

// The table.
const rows = [["kind", "modes", "trials", "of", "reached", "lost", "doubled", "stuck", "broken"]];
const shown = [...results.values()];
for (const [kind, modes] of Object.entries(MODES)) {
  const own = shown.filter((it) => it.kind === kind);
  if (own.length === 0) continue;
  const found = own.flatMap((it) => it.problems);
  const columns = ["lost", "doubled", "stuck", "broken"].map(
    (type) => found.filter((it) => it.type === type).length,
  );
  const reached = own.filter((it) => it.isReached).length;
  rows.push([kind, modes.join(", "), own.length, counts[kind] * modes.length, reached, ...columns]);
}
for (const row of rows) console.log(`| ${row.join(" | ")} |`);
const ends = {};
for (const result of shown)
  for (const [name, end] of Object.entries(result.ends)) {
    ends[`${name}: ${end}`] = (ends[`${name}: ${end}`] ?? 0) + 1;
  }
console.log(JSON.stringify(ends));
for (const result of shown)
  for (const { type, message } of result.problems)
    problems.push(`${type}: ${message}\n  node test/soak/nth.mjs --only "${nameOf(result)}"`);
for (const problem of problems) console.log(problem);
console.log(`${begun} trials in ${Math.round(secondsSo())} s, ${problems.length} problems`);
process.exit(problems.length === 0 ? 0 : 1);
