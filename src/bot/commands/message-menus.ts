import {
  ApplicationCommandType,
  type RESTPostAPIContextMenuApplicationCommandsJSONBody as MenuJson,
  type MessageContextMenuCommandInteraction,
} from "discord.js";
import { InputError } from "../../core/errors.js";
import type { ItemNote, JobKind } from "../../core/job.js";
import { DEFAULT_SIDES, randomSeed } from "../../core/options.js";
import { readOnePrompt } from "../../prompt-files/one-prompt.js";
import { textOfResult } from "../messages/own-result.js";
import { type AttachedPicture, promptsFromPicture } from "../requests/from-picture.js";
import {
  type CommandContext,
  type CommandRequest,
  checkedOptions,
  checkedPrompt,
  imageWith,
  laterImage,
  readRewriting,
} from "../requests/request.js";
import { menuNames } from "../words/english/commands.js";
import { forPictures } from "../words/english/result.js";

/** What a message's menu offers, by the name that Discord shows. */
const KINDS: ReadonlyMap<string, JobKind> = new Map([
  [menuNames.optimize, "optimize"],
  [menuNames.compare, "compare"],
]);

export const messageMenus: readonly MenuJson[] = [...KINDS.keys()].map((name) => ({
  type: ApplicationCommandType.Message,
  name,
}));

/** Pictures whose texts can be read, by the type that Discord gives them. */
const PICTURE_TYPE = /^image\/(?:png|jpeg|webp)\b/;

/**
 * The message's text, or that of a result of ours, as a prompt; of a message without any, what the file of its
 * first picture says. Its own settings come before the channel's. Throws InputError, also for a menu of another
 * version.
 */
export function readMenu(
  interaction: MessageContextMenuCommandInteraction,
  context: CommandContext,
): CommandRequest {
  const { limits, blind, styles } = context;
  const kind = KINDS.get(interaction.commandName);
  if (kind === undefined) throw new InputError("INPUT_CHOICE", "No such menu.", { option: "menu" });
  const { content, embeds, attachments } = interaction.targetMessage;
  const isResult = content.trim() === "";
  const text = isResult ? (textOfResult(embeds[0]?.description ?? "") ?? "") : content;
  const picture = attachments.find(({ contentType }) => PICTURE_TYPE.test(contentType ?? ""));
  if (text === "" && picture !== undefined) return ofPicture(kind, picture, context);
  const { sides = DEFAULT_SIDES } = limits;
  const found = readOnePrompt(text, sides.own, styles);
  const prompt = checkedPrompt(found.prompt, limits);
  const seed = found.seed ?? randomSeed();
  // A rewrite alone draws nothing, so no setting can be in its way; how the prompt is read concerns both.
  const { prompts, style, ...drawing } = found.image;
  const unused = kind === "compare" ? [] : Object.keys(drawing);
  const problems = [...found.unread, ...(unused.length === 0 ? [] : [forPictures(unused)])];
  const notes: ItemNote[] = problems.length === 0 ? [] : [{ code: "left-out", problems }];
  const reading = {
    ...(prompts === undefined ? {} : { prompts }),
    ...(style === undefined ? {} : { style }),
  };
  const styled = style === undefined ? {} : { style };
  const own = kind === "compare" ? checkedOptions(found.image, limits) : reading;
  return {
    kind,
    text: readRewriting({ rewriter: null }, context, seed),
    image: { ...(kind === "compare" ? imageWith(own, context) : { ...laterImage(context), ...own }), seed },
    blind: kind === "compare" && blind,
    known: [prompt],
    prompts: async () => ({
      items: [{ prompt, rewrite: null, notes }],
      ...(isResult ? { isAsDrawn: true, image: styled } : {}),
    }),
  };
}

/** What the file of a picture says, as a request. */
function ofPicture(kind: JobKind, picture: AttachedPicture, context: CommandContext): CommandRequest {
  const { blind } = context;
  const seed = randomSeed();
  const all = { prompt: null, rewriteAnew: kind === "optimize", given: () => false, pairs: 1 };
  return {
    kind,
    text: readRewriting({ rewriter: null }, context, seed),
    image: { ...laterImage(context), seed },
    blind: kind === "compare" && blind,
    known: [],
    confirm: "notes",
    prompts: async () => {
      const { items, ...rest } = await promptsFromPicture(picture, context, all);
      // A rewrite alone draws nothing, so nothing of the picture can be in its way.
      return kind === "optimize" ? { items } : { items, ...rest };
    },
  };
}
