import { hostname } from "node:os";
import { join } from "node:path";
import { findAtStart } from "../checkpoints/library/find-models.js";
import type { Config } from "../config.js";
import { createEvents, type Events, log } from "../core/events.js";
import { redactor } from "../core/redact.js";
import { WorkerRecords } from "../inference/loop/left-behind.js";
import { checkpointName } from "../inference/loop/model-choice.js";
import { logEvents } from "../metrics/log.js";
import { isBucket, openPictures } from "../pictures/open.js";
import { Tastes } from "../taste/tastes.js";
import { openEngine, passwordOf } from "./engine.js";
import { startHost } from "./host.js";
import { createLoops, modelSetsOf } from "./loops.js";
import { startMetrics } from "./metrics.js";

/** A host that rewrites and draws for a bot elsewhere, and knows nothing of Discord. */
export interface WorkerHost {
  /** What it is and has, for its operator. */
  readonly description: string;
  /** Finishes the items that are being made and gives the rest back. */
  drain(): Promise<void>;
  /** Gives back what is being made, and closes the database. */
  stop(): Promise<void>;
}

export interface WorkerHostOptions {
  readonly events?: Events;
  /** Called when another program has taken the data folder, or the database was away for too long. */
  readonly onEnd: (reason: "taken" | "gone") => void;
  /** The compiled worker; set by tests that run from source. */
  readonly workerFile?: string;
}

/** Throws CheckpointError where a model is missing, and like `openEngine`. */
export async function createWorkerHost(
  config: Config,
  { events = createEvents(), onEnd, workerFile }: WorkerHostOptions,
): Promise<WorkerHost> {
  const cleanups: (() => unknown)[] = [];
  const stop = async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  };
  try {
    logEvents(events, config.LOG_LEVEL, {
      redact: redactor([config.HF_TOKEN, config.AWS_SECRET_ACCESS_KEY, passwordOf(config.DATABASE_URL)]),
    });
    const found = await findAtStart(config);
    const { models, choice } = await modelSetsOf(config, found);
    const minutes = config.WORKER_PATIENCE_MINUTES;
    const engine = await openEngine({
      config,
      events,
      onTaken: () => onEnd("taken"),
      onGone: () => {
        log(events, "error", `The database was away for ${minutes} minutes. This worker ends.`);
        onEnd("gone");
      },
    });
    cleanups.push(engine.close);
    const { store } = engine;
    const tastes = new Tastes(store.lessons, events);
    cleanups.push(() => tastes.close());
    const workers = new WorkerRecords(join(config.dataDir, "workers"), events);
    await workers.endLeftBehind();
    const pictures = await openPictures(config);
    const { heartbeat, planned } = await startHost(config, { models, choice }, { engine, events, pictures });
    cleanups.push(() => heartbeat.stop());
    cleanups.push(
      await startMetrics(config, events, { queue: () => store.queue, hosts: () => heartbeat.latest }),
    );
    const loops = createLoops({
      config,
      models,
      planned,
      store,
      tastes,
      events,
      pictures,
      workers,
      isPaused: () => heartbeat.isPaused,
      mayClaim: engine.isOurs,
      ...(engine.pollMs === undefined ? {} : { pollMs: engine.pollMs }),
      ...(workerFile === undefined ? {} : { workerFile }),
    });
    await engine.recover();
    for (const loop of loops) loop.start();
    cleanups.push(() => Promise.all(loops.map((loop) => loop.stop())));
    return {
      description: `${hostname()} rewrites with ${checkpointName(choice, "text")} and draws with ${checkpointName(choice, "image")} on ${planned.map(({ device }) => device).join(" and ")}; pictures go to ${isBucket(config) ? config.PICTURES : config.picturesDir}`,
      async drain() {
        await Promise.all(loops.map((loop) => loop.drain()));
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
