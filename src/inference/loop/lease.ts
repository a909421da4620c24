import { type Claim, LEASE_MS, type Queue } from "../../db/queue.js";

/** Some may fail or be late before the lease is over. */
const BEAT_MS = LEASE_MS / 5;

/**
 * Extends the lease of a claim until the returned function is called, which waits for an answer that is on its way.
 * `onStop` is called when the holder must stop: it was asked to, or somebody else has the job.
 *
 * A call that fails is told to `onTrouble`, and the next one is made all the same: the work goes on while the database
 * is away, and its results are kept if it comes back before the job was given to somebody else.
 */
export function keepLease(
  queue: Pick<Queue, "extend">,
  claim: Claim,
  {
    onStop,
    onTrouble,
    everyMs = BEAT_MS,
  }: {
    readonly onStop: () => void;
    readonly onTrouble: (error: unknown) => void;
    readonly everyMs?: number;
  },
): () => Promise<void> {
  let call: Promise<void> = Promise.resolve();
  let isWaiting = false;
  const beat = async () => {
    try {
      if ((await queue.extend(claim)) !== "held") onStop();
    } catch (error) {
      onTrouble(error);
    } finally {
      isWaiting = false;
    }
  };
  const timer = setInterval(() => {
    if (isWaiting) return;
    isWaiting = true;
    call = beat();
  }, everyMs);
  return () => {
    clearInterval(timer);
    return call;
  };
}
