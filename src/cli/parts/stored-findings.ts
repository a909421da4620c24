import { existsSync } from "node:fs";
import { access, constants, mkdtemp, rm, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Config } from "../../config.js";
import { describe } from "../../core/errors.js";
import { conditionOf, type HostRole } from "../../core/hosts/host.js";
import { PROGRAM } from "../../core/version.js";
import type { DatabaseLook } from "../../db/postgres/look.js";
import { isBucket, openPictures } from "../../pictures/open.js";
import { checkStore, readMark } from "../../pictures/store.js";
import type { Finding } from "./finding.js";

/** Enough for graphs, pictures and the database; a full-size checkpoint is read in place. */
const LOW_DISK_BYTES = 2 * 2 ** 30;
/** A clock that is further off than this shifts waiting times and expiries that people see. */
const CLOCK_MS = 2_000;

/** What a program of this role stores, and where: its data folder, the database, the pictures. */
export async function storedFindings(config: Config): Promise<Finding[]> {
  const look = config.DATABASE_URL === "" ? null : await databaseFindings(config.DATABASE_URL, config.ROLE);
  const hosts = look?.hosts ?? [];
  return [
    ...roleFinding(config),
    await dataFolder(config.dataDir),
    ...(look === null ? [await file(config)] : look.findings),
    ...(look === null && !isBucket(config) ? [] : [await pictureStore(config, hosts)]),
  ];
}

function roleFinding({ ROLE, DATABASE_URL }: Config): Finding[] {
  if (ROLE === "both" && DATABASE_URL === "") return [];
  const subject = "role";
  const does = {
    both: "talks to Discord, rewrites and draws",
    bot: "talks to Discord; workers rewrite and draw",
    worker: "rewrites and draws for a bot elsewhere",
  }[ROLE];
  if (DATABASE_URL !== "") return [{ subject, state: "ok", found: `${ROLE}: ${does}`, todo: null }];
  const todo =
    "It shares its work through PostgreSQL: set DATABASE_URL (docs/operations.md), or leave ROLE at both.";
  return [{ subject, state: "missing", found: `${ROLE} without a database to share`, todo }];
}

async function dataFolder(dataDir: string): Promise<Finding> {
  let folder = dataDir;
  while (!existsSync(folder)) folder = dirname(folder);
  const { bavail, bsize } = await statfs(folder);
  const bytes = bavail * bsize;
  const free = `${(bytes / 2 ** 30).toFixed(1)} GiB free for ${dataDir}`;
  const subject = "disk";
  try {
    await access(folder, constants.W_OK);
  } catch (error) {
    return {
      subject,
      state: "broken",
      found: `${free}, which can't be written: ${describe(error)}`,
      todo: "Make it writable for this user, or set DATA_DIR to another folder.",
    };
  }
  const low = bytes < LOW_DISK_BYTES;
  return {
    subject,
    state: low ? "note" : "ok",
    found: free,
    todo: low ? "Free some space, or set DATA_DIR to another disk." : null,
  };
}

async function file(config: Config): Promise<Finding> {
  const subject = "database";
  if (!existsSync(config.databaseFile))
    return { subject, state: "ok", found: "none yet; the first start makes it", todo: null };
  try {
    const { openDatabase } = await import("../../db/sqlite/open.js");
    const db = openDatabase(config.databaseFile);
    const check = String(db.pragma("quick_check", { simple: true }));
    db.close();
    return {
      subject,
      state: check === "ok" ? "ok" : "broken",
      found: `${config.databaseFile}: ${check}`,
      todo: check === "ok" ? null : "Restore the database from a backup, or move it away to start fresh.",
    };
  } catch (error) {
    return { subject, state: "broken", found: config.databaseFile, todo: describe(error) };
  }
}

/** Reachable, new enough, its tables, the role's rights, its clock, and who else works on it. */
async function databaseFindings(
  url: string,
  role: HostRole,
): Promise<{ findings: Finding[]; hosts: DatabaseLook["hosts"] }> {
  const subject = "database";
  const [{ lookAtDatabase }, { nameOfServer }] = await Promise.all([
    import("../../db/postgres/look.js"),
    import("../../db/postgres/open.js"),
  ]);
  let look: DatabaseLook;
  try {
    look = await lookAtDatabase(url, role);
  } catch (error) {
    const todo = `${describe(error)} Check DATABASE_URL, that the server runs, and that this machine may connect to it.`;
    return { findings: [{ subject, state: "broken", found: nameOfServer(url), todo }], hosts: [] };
  }
  const { version, roundTripMs, clockMs, hosts } = look;
  const isOff = Math.abs(clockMs) > CLOCK_MS;
  const findings: Finding[] = [
    {
      subject,
      state: "ok",
      found: `${nameOfServer(url)}: PostgreSQL ${version}, ${roundTripMs.toFixed(1)} ms away`,
      todo: null,
    },
    {
      subject: "clock",
      state: isOff ? "note" : "ok",
      found: `this machine's is ${Math.abs(clockMs / 1_000).toFixed(1)} s ${clockMs > 0 ? "behind" : "ahead of"} the database's`,
      todo: isOff ? "Set both by NTP: expiries and waiting times that people see would be off." : null,
    },
    rights(look, role),
    tables(look, role),
    others(look, role),
  ];
  return { findings, hosts };
}

