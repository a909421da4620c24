import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { CheckpointError, type ErrorCode, InferenceError, InputError } from "../../core/errors.js";
import type {
  CallName,
  FromWorker,
  ToWorker,
  WireError,
  WorkerCalls,
  WorkerInfo,
  WorkerSpec,
} from "../worker/protocol.js";
import type { GpuLease } from "./gpu-lock.js";
import { WorkerOutput } from "./worker-output.js";

export interface HostOptions {
  readonly signal?: AbortSignal;
  /**
   * Ends a busy worker as stalled after this many milliseconds in which it neither sends a message nor prints,
   * and after PRINTING_SILENCES as many in which it only prints.
   */
  readonly silenceMs?: number;
  /** The compiled worker; set by tests that run from source. */
  readonly workerFile?: string;
  /** Called with each line that the worker or a native library prints, as far as they fit in a log. */
  readonly onOutput?: (line: string) => void;
  /**
   * Called with the worker's pid before it is told what to load, which waits for this; the returned function is
   * called when it has ended. Neither may throw.
   */
  readonly onStarted?: (pid: number) => Promise<() => void>;
  /** Called with the device that the worker opened, before it loads its model there. */
  readonly onDevice?: (name: string) => void;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** Called with the steps done and in total. */
  readonly onProgress?: (done: number, of: number) => void;
  /** Called with each preview, a small WebP, if the request asks for them. */
  readonly onPreview?: (data: Uint8Array) => void;
}

interface Pending {
  readonly resolve: (response: never) => void;
  readonly reject: (error: Error) => void;
  readonly onProgress: ((done: number, of: number) => void) | undefined;
  readonly onPreview: ((data: Uint8Array) => void) | undefined;
}

const WORKER_FILE = fileURLToPath(new URL("../worker/worker.js", import.meta.url));
const DEFAULT_SILENCE_MS = 15 * 60_000;
/** Printing is a sign of life, such as of a driver that compiles for long, but it is no progress. */
const PRINTING_SILENCES = 4;
/** A worker that has not ended this long after it was asked to close is killed. */
const CLOSE_GRACE_MS = 1_500;
/** After these the worker's device or memory can't be trusted; only a new process starts clean. */
const ENDS_WORKER: readonly ErrorCode[] = ["WORKER_DIED", "OUT_OF_MEMORY"];

/**
 * The parent's side of one worker: a child process that holds one model. Running a model blocks its thread
 * for whole steps, and only ending the process frees GPU memory on every driver. So one host serves one
 * phase.
 */
export class ModelHost {
  readonly #child: ChildProcess;
  readonly #pending = new Map<number, Pending>();
  readonly #exited: Promise<{ code: number | null; signal: string | null }>;
  readonly #silenceMs: number;
  readonly #onDevice: ((name: string) => void) | undefined;
  readonly #output: WorkerOutput;
  #silence: NodeJS.Timeout | undefined;
  /** When the last message came or the last call began. */
  #progressAt = 0;
  #nextId = 1;
  #death: InferenceError | undefined;
  #onReady: ((message: Extract<FromWorker, { type: "ready" | "failed" }>) => void) | undefined;
  #peakBytes = 0;
  #info: WorkerInfo | undefined;

