import { execFile } from "node:child_process";
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { isMissing } from "../../core/errors.js";
import { type Events, log } from "../../core/events.js";

const run = promisify(execFile);

/** Stands for the start of a process where the system does not tell it. */
const UNKNOWN = "unknown";
/** A killed process is gone in milliseconds, unless its driver holds it. */
const END_MS = 3_000;
const LOOK_MS = 20;

/**
 * When the process started, as a text that no other process with this pid has; null if it has ended (a zombie
 * has), and `unknown` where the system does not tell.
 */
export function startOf(pid: number, platform: NodeJS.Platform = process.platform): Promise<string | null> {
  return platform === "linux" ? linuxStart(pid) : psStart(pid);
}

/**
 * The boot and the ticks from it to the start (proc_pid_stat(5), field 22). Reads at once, without a turn of
 * the event loop.
 */
async function linuxStart(pid: number): Promise<string | null> {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    const stat = readProcess(pid);
    if (stat === null) return null;
    // The second field is the name in brackets, which may itself hold brackets and spaces.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [state = "", ticks] = [fields[0], fields[19]];
    if (state === "Z" || state === "X") return null;
    return ticks === undefined ? UNKNOWN : `${boot}-${ticks}`;
  } catch (error) {
    if (isMissing(error)) return UNKNOWN;
    throw error;
  }
}

function readProcess(pid: number): string | null {
  try {
    return readFileSync(`/proc/${pid}/stat`, "latin1");
  } catch (error) {
    if (isMissing(error) || (error as NodeJS.ErrnoException).code === "ESRCH") return null;
    throw error;
  }
}

/** The second of the start, from `ps`, as macOS and the BSDs have it. */
async function psStart(pid: number): Promise<string | null> {
  try {
    const { stdout } = await run("env", [
      ...["LC_ALL=C", "TZ=UTC"],
      ...["ps", "-o", "stat=", "-o", "lstart=", "-p", String(pid)],
    ]);
    const [, state = "", start = ""] = /^\s*(\S+)\s+(.*\S)\s*$/.exec(stdout) ?? [];
    if (state.startsWith("Z")) return null;
    const at = Date.parse(`${start} UTC`);
    return Number.isNaN(at) ? UNKNOWN : String(at);
  } catch (error) {
    // 1: there is no such process. Any other code: there is no `ps`, or another kind of it.
    if ((error as { code?: unknown }).code === 1) return null;
    return UNKNOWN;
  }
}

/**
 * The workers of a data folder, each an empty file with its pid and start as its name: a file without content
 * is never half written. A worker ends when it hears that its bot is gone; one that is frozen or never returns
 * from a driver does not hear it and keeps its memory, so the next start ends it. Workers start no processes of
 * their own.
 *
 * Windows needs none of it: there Node puts its children into a job that ends with it.
 */
export class WorkerRecords {
  readonly #folder: string;
  readonly #events: Events;

  /** @param folder is made when the first worker is written down */
  constructor(folder: string, events: Events) {
    this.#folder = folder;
    this.#events = events;
  }

  /**
   * Writes down a worker that has just started, on Linux before it could do anything. The returned function
   * crosses it out when it has ended. Never throws: a worker that could not be written down works all the same,
   * and the log says so.
   */
  async add(pid: number): Promise<() => void> {
    if (process.platform === "win32") return () => {};
    try {
      const start = await startOf(pid);
      if (start === null) return () => {};
      const file = join(this.#folder, `${pid}_${start}`);
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      closeSync(openSync(file, "w", 0o600));
      return () => this.#remove(file);
    } catch (error) {
      log(this.#events, "warn", `Model process ${pid} could not be written down in ${this.#folder}`, error);
      return () => {};
    }
  }

  /**
   * Ends the workers that an earlier run of the bot left behind and waits until they are gone. Call it only
   * while this program alone has the data folder. A process with another start than the one written down has
   * only the same pid and is left alone.
   */
  async endLeftBehind(): Promise<void> {
    for (const name of this.#names()) {
      const [, digits, start = UNKNOWN] = /^([1-9]\d{0,9})_(.+)$/.exec(name) ?? [];
      if (digits === undefined) continue;
      const file = join(this.#folder, name);
      try {
        if (await this.#isOver(Number(digits), start, file)) this.#remove(file);
      } catch (error) {
        this.#couldNotEnd(Number(digits), error);
      }
    }
  }

  /** Ends this worker if it lives; false if it still lives. */
  async #isOver(pid: number, start: string, file: string): Promise<boolean> {
    const found = await startOf(pid);
    if (found === null) return true;
    if (found === UNKNOWN || start === UNKNOWN) {
      if (isAlive(pid)) {
        const message = `Process ${pid} may be a model's process that an earlier run left behind. This system does not say when it started, so it was left alone. If it is one, end it by hand: kill -9 ${pid}`;
        log(this.#events, "warn", message);
      }
      return true;
    }
    if (found !== start) return true;
    const startedMsAgo = Math.max(0, Date.now() - statSync(file).mtimeMs);
    try {
      process.kill(pid, "SIGKILL");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ESRCH") return true;
      throw error;
    }
    for (const until = performance.now() + END_MS; (await startOf(pid)) === start; await delay(LOOK_MS))
      if (performance.now() > until) {
        this.#couldNotEnd(pid);
        return false;
      }
    this.#events.emit("worker.left-behind", { pid, startedMsAgo });
    return true;
  }

  #couldNotEnd(pid: number, error?: unknown): void {
    const message = `Model process ${pid}, left behind by an earlier run, could not be ended. It keeps its memory; end it by hand or restart the machine.`;
    log(this.#events, "warn", message, error);
  }

  #names(): string[] {
    try {
      return readdirSync(this.#folder);
    } catch (error) {
      if (!isMissing(error))
        log(
          this.#events,
          "warn",
          `The model processes of an earlier run can't be read in ${this.#folder}`,
          error,
        );
      return [];
    }
  }

  /** A name that stays does no harm: the next start finds the process gone. */
  #remove(file: string): void {
    try {
      rmSync(file, { force: true });
    } catch (error) {
      log(this.#events, "warn", `${file} could not be removed`, error);
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
