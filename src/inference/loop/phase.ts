import type { Events } from "../../core/events.js";
import type { Item, Phase } from "../../core/job.js";
import { type ModelSet, modelKey } from "../../core/model-set.js";
import type { Side } from "../../core/side.js";
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

/** What is made of an item at once: in the text phase the text of one side, in the image phase all its pictures. */
export interface Piece {
  readonly item: Item;
  /** `optimized` in the image phase. */
  readonly side: Side;
}

/** What a phase does with the items of a job. Both methods return false if the claim is stale. */
export interface ItemWork {
  /** How many pieces go through the model together. */
  readonly groupSize: number;
  /** Rewrites or draws the pieces and stores the results. */
  make(host: Host, claim: Claim, pieces: readonly Piece[], signal: AbortSignal): Promise<boolean>;
  /** Called after each group; `isOver`: the job has no more items for this phase. */
  afterGroup(host: Host, claim: Claim, isOver: boolean): Promise<boolean>;
}

export interface OpenPhaseOptions {
  readonly events: Events;
  /** Identifies the loop, of this run of the program, in its claims and events. */
  readonly owner: string;
  /** Loads the model of a phase; only the image phase has several. */
  readonly startWorker: (phase: Phase, lease: GpuLease, signal: AbortSignal, set: ModelSet) => Promise<Host>;
  /** The name of a model that was loaded before, with what is added to it. */
  readonly checkpointName: (phase: Phase, set: ModelSet) => string;
  /** Bytes of weights that may stay loaded when another model is wanted; 0, or absent: one model at a time. */
  readonly keptBytes?: number;
}

interface Loaded {
  readonly checkpoint: string;
  readonly host: Host;
}

/**
 * The turn of a model lasts this many times as long as it took to load, so that loading takes at most a tenth of the
 * time, whatever the machine.
 */
const TURN_LOADS = 10;

/** One phase's models: loaded when a job needs them, ended when there is no room for the next one or with the phase. */
export class OpenPhase {
  jobs = 0;
  items = 0;
  readonly phase: Phase;
  readonly #lease: GpuLease;
  readonly #options: OpenPhaseOptions;
  readonly #stopping: AbortSignal;
  /** By the keys of their sets, the one that was used last behind the others. */
  readonly #loaded = new Map<string, Loaded>();
  #loading: string | null = null;
  /** When the last one was loaded. */
  #turnBegan = 0;
  #turnMs = 0;
  /** Where the last one was loaded; null before the first. */
  #device: string | null = null;
  #peakBytes = 0;

  constructor(phase: Phase, lease: GpuLease, options: OpenPhaseOptions, stopping: AbortSignal) {
    this.phase = phase;
    this.#lease = lease;
    this.#options = options;
    this.#stopping = stopping;
  }

  /** True if a worker is gone, so that the phase must start again. */
  get lost(): boolean {
    return [...this.#loaded.values()].some(({ host }) => !host.alive);
  }

  /** The keys of the models that are loaded, and of the one that is being loaded. */
  get keys(): readonly string[] {
    return [...this.#loaded.keys(), ...(this.#loading === null ? [] : [this.#loading])];
  }

  /** Whether a model is loaded. */
  has(set: ModelSet): boolean {
    return this.#loaded.has(modelKey(set));
  }

  /** The loaded models while their turn lasts, whose jobs come first; undefined once it is over, and for Promptist. */
  turn(now: number): readonly string[] | undefined {
    const isOver = now - this.#turnBegan >= this.#turnMs;
    return this.phase === "text" || this.#loaded.size === 0 || isOver ? undefined : [...this.#loaded.keys()];
  }

  /**
   * The worker of a model, which is loaded now if it is not, for the time that `now` tells. Throws like
   * `OpenPhaseOptions.startWorker`.
   */
  async host(set: ModelSet, signal: AbortSignal, now: () => number): Promise<Host> {
    const key = modelKey(set);
    const known = this.#loaded.get(key);
    if (known !== undefined) {
      this.#loaded.delete(key);
      this.#loaded.set(key, known);
      return known.host;
    }
    const { phase } = this;
    const { events, owner, startWorker, checkpointName } = this.#options;
    // A model that was never loaded may need as much as the largest one here.
    const ended = await this.#makeRoom(Math.max(0, ...this.#sizes()));
    this.#loading = key;
    const host = await startWorker(
      phase,
      this.#lease,
      AbortSignal.any([signal, this.#stopping]),
      set,
    ).finally(() => {
      this.#loading = null;
    });
    const checkpoint = checkpointName(phase, set);
    ended.push(...(await this.#makeRoom(host.info.weightBytes)));
    this.#loaded.set(key, { checkpoint, host });
    const { device, loadMs, weightBytes } = host.info;
    const [replaced] = ended;
    this.#turnBegan = now();
    this.#turnMs = TURN_LOADS * loadMs;
    this.#device = device;
    events.emit("phase.started", {
      phase,
      pid: host.pid,
      checkpoint,
      device,
      loadMs,
      weightBytes,
      owner,
      ...(replaced === undefined ? {} : { replaced }),
    });
    return host;
  }

  /** Ends what is left of workers that are gone. */
  async dropLost(): Promise<void> {
    for (const [key, { host }] of [...this.#loaded]) if (!host.alive) await this.#end(key);
  }

  /** Ends the workers, even in the middle of a step. */
  async stop(): Promise<void> {
    await Promise.all([...this.#loaded.values()].map(({ host }) => host.close()));
  }

  async close(ms: number): Promise<void> {
    const device = this.#device;
    if (device === null) return;
    const { phase, jobs, items } = this;
    for (const key of [...this.#loaded.keys()]) await this.#end(key);
    const { events, owner } = this.#options;
    const peakBytes = this.#peakBytes;
    events.emit("phase.finished", { phase, device, jobs, items, ms, peakBytes, owner });
  }

  #sizes(): number[] {
    return [...this.#loaded.values()].map(({ host }) => host.info.weightBytes);
  }

  /** Ends models, those first that were used longest ago, until another one of `bytes` may be kept beside the rest. */
  async #makeRoom(bytes: number): Promise<string[]> {
    const { keptBytes = 0 } = this.#options;
    const ended: string[] = [];
    for (const [key, { checkpoint }] of [...this.#loaded]) {
      const needed = this.#sizes().reduce((sum, size) => sum + size, bytes);
      if (keptBytes > 0 && needed <= keptBytes) break;
      await this.#end(key);
      ended.push(checkpoint);
    }
    return ended;
  }

  async #end(key: string): Promise<void> {
    const { host } = this.#loaded.get(key)!;
    const { pid, info } = host;
    const { peakBytes, code, signal } = await host.close();
    this.#loaded.delete(key);
    this.#peakBytes = Math.max(this.#peakBytes, peakBytes);
    const { events, owner } = this.#options;
    events.emit("worker.exited", { phase: this.phase, device: info.device, pid, code, signal, owner });
  }
}
