import {
  ApplicationCommandType,
  type RESTPostAPIContextMenuApplicationCommandsJSONBody as MenuJson,
  type MessageContextMenuCommandInteraction,
} from "discord.js";
import type { JobKind } from "../../core/job.js";
import { randomSeed } from "../../core/options.js";
import { type CommandContext, type CommandRequest, checkedPrompt } from "../requests/request.js";
import { menuNames } from "../words/messages.js";

/** What the menu of a message offers, by the name that Discord shows. */
const KINDS: ReadonlyMap<string, JobKind> = new Map([
  [menuNames.optimize, "optimize"],
  [menuNames.compare, "compare"],
]);

export const messageMenus: readonly MenuJson[] = [...KINDS.keys()].map((name) => ({
  type: ApplicationCommandType.Message,
  name,
}));

/** The message's text as a prompt, with the channel's defaults; null for a menu of another version. Throws InputError. */
export function readMenu(
  interaction: MessageContextMenuCommandInteraction,
  { defaults, limits, blind }: CommandContext,
): CommandRequest | null {
  const kind = KINDS.get(interaction.commandName);
  if (kind === undefined) return null;
  const prompt = checkedPrompt(interaction.targetMessage.content, limits);
  const seed = randomSeed();
  return {
    kind,
    text: { ...defaults.text, seed },
    image: { ...defaults.image, seed },
    blind: kind === "compare" && blind,
    known: [prompt],
    prompts: async () => [{ prompt, rewrite: null }],
  };
}