  private constructor(options: HostOptions) {
    this.#silenceMs = options.silenceMs ?? DEFAULT_SILENCE_MS;
    this.#onDevice = options.onDevice;
    this.#output = new WorkerOutput((line) => options.onOutput?.(line));
    this.#child = fork(options.workerFile ?? WORKER_FILE, [], {
      serialization: "advanced",
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      execArgv: [],
    });
    this.#exited = new Promise((resolve) => {
      this.#child.once("exit", (code, signal) => resolve({ code, signal }));
      this.#child.once("error", (cause) => {
        this.#die(new InferenceError("WORKER_DIED", "the model's process could not be started", { cause }));
        if (this.#child.pid === undefined) resolve({ code: null, signal: null });
      });
    });
    this.#child.on("message", (message) => this.#receive(message as FromWorker));
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.#output.take(text);
        this.#waitForMore();
      });
    void this.#exited.then(({ code, signal }) => {
      this.#output.end();
      const how = signal ? `signal ${signal}` : `exit code ${code}`;
      const { tail } = this.#output;
      const said = tail.length > 0 ? `; it last said: ${tail.join(" | ")}` : "";
      // The kernel's out-of-memory killer leaves no trace but SIGKILL.
      const outOfMemory = signal === "SIGKILL" || /out of memory|bad_alloc|heap limit/i.test(said);
      this.#die(
        new InferenceError(
          outOfMemory ? "OUT_OF_MEMORY" : "WORKER_DIED",
          `the model's process ended with ${how}${said}`,
        ),
      );
    });
  }

  /**
   * Starts a worker and loads the model of `spec` in it. Throws CheckpointError or InferenceError with the
   * worker's code if the model cannot be loaded, and CANCELLED if `signal` aborts first; the worker has then
   * ended.
   */
  static async open(lease: GpuLease, spec: WorkerSpec, options: HostOptions = {}): Promise<ModelHost> {
    if (!lease.live)
      throw new InferenceError("INTERNAL", "a model was opened with a GPU lease that has ended");
    options.signal?.throwIfAborted();
    const host = new ModelHost(options);
    const ready = new Promise<WorkerInfo>((resolve, reject) => {
      host.#onReady = (message) =>
        message.type === "ready" ? resolve(message.info) : reject(reviveError(message.error));
      host.#pending.set(0, {
        resolve: resolve as never,
        reject,
        onProgress: undefined,
        onPreview: undefined,
      });
    });
    const abort = () => host.#die(new InferenceError("CANCELLED", "cancelled while the model was loading"));
    options.signal?.addEventListener("abort", abort, { once: true });
    try {
      const told = host.#writeDown(options.onStarted).then(() => {
        host.#send({ type: "open", spec });
        host.#listenForLife();
      });
      [host.#info] = await Promise.all([ready, told]);
      return host;
    } catch (error) {
      host.#child.kill("SIGKILL");
      await host.#exited;
      throw error;
    } finally {
      host.#pending.delete(0);
      host.#listenForLife();
      options.signal?.removeEventListener("abort", abort);
    }
  }

  get info(): WorkerInfo {
    if (!this.#info) throw new InferenceError("INTERNAL", "the worker is not ready");
    return this.#info;
  }

  /** Process id of the worker, 0 if it never started. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** False once the worker has ended, for whatever reason. */
  get alive(): boolean {
    return this.#death === undefined;
  }

  /**
   * Sends the worker one call. Aborting `signal` stops it between two steps of the model and rejects with
   * CANCELLED; the worker stays usable. Rejects with WORKER_DIED, OUT_OF_MEMORY or WORKER_STALLED if the
   * worker is lost.
   */
  async call<N extends CallName>(
    name: N,
    request: WorkerCalls[N]["request"],
    { signal, onProgress, onPreview }: CallOptions = {},
  ): Promise<WorkerCalls[N]["response"]> {
    if (this.#death) throw this.#death;
    if (signal?.aborted) throw new InferenceError("CANCELLED", "cancelled before it started");
    const id = this.#nextId++;
    const cancel = () => this.#send({ type: "cancel", id });
    signal?.addEventListener("abort", cancel, { once: true });
    try {
      return await new Promise<WorkerCalls[N]["response"]>((resolve, reject) => {
        this.#pending.set(id, { resolve, reject, onProgress, onPreview });
        this.#send({ type: "call", id, name, request });
        this.#listenForLife();
      });
    } finally {
      signal?.removeEventListener("abort", cancel);
      this.#pending.delete(id);
      this.#listenForLife();
    }
  }

  /**
   * Ends the worker and waits until its process is gone. Returns its peak resident memory in bytes (0 if
   * unknown).
   */
  async close(): Promise<{ peakBytes: number; code: number | null; signal: string | null }> {
    if (this.alive) {
      this.#send({ type: "close" });
      const grace = setTimeout(() => this.#child.kill("SIGKILL"), CLOSE_GRACE_MS);
      await this.#exited;
      clearTimeout(grace);
    }
    return { peakBytes: this.#peakBytes, ...(await this.#exited) };
  }

  async #writeDown(onStarted: HostOptions["onStarted"]): Promise<void> {
    const { pid } = this.#child;
    if (onStarted === undefined || pid === undefined) return;
    const onEnded = await onStarted(pid);
    void this.#exited.then(onEnded);
  }

  #receive(message: FromWorker): void {
    this.#listenForLife();
    switch (message.type) {
      case "ready":
      case "failed":
        this.#onReady?.(message);
        return;
      case "device":
        this.#onDevice?.(message.name);
        return;
      case "progress":
        this.#pending.get(message.id)?.onProgress?.(message.done, message.of);
        return;
      case "preview":
        this.#pending.get(message.id)?.onPreview?.(message.data);
        return;
      case "result":
        this.#pending.get(message.id)?.resolve(message.response as never);
        return;
      case "error": {
        const error = reviveError(message.error);
        this.#pending.get(message.id)?.reject(error);
        if (error instanceof InferenceError && ENDS_WORKER.includes(error.code)) this.#die(error);
        return;
      }
      case "closed":
        this.#peakBytes = message.peakBytes;
    }
  }

  #send(message: ToWorker): void {
    // Ignore failed sends: a worker that is gone is reported by its exit.
    if (this.#child.connected) this.#child.send(message, () => {});
  }

  /** Notes that the worker gets on, or has something new to do. */
  #listenForLife(): void {
    this.#progressAt = performance.now();
    this.#waitForMore();
  }

  /** Restarts the timer that ends a busy worker after too long a silence, or too long without progress. */
  #waitForMore(): void {
    clearTimeout(this.#silence);
    if (this.#pending.size === 0 || !this.alive) return;
    const longest = this.#progressAt + PRINTING_SILENCES * this.#silenceMs - performance.now();
    const silence =
      longest < this.#silenceMs
        ? `the model's process printed for ${seconds(PRINTING_SILENCES * this.#silenceMs)} and did nothing else`
        : `nothing was heard from the model's process for ${seconds(this.#silenceMs)}`;
    const end = () => this.#die(new InferenceError("WORKER_STALLED", `${silence}; it was ended`));
    // A timer would never be due under a flood, of which each chunk comes here.
    if (longest <= 0) end();
    else this.#silence = setTimeout(end, Math.min(this.#silenceMs, longest));
  }

  #die(death: InferenceError): void {
    if (this.#death) return;
    this.#death = death;
    clearTimeout(this.#silence);
    this.#child.kill("SIGKILL");
    for (const { reject } of this.#pending.values()) reject(death);
  }
}

const seconds = (ms: number) => `${Math.round(ms / 1000)} s`;

/** Rebuilds an error thrown in the worker, with its class. */
function reviveError({ code, message, context, stack }: WireError): Error {
  const error = code.startsWith("INPUT_")
    ? new InputError(code, message, context)
    : new (code.startsWith("CHECKPOINT_") ? CheckpointError : InferenceError)(code, message);
  if (stack) error.stack = stack;
  return error;
}

/**
 * What WebGPU's Dawn prints on a machine without a Vulkan driver: a warning and its place in the source. The
 * device's note already says that no GPU could be opened.
 */
const NO_DRIVER = /Couldn't load Vulkan|dawn-src[\\/]/;

/** The severity of a line printed by a worker or a native library. */
export const levelOfOutput = (line: string): "debug" | "warn" => (NO_DRIVER.test(line) ? "debug" : "warn");
