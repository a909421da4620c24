import { type ItemNote, imageOf, type Job, type JobKind, nounOf, type Phase } from "../../../core/job.js";
import type { ImageOptions, PromptMode, Speed, TextOptions } from "../../../core/options.js";
import { SIDES, type Side } from "../../../core/side.js";
import { clip, codeSpan, escapeMarkdown, tail } from "../../discord/markdown.js";
import { errorSentence, errorSentences } from "./errors.js";
import { labels } from "./labels.js";
import { count, formatDuration, listed, numbered } from "./parts.js";
import type { Translated } from "./translated.js";

/** How a job that made no result ended, before the reference to it. */
export const endLines = {
  cancelled: (kind: JobKind) => `${labels.commands[kind]} was cancelled.`,
  tried: (times: number) => `It was tried ${times} times.`,
} as const;

/** A job's id under its messages, and that of the job whose button made it. */
export const jobLines = {
  id: (jobId: string) => `Job \`${jobId}\`.`,
  made: (jobId: string, parentId: string) => `Job \`${jobId}\`, made from \`${parentId}\`.`,
} as const;

type JobWords = Translated<{ jobLines: typeof jobLines }>;
type EndWords = JobWords & Translated<{ endLines: typeof endLines; errorSentences: typeof errorSentences }>;

/** How a job that made no result ended. */
export function endSentence(job: Job, words: EndWords = { jobLines, endLines, errorSentences }): string {
  const reference = jobReference(job.id, null, words);
  if (job.state === "cancelled") return `${words.endLines.cancelled(job.kind)} ${reference}`;
  const { code = "INTERNAL", context } = job.failures.at(-1) ?? {};
  const { length: times } = job.failures;
  return [
    errorSentence(code, context, words),
    ...(times > 1 ? [words.endLines.tried(times)] : []),
    reference,
  ].join(" ");
}

export const jobReference = (
  jobId: string,
  parentId: string | null = null,
  words: JobWords = { jobLines },
): string => (parentId === null ? words.jobLines.id(jobId) : words.jobLines.made(jobId, parentId));

const RESULTS: Readonly<Record<JobKind, string>> = {
  optimize: "rewrite",
  compare: "comparison",
  batch: "batch",
  grid: "grid",
  evaluation: "evaluation",
};

/** Lines of the message that carries a result. */
export const resultLines = {
  from: (strength: number) => `from a picture, strength ${strength}`,
  choosePair: "Which pair? Its two pictures are varied, or one of them becomes the next base.",
  chooseEnlarged: "Which picture, and how large? Its details are drawn anew, and the rest stays.",
  larger: (times: number) => `${times} times as large`,
  negativeUnread: "-# Without guidance (1 or less, as with `turbo`) a negative prompt has no effect.",
  /** What enlarged a picture; `name` is code. */
  upscaler: (name: string) => `enlarged by ${name}`,
  enlarged: (times: number) => `-# Shown ${times} times as large as it was drawn.`,
  /** `tried`: subjects that it knows, as code. */
  unknownSubject: (subjects: number, tried: readonly string[]) =>
    `The small model here draws only ${count(subjects, "subject")}, and none of them is in this prompt. Try ${tried.join(", ")}.`,
  settings: (parts: readonly string[]) => parts.join(" · "),
  /** Small, below all else. */
  footer: (parts: readonly string[]) => `-# ${parts.join(" · ")}`,
  sides: (how: string) => `**Left** as written · **right** ${how}:`,
  /** Of a pair of two rewriters. */
  left: (how: string) => `**Left** ${how}:`,
  right: (how: string) => `**Right** ${how}:`,
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
    `${count(items, nounOf(kind))}, ${count(pictures, "picture")}.`,
  takenOut: (kind: JobKind, items: number) => `${count(items, nounOf(kind))} taken out.`,
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
  /** Rewrites of a job of several items. */
  chosen: (rewrites: number) =>
    `${count(rewrites, "rewrite")} chosen by what this server likes (\`/taste show\`).`,
  unread: (prompts: readonly number[]) =>
    `Promptist can't read ${numbered(prompts)} to ${prompts.length === 1 ? "its" : "their"} end. The part that it did not read stands in ${prompts.length === 1 ? "the rewrite" : "the rewrites"} as written.`,
  prompts: (mode: PromptMode) => `${mode} prompts`,
  speed: (speed: Speed) => `speed ${speed}`,
  /** `name` is code. */
  model: (name: string) => `model ${name}`,
  lora: (name: string, strength: number) => `LoRA ${name} ${strength}`,
  /** `prompts`: their numbers, where there are several. */
  marks: (prompts: readonly number[] = []) =>
    `\`(word:1.3)\`, \`[word]\` and \`BREAK\` are read as plain text${prompts.length === 0 ? " here" : ` in ${numbered(prompts)}`}. To give them their meaning, choose \`prompts: weighted\` in the command; managers can set \`prompts\` for everyone.`,
  /** `prompts`: their numbers, where there are several. */
  foreign: (prompts: readonly number[] = []) =>
    `\`<hypernet:...>\`, \`AND\`, \`[a|b]\` and \`[a:b:0.5]\` have no meaning here. They are read as words${prompts.length === 0 ? "" : ` in ${numbered(prompts)}`}.`,
  cut: "With `prompts: weighted` the image model reads long prompts to their end.",
  /** `prompts`: their numbers. */
  cutPrompts: (prompts: readonly number[]) =>
    `The image model can't read ${numbered(prompts)} or ${prompts.length === 1 ? "its rewrite" : "their rewrites"} to the end. With \`prompts: weighted\` it reads more.`,
  missing: "The pictures are no longer on the bot's disk.",
  direct: "I could not post where you asked for this, so here it is.",
  ready: (userId: string, kind: JobKind) => `<@${userId}>, your ${RESULTS[kind]} is ready.`,
  readyAt: (userId: string, kind: JobKind, link: string) =>
    `<@${userId}>, your ${RESULTS[kind]} is ready: ${link}`,
  endedAt: (userId: string, kind: JobKind, link: string) =>
    `<@${userId}>, your ${RESULTS[kind]} ended without a result: ${link}`,
  ended: (userId: string, kind: JobKind) => `<@${userId}>, your ${RESULTS[kind]} ended without a result.`,
} as const;

