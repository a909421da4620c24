import { InputError } from "../../core/errors.js";
import { randomSeed } from "../../core/options.js";
import { readOnePrompt } from "../../prompt-files/one-prompt.js";
import type { Press } from "../discord/interactions.js";
import { rewriteOfResult, textOfResult } from "../messages/own-result.js";
import { checkedRewrite, withinLimits } from "../requests/from-picture.js";
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
  const text = textOfResult(description);
  if (text === null) throw new InputError("INPUT_EMPTY", "The message has no prompt.");
  const found = readOnePrompt(text, undefined, styles);
  const prompt = checkedPrompt(found.prompt, limits);
  const written = rewriteOfResult(description);
  const rewrite = written === null ? null : checkedRewrite(written, limits);
  const seed = found.seed ?? randomSeed();
  const { style } = found.image;
  const styled = style === undefined ? {} : { image: { style } };
  return {
    kind: "compare",
    text: readRewriting({ rewriter: null }, context, seed),
    image: { ...imageWith(withinLimits(found.image, limits).image, context), seed },
    blind,
    known: [prompt, rewrite],
    prompts: async () => ({ items: [{ prompt, rewrite }], isAsDrawn: true, ...styled }),
  };
}
