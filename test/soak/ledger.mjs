// What people got from a bot that was harmed, counted from the local Discord's messages and the database's
// rows. Shared by kill.mjs, nth.mjs and fleet.mjs.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { COLORS } from "../../dist/bot/messages/status-message.js";
import { openKept } from "../../dist/db/sqlite/kept-database.js";

/** How Discord shows a command, and a press, that the bot accepted. */
export const DEFERRED = "deferred";
export const DEFERRED_UPDATE = "deferred-update";
/** The message flag of a reply that still says "thinking". */
const LOADING = 128;
const FINAL = new Set([COLORS.done, COLORS.failed, COLORS.cancelled]);
const BIN = fileURLToPath(new URL("../../bin/promptist.js", import.meta.url));

/** Numbers in 0..1 from a seed (mulberry32), to make a run's choices repeatable. */
export function randomFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Starts the built bot in a process of its own; what it prints goes to `log`. */
export function startBot(folder, env, log) {
  const child = spawn(process.execPath, [BIN, "start"], {
    cwd: folder,
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  return { child, exited: once(child, "exit") };
}

/** Null if nobody answered, or the message changed before the press. */
export const tryTo = (work) =>
  work.catch((error) => {
    if (error.name !== "InteractionFailed" && error.name !== "InvocationError") throw error;
    return null;
  });

export const hasButton = (message, label) =>
  message.components.some((row) => row.components?.some((it) => it.label === label));

/** True for a message or an edit of one that ends a command: it has the color of an end. */
export const hasFinalColor = (message) => FINAL.has(message?.embeds?.[0]?.color);

/**
 * True for a result, an end, or a sentence instead; not for the mention that links a result ("… is ready:
 * link").
 */
export const isEnd = ({ embeds, content, flags }) =>
  embeds.length > 0
    ? FINAL.has(embeds[0].color)
    : content !== "" && (flags & LOADING) === 0 && !content.includes("https://discord.com/channels/");

/** done, failed or cancelled by the message's color; told where it is a sentence. */
export const endOf = ({ embeds }) =>
  ["done", "failed", "cancelled"].find((it) => COLORS[it] === embeds[0]?.color) ?? "told";

/** The books of one local Discord and one database. */
export class Ledger {
  #local;
  #file;
  /** The job of each interaction, as far as `readJobIds` saw it. */
  jobIds = new Map();

  constructor(local, dataDir) {
    this.#local = local;
    this.#file = join(dataDir, "promptist.sqlite");
  }

  /** Runs `work` with the database, for reading. */
  #read(work) {
    const db = openKept(this.#file, { readonly: true });
    try {
      return work(db);
    } finally {
      db.close();
    }
  }

  readJobIds() {
    const rows = this.#read((db) => db.prepare("select id, interaction_id as interaction from jobs").all());
    for (const { id, interaction } of rows) this.jobIds.set(interaction, id);
  }

  /** How many commands and jobs have not ended, or have not been delivered. Throws without a database. */
  countOpen() {
    return this.#read((db) =>
      db
        .prepare(
          "select (select count(*) from arrivals) + (select count(*) from jobs where finished_at is null or (delivered_at is null and delivery_abandoned is null))",
        )
        .pluck()
        .get(),
    );
  }

  get hasDatabase() {
    return existsSync(this.#file);
  }

  /** The jobs that a command's interactions made; more than one is a fault. */
  jobsOf({ ids }) {
    return [...new Set(ids.flatMap((id) => this.jobIds.get(id) ?? []))];
  }

  /** All messages that end a command. */
  finals(command) {
    const jobs = this.jobsOf(command);
    return [...this.#local.state.messages.values()].filter(
      (message) =>
        message.authorId === this.#local.state.bot.id &&
        isEnd(message) &&
        (message.interactionId === command.handle.id ||
          jobs.some((jobId) => String(message.nonce ?? "").startsWith(jobId))),
    );
  }

  /** The sentences that followed a press. */
  toldAfter(press) {
    return [...this.#local.state.messages.values()].filter(
      (message) => message.interactionId === press.id && isEnd(message),
    );
  }

  /** What is wrong with the database once nothing should be open: its integrity, jobs that are stuck. */
  database() {
    return this.#read((db) => {
      const problems = [];
      const integrity = db.pragma("integrity_check", { simple: true });
      if (integrity !== "ok") problems.push(`integrity_check: ${integrity}`);
      if (db.pragma("foreign_key_check").length > 0) problems.push("foreign_key_check");
      const left = db.prepare("select count(*) from arrivals").pluck().get();
      if (left > 0) problems.push(`${left} people still wait to be told that their command was not stored`);
      const jobs = db.prepare("select * from jobs").all();
      for (const job of jobs) {
        if (job.finished_at === null) problems.push(`job ${job.id} is stuck: ${job.state}`);
        else if (job.delivered_at === null && job.delivery_abandoned === null)
          problems.push(`job ${job.id} is undelivered`);
        if (job.delivery_abandoned !== null)
          problems.push(`job ${job.id} was given up: ${job.delivery_abandoned}`);
      }
      return { integrity, jobs: jobs.length, problems };
    });
  }

  /**
   * Pictures of pairs and sheets: a pair's has its job and seed in its name, so if two messages hold it, it
   * was posted twice.
   */
  pictures() {
    const names = new Set();
    const problems = [];
    for (const message of this.#local.state.messages.values())
      for (const { filename } of message.attachments)
        if (/-(comparison|contact-sheet)\.\w+$/.test(filename)) {
          if (names.has(filename)) problems.push(`${filename} was posted twice`);
          names.add(filename);
        }
    return { posted: names.size, problems };
  }
}
