import { EventEmitter } from "node:events";
import type { ErrorCode } from "./errors.js";
import type { Job, JobState, Phase } from "./job.js";
import type { Side } from "./side.js";

/** How far the running item is. */
export interface Progress {
  readonly jobId: string;
  readonly phase: Phase;
  /** Index of the item in its job, and the number of items of the job. */
  readonly item: number;
  readonly items: number;
  /** What is being made: the rewrite, or one of the two pictures. */
  readonly making: "rewrite" | Side;
  /** Tokens of the rewrite or denoising steps of the picture, done and in all. */
  readonly step: number;
  readonly steps: number;
}

/**
 * What happens, for whoever listens: the bot's messages, the log, the metrics. Nobody's result depends on it.
 * Changes of rows are emitted by db/announce.ts alone.
 */
export interface AppEvents {
  "job.enqueued": [{ jobId: string; job: Job }];
  "job.claimed": [{ jobId: string; phase: Phase; attempt: number }];
  /** Someone asked a running job to stop; the row says so too, this is the hint. */
  "job.cancel-requested": [{ jobId: string }];
  "job.progress": [Progress];
  /** One picture of a pair is stored; its other half may follow. */
  "job.picture": [{ jobId: string; item: number; side: Side }];
  /**
   * A small WebP of a picture that is being drawn; `harmless` where what draws it needs no safety checker.
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
  /** Ten further pairs of a batch are on a contact sheet. */
  "job.sheet": [{ jobId: string; number: number }];
  "job.item": [{ jobId: string; item: number; phase: Phase }];
  /**
   * The job left the running state without an end: to its next phase, for a retry, or to let others go first.
   */
  "job.requeued": [
    { jobId: string; phase: Phase; reason: "next-phase" | "retry" | "yield" | "recovered"; code?: ErrorCode },
  ];
  /** `erased`: its row is gone too, so there is no result to deliver. */
  "job.finished": [{ jobId: string; state: JobState; code?: ErrorCode; erased?: true }];
  /** The queue hands out work again. */
  "queue.resumed": [];
  "job.delivered": [{ jobId: string; messageId: string | null }];
  "phase.started": [{ phase: Phase; pid: number; checkpoint: string; device: string; loadMs: number }];
  "phase.finished": [{ phase: Phase; jobs: number; items: number; ms: number; peakBytes: number }];
  "worker.exited": [{ phase: Phase; pid: number; code: number | null; signal: string | null }];
  /** Discord holds back requests of a route for `ms`. */
  "discord.rate-limited": [{ route: string; ms: number }];
  /** From a heartbeat of the gateway to its answer. */
  "discord.latency": [{ ms: number }];
  /** `phase`: it comes from the worker of this phase. */
  log: [
    {
      level: "debug" | "info" | "warn" | "error";
      message: string;
      jobId?: string;
      phase?: Phase;
      error?: unknown;
    },
  ];
}

export type Events = EventEmitter<AppEvents>;

/** One bus for one program; made by the composition root and by tests. */
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
