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
 * Holds one tower on the device at a time. Two vision towers of ViT-L/14 are 1.2 GB in float16, which a card
 * of 6 GB does not have to spare beside Stable Diffusion, and a tower that comes back is in the system's file
 * cache.
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

  /** The tower's session. Another tower's is released first. Throws InferenceError OUT_OF_MEMORY. */
  async use(tower: Tower): Promise<Session<"embeds">> {
    if (this.#open?.tower === tower) return this.#open.session;
    await this.release();
    const threads = this.#threads;
    const session = await Session.open<"embeds">(tower.name, tower.graph, this.#device, { threads });
    this.#open = { tower, session };
    return session;
  }

  async release(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    await open?.session.release();
  }
}

/**
 * Runs `work`. Where the device's memory is full, runs `makeRoom` and then `work` once more.
 * @throws what `work` throws; a lack of memory only the second time
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
