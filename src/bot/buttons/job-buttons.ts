import { MessageFlags } from "discord.js";
import { isFinished, type Job } from "../../core/job.js";
import type { Queue } from "../../db/queue.js";
import type { Records } from "../../db/records.js";
import type { Votes } from "../../db/votes.js";
import type { PictureStore } from "../../pictures/store.js";
import {
  acknowledge,
  deferUpdate,
  deleteMessage,
  type Press,
  replyPrivately,
} from "../discord/interactions.js";
import { infoMessage } from "../messages/info-message.js";
import { refusals } from "../words/refusals.js";

export interface JobButtonOptions {
  readonly queue: Queue;
  readonly records: Records;
  readonly votes: Votes;
  readonly pictures: PictureStore;
}

/** The buttons that end, explain and delete a job. */
export class JobButtons {
  readonly #options: JobButtonOptions;

  constructor(options: JobButtonOptions) {
    this.#options = options;
  }

  async cancel(press: Press, job: Job): Promise<void> {
    if (isFinished(job.state)) return replyPrivately(press, refusals.alreadyFinished);
    await deferUpdate(press);
    const answer = await this.#options.queue.cancel(job.id);
    if (answer === "finished" || answer === "unknown") {
      const content = answer === "finished" ? refusals.alreadyFinished : refusals.unknownJob;
      await press.followUp({ content, flags: MessageFlags.Ephemeral });
    }
  }

  async info(press: Press, job: Job): Promise<void> {
    const isSecret = job.blind && (await this.#options.votes.ballot(job.id))?.closedAt === null;
    if (isSecret) return replyPrivately(press, refusals.secret);
    await acknowledge(press, () => press.reply(infoMessage(job)));
  }

  /** Removes the message, the pictures and the stored job. */
  async delete(press: Press, job: Job): Promise<void> {
    const { records, pictures } = this.#options;
    if (!isFinished(job.state)) return replyPrivately(press, refusals.notFinished);
    await deferUpdate(press);
    await records.drop(job.id);
    await pictures.remove(job.id);
    await deleteMessage(press);
  }
}
