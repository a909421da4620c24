import { showSize } from "../../core/options.js";
import { PROMPTIST, titleOf } from "../../core/rewriters.js";
import type { PicturePrompt } from "../../prompt-files/picture-prompt.js";
import { clip, codeBlock, escapeMarkdown } from "../discord/markdown.js";
import { EMBED_DESCRIPTION_MAX, type Outgoing } from "../discord/outgoing.js";
import { english, type Words } from "../words/english/english.js";
import { speedOption } from "./embeds.js";
import { pictureRow } from "./parts/components.js";
import { styleOption } from "./parts/style-sections.js";

/** Of the embed's 4096: the prompts, and where they don't fit, each of them. */
const TEXTS_MAX = 2600;
const TEXT_MAX = 800;
const REST_MAX = 1400;
const FENCES = 40;
const NAME_MAX = 80;
const LIST_MAX = 10;

/**
 * What a picture's texts say. Its button draws a comparison from what stands in the message (textOfResult), so there
 * is none where a text had to be cut. `differences`: what can't be drawn here as it was.
 */
export function pictureMessage(
  picture: PicturePrompt,
  differences: readonly string[],
  wanted: Words,
): Outgoing {
  if (picture.pairs.length > 0) return sheetMessage(picture, wanted);
  // The differences are told in English, and no message is in two languages.
  const words = differences.length > 0 ? english : wanted;
  const { labels, pictureLines } = words;
  const texts = [
    [labels.prompt, picture.prompt],
    [labels.rewriteBy(titleOf(picture.rewriter ?? PROMPTIST.name)), picture.rewrite ?? ""],
    [labels.against(titleOf(picture.against?.rewriter ?? "")), picture.against?.rewrite ?? ""],
    [labels.negative, picture.image.negative ?? ""],
  ].filter((text): text is [string, string] => text[1] !== "");
  const isWhole = texts.reduce((sum, [, text]) => sum + text.length + FENCES, 0) <= TEXTS_MAX;
  const sections = texts.map(
    ([title, text]) => `**${title}**${codeBlock(text, isWhole ? TEXTS_MAX : TEXT_MAX)}`,
  );
  const next = !isWhole
    ? pictureLines.attach
    : picture.rewrite === null
      ? pictureLines.next
      : pictureLines.nextPair;
  const facts = [...settingsLine(picture, words), ...modelLines(picture, words), ...madeBy(picture, words)];
  const changed = differences.slice(0, LIST_MAX).map((it) => `- ${clip(it, 2 * NAME_MAX)}`);
  const rest = [...facts, ...(changed.length === 0 ? [] : [pictureLines.different, ...changed])].join("\n");
  return {
    content: "",
    embeds: [
      {
        title: pictureLines.title,
        description: clip(
          [...sections, ...(rest === "" ? [] : [clip(rest, REST_MAX)]), next].join("\n"),
          EMBED_DESCRIPTION_MAX,
        ),
      },
    ],
    components: isWhole ? [pictureRow(words)] : [],
    files: [],
  };
}

function sheetMessage({ pairs }: PicturePrompt, { pictureLines }: Words): Outgoing {
  const prompts = pairs
    .slice(0, LIST_MAX)
    .map(({ prompt }, i) => `${i + 1}. ${escapeMarkdown(clip(prompt, 2 * NAME_MAX))}`);
  const description = [pictureLines.pairs(pairs.length), ...prompts].join("\n");
  return {
    content: "",
    embeds: [{ title: pictureLines.sheetTitle, description: clip(description, EMBED_DESCRIPTION_MAX) }],
    components: [],
    files: [],
  };
}

/** In the words of a result, from which they are read again. */
function settingsLine({ image, seed, sampler }: PicturePrompt, words: Words): string[] {
  const { resultLines } = words;
  const { steps, guidance, scheduler, size, prompts } = image;
  const parts = [
    ...(steps === undefined ? [] : [resultLines.steps(steps)]),
    ...(scheduler === undefined ? (sampler === null ? [] : [named(sampler)]) : [scheduler]),
    ...(guidance === undefined ? [] : [resultLines.guidance(guidance)]),
    ...(seed === undefined ? [] : [resultLines.seed(seed)]),
    ...(size == null ? [] : [showSize(size)]),
    ...(prompts === undefined ? [] : [resultLines.prompts(prompts)]),
    ...styleOption(image, words),
    ...speedOption(image, words),
  ];
  return parts.length === 0 ? [] : [resultLines.settings(parts)];
}

function modelLines(
  { model, vae, clipSkip, loras, embeddings }: PicturePrompt,
  { pictureLines }: Words,
): string[] {
  const withHash = ({ name, hash }: NonNullable<PicturePrompt["model"]>) =>
    [...(name === "" ? [] : [named(name)]), ...(hash === null ? [] : [`\`${shortHash(hash)}\``])].join(" ");
  return [
    ...(model === null ? [] : [pictureLines.model(withHash(model))]),
    ...(vae === null ? [] : [pictureLines.vae(withHash(vae))]),
    ...(clipSkip === null || clipSkip === 0 ? [] : [pictureLines.clipSkip(clipSkip + 1)]),
    ...(loras.length === 0
      ? []
      : [
          pictureLines.loras(
            loras
              .slice(0, LIST_MAX)
              .map((lora) => [withHash(lora), ...(lora.weight === null ? [] : [lora.weight])].join(" ")),
          ),
        ]),
    ...(embeddings.length === 0 ? [] : [pictureLines.embeddings(embeddings.slice(0, LIST_MAX).map(named))]),
  ];
}

function madeBy({ program, shows }: PicturePrompt, { pictureLines }: Words): string[] {
  if (program === null) return [];
  return [pictureLines.drawn(named(program), shows === null ? null : pictureLines.shows[shows])];
}

const named = (name: string): string => escapeMarkdown(clip(name.replace(/\s+/g, " "), NAME_MAX));
const shortHash = (hash: string): string => hash.slice(0, 12).replace(/[^0-9A-Za-z]/g, "");
