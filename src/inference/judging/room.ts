import { codeOf } from "../../core/errors.js";

/**
 * Runs `work`; where the device's memory is full, once more after `makeRoom` gave some back.
 * @throws what `work` throws, the second time for memory
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
