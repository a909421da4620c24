import { codeOf } from "../../core/errors.js";

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

/** The memory plan of a loaded checkpoint, which changes where memory turns out to be full. */
export class Memory {
  constructor(
    public plan: MemoryPlan,
    /** Releases all that is loaded under the plan. */
    private readonly release: () => Promise<void>,
    /** Releases what else is on the device; false if there was nothing. */
    private readonly releaseOthers: () => Promise<boolean>,
  ) {}

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
    const next = MEMORY_PLANS[MEMORY_PLANS.indexOf(this.plan) + 1];
    if (next === undefined) return false;
    await this.release();
    this.plan = next;
    return true;
  }
}
