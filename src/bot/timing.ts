/** All in milliseconds, except the rate. */
export interface BotTiming {
  /** Least time between two edits of one message. */
  readonly editGapMs: number;
  /** The same where the second edit shows another phase, which people should see at once. */
  readonly phaseGapMs: number;
  /** Most edits of one message in any time of this length; Discord allows 5 in 5 s, and one is the result. */
  readonly burst: { readonly edits: number; readonly ms: number };
  /** Status edits a second over all messages; Discord's own limit is 50 requests. */
  readonly editsPerSecond: number;
  readonly positionsGapMs: number;
  readonly downloadTimeoutMs: number;
  /** A request that Discord answers later than this fails: one with pictures, and any other. */
  readonly uploadTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly retryFirstMs: number;
  readonly retryMaxMs: number;
  /** A result that took longer than this calls the requester. */
  readonly pingAfterMs: number;
  /** The same command or press of the same person within this time is done once; 0: each is done. */
  readonly repeatMs: number;
}

export const DEFAULT_TIMING: BotTiming = {
  editGapMs: 2_500,
  phaseGapMs: 400,
  burst: { edits: 4, ms: 5_000 },
  editsPerSecond: 20,
  positionsGapMs: 1_000,
  downloadTimeoutMs: 15_000,
  // Pictures may go out over a slow line.
  uploadTimeoutMs: 120_000,
  requestTimeoutMs: 15_000,
  retryFirstMs: 2_000,
  retryMaxMs: 5 * 60_000,
  pingAfterMs: 30_000,
  repeatMs: 1_000,
};
