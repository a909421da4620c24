import { EventEmitter } from "node:events";
import type { ErrorCode } from "./errors.js";
import type { Job, JobState, Phase } from "./job.js";
import type { Side } from "./side.js";

/** How far the running item is. */
export interface Progress {
  readonly jobId: string;
  readonly phase: Phase;
  /** Index of the item in its job, and how many items the job has. */
  readonly item: number;
  readonly items: number;
  /** What is being made: the rewrite, or one of the two pictures. */
  readonly output: "rewrite" | Side;
  /** True for the only picture of its item. */
  readonly single?: boolean;
  /** Tokens of the rewrite, or denoising steps of the picture: done and in total. */
  readonly step: number;
  readonly steps: number;
  /** True for a picture without guidance, whose steps take half as long. */
  readonly unguided?: boolean;
}

/**
 * Events of the program, for the bot's messages, the log and the metrics. No result depends on a listener.
 * Only db/announce.ts emits changes of rows, and with PostgreSQL db/postgres/relay.ts those of other programs.
 */
export interface AppEvents {
  "job.enqueued": [{ jobId: string; job: Job }];
  /** `owner`: the loop that has it, of whichever program; events of older versions name none. */
  "job.claimed": [{ jobId: string; phase: Phase; attempt: number; owner?: string }];
  /** Someone asked a running job to stop. The row records it too; the event only makes it faster. */
  "job.cancel-requested": [{ jobId: string }];
  "job.progress": [Progress];
  /** One picture of a pair is stored; the other side may follow. */
  "job.picture": [{ jobId: string; item: number; side: Side }];
  /**
   * A small WebP of an unfinished picture; `harmless` if the checkpoint that draws it needs no safety
   * checker.
   */
  "job.preview": [
    {
      jobId: string;
      item: number;
      side: Side;
      data: Uint8Array;
      harmless: boolean;
    },
  ];
  /** A contact sheet with the next ten pairs of a job is ready. */
  "job.sheet": [{ jobId: string; number: number }];
  "job.item": [{ jobId: string; item: number; phase: Phase }];
  /** The job stopped running but has not ended: it waits for its next phase, a retry, or jobs let past it. */
  "job.requeued": [
    { jobId: string; phase: Phase; reason: "next-phase" | "retry" | "yield" | "recovered"; code?: ErrorCode },
  ];
  /** `erased`: the row is deleted too, so there is no result to deliver. */
  "job.finished": [{ jobId: string; state: JobState; code?: ErrorCode; erased?: true }];
  /** The row of a job that ran when its user was erased is deleted, after its end. */
  "job.erased": [{ jobId: string }];
  /** The queue hands out no more work until it is resumed. */
  "queue.paused": [];
  /** The queue hands out work again after a pause. */
  "queue.resumed": [];
  /** An operator paused or resumed one host. */
  "host.paused": [{ name: string; paused: boolean }];
  /** Another program stored a job or gave one back, or may have while this one could not hear it. */
  "work.elsewhere": [];
  "job.delivered": [{ jobId: string; messageId: string | null }];
  /** A model is loaded; `replaced`: the one that the phase had before, where it changed models. */
  "phase.started": [
    {
      phase: Phase;
      pid: number;
      checkpoint: string;
      device: string;
      loadMs: number;
      weightBytes?: number;
      replaced?: string;
      owner?: string;
    },
  ];
  "phase.finished": [
    {
      phase: Phase;
      device: string;
      jobs: number;
      items: number;
      ms: number;
      peakBytes: number;
      owner?: string;
    },
  ];
  "worker.exited": [
    {
      phase: Phase;
      device: string;
      pid: number;
      code: number | null;
      signal: string | null;
      owner?: string;
    },
  ];
  /**
   * What a device is at: told with the claim where DEVICES names it, else once it is open; `jobId` is null when it has
   * left the job.
   */
  "device.works": [{ device: string; phase: Phase; jobId: string | null }];
  /**
   * A device failed, so its loop takes no jobs until it is tried again, `retryMs` from now; `code` and `reason` say
   * how. With DEVICES only.
   */
  "device.set-aside": [{ device: string; phase: Phase; code: ErrorCode; reason: string; retryMs: number }];
  /** A device that was set aside loaded its model, and works on. */
  "device.back": [{ device: string; phase: Phase }];
  /** An earlier run of the bot left this worker behind, frozen or stuck; it was ended now. */
  "worker.left-behind": [{ pid: number; startedMsAgo: number }];
  /** The data folder or its database was deleted, moved or replaced under the running bot, or is back. */
  "data-folder.gone": [{ isGone: boolean }];
  /** This bot waits as the standby of another one on its database, or has taken over. */
  "bot.standby": [{ isWaiting: boolean }];
  /** Discord makes requests to a route wait for `ms`. */
  "discord.rate-limited": [{ route: string; ms: number }];
  /** Milliseconds between a gateway heartbeat and its acknowledgement. */
  "discord.latency": [{ ms: number }];
  /** discord.js could not handle an event of this name from the gateway; the bot goes on without it. */
  "discord.odd-event": [{ event: string }];
  /** `phase` is set when the line comes from that phase's worker, `device` too where the program has several. */
  log: [
    {
      level: "debug" | "info" | "warn" | "error";
      message: string;
      jobId?: string;
      phase?: Phase;
      device?: string;
      error?: unknown;
    },
  ];
}

export type Events = EventEmitter<AppEvents>;

/** One bus per program; created by the composition root and by tests. */
export const createEvents = (): Events => new EventEmitter<AppEvents>();

export type EventHandlers = { readonly [K in keyof AppEvents]?: (...args: AppEvents[K]) => void };

/** Listens to several events at once; the returned function stops listening. */
export function subscribe(events: Events, handlers: EventHandlers): () => void {
  // The types above relate each name to its arguments; over a list of names TypeScript cannot.
  const emitter: EventEmitter = events;
  const pairs = Object.entries(handlers) as [string, (...args: unknown[]) => void][];
  for (const [name, handler] of pairs) emitter.on(name, handler);
  return () => {
    for (const [name, handler] of pairs) emitter.off(name, handler);
  };
}

/** Emits a line for the log, about an error or a job where there is one. */
export function log(
  events: Events,
  level: AppEvents["log"][0]["level"],
  message: string,
  error?: unknown,
  jobId?: string,
): void {
  events.emit("log", {
    level,
    message,
    ...(error === undefined ? {} : { error }),
    ...(jobId === undefined ? {} : { jobId }),
  });
}
