import { hasOverview, isFinished, type Job } from "../../core/job.js";
import type { Favourites } from "../../db/favourites.js";
import type { Queue } from "../../db/queue.js";
import type { Records } from "../../db/records.js";
import type { Votes } from "../../db/votes.js";
import type { PictureStore } from "../../pictures/store.js";
import {
  deferPrivately,
  deferUpdate,
  deleteMessage,
  type Press,
  privately,
  replyPrivately,
} from "../discord/interactions.js";
import type { DiscordApi } from "../discord/messenger.js";
import { spoilered } from "../messages/embeds.js";
import { infoMessage, infoPictures } from "../messages/info-message.js";
import { changeRows } from "../messages/parts/components.js";
import { CHANNEL_LIMIT } from "../messages/parts/picture-fit.js";
import { isVoted, type Presenter, voteOf } from "../messages/parts/presentation.js";
import { sizeOf } from "../messages/parts/stored-picture.js";
import { wordsOf } from "../words/languages.js";

export interface JobButtonOptions {
  readonly queue: Queue;
  readonly records: Records;
  readonly votes: Votes;
  readonly pictures: PictureStore;
  readonly presenter: Presenter;
  readonly api: DiscordApi;
  readonly favourites: Favourites;
  /** Deletes the stored messages of these jobs. */
  readonly deleteMessages: (jobIds: readonly string[]) => Promise<unknown>;
}

/** The buttons that end, explain and delete a job. */
export class JobButtons {
  readonly #options: JobButtonOptions;

  constructor(options: JobButtonOptions) {
    this.#options = options;
  }

  async cancel(press: Press, job: Job): Promise<void> {
    const { refusals } = wordsOf(press.locale);
    if (isFinished(job.state)) return replyPrivately(press, refusals.alreadyFinished);
    await deferUpdate(press);
    const answer = await this.#options.queue.cancel(job.id);
    if (answer === "finished" || answer === "unknown") {
      const sentence = answer === "finished" ? refusals.alreadyFinished : refusals.unknownJob;
      await press.followUp(privately(sentence));
    }
  }

  async info(press: Press, job: Job): Promise<void> {
    const { api, pictures, presenter } = this.#options;
    const words = wordsOf(press.locale);
    if (await this.#isSecret(job)) return replyPrivately(press, words.refusals.secret);
    await deferPrivately(press);
    const facts = { ...(await presenter.facts(job, press)), words };
    const limit = { ...CHANNEL_LIMIT, perFile: press.attachmentSizeLimit };
    const about = { size: await sizeOf(job, pictures), isMiniature: facts.miniature.length > 0 };
    const message = infoMessage(job, about, await infoPictures(job, facts, limit), words);
    const target = { applicationId: press.applicationId, interactionToken: press.token };
    await api.editReply(target, facts.spoiler ? spoilered(message) : message);
  }

  /** Asks how to change the rewrite of a comparison, in menus that only who presses sees. */
  async change(press: Press, job: Job): Promise<void> {
    const words = wordsOf(press.locale);
    const { refusals, resultLines } = words;
    if (await this.#isSecret(job)) return replyPrivately(press, refusals.secret);
    const components = changeRows(job, words);
    if (components.length === 0) return replyPrivately(press, refusals.nothingToChange);
    await replyPrivately(press, { content: resultLines.change, components });
  }

  /** Whether people vote, or will, before they may learn which picture is which. */
  async #isSecret(job: Job): Promise<boolean> {
    if (!job.blind || hasOverview(job)) return false;
    const isToCome = job.state === "done" ? isVoted(job) : !isFinished(job.state);
    return isToCome && voteOf(await this.#options.votes.ballot(job.id)).state !== "none";
  }

  /** Removes the message, that in the gallery, the pictures and the stored job. */
  async delete(press: Press, job: Job): Promise<void> {
    const { records, pictures, favourites, deleteMessages } = this.#options;
    if (!isFinished(job.state)) return replyPrivately(press, wordsOf(press.locale).refusals.notFinished);
    await deferUpdate(press);
    await favourites.remove(job.id);
    await records.drop(job.id);
    await pictures.remove(job.id);
    await deleteMessage(press);
    await deleteMessages([job.id]);
  }
}
