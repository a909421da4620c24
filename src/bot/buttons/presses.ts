import type { MessageComponentInteraction, ModalSubmitInteraction } from "discord.js";
import type { Job } from "../../core/job.js";
import type { Queue } from "../../db/queue.js";
import type { StoredSettings } from "../../db/settings.js";
import { deferUpdate, deleteMessage, type Press, replyPrivately } from "../discord/interactions.js";
import { decodeCustomId, type PressAction, type Verb } from "../messages/parts/components.js";
import { mayModerate, mayUse } from "../requests/rules.js";
import { wordsOf } from "../words/languages.js";
import type { Access, Handler } from "./handler.js";

export interface PressOptions {
  readonly queue: Queue;
  readonly settings: StoredSettings;
  readonly table: Readonly<Record<Verb, Handler>>;
}

/**
 * Buttons, menus and forms under the messages of jobs and drafts. The stored row decides who may press and
 * what is left to do, never the custom id.
 */
export class Presses {
  readonly #options: PressOptions;

  constructor(options: PressOptions) {
    this.#options = options;
  }

  async press(press: MessageComponentInteraction): Promise<void> {
    const action = decodeCustomId(press.customId);
    const { refusals } = wordsOf(press.locale);
    if (action === null || !(press.isButton() || press.isStringSelectMenu()))
      return replyPrivately(press, refusals.unknownButton);
    const handler = this.#options.table[action.verb];
    if (handler.access === "draft" || handler.access === "list") return handler.run(press, action);
    if (action.verb === "delete" && (await this.#deletesOrphan(press, action.jobId))) return;
    const job = await this.#accessible(press, action, handler.access);
    if (job !== null) await handler.run(press, job, action);
  }

  async submit(modal: ModalSubmitInteraction): Promise<void> {
    const action = decodeCustomId(modal.customId);
    const { refusals } = wordsOf(modal.locale);
    const handler = action === null ? undefined : this.#options.table[action.verb];
    if (action === null || handler === undefined || handler.access === "draft" || handler.access === "list")
      return replyPrivately(modal, refusals.unknownButton);
    if (!handler.submit) return replyPrivately(modal, refusals.unknownButton);
    const job = await this.#accessible(modal, action, handler.access);
    if (job !== null) await handler.submit(modal, job, action);
  }

  /**
   * Deletes a message whose job is no longer stored, if the user's own command made it; returns whether it did.
   * Only the message itself still says whose it is.
   */
  async #deletesOrphan(press: Press, jobId: string): Promise<boolean> {
    const { message, user } = press;
    if ((await this.#options.queue.get(jobId)) !== undefined) return false;
    // A result that was posted later is not a reply to a command, but mentions the person who asked.
    const owns =
      message.interactionMetadata === null
        ? message.mentions.users.has(user.id)
        : message.interactionMetadata.user.id === user.id;
    if (!owns) return false;
    await deferUpdate(press);
    await deleteMessage(press);
    return true;
  }

  /** The job of an action; null, after telling the user why, if there is none or they may not press. */
  async #accessible(
    press: MessageComponentInteraction | ModalSubmitInteraction,
    { jobId }: PressAction,
    access: Access,
  ): Promise<Job | null> {
    const { refusals } = wordsOf(press.locale);
    const job = await this.#options.queue.get(jobId);
    const refusal = job === undefined ? refusals.unknownJob : await this.#refusal(press, job, access);
    if (job !== undefined && refusal === null) return job;
    await replyPrivately(press, refusal ?? refusals.unknownJob);
    return null;
  }

  async #refusal(
    press: MessageComponentInteraction | ModalSubmitInteraction,
    { origin }: Job,
    access: Access,
  ): Promise<string | null> {
    const { refusals } = wordsOf(press.locale);
    const settings = await this.#options.settings.resolve(origin);
    const own = press.user.id === origin.userId;
    // A custom id sent from another channel must not reveal what people asked for here.
    if (!own && press.channelId !== origin.channelId) return refusals.elsewhere;
    if (access === "anyone") return null;
    if (access === "moderator") return mayModerate(press, origin, settings) ? null : refusals.notYours;
    if (!mayUse(press, settings)) return refusals.role;
    return own || settings.strangers === true ? null : refusals.notYoursToChange;
  }
}
