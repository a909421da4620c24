import type { APIEmbed } from "discord.js";
import type { Job } from "../../core/job.js";
import { DEFAULT_SPEED, type ImageOptions, promptModeOf } from "../../core/options.js";
import { clip, codeSpan } from "../discord/markdown.js";
import { EMBED_DESCRIPTION_MAX, type Outgoing, type OutgoingFile, type Row } from "../discord/outgoing.js";
import type { Words } from "../words/english/english.js";
import { jobReference } from "../words/english/result.js";
import type { Facts } from "./parts/presentation.js";
import { styleOption } from "./parts/style-sections.js";
import { COLORS } from "./status-message.js";

/** The embed of a result: what was made, how, and by which job. */
export const doneEmbed = (
  job: Job,
  sections: readonly string[],
  options: readonly string[],
  words: Words,
): APIEmbed => ({
  title: words.labels.commands[job.kind],
  description: clip(
    [...sections, words.resultLines.footer([...options, jobReference(job.id, job.parentId, words)])].join(
      "\n",
    ),
    EMBED_DESCRIPTION_MAX,
  ),
  color: COLORS.done,
});

/** A message that shows the first picture large inside the embed; Discord shows the other files beside it. */
export function withImage(
  embed: APIEmbed,
  files: readonly OutgoingFile[],
  components: readonly Row[],
): Outgoing {
  const main = files.find(({ description }) => description !== null);
  return {
    content: "",
    embeds: [main === undefined ? embed : { ...embed, image: { url: `attachment://${main.name}` } }],
    components,
    files,
  };
}

/** The message with its pictures behind a click. An embed can't hide its picture, so they all go below it. */
export function spoilered(message: Outgoing): Outgoing {
  return {
    ...message,
    embeds: message.embeds.map(({ image: _, ...embed }) => embed),
    files: message.files.map((file) =>
      file.description === null ? file : { ...file, name: `SPOILER_${file.name}` },
    ),
  };
}

/** A result's speed among its settings; none of a job from before there was a choice. */
export const speedOption = ({ speed }: Pick<ImageOptions, "speed">, { resultLines }: Words): string[] =>
  speed === undefined ? [] : [resultLines.speed(speed)];

const speedOf = ({ speed = DEFAULT_SPEED }: Pick<ImageOptions, "speed">) => speed;

/**
 * The image options that differ from what a command draws with there by default, any style, and a speed that is not
 * full or not the usual one, with what it stands for.
 */
export function unusualOptions({ image }: Job, { usual, words }: Facts): string[] {
  const { resultLines } = words;
  const sizeOf = ({ size }: Job["image"]) => (size === null ? null : `${size.width}x${size.height}`);
  const size = sizeOf(image);
  const isPaced = speedOf(image) !== "full" || speedOf(usual) !== "full";
  const differs = (name: "steps" | "guidance" | "scheduler") => isPaced || image[name] !== usual[name];
  return [
    ...(isPaced ? speedOption(image, words) : []),
    ...(differs("steps") ? [resultLines.steps(image.steps)] : []),
    ...(differs("guidance") ? [resultLines.guidance(image.guidance)] : []),
    ...(differs("scheduler") ? [image.scheduler] : []),
    ...(promptModeOf(image) === promptModeOf(usual) ? [] : [resultLines.prompts(promptModeOf(image))]),
    ...(size === null || size === sizeOf(usual) ? [] : [size]),
    ...(image.from === undefined ? [] : [resultLines.from(image.from.strength)]),
    ...(image.from?.enlarge === undefined ? [] : [resultLines.larger(image.from.enlarge)]),
    ...(image.from?.upscaler === undefined ? [] : [resultLines.upscaler(codeSpan(image.from.upscaler))]),
    ...styleOption(image, words),
    ...modelParts(image, words),
  ];
}

/** The model and the LoRAs that somebody chose. */
export const modelParts = (
  { model = "", loras = [] }: Pick<Job["image"], "model" | "loras">,
  { resultLines }: Words,
): string[] => [
  ...(model === "" ? [] : [resultLines.model(codeSpan(model))]),
  ...loras.map(({ name, strength }) => resultLines.lora(codeSpan(name), strength)),
];

/** How long the job took from its first claim, and what people should know of what made it. */
export function timeAndNote(job: Job, { miniature, words }: Facts): string[] {
  const { startedAt, finishedAt } = job;
  const took = startedAt === null || finishedAt === null ? [] : [words.duration(finishedAt - startedAt)];
  const note = words.miniatureNote(miniature);
  return [...took, ...(note === null ? [] : [note])];
}
