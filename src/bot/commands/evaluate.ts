import type { Attachment, ChatInputCommandInteraction } from "discord.js";
import { DEFAULT_SIDES, type Range } from "../../core/options.js";
import { rewriterNameOf } from "../../core/rewriters.js";
import { PAPER_IMAGE, USUAL_SEEDS } from "../../evaluation/plan.js";
import { readPrompts } from "../../prompt-files/read-prompts.js";
import { evaluationItems, evaluationOf } from "../requests/evaluation.js";
import { type CommandContext, type CommandRequest, checkRange } from "../requests/request.js";
import { readImage, readText } from "./options.js";

/** Pictures that an evaluation draws of each prompt and rewriter. */
export const EVALUATION_SEEDS: Range = { min: 1, max: 10, whole: true };

/**
 * `/batch file evaluate:True [rewriter] [seeds] [...]`: each prompt of the file as each rewriter writes it, from the same
 * seeds, and a report at the end. Drawn as in Promptist's paper where the command does not say otherwise; a row's own
 * rewrite, seed and options are not used, and neither are the channel's style, size and negative prompt.
 */
export function readEvaluation(
  interaction: ChatInputCommandInteraction,
  context: CommandContext,
  file: Attachment,
): CommandRequest {
  const { options } = interaction;
  const { limits, download, styles, offered } = context;
  const image = readImage(interaction, asInThePaper(context));
  const seeds = checkRange("seeds", options.getInteger("seeds") ?? USUAL_SEEDS, EVALUATION_SEEDS);
  const names = (options.getString("rewriter") ?? rewriterNameOf(context.defaults.text))
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  const asked = evaluationOf(
    names.map((name) => readText(interaction, context, image.seed, name)),
    seeds,
  );
  const { design, texts, maxPrompts } = asked;
  return {
    kind: "evaluation",
    text: texts[0]!,
    image,
    evaluation: design,
    known: [],
    confirm: true,
    prompts: async () => {
      const { pairs, notes } = await readPrompts(await download(file.url), file.name, {
        maxBytes: limits.maxFileBytes,
        maxPrompts: Math.min(limits.maxBatch, maxPrompts),
        maxPromptLength: limits.maxPromptLength,
        side: (limits.sides ?? DEFAULT_SIDES).own,
        ...(styles === undefined ? {} : { styles }),
        ...(offered === undefined ? {} : { offered }),
      });
      const prompts = pairs.map(({ prompt }) => prompt);
      return { items: evaluationItems(prompts, asked, image.seed), notes: { ...notes, isReport: false } };
    },
  };
}

/** The channel's context without what it is used to draw with, but for its model and guidance. */
function asInThePaper({ paced: _, ...context }: CommandContext): CommandContext {
  const { style: __, ...image } = context.defaults.image;
  return {
    ...context,
    defaults: {
      ...context.defaults,
      speed: "full",
      image: { ...image, ...PAPER_IMAGE, size: null, negative: "" },
    },
  };
}
