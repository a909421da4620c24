import { codeOf } from "../../core/errors.js";
import type { PictureSize } from "../../core/options.js";

/** What of a checkpoint is in memory at once. */
export interface MemoryPlan {
  /** Whether text encoder, UNet and VAE are loaded in turn, each after the one before it was released. */
  readonly isInTurn: boolean;
  /** Whether the VAE computes in stripes. */
  readonly isStriped: boolean;
}

/**
 * From the quickest to the one that takes the least memory: stripes cost some of the VAE's time, and loading in turn
 * costs the reading of all weights for each picture.
 */
export const MEMORY_PLANS: readonly [MemoryPlan, ...MemoryPlan[]] = [
  { isInTurn: false, isStriped: false },
  { isInTurn: false, isStriped: true },
  { isInTurn: true, isStriped: false },
  { isInTurn: true, isStriped: true },
];

/** A memory plan in words. */
export const memoryPlanName = ({ isInTurn, isStriped }: MemoryPlan): string =>
  `parts ${isInTurn ? "loaded in turn" : "all loaded"}, VAE ${isStriped ? "in stripes" : "whole"}`;

/** The memory plan of a loaded checkpoint, which changes with the pictures' size and where memory turns out to be full. */
export class Memory {
  /** The quickest plan that has not been too large. */
  #first: MemoryPlan = MEMORY_PLANS[0];

  constructor(
    private current: MemoryPlan,
    /** The quickest plan from this one on for a picture; throws InputError INPUT_MEMORY if there is none. */
    private readonly planFor: (size: PictureSize, first: MemoryPlan) => MemoryPlan,
    /** Releases the VAE, or all that is loaded under the plan. */
    private readonly release: (what: "vae" | "all") => Promise<void>,
    /** Releases what else is on the device; false if there was nothing. */
    private readonly releaseOthers: () => Promise<boolean>,
  ) {}

  get plan(): MemoryPlan {
    return this.current;
  }

  /** Takes the plan for a picture of this size. Throws InputError INPUT_MEMORY if it fits under none. */
  async prepare(size: PictureSize): Promise<void> {
    const plan = this.planFor(size, this.#first);
    if (plan.isStriped !== this.current.isStriped) await this.release("vae");
    this.current = plan;
  }

  /**
   * Runs `work`; while memory is full, again with more room, which stays.
   * @throws the error of `work`; OUT_OF_MEMORY only if no memory plan takes less
   */
  async inRoom<T>(work: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (codeOf(error) !== "OUT_OF_MEMORY" || !(await this.#makeRoom())) throw error;
      }
    }
  }

  async #makeRoom(): Promise<boolean> {
    if (await this.releaseOthers()) return true;
    const next = MEMORY_PLANS[MEMORY_PLANS.indexOf(this.current) + 1];
    if (next === undefined) return false;
    await this.release("all");
    this.current = next;
    this.#first = next;
    return true;
  }
}
