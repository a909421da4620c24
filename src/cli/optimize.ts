import { randomSeed } from "../core/options.js";
import { NO_REWRITER, rewriterNameOf } from "../core/rewriters.js";
import { applyStyle, type Styled } from "../core/styles.js";
import type { Rewrite } from "../inference/worker/protocol.js";
import type { Models } from "./parts/models.js";
import { type PromptsFlags, type TextFlags, textOptions } from "./parts/options.js";
import type { Output } from "./parts/output.js";
import { rewriteAll } from "./parts/pairs.js";
import { markNotes, typedPrompt, unreadLines } from "./parts/prompt.js";
import { chosenStyle } from "./parts/styles.js";

/** `promptist optimize TEXT`: rewrites one prompt and lists all distinct candidates, best first. */
export async function optimize(
  models: Models,
  output: Output,
  text: string,
  flags: TextFlags & PromptsFlags,
  isGiven: (option: string) => boolean,
): Promise<void> {
  const { prompt, image } = typedPrompt(text, output, isGiven);
  const { style } = { ...chosenStyle(flags), ...image };
  const mode = image.prompts ?? flags.prompts;
  for (const line of markNotes([{ texts: [prompt], mode }])) output.say(line);
  const settings = textOptions(flags, flags.seed ?? randomSeed(), isGiven);
  const isNone = settings.rewriter === NO_REWRITER;
  const { miniature, note } = models.noteMiniature(isNone ? [] : ["text"]);
  const started = performance.now();
  const { rewrites, loaded } = await rewriteAll(models, output, [{ prompt, mode, style, text: settings }]);
  const rewrite = rewrites[0]!;
  const info = loaded.get(rewriterNameOf(settings));
  for (const line of unreadLines([rewrite])) output.say(line);
  const styled = style === undefined ? null : applyStyle({ prompt: rewrite.rewrite, negative: "" }, style);
  output.result(
    {
      prompt,
      optimized: rewrite.rewrite,
      unread: rewrite.unread ?? null,
      candidates: rewrite.candidates,
      settings,
      ...(styled === null ? {} : { style, styled }),
      kept: rewrite.kept ?? false,
      checkpoint: info?.name ?? null,
      miniature,
      note,
      weights: info?.precision ?? null,
      device: info?.device ?? null,
      seconds: (performance.now() - started) / 1000,
    },
    [
      describeRewrite(rewrite),
      ...(styled === null ? [] : ["", `In the style ${style?.name}:`, ...styledLines(styled)]),
      // The other searches find the same whatever the seed is.
      ...(settings.mode === "sample" && !isNone ? ["", `Seed ${settings.seed}.`] : []),
    ].join("\n"),
  );
}

const styledLines = ({ prompt, negative }: Styled): string[] => [
  `  ${prompt}`,
  ...(negative === "" ? [] : [`  without: ${negative}`]),
];

function describeRewrite({ rewrite, candidates }: Rewrite): string {
  const others = candidates
    .filter(({ text }) => text !== rewrite)
    .map(({ text, score }) => `  ${score === null ? "" : `${score.toFixed(2).padStart(9)}  `}${text}`);
  return others.length === 0 ? rewrite : [rewrite, "", "Other candidates:", ...others].join("\n");
}
