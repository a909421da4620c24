import { Mutex } from "async-mutex";
import { InferenceError } from "../../core/errors.js";

declare const leaseBrand: unique symbol;

/**
 * Proof that its holder owns the GPU. Only `GpuLock.withGpu` creates one, and opening a model requires it, so
 * code without the lock does not compile.
 */
export interface GpuLease {
  readonly [leaseBrand]: never;
  /** False once the `withGpu` that made it has ended. */
  readonly live: boolean;
}

/** The one lock for the GPU: first come, first served, abortable while waiting, released on every path. */
export class GpuLock {
  readonly #mutex = new Mutex();

  get isHeld(): boolean {
    return this.#mutex.isLocked();
  }

  /**
   * Waits for the GPU, runs `work` with the right to use it, then passes it to the next in line, even if
   * `work` throws. Aborting while waiting rejects at once with CANCELLED and gives up the position in line.
   */
  async withGpu<T>(work: (lease: GpuLease) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const release = await this.#acquire(signal);
    let live = true;
    const lease = {
      get live() {
        return live;
      },
    } as GpuLease;
    try {
      return await work(lease);
    } finally {
      live = false;
      release();
    }
  }

  async #acquire(signal?: AbortSignal): Promise<() => void> {
    const acquired = this.#mutex.acquire();
    if (!signal) return acquired;
    let abort = () => {};
    const aborted = new Promise<never>((_, reject) => {
      abort = () => reject(new InferenceError("CANCELLED", "cancelled while waiting for the GPU"));
    });
    signal.addEventListener("abort", abort, { once: true });
    try {
      if (signal.aborted) abort();
      return await Promise.race([aborted, acquired]);
    } catch (error) {
      // async-mutex cannot withdraw a single waiter, so pass its turn on as soon as it comes.
      void acquired.then((release) => release());
      throw error;
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }
}
