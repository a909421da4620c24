import { existsSync } from "node:fs";
import { describe } from "../../core/errors.js";
import { type Events, log } from "../../core/events.js";
import { type InstanceLock, identityOf } from "./instance-lock.js";

export interface DataFolderOptions {
  readonly lock: InstanceLock;
  readonly dataDir: string;
  /** The database in it, open. */
  readonly databaseFile: string;
  readonly events: Events;
  /** Called once when another program has taken the data folder: this one must stop. */
  readonly onTaken: () => void;
  readonly everyMs?: number;
}

export interface DataFolderWatch {
  /** Looks now. False once another program has taken the data folder, so that nothing more may be begun. */
  isOurs(): boolean;
  stop(): void;
}

/** Shorter than another program takes to start, so that a removed lock is back before it can be missed. */
const LOOK_MS = 200;

/**
 * Looks now and then whether the data folder still is what this program opened. A lock that someone removed is
 * made again; if another program was faster, this one is told to stop. A database or folder that is deleted,
 * moved or replaced is told once, as is its return: the open files work on, but under no name.
 */
export function watchDataFolder(options: DataFolderOptions): DataFolderWatch {
  const { lock, dataDir, databaseFile, events, onTaken, everyMs = LOOK_MS } = options;
  const opened = identityOf(databaseFile);
  let isTaken = false;
  let isGone = false;
  let trouble = "";

  const look = () => {
    isTaken = !lock.keep();
    if (isTaken) {
      clearInterval(timer);
      const message = `Another Promptist has taken the data folder ${dataDir}, after the file instance.lock was removed from it. This one stops, so that they do not overwrite each other's work. What waits or runs goes on in the other one.`;
      log(events, "error", message);
      onTaken();
      return;
    }
    const wasGone = isGone;
    isGone = identityOf(databaseFile) !== opened;
    if (isGone === wasGone) return;
    events.emit("data-folder.gone", { isGone });
    const what = existsSync(dataDir) ? `The database ${databaseFile}` : `The data folder ${dataDir}`;
    if (isGone)
      log(
        events,
        "warn",
        `${what} was deleted, moved or replaced while the bot runs. The bot goes on, but what it stores from now on will probably be lost when it stops. If you moved it, move it back; if it is lost, restart the bot.`,
      );
    else log(events, "info", `${what} is back.`);
  };

  const isOurs = () => {
    if (isTaken) return false;
    try {
      look();
      trouble = "";
    } catch (error) {
      // Said once, not at each look.
      if (describe(error) !== trouble)
        log(
          events,
          "warn",
          `The data folder ${dataDir} can't be looked at, or its lock not made again`,
          error,
        );
      trouble = describe(error);
    }
    return !isTaken;
  };
  const timer = setInterval(isOurs, everyMs);
  timer.unref();
  return { isOurs, stop: () => clearInterval(timer) };
}
