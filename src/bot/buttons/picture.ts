import { InputError } from "../../core/errors.js";
import { randomSeed } from "../../core/options.js";
import { readOnePrompt } from "../../prompt-files/one-prompt.js";
import type { Press } from "../discord/interactions.js";
import { opponentOfResult, rewriteOfResult, textOfResult } from "../messages/own-result.js";
import { checkedRewrite, withinLimits } from "../requests/from-picture.js";
import { againstOf } from "../requests/opponents.js";
import {
  type CommandContext,
  type CommandRequest,
  checkedPrompt,
  imageWith,
  readRewriting,
} from "../requests/request.js";

/**
 * What "Compare this" under `/info`'s answer asks for: a comparison from the prompts and settings that stand there.
 * Throws InputError.
 */
export function fromPictureMessage(press: Press, context: CommandContext): CommandRequest {
  const { limits, blind, styles } = context;
  const description = press.message.embeds[0]?.description ?? "";
  const written = textOfResult(description);
  if (written === null) throw new InputError("INPUT_EMPTY", "The message has no prompt.");
  const found = readOnePrompt(written, undefined, styles);
  const prompt = checkedPrompt(found.prompt, limits);
  const rewritten = rewriteOfResult(description);
  const rewrite = rewritten === null ? null : checkedRewrite(rewritten, limits);
  const seed = found.seed ?? randomSeed();
  const opponent = opponentOfResult(description);
  const text = readRewriting({ rewriter: null }, context, seed);
  const against = opponent && {
    text: { ...text, rewriter: opponent.rewriter },
    rewrite: checkedRewrite(opponent.rewrite, limits),
  };
  const { style } = found.image;
  const styled = style === undefined ? {} : { image: { style } };
  return {
    kind: "compare",
    text,
    image: { ...imageWith(withinLimits(found.image, limits).image, context), seed },
    blind,
    known: [prompt, rewrite],
    prompts: async () => ({
      items: [{ prompt, rewrite, ...againstOf(against ?? undefined) }],
      isAsDrawn: true,
      ...styled,
    }),
  };
}
