import { CHANNEL_LIMIT, type SizeLimit } from "../messages/parts/picture-fit.js";

/**
 * What the reply to each job's command may carry. Known for the commands of this run; a channel may take
 * less.
 */
export class ReplyLimits {
  readonly #bytesPerFile = new Map<string, number>();

  /** `bytes`: the interaction's `attachment_size_limit`. */
  note(jobId: string, bytes: number): void {
    this.#bytesPerFile.set(jobId, bytes);
  }

  of(jobId: string): SizeLimit {
    return { ...CHANNEL_LIMIT, perFile: this.#bytesPerFile.get(jobId) ?? CHANNEL_LIMIT.perFile };
  }

  forget(jobId: string): void {
    this.#bytesPerFile.delete(jobId);
  }
}
