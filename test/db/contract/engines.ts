import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Queue } from "../../../src/db/queue.js";
import { openDatabase } from "../../../src/db/sqlite/open.js";
import { SqliteQueue } from "../../../src/db/sqlite/sqlite-queue.js";

export interface QueueLimits {
  readonly maxAttempts?: number;
  readonly maxWaiting?: number;
}

/** A store of its own for one test, and queues on it. */
export interface Engine {
  /** Connects a queue to the store; a second one is what another process, or the next start, would see. */
  connect(now: () => number, limits?: QueueLimits): Promise<Queue>;
  /** Closes every queue that was connected and deletes the store. */
  destroy(): Promise<void>;
}

function sqlite(): Engine {
  const folder = mkdtempSync(join(tmpdir(), "queue-"));
  const queues: Queue[] = [];
  return {
    async connect(now, limits) {
      const queue = new SqliteQueue(openDatabase(join(folder, "queue.db")), { now, ...limits });
      queues.push(queue);
      return queue;
    },
    async destroy() {
      for (const queue of queues) await queue.close();
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Every engine that the contract is held against. */
export const ENGINES: readonly { readonly name: string; readonly create: () => Engine }[] = [
  { name: "sqlite", create: sqlite },
];
