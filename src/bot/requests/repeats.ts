import type { CommandInteractionOption } from "discord.js";
import type { Asking } from "../discord/interactions.js";

/**
 * Tells a slip of the finger, such as a double click or a second Enter, from a command that is meant: the very
 * same of the same person within a moment. Each repeat counts from the one before it.
 */
export class Repeats {
  readonly #withinMs: number;
  /** When each command or press was last made, by Discord's clock; oldest first. */
  readonly #seen = new Map<string, number>();

  /** @param withinMs milliseconds between two that are one; 0: none are */
  constructor(withinMs: number) {
    this.#withinMs = withinMs;
  }

  /** Notes an interaction; whether its user did the very same a moment ago. */
  isRepeat(interaction: Asking): boolean {
    const key = keyOf(interaction);
    const at = interaction.createdTimestamp;
    for (const [old, time] of this.#seen) {
      if (at - time < this.#withinMs) break;
      this.#seen.delete(old);
    }
    const before = this.#seen.get(key);
    this.#seen.delete(key);
    this.#seen.set(key, Math.max(at, before ?? at));
    // Discord may deliver them in either order.
    return before !== undefined && Math.abs(at - before) < this.#withinMs;
  }

  /** The interaction came to nothing, so that its user may well try again at once. */
  forget(interaction: Asking): void {
    this.#seen.delete(keyOf(interaction));
  }
}

/** Who asks for what, and where. */
function keyOf(interaction: Asking): string {
  return JSON.stringify([interaction.user.id, interaction.channelId, ...contentOf(interaction)]);
}

function contentOf(interaction: Asking): unknown[] {
  if (interaction.isChatInputCommand())
    return [interaction.commandName, ...interaction.options.data.map(givenOf)];
  if (interaction.isMessageContextMenuCommand()) return [interaction.commandName, interaction.targetId];
  if (interaction.isModalSubmit())
    return [
      interaction.customId,
      ...interaction.fields.fields.map((field) => ("value" in field ? field.value : null)),
    ];
  const values = interaction.isStringSelectMenu() ? interaction.values : [];
  return [interaction.customId, interaction.message.id, ...values];
}

/** A file that is attached twice has two ids. */
const givenOf = ({ name, value, attachment }: CommandInteractionOption): unknown[] => [
  name,
  ...(attachment ? [attachment.name, attachment.size] : [value]),
];
