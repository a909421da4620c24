import {
  ApplicationCommandType,
  type RESTPostAPIContextMenuApplicationCommandsJSONBody as MenuJson,
  type MessageContextMenuCommandInteraction,
} from "discord.js";
import { InputError } from "../../core/errors.js";
import type { JobKind } from "../../core/job.js";
import { randomSeed } from "../../core/options.js";
import { type CommandContext, type CommandRequest, checkedPrompt } from "../requests/request.js";
import { menuNames } from "../words/commands.js";

/** What a message's menu offers, by the name that Discord shows. */
const KINDS: ReadonlyMap<string, JobKind> = new Map([
  [menuNames.optimize, "optimize"],
  [menuNames.compare, "compare"],
]);

export const messageMenus: readonly MenuJson[] = [...KINDS.keys()].map((name) => ({
  type: ApplicationCommandType.Message,
  name,
}));

/**
 * The message's text as a prompt, with the channel's defaults. Throws InputError, also for a menu of another
 * version.
 */
export function readMenu(
  interaction: MessageContextMenuCommandInteraction,
  { defaults, limits, blind }: CommandContext,
): CommandRequest {
  const kind = KINDS.get(interaction.commandName);
  if (kind === undefined) throw new InputError("INPUT_CHOICE", "No such menu.", { option: "menu" });
  const prompt = checkedPrompt(interaction.targetMessage.content, limits);
  const seed = randomSeed();
  return {
    kind,
    text: { ...defaults.text, seed },
    image: { ...defaults.image, seed },
    blind: kind === "compare" && blind,
    known: [prompt],
    prompts: async () => ({ items: [{ prompt, rewrite: null }] }),
  };
}
