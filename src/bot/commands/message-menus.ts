import {
  ApplicationCommandType,
  type RESTPostAPIContextMenuApplicationCommandsJSONBody as MenuJson,
  type MessageContextMenuCommandInteraction,
} from "discord.js";
import { InputError } from "../../core/errors.js";
import type { JobKind } from "../../core/job.js";
import { DEFAULT_SIDES, randomSeed } from "../../core/options.js";
import { readOnePrompt } from "../../prompt-files/one-prompt.js";
import { textOfResult } from "../messages/own-result.js";
import {
  type CommandContext,
  type CommandRequest,
  checkedOptions,
  checkedPrompt,
} from "../requests/request.js";
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
 * The message's text, or that of a result of ours, as a prompt. Its own settings come before the channel's.
 * Throws InputError, also for a menu of another version.
 */
export function readMenu(
  interaction: MessageContextMenuCommandInteraction,
  { defaults, limits, blind }: CommandContext,
): CommandRequest {
  const kind = KINDS.get(interaction.commandName);
  if (kind === undefined) throw new InputError("INPUT_CHOICE", "No such menu.", { option: "menu" });
  const { content, embeds } = interaction.targetMessage;
  const text = content.trim() === "" ? (textOfResult(embeds[0]?.description ?? "") ?? "") : content;
  const { sides = DEFAULT_SIDES } = limits;
  const found = readOnePrompt(text, sides.own);
  const prompt = checkedPrompt(found.prompt, limits);
  const seed = found.seed ?? randomSeed();
  // A rewrite alone draws nothing, so no setting can be in its way; how the prompt is read concerns both.
  const { prompts } = found.image;
  const reading = prompts === undefined ? {} : { prompts };
  const own = kind === "compare" ? checkedOptions(found.image, limits) : reading;
  return {
    kind,
    text: { ...defaults.text, seed },
    image: { ...defaults.image, ...own, seed },
    blind: kind === "compare" && blind,
    known: [prompt],
    prompts: async () => ({ items: [{ prompt, rewrite: null }] }),
  };
}