/** Letters of a long quotation at its beginning and at its end. */
const QUOTED = { head: 50, tail: 40 };
const NOTE_PROBLEMS_MAX = 600;

/** A problem of a note: what a rewrite has no use for. */
export const forPictures = (options: readonly string[]): string =>
  `${listed(options.map((name) => `\`${name}\``))} ${options.length === 1 ? "is" : "are"} for pictures only`;

const SIDE_TEXTS = {
  baseline: "prompt",
  optimized: "rewritten prompt",
  negative: "negative prompt",
} as const;
const REASON_MAX = 40;
/** Letters of a hash, as model sites show it. */
const SHORT_HASH = 10;

/** Notes on an item's result; `words` are a user's own, as code. */
export const noteWords = {
  firstFrame: "The attached picture moves: its first frame is used.",
  cropped: "The attached picture has another shape, so its middle is used.",
  unchanged: "Promptist changed nothing.",
  /** Of a rewrite that was taken by what the server likes; `reasons` such as "soft lighting +". */
  taste: (reasons: readonly string[]) =>
    `Chosen for this server${reasons.length === 0 ? "" : `: ${reasons.join(", ")}`}.`,
  tasteFirst: "Chosen for this server: of the rewrites found, it also likes the first best.",
  tasteExplores: "Not what this server likes best: one rewrite in ten is taken to go on learning.",
  leftOut: "Part of what the message asks for was not taken.",
  unread: (words: string) =>
    `Promptist can't read such a long prompt to its end. This part stands in the rewrite as written: ${words}`,
  kept: "The rewrite was held to begin with the prompt as written and to say no phrase twice.",
  truncated: (side: Side | "negative", words: string) =>
    `The image model can't read the end of the ${SIDE_TEXTS[side]}: ${words}`,
  /** `used`: each as code, with the beginning of its hash. */
  models: (used: readonly string[]) => `Drawn with ${listed(used)}.`,
  embedding: (name: string, hash: string) => `Drawn with the embedding ${name} (${hash}).`,
  redone: (side: Side) =>
    `Half precision was not enough for the picture of the ${SIDE_TEXTS[side]}, so it was computed again more exactly.`,
  plain: (side: Side) =>
    `The picture of the ${SIDE_TEXTS[side]} is one plain colour: the model drew it so. Try another seed or more words.`,
} as const;

/** Whether a note is on how a result was made, which Info and the files say, not the result. */
export const isFileNote = ({ code }: ItemNote): boolean => code === "models" || code === "kept";