function rights({ role: name, missing }: DatabaseLook, role: HostRole): Finding {
  const subject = "rights";
  if (missing.length === 0)
    return { subject, state: "ok", found: `the role ${name} may do what a ${nounOf(role)} does`, todo: null };
  return {
    subject,
    state: "broken",
    found: `the role ${name} may not do what a ${nounOf(role)} does`,
    todo: `As the owner of the database: ${missing.join(" ")}`,
  };
}

const nounOf = (role: HostRole): string => (role === "worker" ? "worker" : "bot");

function tables({ step, newest, missing }: DatabaseLook, role: HostRole): Finding {
  const subject = "tables";
  const isBot = role !== "worker";
  if (step === null)
    return isBot
      ? { subject, state: "ok", found: "none yet; the first start makes them", todo: null }
      : {
          subject,
          state: "missing",
          found: missing.length > 0 ? "can't be seen" : "none yet",
          todo: "Start the bot on this database first, which makes them, and give the role its rights.",
        };
  if (step === newest)
    return { subject, state: "ok", found: `of step ${step}, as this version's`, todo: null };
  const found = `of step ${step}, and this version's are of step ${newest}`;
  if (step > newest)
    return { subject, state: "broken", found, todo: "A newer version has worked here: update this one." };
  return isBot
    ? {
        subject,
        state: "note",
        found,
        todo: "The next start brings them up to date; make a backup before (pg_dump).",
      }
    : { subject, state: "broken", found, todo: "Update the bot and start it, which brings them up to date." };
}

/** Who works on the database now, and whether they fit together. */
function others({ hosts, bots, standbys }: DatabaseLook, role: HostRole): Finding {
  const subject = "hosts";
  const here = hosts.filter((host) => !["silent", "stopped"].includes(conditionOf(host)));
  const workers = here.filter((host) => host.role === "worker").length;
  const waiting = here
    .filter((host) => conditionOf(host) === "waiting")
    .map((it) => `${it.name}, ${it.version}, heard of ${Math.round(it.agoMs / 1_000)} s ago`);
  const names = waiting.length === 0 ? "" : ` (${waiting.join("; ")})`;
  const found = `bots at work: ${bots}, standbys: ${standbys}${names}, workers: ${workers}`;
  const silent = hosts.filter((host) => conditionOf(host) === "silent").map(({ name }) => name);
  const different = here
    .filter(({ version }) => version !== PROGRAM)
    .map((it) => `${it.name} (${it.version})`);
  const paused = here.filter((host) => host.paused).map(({ name }) => name);
  const todo = [
    ...(role === "worker" && bots === 0 ? ["No bot works on this database now, so no jobs come."] : []),
    ...(role === "bot" && workers === 0
      ? ["No worker is heard of: start one, or nothing is drawn (promptist worker)."]
      : []),
    ...(silent.length === 0 ? [] : [`Not heard of for a while: ${silent.join(", ")}.`]),
    ...(paused.length === 0 ? [] : [`Paused (/admin resume with its name): ${paused.join(", ")}.`]),
    ...(different.length === 0
      ? []
      : [`Of another version than this one, ${PROGRAM}: ${different.join(", ")}.`]),
  ];
  return { subject, state: todo.length === 0 ? "ok" : "note", found, todo: todo.join(" ") || null };
}

/** Stores, reads and deletes a small file as a program will, and compares the store with that of other hosts. */
async function pictureStore(config: Config, hosts: DatabaseLook["hosts"]): Promise<Finding> {
  const subject = "picture store";
  const place = isBucket(config) ? config.PICTURES : config.picturesDir;
  if (!isBucket(config) && !existsSync(place)) {
    const isOwn = config.PICTURES === "" && config.ROLE !== "worker";
    return isOwn
      ? { subject, state: "ok", found: `${place}, which the first start makes`, todo: null }
      : {
          subject,
          state: "broken",
          found: `${place} is not there`,
          todo: "Mount it, or set PICTURES to the folder or bucket that the bot's has.",
        };
  }
  // A running program has the folder of a bucket's pictures at hand.
  const scratch = await mkdtemp(join(tmpdir(), "promptist-doctor-"));
  try {
    const store = await openPictures(isBucket(config) ? { ...config, picturesDir: scratch } : config);
    await checkStore(store);
    const found = `${place}, stored, listed, read and deleted`;
    const known = hosts.filter(({ state, endedAt }) => state.pictures !== null && endedAt === null);
    if (known.length === 0) return { subject, state: "ok", found, todo: null };
    const mark = await readMark(store);
    const elsewhere = known.filter(({ state }) => state.pictures !== mark).map(({ name }) => name);
    if (elsewhere.length === 0)
      return {
        subject,
        state: "ok",
        found: `${found}; the same as that of ${known.map(({ name }) => name).join(", ")}`,
        todo: null,
      };
    return {
      subject,
      state: "broken",
      found: `${place} is not the store of ${elsewhere.join(", ")}`,
      todo: "Name the same folder or bucket in PICTURES on all hosts (a folder that all of them mount), else pictures are missing from results.",
    };
  } catch (error) {
    return {
      subject,
      state: "broken",
      found: describe(error),
      todo: isBucket(config)
        ? "Start that server, or correct PICTURES, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; the key has to list, read, write and delete."
        : `Mount it, or make it writable for this user: ${place}`,
    };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
