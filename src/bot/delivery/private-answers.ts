import { acknowledge, deferUpdate, type Press, privately } from "../discord/interactions.js";
import type { DiscordApi } from "../discord/messenger.js";
import type { Outgoing } from "../discord/outgoing.js";

export interface PrivateAnswersOptions {
  readonly api: DiscordApi;
  readonly now: () => number;
}

interface Answer {
  readonly press: Press;
  /** Settles when Discord has the answer. */
  readonly given: Promise<unknown>;
}

/** Discord edits an answer for 15 minutes; the margin is for clocks and the request. */
const EDITABLE_MS = 14 * 60_000;

/**
 * Private answers of which a person has one for each key: a later one replaces the text of the first. After
 * a restart, or when Discord no longer edits the first, a new one is sent.
 */
export class PrivateAnswers {
  readonly #options: PrivateAnswersOptions;
  /** In the order in which they were given. */
  readonly #answers = new Map<string, Answer>();

  constructor(options: PrivateAnswersOptions) {
    this.#options = options;
  }

  /** Answers a press, which was not acknowledged yet. */
  async answer(press: Press, key: string, message: Outgoing): Promise<void> {
    this.#forgetOld();
    const earlier = this.#answers.get(key);
    if (earlier !== undefined) return this.#replace(earlier, press, message);
    const given = acknowledge(press, () => press.reply(privately(message.content)));
    const answer = { press, given };
    this.#answers.set(key, answer);
    try {
      await given;
    } catch (error) {
      if (this.#answers.get(key) === answer) this.#answers.delete(key);
      throw error;
    }
  }

  async #replace(earlier: Answer, press: Press, message: Outgoing): Promise<void> {
    await deferUpdate(press);
    const { applicationId, token: interactionToken } = earlier.press;
    try {
      await earlier.given;
      await this.#options.api.editReply({ applicationId, interactionToken }, message);
    } catch {
      // Whatever became of the first answer, a further one reaches them, or fails with the reason.
      await press.followUp(privately(message.content));
    }
  }

  #forgetOld(): void {
    const oldest = this.#options.now() - EDITABLE_MS;
    for (const [key, { press }] of this.#answers) {
      if (press.createdTimestamp > oldest) return;
      this.#answers.delete(key);
    }
  }
}
