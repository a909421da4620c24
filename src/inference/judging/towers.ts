import type { CompiledGraph } from "../../checkpoints/compile.js";
import type { Device } from "../runtime/device.js";
import { Session } from "../runtime/session.js";

/** A compiled tower of CLIP or of the safety checker. */
export interface Tower {
  /** For messages. */
  readonly name: string;
  readonly graph: CompiledGraph;
}

/**
 * The judges' place on the device: one tower at a time. Two vision towers of ViT-L/14 are 1.2 GB in float16, a card of 6
 * GB has not that much to spare beside Stable Diffusion, and a tower is in the system's file cache when it comes again.
 */
export class TowerPlace {
  #open: { readonly tower: Tower; readonly session: Session<"embeds"> } | undefined;

  constructor(
    private readonly device: Device,
    private readonly threads: number,
  ) {}

  holds(tower: Tower): boolean {
    return this.#open?.tower === tower;
  }

  /** The tower's session; the one that was there is released first. Throws InferenceError OUT_OF_MEMORY. */
  async use(tower: Tower): Promise<Session<"embeds">> {
    if (this.#open?.tower === tower) return this.#open.session;
    await this.release();
    const { device, threads } = this;
    const session = await Session.open<"embeds">(tower.name, tower.graph, device, { threads });
    this.#open = { tower, session };
    return session;
  }

  async release(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    await open?.session.release();
  }
}
