import type { CompiledGraph } from "../../checkpoints/compile.js";
import { kindOf } from "../../core/devices.js";
import { InferenceError } from "../../core/errors.js";
import { type Device, deviceOptions, KEEP_CASTS } from "./device.js";
import { InferenceSession, Tensor } from "./onnxruntime.js";

export { Tensor };

export interface SessionSettings {
  /** Threads of the CPU operators; 0 or none: the runtime chooses. */
  readonly threads?: number;
  /** Sizes of symbolic dimensions that stay fixed in this session. */
  readonly dimensions?: Readonly<Record<string, number>>;
}

export type Outputs<Name extends string> = Record<Name, Tensor>;

/**
 * A compiled graph in memory. `run` blocks the thread while the graph runs (the runtime offers nothing else),
 * so sessions are used in a worker process.
 */
export class Session<Output extends string = string> {
  #session: InferenceSession | undefined;

  readonly #device: Device["name"];

  private constructor(
    readonly name: string,
    device: Device["name"],
    session: InferenceSession,
  ) {
    this.#device = device;
    this.#session = session;
  }

  /**
   * Loads a compiled graph onto a device.
   * @throws InferenceError OUT_OF_MEMORY or DEVICE_UNAVAILABLE
   */
  static async open<Output extends string = string>(
    name: string,
    graph: Pick<CompiledGraph, "path" | "dataFolder" | "castsWeights">,
    device: Device,
    { threads = 0, dimensions = {} }: SessionSettings = {},
  ): Promise<Session<Output>> {
    try {
      const session = await InferenceSession.create(graph.path, {
        logSeverityLevel: 4,
        ...deviceOptions(device.name),
        ...(threads > 0 ? { intraOpNumThreads: threads } : {}),
        freeDimensionOverrides: dimensions,
        extra: {
          session: {
            model_external_initializers_file_folder_path: graph.dataFolder,
            // Loads weights directly, without a second copy in the arena.
            use_device_allocator_for_initializers: "1",
            // A worker that waits for its next picture must not keep the cores busy.
            intra_op: { allow_spinning: "0" },
          },
          ...(graph.castsWeights ? KEEP_CASTS : {}),
        },
      });
      return new Session<Output>(name, device.name, session);
    } catch (error) {
      throw translate(error, `${name} can't be loaded on ${device.name}`, "DEVICE_UNAVAILABLE");
    }
  }

  get isOpen(): boolean {
    return this.#session !== undefined;
  }

  /** Runs the graph; returns all outputs, or the named ones, on the CPU. */
  async run<Name extends Output = Output>(
    feeds: Readonly<Record<string, Tensor>>,
    outputs?: readonly Name[],
  ): Promise<Outputs<Name>> {
    if (this.#session === undefined) throw new InferenceError("INTERNAL", `${this.name} was released`);
    try {
      return (await (outputs === undefined
        ? this.#session.run(feeds)
        : this.#session.run(feeds, outputs))) as Outputs<Name>;
    } catch (error) {
      throw runError(error, this.name, this.#device);
    }
  }

  /** Frees the session's memory; a second call does nothing. */
  async release(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    await session?.release();
  }
}

/** How the runtime and drivers report a lack of memory. */
const OUT_OF_MEMORY =
  /out of memory|failed to allocate|bad_alloc|allocation failed|not enough memory|CUDA_ERROR_OUT_OF_MEMORY/i;

/**
 * The error for a failed run. On a GPU, which worked when it was opened, it means a lost or hung device.
 * Whatever the driver calls it, the device does not recover within this process, so the worker has to end.
 */
export function runError(error: unknown, name: string, device: Device["name"]): InferenceError {
  if (kindOf(device) === "cpu") return translate(error, `${name} failed`, "INTERNAL");
  return translate(error, `${name} failed on ${device}, which is opened anew`, "WORKER_DIED");
}

function translate(
  error: unknown,
  what: string,
  otherwise: "DEVICE_UNAVAILABLE" | "INTERNAL" | "WORKER_DIED",
): InferenceError {
  const message = error instanceof Error ? error.message : String(error);
  return OUT_OF_MEMORY.test(message)
    ? new InferenceError("OUT_OF_MEMORY", `${what}: memory is full`, { cause: error })
    : new InferenceError(otherwise, what, { cause: error });
}
