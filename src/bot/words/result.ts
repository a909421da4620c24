import { type ItemNote, imageOf, type Job, type JobKind, type Phase } from "../../core/job.js";
import { type PromptMode, promptModeOf } from "../../core/options.js";
import { SIDES, type Side } from "../../core/side.js";
import { clip } from "../discord/markdown.js";
import { errorSentence } from "./errors.js";
import { labels } from "./labels.js";
import { count, formatDuration, numbered } from "./parts.js";

/** How a job that made no result ended. */
export function endSentence(job: Job): string {
  if (job.state === "cancelled") return `${labels.commands[job.kind]} was cancelled. ${jobReference(job.id)}`;
  const { code = "INTERNAL", context } = job.failures.at(-1) ?? {};
  const tries = job.failures.length > 1 ? ` It was tried ${job.failures.length} times.` : "";
  return `${errorSentence(code, context)}${tries} ${jobReference(job.id)}`;
}

export const jobReference = (jobId: string, parentId: string | null = null): string =>
  parentId === null ? `Job \`${jobId}\`.` : `Job \`${jobId}\`, made from \`${parentId}\`.`;

/** Lines of the message that carries a result. */
export const resultLines = {
  settings: (parts: readonly string[]) => parts.join(" · "),
  /** Small, below all else. */
  footer: (parts: readonly string[]) => `-# ${parts.join(" · ")}`,
  sides: (how: string) => `**Left** as written · **right** ${how}:`,
  sidesOfEach: (pairs: number, how: string) =>
    `${count(pairs, "pair")}, each **left** as written · **right** ${how}:`,
  change: "Draw this with another rewrite, or without some of the added words; the seed stays.",
  onlySide: (side: Side) =>
    side === "baseline" ? "Drawn from the prompt as written." : "Drawn from the rewrite.",
  rewritesDiffer: "-# Each pair has a rewrite of its own; this is the first.",
  seed: (seed: number) => `seed ${seed}`,
  seeds: (first: number, last: number) => (first === last ? `seed ${first}` : `seeds ${first} to ${last}`),
  steps: (steps: number) => count(steps, "step"),
  guidance: (guidance: number) => `guidance ${guidance}`,
  overview: (kind: JobKind, items: number, pictures: number) =>
    `${count(items, kind === "batch" ? "prompt" : "pair")}, ${count(pictures, "picture")}.`,
  takenOut: (prompts: number) => `${count(prompts, "prompt")} taken out.`,
  sheet: (first: number, last: number, all: number) => `Prompts ${first} to ${last} of ${all}.`,
  earlierSheets: (sheets: number) =>
    `${sheets === 1 ? "Contact sheet 1" : `Contact sheets 1 to ${sheets}`} came while it was drawn, and ${sheets === 1 ? "is" : "are"} in the zip.`,
  zipped: (pictures: number) => `All ${count(pictures, "picture")}: in the zip.`,
  zips: (pictures: number, here: number, all: number, jobId: string) =>
    `All ${count(pictures, "picture")}: in ${count(all, "zip")}, as one file may not be larger here. ${here === 0 ? "None fits this message" : here === 1 ? "The first is here" : `1 to ${here} are here`}; \`/show id:${jobId} part:${here + 1}\` brings the next one.`,
  zipTooLarge: "Some pictures are larger than this channel allows, so no zip has them.",
  again:
    "Attach `report.csv` to `/batch` to draw its rows again: the same seeds and settings give the same pictures.",
  pruned: (at: number) =>
    `The pictures were deleted <t:${Math.floor(at / 1000)}:D> to make room. Redraw makes the same ones again.`,
  shrunk: "The pictures are smaller copies: the originals are larger than this channel allows.",
  lost: (words: readonly string[]) =>
    `The rewrite no longer has ${words.map((word) => `*${word}*`).join(", ")}; the picture may not show ${words.length === 1 ? "it" : "them"}.`,
  recordsLeftOut: "The lists of prompts and seeds are too large for this channel; `/mydata export` has them.",
  /** `prompts`: their numbers. */
  unread: (prompts: readonly number[]) =>
    `Promptist can't read ${numbered(prompts)} to ${prompts.length === 1 ? "its" : "their"} end. The part that it did not read follows ${prompts.length === 1 ? "the rewrite" : "the rewrites"} as written.`,
  prompts: (mode: PromptMode) => `${mode} prompts`,
  /** `prompts`: their numbers, where there are several. */
  marks: (prompts: readonly number[] = []) =>
    `\`(word:1.3)\`, \`[word]\` and \`BREAK\` are read as plain text${prompts.length === 0 ? " here" : ` in ${numbered(prompts)}`}. To give them their meaning, choose \`prompts: weighted\` in the command; managers can set \`prompts\` for everyone.`,
  /** `prompts`: their numbers, where there are several. */
  foreign: (prompts: readonly number[] = []) =>
    `\`<lora:...>\`, \`AND\`, \`[a|b]\` and \`[a:b:0.5]\` have no meaning here. They are read as words${prompts.length === 0 ? "" : ` in ${numbered(prompts)}`}.`,
  cut: "With `prompts: weighted` the image model reads long prompts to their end.",
  /** `prompts`: their numbers. */
  cutPrompts: (prompts: readonly number[]) =>
    `The image model can't read ${numbered(prompts)} or ${prompts.length === 1 ? "its rewrite" : "their rewrites"} to the end. With \`prompts: weighted\` it reads more.`,
  missing: "The pictures are no longer on the bot's disk.",
  direct: "I could not post where you asked for this, so here it is.",
  ready: (userId: string, kind: JobKind) => `<@${userId}>, your ${labels.results[kind]} is ready.`,
  readyAt: (userId: string, kind: JobKind, link: string) =>
    `<@${userId}>, your ${labels.results[kind]} is ready: ${link}`,
  endedAt: (userId: string, kind: JobKind, link: string) =>
    `<@${userId}>, your ${labels.results[kind]} ended without a result: ${link}`,
  ended: (userId: string, kind: JobKind) =>
    `<@${userId}>, your ${labels.results[kind]} ended without a result.`,
} as const;

