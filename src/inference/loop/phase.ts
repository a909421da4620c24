import type { Events } from "../../core/events.js";
import type { Item, Phase } from "../../core/job.js";
import type { Claim } from "../../db/queue.js";
import type { CallName, WorkerCalls, WorkerInfo } from "../worker/protocol.js";
import type { GpuLease } from "./gpu-lock.js";
import type { CallOptions } from "./model-host.js";

/** A loaded model in its worker; `ModelHost` is the real one. */
export interface Host {
  readonly info: WorkerInfo;
  readonly pid: number;
  readonly alive: boolean;
  call<N extends CallName>(
    name: N,
    request: WorkerCalls[N]["request"],
    options?: CallOptions,
  ): Promise<WorkerCalls[N]["response"]>;
  close(): Promise<{ peakBytes: number; code: number | null; signal: string | null }>;
}

/** What a phase does with the items of a job. Both methods return false if the claim is stale. */
export interface ItemWork {
  /** How many items go through the model together. */
  readonly groupSize: number;
  /** Rewrites or draws the items and stores the results. */
  make(host: Host, claim: Claim, items: readonly Item[], signal: AbortSignal): Promise<boolean>;
  /** Called after each group; `isOver`: the job has no more items for this phase. */
  afterGroup(host: Host, claim: Claim, isOver: boolean): Promise<boolean>;
}

export interface OpenPhaseOptions {
  readonly events: Events;
  /** Loads the model of a phase. */
  readonly startWorker: (phase: Phase, lease: GpuLease, signal: AbortSignal) => Promise<Host>;
  readonly checkpointName: (phase: Phase) => string;
}

/** One phase's model: loaded when the first job needs it, ended with the phase. */
export class OpenPhase {
  jobs = 0;
  items = 0;
  readonly phase: Phase;
  readonly #lease: GpuLease;
  readonly #options: OpenPhaseOptions;
  readonly #stopping: AbortSignal;
  #host: Host | undefined;

  constructor(phase: Phase, lease: GpuLease, options: OpenPhaseOptions, stopping: AbortSignal) {
    this.phase = phase;
    this.#lease = lease;
    this.#options = options;
    this.#stopping = stopping;
  }

  /** True if the worker is gone, so that the phase must start again. */
  get lost(): boolean {
    return this.#host !== undefined && !this.#host.alive;
  }

  async host(signal: AbortSignal): Promise<Host> {
    if (this.#host) return this.#host;
    const { phase } = this;
    const { events, startWorker, checkpointName } = this.#options;
    this.#host = await startWorker(phase, this.#lease, AbortSignal.any([signal, this.#stopping]));
    events.emit("phase.started", {
      phase,
      pid: this.#host.pid,
      checkpoint: checkpointName(phase),
      device: this.#host.info.device,
      loadMs: this.#host.info.loadMs,
    });
    return this.#host;
  }

  /** Ends the worker, even in the middle of a step. */
  async stop(): Promise<void> {
    await this.#host?.close();
  }

  async close(ms: number): Promise<void> {
    if (!this.#host) return;
    const { phase, jobs, items } = this;
    const { events } = this.#options;
    const { pid } = this.#host;
    const { peakBytes, code, signal } = await this.#host.close();
    events.emit("worker.exited", { phase, pid, code, signal });
    events.emit("phase.finished", { phase, jobs, items, ms, peakBytes });
  }
}
