import type { Message } from "discord.js";
import { type Events, log } from "../../core/events.js";
import { directLine } from "../words/english/commands.js";

export interface DirectMessageOptions {
  readonly events: Events;
  readonly now: () => number;
}

const EVERY_MS = 60 * 60_000;
/** How many people to remember before those whose hour is over are forgotten. */
const PEOPLE = 1_000;

/** Answers a direct message in words with the commands, once an hour: nobody reads such messages. */
export class DirectMessages {
  readonly #options: DirectMessageOptions;
  /** When each person was last told, in that order. */
  readonly #told = new Map<string, number>();

  constructor(options: DirectMessageOptions) {
    this.#options = options;
  }

  /** Answers a message of a person; a failure is logged, as the next one is answered again. */
  async answer(message: Message): Promise<void> {
    const { events, now } = this.#options;
    const { author, guildId, channel } = message;
    if (guildId !== null || author.bot || message.system || !channel.isSendable()) return;
    if (now() - (this.#told.get(author.id) ?? Number.NEGATIVE_INFINITY) < EVERY_MS) return;
    this.#told.delete(author.id);
    this.#told.set(author.id, now());
    for (const [id, at] of this.#told)
      if (this.#told.size > PEOPLE || now() - at >= EVERY_MS) this.#told.delete(id);
      else break;
    try {
      await channel.send({ content: directLine, allowedMentions: { parse: [] } });
    } catch (error) {
      this.#told.delete(author.id);
      log(events, "warn", "A direct message could not be answered", error);
    }
  }
}
