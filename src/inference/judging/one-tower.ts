import type { CompiledGraph } from "../../checkpoints/compile.js";
import { codeOf } from "../../core/errors.js";
import type { Device } from "../runtime/device.js";
import { Session } from "../runtime/session.js";

/** A compiled tower of CLIP or of the safety checker. */
export interface Tower {
  /** For messages. */
  readonly name: string;
  readonly graph: CompiledGraph;
}

/**
 * Keeps one tower on the device at a time. Two vision towers of ViT-L/14 take 1.2 GB in float16, which a 6 GB
 * card cannot spare beside Stable Diffusion, and reloading a tower reads it from the system's file cache.
 */
export class OneTower {
  readonly #device: Device;
  readonly #threads: number;
  #open: { readonly tower: Tower; readonly session: Session<"embeds"> } | undefined;

  constructor(device: Device, threads: number) {
    this.#device = device;
    this.#threads = threads;
  }

  holds(tower: Tower): boolean {
    return this.#open?.tower === tower;
  }

  /** The tower's session; releases any other tower's first. Throws InferenceError OUT_OF_MEMORY. */
  async use(tower: Tower): Promise<Session<"embeds">> {
    if (this.#open?.tower === tower) return this.#open.session;
    await this.release();
    const threads = this.#threads;
    const session = await Session.open<"embeds">(tower.name, tower.graph, this.#device, { threads });
    this.#open = { tower, session };
    return session;
  }

  /** Returns false if none was loaded. */
  async release(): Promise<boolean> {
    const open = this.#open;
    this.#open = undefined;
    await open?.session.release();
    return open !== undefined;
  }
}

/**
 * Runs `work`. If the device's memory is full, runs `makeRoom` and then `work` once more.
 * @throws the error of `work`; a lack of memory only the second time
 */
export async function withRoom<T>(work: () => Promise<T>, makeRoom: () => Promise<void>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (codeOf(error) !== "OUT_OF_MEMORY") throw error;
  }
  await makeRoom();
  return work();
}
