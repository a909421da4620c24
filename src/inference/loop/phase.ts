import type { Events } from "../../core/events.js";
import type { Item, Phase } from "../../core/job.js";
import { type ModelSet, modelKey } from "../../core/model-set.js";
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
  /** Loads the model of a phase; only the image phase has several. */
  readonly startWorker: (phase: Phase, lease: GpuLease, signal: AbortSignal, set: ModelSet) => Promise<Host>;
  /** The name of a model that was loaded before, with what is added to it. */
  readonly checkpointName: (phase: Phase, set: ModelSet) => string;
}

interface Loaded {
  readonly key: string;
  readonly checkpoint: string;
  readonly host: Host;
}

/** One phase's models, one at a time: loaded when a job needs it, ended for the next one or with the phase. */
export class OpenPhase {
  jobs = 0;
  items = 0;
  readonly phase: Phase;
  readonly #lease: GpuLease;
  readonly #options: OpenPhaseOptions;
  readonly #stopping: AbortSignal;
  #loaded: Loaded | undefined;
  #peakBytes = 0;

  constructor(phase: Phase, lease: GpuLease, options: OpenPhaseOptions, stopping: AbortSignal) {
    this.phase = phase;
    this.#lease = lease;
    this.#options = options;
    this.#stopping = stopping;
  }

  /** True if the worker is gone, so that the phase must start again. */
  get lost(): boolean {
    return this.#loaded !== undefined && !this.#loaded.host.alive;
  }

  /** Whether a model is loaded. */
  has(set: ModelSet): boolean {
    return this.#loaded?.key === modelKey(set);
  }

  /** The worker of a model, which is loaded now if another one is. Throws like `OpenPhaseOptions.startWorker`. */
  async host(set: ModelSet, signal: AbortSignal): Promise<Host> {
    const key = modelKey(set);
    if (this.#loaded?.key === key) return this.#loaded.host;
    const { phase } = this;
    const { events, startWorker, checkpointName } = this.#options;
    const replaced = this.#loaded?.checkpoint;
    await this.#end();
    const host = await startWorker(phase, this.#lease, AbortSignal.any([signal, this.#stopping]), set);
    const checkpoint = checkpointName(phase, set);
    this.#loaded = { key, checkpoint, host };
    const { device, loadMs } = host.info;
    events.emit("phase.started", {
      phase,
      pid: host.pid,
      checkpoint,
      device,
      loadMs,
      ...(replaced === undefined ? {} : { replaced }),
    });
    return host;
  }

  /** Ends the worker, even in the middle of a step. */
  async stop(): Promise<void> {
    await this.#loaded?.host.close();
  }

  async close(ms: number): Promise<void> {
    if (!this.#loaded) return;
    const { phase, jobs, items } = this;
    await this.#end();
    this.#options.events.emit("phase.finished", { phase, jobs, items, ms, peakBytes: this.#peakBytes });
  }

  async #end(): Promise<void> {
    if (!this.#loaded) return;
    const { host } = this.#loaded;
    const { pid } = host;
    const { peakBytes, code, signal } = await host.close();
    this.#loaded = undefined;
    this.#peakBytes = Math.max(this.#peakBytes, peakBytes);
    this.#options.events.emit("worker.exited", { phase: this.phase, pid, code, signal });
  }
}