const NOTE_WORDS_MAX = 200;
/** Letters of a hash, as model sites show it. */
const SHORT_HASH = 10;

const CUT = { baseline: "prompt", optimized: "rewritten prompt", negative: "negative prompt" } as const;

/** A note on an item's result; its words are a user's own, so they are shown as code. */
export function noteLine(note: ItemNote): string {
  if (note.code === "unchanged") return "Promptist changed nothing.";
  if (note.code === "embedding")
    return `Drawn with the embedding \`${note.name.replaceAll("`", "'")}\` (${note.sha256.slice(0, SHORT_HASH)}).`;
  const words = clip(note.words.replaceAll("`", "'"), NOTE_WORDS_MAX);
  if (note.code === "unread")
    return `Promptist can't read such a long prompt to its end. This part follows the rewrite as written: \`${words}\``;
  return `The image model can't read the end of the ${CUT[note.side]}: \`${words}\``;
}

/** Said under every result where a miniature checkpoint runs these phases; null without any. */
export function miniatureLine(phases: readonly Phase[]): string | null {
  const names = phases.map((phase) => (phase === "text" ? "Promptist" : "Stable Diffusion"));
  return names.length === 0
    ? null
    : `made by the miniature ${names.join(" and ")}, a small stand-in; put the published weights into checkpoints/ (see checkpoints/README.md)`;
}

/** The same for those who see a result, small; null without any. */
export function miniatureNote(phases: readonly Phase[]): string | null {
  if (phases.length === 0) return null;
  return phases.length > 1
    ? "miniature models"
    : `miniature ${phases[0] === "text" ? "Promptist" : "Stable Diffusion"}`;
}

/** What Info says besides the job's row. */
export interface InfoFacts {
  /** Pixels of the pictures, such as `64x64`; null where they are not known. */
  readonly size: string | null;
  /** Whether miniature models made it. */
  readonly isMiniature: boolean;
}

/** All options of a job, one a line: enough to repeat it. */
export function infoLines(job: Job, { size, isMiniature }: InfoFacts): string[] {
  const { text, checkpoints } = job;
  const [first] = job.items;
  const image = imageOf(job, first);
  const mode = promptModeOf(image);
  const rewriteMs = first?.rewriteMs ?? null;
  const times = [
    ...(rewriteMs === null ? [] : [`rewriting ${formatDuration(rewriteMs)}`]),
    ...SIDES.flatMap((side) => {
      const ms = first?.pictures[side]?.ms ?? null;
      const what = side === "baseline" ? "drawing as written" : "drawing the rewrite";
      return ms === null ? [] : [`${what} ${formatDuration(ms)}`];
    }),
  ];
  const names = new Set([checkpoints.promptist, checkpoints.diffusion].filter((name) => name !== null));
  return [
    `Rewriting: ${text.mode}${text.mode === "beam" ? `, ${text.beams} beams` : ""}, at most ${text.maxNewTokens} tokens, ${count(first?.candidates.length ?? 0, "distinct rewrite")}`,
    `Seed ${image.seed} · ${count(image.steps, "step")} · guidance ${image.guidance} · ${image.scheduler}${mode === "diffusers" ? "" : ` · ${resultLines.prompts(mode)}`}${size === null ? "" : ` · ${size}`}`,
    ...(times.length === 0 ? [] : [`Took: ${times.join(", ")}`]),
    `Checkpoints: ${[...names].join(", ") || "none yet"}`,
    ...(isMiniature
      ? [
          "Miniature models are small stand-ins: they know 100 subjects. Whoever runs this bot can install full ones.",
        ]
      : []),
    `Asked for by <@${job.origin.userId}>, <t:${Math.floor(job.createdAt / 1000)}:f>`,
    jobReference(job.id, job.parentId),
  ];
}