/** A note on an item's result. */
export function noteLine(note: ItemNote, words: Translated<typeof noteWords> = noteWords): string {
  if (note.code === "unchanged") return words.unchanged;
  if (note.code === "kept") return words.kept;
  if (note.code === "taste") {
    if (note.explores) return words.tasteExplores;
    const said = (phrase: string) => escapeMarkdown(clip(phrase, REASON_MAX));
    const reasons = [
      ...note.liked.map((phrase) => `${said(phrase)} +`),
      ...note.disliked.map((phrase) => `${said(phrase)} -`),
    ];
    return note.isFirst ? words.tasteFirst : words.taste(reasons);
  }
  if (note.code === "first-frame") return words.firstFrame;
  if (note.code === "cropped") return words.cropped;
  // The problems are stored in English, and no message mixes languages.
  if (note.code === "left-out")
    return words === noteWords
      ? clip(`Of the message, ${listed(note.problems)}.`, NOTE_PROBLEMS_MAX)
      : words.leftOut;
  if (note.code === "embedding")
    return words.embedding(codeSpan(note.name), note.sha256.slice(0, SHORT_HASH));
  if (note.code === "models")
    return words.models(
      note.used.map(({ name, hash }) => {
        const code = codeSpan(name);
        return hash === null ? code : `${code} (${hash.slice(0, SHORT_HASH)})`;
      }),
    );
  if (note.code === "redone" || note.code === "plain") return words[note.code](note.side);
  const quoted = codeSpan(withoutMiddle(note.words));
  return note.code === "unread" ? words.unread(quoted) : words.truncated(note.side, quoted);
}

/** A long text is known by its two ends. */
const withoutMiddle = (text: string): string =>
  text.length <= QUOTED.head + QUOTED.tail
    ? text
    : `${clip(text, QUOTED.head)} ${tail(text, text.length - QUOTED.tail)}`;

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

/** The options of a job, for Info. */
export const infoWords = {
  rewriting: ({ mode, beams, maxNewTokens }: TextOptions, rewrites: number) =>
    `Rewriting: ${mode}${mode === "beam" ? `, ${beams} beams` : ""}, at most ${maxNewTokens} tokens, ${count(rewrites, "distinct rewrite")}`,
  drawing: ({ seed, steps, guidance, scheduler, prompts = "diffusers" }: ImageOptions, size: string | null) =>
    `Seed ${seed} · ${count(steps, "step")} · guidance ${guidance} · ${scheduler}${prompts === "diffusers" ? "" : ` · ${prompts} prompts`}${size === null ? "" : ` · ${size}`}`,
  /** `hashes`: the beginnings of the sources' hashes, as code. */
  source: (strength: number, hashes: readonly string[]) =>
    `From a picture: strength ${strength}, source ${hashes.join(", ")}`,
  rewritingTook: (ms: number) => `rewriting ${formatDuration(ms)}`,
  drawingTook: (side: Side, ms: number) =>
    `drawing ${side === "baseline" ? "as written" : "the rewrite"} ${formatDuration(ms)}`,
  took: (parts: readonly string[]) => `Took: ${parts.join(", ")}`,
  /** `names`: none before the first phase. */
  checkpoints: (names: readonly string[]) => `Checkpoints: ${names.join(", ") || "none yet"}`,
  miniature:
    "Miniature models are small stand-ins: they know a few hundred subjects. Whoever runs this bot can install full ones.",
  askedBy: (userId: string, at: number) => `Asked for by <@${userId}>, <t:${Math.floor(at / 1000)}:f>`,
} as const;

function sourceLine({ from }: ImageOptions, said: Translated<typeof infoWords>): string[] {
  if (from === undefined) return [];
  const hashes = SIDES.map((side) => `\`${from.sources[side].sha256.slice(0, SHORT_HASH)}\``);
  return [said.source(from.strength, [...new Set(hashes)])];
}

/** All options of a job, one a line: enough to repeat it. */
export function infoLines(
  job: Job,
  { size, isMiniature }: InfoFacts,
  words: JobWords & Translated<{ infoWords: typeof infoWords }> = { jobLines, infoWords },
): string[] {
  const { text, checkpoints, origin, createdAt } = job;
  const { infoWords: said } = words;
  const [first] = job.items;
  const rewriteMs = first?.rewriteMs ?? null;
  const times = [
    ...[first?.against?.ms ?? null, rewriteMs].flatMap((ms) => (ms === null ? [] : [said.rewritingTook(ms)])),
    ...SIDES.flatMap((side) => {
      const ms = first?.pictures[side]?.ms ?? null;
      return ms === null ? [] : [said.drawingTook(first?.against === undefined ? side : "optimized", ms)];
    }),
  ];
  const names = new Set([checkpoints.promptist, checkpoints.diffusion].filter((name) => name !== null));
  return [
    said.rewriting(text, first?.candidates.length ?? 0),
    said.drawing(imageOf(job, first), size),
    ...sourceLine(imageOf(job, first), said),
    ...(times.length === 0 ? [] : [said.took(times)]),
    said.checkpoints([...names]),
    ...(isMiniature ? [said.miniature] : []),
    said.askedBy(origin.userId, createdAt),
    jobReference(job.id, job.parentId, words),
  ];
}
