import { codeOf, type ErrorCode, InputError } from "../../core/errors.js";
import type { ImageOptions, ItemNote, Job, JobKind, LimitScope, Phase, SearchMode } from "../../core/job.js";
import type { PairScores } from "../../core/judgement.js";
import type { SettingName } from "../../core/settings.js";
import type { Side } from "../../core/side.js";
import { SIDES } from "../../core/side.js";
import type { Interval, Mean } from "../../core/statistics.js";
import type { QueueDepth } from "../../db/queue.js";
import type { Choice, Tally } from "../../db/votes.js";
import { clip } from "../discord/markdown.js";
import type { Machine } from "./machine.js";

/** The only prose for users. Everything here says what happened and what to do, and never shows an internal text. */

/** Numbers and names of an InputError, such as `{ unit: "line", number: 3, limit: 1000 }`. */
export type SentenceContext = Readonly<Record<string, string | number>>;

const TRY_AGAIN = "Please try again in a while.";
const ASK_OWNER = "Please tell the owner of this bot.";
const FILE_FORMATS =
  "Attach a `.txt` with one prompt a line, a `.json` list or `.jsonl` lines of texts or of `{original, optimized}` pairs, or a `.csv` with a `prompt` column.";

const SENTENCES: Readonly<Record<ErrorCode, (context: SentenceContext) => string>> = {
  INPUT_EMPTY: () => "The prompt is empty. Write what the picture should show.",
  INPUT_TOO_LONG: (c) =>
    `${subject(c, "The prompt")} is longer than ${number(c.limit)} characters. Shorten it and try again.`,
  INPUT_OPTION: (c) => `The option \`${c.option}\` takes ${c.expected}. Change it and try again.`,
  INPUT_CHOICE: (c) => `This job has no such ${c.option}. Choose again under its newest message.`,
  INPUT_UNCHANGED: () => "Nothing was changed, so the result would be the same.",
  INPUT_WORD: (c) => `The word \`${c.word}\` is refused here. Write the prompt without it.`,
  DRAFT_GONE: () =>
    "This preview is no longer there: it was started, discarded, or has ended. Use `/batch` again with the file.",
  DRAFT_LIMIT: (c) =>
    `${number(c.limit)} batches of yours wait for Start already, and no more may. Start or discard one, then attach the file again.`,
  NOT_OPERATOR: () => "Only the people who run this bot may do that, since it concerns all servers.",
  NOT_ALLOWED: () => "Only people who manage this may do that. Ask an admin.",
  FILE_TOO_BIG: (c) =>
    `The file is larger than ${formatBytes(Number(c.limit))}. Split it into smaller files.`,
  FILE_BINARY: (c) => `The file is a ${c.kind}, not text. ${FILE_FORMATS}`,
  FILE_ENCODING: (c) =>
    `${subject(c, "The file")} is not UTF-8 text. Save the file as UTF-8 and attach it again.`,
  FILE_TYPE: () => `This kind of file can't be read. ${FILE_FORMATS}`,
  FILE_SHAPE: (c) => `${fileProblem(c)} ${FILE_FORMATS}`,
  FILE_EMPTY: () => `The file holds no prompt. ${FILE_FORMATS}`,
  FILE_TOO_MANY: (c) =>
    `The file holds more than ${count(Number(c.limit), "prompt")}. Split it into smaller files.`,
  FILE_UNREACHABLE: () => "The file could not be fetched from Discord. Attach it again.",

  QUEUE_BUSY_DATABASE: () => `The queue is busy just now, and nothing was stored. ${TRY_AGAIN}`,
  QUEUE_LOCKED: () => `Another copy of this bot uses the same queue. ${ASK_OWNER}`,
  QUEUE_FULL: () => `The queue is full, and nothing was stored. ${TRY_AGAIN}`,
  QUEUE_CAP: (c) =>
    `${capitalized(holder(c.scope as LimitScope))} ${count(Number(c.limit), "open job")}, the most allowed here. They start by themselves; ask again when one is done.`,
  QUEUE_NEWER_SCHEMA: () => `The queue was written by a newer version of this bot. ${ASK_OWNER}`,

  CHECKPOINT_MISSING: () => `The model that this needs is not installed. ${ASK_OWNER}`,
  CHECKPOINT_CORRUPT: () => `The model's files are damaged. ${ASK_OWNER}`,
  CHECKPOINT_TENSORS: () => `The model's files don't fit its configuration. ${ASK_OWNER}`,
  CHECKPOINT_ARCHITECTURE: () => `The installed model is of a kind that this bot can't run. ${ASK_OWNER}`,
  CHECKPOINT_UNSAFE: () => `The model's files were refused because they could run code. ${ASK_OWNER}`,
  HUB_NOT_FOUND: () => `The model was not found where it is published. ${ASK_OWNER}`,
  HUB_REFUSED: () => `The place that publishes the model asks for permission. ${ASK_OWNER}`,
  HUB_BUSY: () => `The place that publishes the model is busy. ${ASK_OWNER}`,
  HUB_UNREACHABLE: () => `The place that publishes the model can't be reached. ${ASK_OWNER}`,
  HUB_HASH: () => `A file of the model arrived damaged. ${ASK_OWNER}`,

  DEVICE_UNAVAILABLE: () => `The graphics device can't be used just now. ${TRY_AGAIN}`,
  OUT_OF_MEMORY: () => "There was not enough memory for this. Try fewer prompts at once, or try again later.",
  WORKER_DIED: () => `The process that runs the model ended unexpectedly. ${TRY_AGAIN}`,
  WORKER_STALLED: () => `The process that runs the model stopped answering. ${TRY_AGAIN}`,
  DISK_FULL: () => `The disk of this bot's machine is full. ${ASK_OWNER}`,
  CANCELLED: () => "This was cancelled.",
  INTERNAL: () =>
    `Something went wrong inside the bot. Please try again; if it happens again, tell its owner.`,

  DISCORD_REFUSED: () => "The result is ready and stored, but Discord refused the message that carries it.",
  DISCORD_UNREACHABLE: () => `Discord could not be reached. ${TRY_AGAIN}`,
  CONFIG: () => `This bot is not set up correctly. ${ASK_OWNER}`,
};

/** The sentence for a code; a code that this version does not know reads as `INTERNAL`. */
export function errorSentence(code: string, context: SentenceContext = {}): string {
  const sentence = Object.hasOwn(SENTENCES, code) ? SENTENCES[code as ErrorCode] : SENTENCES.INTERNAL;
  return sentence(context);
}

/** The sentence for anything that was thrown. */
export const sentenceOf = (error: unknown): string =>
  errorSentence(codeOf(error), error instanceof InputError ? error.context : {});

/** How a job that made no result ended. */
export function endSentence(job: Job): string {
  if (job.state === "cancelled") return `${labels.commands[job.kind]} was cancelled. ${jobReference(job.id)}`;
  const { code = "INTERNAL" } = job.failures.at(-1) ?? {};
  const tries = job.failures.length > 1 ? ` It was tried ${job.failures.length} times.` : "";
  return `${errorSentence(code)}${tries} ${jobReference(job.id)}`;
}

export const jobReference = (jobId: string, parentId: string | null = null): string =>
  parentId === null ? `Job \`${jobId}\`.` : `Job \`${jobId}\`, made from \`${parentId}\`.`;

export const labels = {
  commands: { optimize: "Optimize", compare: "Compare", batch: "Batch" } satisfies Record<JobKind, string>,
  results: { optimize: "rewrite", compare: "comparison", batch: "batch" } satisfies Record<JobKind, string>,
  cancel: "Cancel",
  start: "Start",
  discard: "Discard",
  takeOut: "Take prompts out",
  choosePrompts: (first: number, last: number) => `Prompts ${first} to ${last}`,
  redraw: "Redraw",
  previewAlt: "The picture as it forms",
  votes: { left: "Left", right: "Right", tie: "Tie", bad: "Both bad" } satisfies Record<Choice, string>,
  reveal: "Reveal to all",
  again: "New seed",
  editPrompt: "Edit prompt",
  editFirst: "Edit first",
  drawPair: "Draw the pair",
  drawRaw: "Draw as written",
  info: "Info",
  delete: "Delete",
  chooseBeam: "Draw another rewrite",
  chooseWords: "Switch added words off",
  editPromptTitle: "Edit the prompt; the seed stays",
  editRewriteTitle: "Edit the rewrite before it is drawn",
  prompt: "Prompt",
  rewrite: "Rewritten by Promptist",
  givenRewrite: "Optimized",
  negative: "Negative prompt",
  baselineAlt: (prompt: string) => `Drawn from the prompt as written: ${prompt}`,
  optimizedAlt: (prompt: string) => `Drawn from the rewritten prompt: ${prompt}`,
  comparisonAlt: (prompt: string, optimized: string) =>
    `Two pictures side by side. Left, the prompt as written: ${prompt}. Right, rewritten: ${optimized}`,
  contactSheetAlt: (prompts: readonly string[]) =>
    `Pairs of pictures for ${count(prompts.length, "prompt")}: ${prompts.join("; ")}`,
} as const;

/** Lines of the message while a job waits and runs. */
export const statusLines = {
  accepted: "Accepted.",
  position: (phase: Phase, position: number, etaMs: number | null) =>
    `In the queue for ${phase === "text" ? "rewriting" : "drawing"}: ${position === 1 ? "next" : `place ${number(position)}`}.${etaMs === null ? "" : ` Done in about ${about(etaMs)}.`}`,
  held: (scope: LimitScope, limit: number) =>
    `Waits outside the queue: ${holder(scope)} ${count(limit, "job")} in it, the most at once here. It moves up by itself when one of them is done.`,
  loading: (phase: Phase) => (phase === "text" ? "Loading Promptist." : "Loading Stable Diffusion."),
  rewriting: (step: number, steps: number) => `rewriting, token ${step} of ${steps}`,
  drawing: (side: "baseline" | "optimized", step: number, steps: number) =>
    `drawing ${side}, step ${step} of ${steps}`,
  item: (index: number, items: number) => `prompt ${index + 1} of ${items}`,
  pairs: (pairs: number) => `${count(pairs, "pair")}, each from a seed of its own.`,
  takenOut: (left: number, all: number) => `${number(left)} of ${number(all)} left.`,
  stopping: "Stopping.",
  late: "This takes longer than Discord lets me edit this message. The result will come as a new message here.",
  erased: "Cancelled and deleted, with all that was stored about you.",
  batch: (prompts: number, given: number) =>
    given === 0
      ? `${count(prompts, "prompt")}.`
      : given === prompts
        ? `${count(prompts, "prompt")}, all already optimized: Promptist is not needed.`
        : `${count(prompts, "prompt")}, ${given} already optimized: Promptist is not needed for ${given === 1 ? "it" : "them"}.`,
} as const;

/** Lines of the message that carries a result. */
export const resultLines = {
  settings: (parts: readonly string[]) => parts.join(" · "),
  seed: (seed: number) => `seed ${seed}`,
  seeds: (first: number, last: number) => (first === last ? `seed ${first}` : `seeds ${first} to ${last}`),
  steps: (steps: number) => count(steps, "step"),
  guidance: (guidance: number) => `guidance ${guidance}`,
  overview: (kind: JobKind, items: number, pictures: number) =>
    `${count(items, kind === "batch" ? "prompt" : "pair")}, ${count(pictures, "picture")}.`,
  takenOut: (prompts: number) => `${count(prompts, "prompt")} taken out.`,
  sheet: (first: number, last: number, all: number) => `Prompts ${first} to ${last} of ${all}.`,
  earlierSheets: (sheets: number) =>
    `Contact sheets 1 to ${sheets} came while it was drawn, and are in the zip.`,
  zipped: (pictures: number) => `All ${count(pictures, "picture")}: in the zip.`,
  zips: (pictures: number, here: number, all: number, jobId: string) =>
    `All ${count(pictures, "picture")}: in ${count(all, "zip")}, as one file may not be larger here. ${here === 0 ? "None fits this message" : here === 1 ? "The first is here" : `1 to ${here} are here`}; \`/show id:${jobId} part:${here + 1}\` brings the next one.`,
  zipTooLarge: "Some pictures are larger than this channel allows, and in no zip.",
  again:
    "Attach `report.csv` to `/batch` to draw its rows again: the same seeds and settings give the same pictures.",
  pruned: (at: number) =>
    `The pictures were deleted <t:${Math.floor(at / 1000)}:D> to make room. Redraw makes the same ones again.`,
  shrunk: "The pictures are smaller copies: the originals are larger than this channel allows.",
  lost: (words: readonly string[]) =>
    `The rewrite no longer has ${words.map((word) => `*${word}*`).join(", ")}; the picture may not show ${words.length === 1 ? "it" : "them"}.`,
  recordsLeftOut: "The lists of prompts and seeds are too large for this channel; `/mydata export` has them.",
  missing: "The pictures are no longer on the bot's disk.",
  direct: "I could not write where you asked for this, so it comes here.",
  ready: (userId: string, kind: JobKind) => `<@${userId}>, your ${labels.results[kind]} is ready.`,
  readyAt: (userId: string, kind: JobKind, link: string) =>
    `<@${userId}>, your ${labels.results[kind]} is ready: ${link}`,
  endedAt: (userId: string, kind: JobKind, link: string) =>
    `<@${userId}>, your ${labels.results[kind]} ended without a result: ${link}`,
  ended: (userId: string, kind: JobKind) =>
    `<@${userId}>, your ${labels.results[kind]} ended without a result.`,
} as const;

/** What the judges say of pictures (core/judgement.ts); arrows go from the prompt as written to the rewrite. */
export const scoreLines = {
  /** Null where nobody judged. */
  pair: (scores: PairScores) => {
    const parts = [
      ...change("relevance to the prompt", scores.relevance.baseline, scores.relevance.optimized, 3),
      ...change("beauty", scores.beauty.baseline, scores.beauty.optimized, 2),
      ...(scores.reward === null
        ? []
        : [`reward ${signed(scores.reward, 2)} (what Promptist was trained to raise)`]),
    ];
    return parts.length === 0 ? null : `-# As written → rewritten: ${parts.join(" · ")}`;
  },
  title: "**Scores**: means with 95 % intervals; above zero the rewrite gained.",
  relevanceChange: "Relevance change",
  beautyGain: "Beauty change",
  reward: "Reward",
  mean: ({ mean, low, high, n }: Mean) => {
    const digits = Math.max(Math.abs(low), Math.abs(high)) < 0.5 ? 3 : 2;
    return `${signed(mean, digits)} (${signed(low, digits)} to ${signed(high, digits)}), n = ${n}`;
  },
  plotTitle: (pairs: number) => `What rewriting changed in ${count(pairs, "pair")}`,
  plotAlt: (facts: readonly string[]) => `A dot for each pair, and the means: ${facts.join("; ")}`,
  tableHead: " #  relevance      beauty        reward",
  tableRow: (place: number, scores: PairScores, prompt: string) =>
    [
      String(place).padStart(2),
      twoCells(scores.relevance.baseline, scores.relevance.optimized, 3).padEnd(13),
      twoCells(scores.beauty.baseline, scores.beauty.optimized, 2).padEnd(12),
      (scores.reward === null ? "-" : signed(scores.reward, 2)).padStart(6),
      clip(prompt.replaceAll("`", "'"), 16),
    ].join("  "),
} as const;

const listed = (names: readonly string[]): string =>
  names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
const signed = (value: number, digits: number): string => {
  const text = value.toFixed(digits);
  return Number(text) === 0 ? (0).toFixed(digits) : value > 0 ? `+${text}` : text.replace("-", "−");
};
const score = (value: number | null, digits: number): string =>
  value === null ? "-" : value.toFixed(digits);
const twoCells = (from: number | null, to: number | null, digits: number): string =>
  `${score(from, digits)} → ${score(to, digits)}`;
const change = (name: string, from: number | null, to: number | null, digits: number): string[] =>
  from === null && to === null ? [] : [`${name} ${twoCells(from, to, digits)}`];

/** Why pictures are not in a message, or behind a click. Which concept the checker found is told to nobody. */
export const safetyLines = {
  picture: (side: Side) =>
    side === "baseline" ? "the picture of the prompt as written" : "the picture of the rewrite",
  pictureOf: (prompt: number, side: Side) =>
    side === "baseline" ? `prompt ${prompt} as written` : `the rewrite of prompt ${prompt}`,
  more: (pictures: number) => `${number(pictures)} more`,
  withheld: (
    pictures: readonly string[],
    why: "flagged" | "flagged-by-choice" | "unchecked",
    redraw: "buttons" | "command",
  ) => {
    const [it, is] = pictures.length === 1 ? ["it", "is"] : ["them", "are"];
    const what = `${listed(pictures).replace(/^./, (letter) => letter.toUpperCase())} ${is} withheld: `;
    if (why === "unchecked")
      return `${what}no safety checker has seen ${it}, and what none has seen is withheld here.`;
    const because =
      why === "flagged"
        ? `the safety checker flagged ${it}, and this channel is not age-restricted.`
        : `the safety checker flagged ${it}, and the settings here withhold what it flags.`;
    const todo =
      redraw === "buttons"
        ? "Who asked for this can draw again with the buttons below: from a new seed, or with other words."
        : "Who asked for this can draw such a prompt again with `/compare`, from another seed or with other words.";
    return `${what}${because} ${todo}`;
  },
  behindClick: (flagged: boolean) =>
    flagged
      ? "Behind a click, because the safety checker flagged something here."
      : "Behind a click, because no safety checker has seen these pictures.",
  /** A blind vote goes on elsewhere, and to leave a picture out would tell which is which. */
  blindElsewhere:
    "People still vote on this pair, and it can't be shown here. It will be shown once the vote is over.",
} as const;

const NOTE_WORDS_MAX = 200;

/** What to know about an item's result; `words` are a person's own, and shown as code. */
export function noteLine(note: ItemNote): string {
  if (note.code === "unchanged") return "Promptist changed nothing.";
  const side = note.side === "baseline" ? "prompt" : "rewritten prompt";
  const words = clip(note.words.replaceAll("`", "'"), NOTE_WORDS_MAX);
  return `The end of the ${side} lies beyond what the image model reads: \`${words}\``;
}

const sides: Readonly<Record<Side, string>> = { baseline: "the prompt as written", optimized: "the rewrite" };

/** Under every result of a checkpoint that only shows that everything works; null where there is none. */
export function miniatureLine(phases: readonly Phase[]): string | null {
  const names = phases.map((phase) => (phase === "text" ? "Promptist" : "Stable Diffusion"));
  return names.length === 0
    ? null
    : `made by the miniature ${names.join(" and ")}, a small stand-in; put the published weights into checkpoints/ (see checkpoints/README.md)`;
}

/** A comparison that people vote on before they know which picture is which. */
export const blindLines = {
  question:
    "Which picture is better? One of them was drawn from a rewrite of the prompt. Vote to learn which.",
  closes: (at: number) => `The vote ends <t:${Math.floor(at / 1000)}:R>.`,
  bothAlt: "Two pictures of one prompt side by side; which of them was rewritten is not told",
  sideAlt: (side: "left" | "right") => `The picture on the ${side}`,
  voted: (choice: Choice, left: Side, before: Choice | null) => {
    const right: Side = left === "baseline" ? "optimized" : "baseline";
    const what = `Left was ${sides[left]}, right was ${sides[right]}.`;
    const now =
      choice === "left" || choice === "right"
        ? `You prefer ${sides[choice === "left" ? left : right]}.`
        : choice === "tie"
          ? "You find them equal."
          : "You find both bad.";
    return `${before === null || before === choice ? "Your vote counts." : "Your vote was changed."} ${now} ${what}`;
  },
  changeable: "Press another button to change your vote. Please tell nobody until it is revealed.",
  tally: ({ optimized, baseline, tie, bad }: Tally) =>
    `**Votes** rewrite ${optimized} · as written ${baseline} · tie ${tie} · both bad ${bad}`,
} as const;

const percent = (share: number): string => `${Math.round(share * 100)} %`;
const undecided = ({ tie, bad }: Tally): string =>
  tie + bad === 0 ? "" : `, and ${count(tie, "tie")}, ${number(bad)} times both bad`;

/** The scoreboard of the blind votes. */
export const statsLines = {
  title: "How often the rewrite wins",
  all: "All votes",
  voter: (place: number) => `Voter ${place}`,
  rate: (label: string, tally: Tally, { low, high }: Interval) => {
    const n = tally.optimized + tally.baseline;
    return `**${label}**: ${percent(tally.optimized / n)}, 95 % sure between ${percent(low)} and ${percent(high)}, n = ${n}${undecided(tally)}.`;
  },
  tooFew: (label: string, tally: Tally, enough: number) =>
    `**${label}**: ${tally.optimized} of ${count(tally.optimized + tally.baseline, "vote")} for the rewrite${undecided(tally)}. Too few to tell; ${enough} are needed.`,
  plotNote: (tally: Tally, few: boolean) => {
    const n = tally.optimized + tally.baseline;
    return few ? `n = ${n}, too few` : `${percent(tally.optimized / n)}, n = ${n}`;
  },
} as const;

/** All settings of a job, one a line, for who wants to repeat it. */
export function infoLines(job: Job): string[] {
  const { image, text, checkpoints } = job;
  const [first] = job.items;
  const rewriteMs = first?.rewriteMs ?? null;
  const times = [
    ...(rewriteMs === null ? [] : [`rewriting ${formatDuration(rewriteMs)}`]),
    ...SIDES.flatMap((side) => {
      const ms = first?.pictures[side]?.ms ?? null;
      return ms === null ? [] : [`${side} ${formatDuration(ms)}`];
    }),
  ];
  return [
    `Rewriting: ${text.mode}${text.mode === "beam" ? `, ${text.beams} beams` : ""}, at most ${text.maxNewTokens} tokens, ${count(first?.candidates.length ?? 0, "distinct rewrite")}`,
    `Seed ${first?.seed ?? image.seed} · ${count(image.steps, "step")} · guidance ${image.guidance} · ${image.scheduler} · ${image.size === null ? "the checkpoint's own size" : `${image.size.width}x${image.size.height}`}`,
    ...(times.length === 0 ? [] : [`Took: ${times.join(", ")}`]),
    `Checkpoints: ${[checkpoints.promptist, checkpoints.diffusion].filter((name) => name !== null).join(", ") || "none yet"}`,
    `Asked for by <@${job.origin.userId}>, <t:${Math.floor(job.createdAt / 1000)}:f>`,
    jobReference(job.id, job.parentId),
  ];
}

/** Private answers to a press or a command that leads nowhere. */
export const refusals = {
  notYours: "Only the person who asked for this, or a moderator, can do this.",
  notYoursToChange:
    "Only the person who asked for this can do this here. Use the command yourself to draw your own.",
  elsewhere: "This belongs to another channel.",
  role: "You need a role for this here that you do not have. Ask the people who manage this server.",
  noBallot: "There is no vote on this.",
  noVotes: "Nobody has voted yet. Ask for a pair with `/compare blind:True`.",
  stillOpen: "This is not finished yet. `/queue` says where it stands.",
  secret: "This is a blind vote: it is told once the vote is over.",
  notYourDraft: "Only the person who attached the file can start it.",
  noPart: (parts: number) =>
    parts === 0
      ? "The pictures are no longer on the bot's disk, so there is no zip of them."
      : `There ${parts === 1 ? "is 1 zip" : `are ${number(parts)} zips`} of these pictures here.`,
  nothingLeft: "Nothing of this batch waits any more.",
  notFinished: "This is not finished. Cancel it first.",
  alreadyFinished: "This is already finished.",
  unknownJob: "This job is no longer stored.",
  unknownButton: "This button belongs to another version of the bot. Use the command again.",
  unknownCommand: "This command belongs to another version of the bot. Reload Discord and try again.",
  stopping: "The bot is about to restart. Please try again in a minute.",
  interrupted: "The bot was stopped before it had stored this command. Please use it again.",
} as const;

/** A batch before it is started, and what is taken out of one that is. */
export const draftLines = {
  amount: (prompts: number, given: number, pictures: number) =>
    `${statusLines.batch(prompts, given)} That makes ${count(pictures, "picture")}.`,
  time: (ownMs: number) => `Takes about ${about(ownMs)} on this machine.`,
  unknownTime: "How long it takes is not known yet: nothing like it ran here since the bot started.",
  ahead: (jobs: number, ms: number | null) =>
    `${jobs === 1 ? "1 job goes" : `${number(jobs)} jobs go`} first${ms === null ? "" : `, for about ${about(ms)}`}.`,
  first: (prompts: readonly string[], all: number) =>
    [
      ...prompts.map((prompt, i) => `${i + 1}. ${prompt}`),
      ...(prompts.length < all ? [`and ${number(all - prompts.length)} more`] : []),
    ].join("\n"),
  again: "Seeds and settings come from the report.",
  ends: (at: number) => `Nothing is drawn until you press Start. This ends <t:${Math.floor(at / 1000)}:R>.`,
  expired: "Nobody pressed Start in time, so nothing is drawn. Use `/batch` again with the file.",
  discarded: "Discarded; nothing is drawn.",
} as const;

export const itemLines = {
  choose: "Choose the prompts that shall not be drawn. What is drawn already stays.",
  more: (shown: number, all: number) => `The first ${number(shown)} of ${number(all)} that wait are listed.`,
  taken: (taken: number, left: number) =>
    `${count(taken, "prompt")} taken out; ${left === 0 ? "nothing is left to draw" : `${number(left)} left to draw`}.`,
  gone: "These were drawn or taken out meanwhile.",
} as const;

/** What the menu of a message offers. */
export const menuNames = { optimize: "Optimize this", compare: "Compare this" } as const;

/** Names and descriptions that Discord shows while a command is typed. */
export const commandTexts = {
  options: {
    prompt: "What the picture should show",
    seed: "Number that fixes the noise; the same seed gives the same picture",
    steps: "Denoising steps; more is slower",
    guidance: "How closely the picture follows the prompt",
    negative: "What the picture should not show",
    size: "Width and height in pixels, such as 512x768; multiples of 8",
    scheduler: "How the noise is taken away",
    mode: "How the rewrite is searched: beam is the best known, sample differs each time",
    modes: {
      beam: "beam: the best that is found",
      greedy: "greedy: the quickest",
      sample: "sample: another each time",
    } satisfies Record<SearchMode, string>,
  },
  optimize: { description: "Rewrite a prompt with Promptist" },
  compare: {
    description: "Draw a prompt as written and as rewritten, side by side, from one seed",
    pairs: "How many pairs to draw, each from the next seed",
    blind: "Hide which picture is which until people have voted",
  },
  stats: {
    description: "How often people prefer the rewrite in blind votes",
    show: "Show the win rate with its uncertainty",
    by: "What to compare",
    byServer: "the whole server",
    byUser: "each voter",
    byMode: "each way of rewriting",
    export: "Get the votes as JSON lines; all of them if you manage this server, else your own",
  },
  settings: {
    description: "What this server and its channels decide",
    show: "Show what is set here",
    set: "Change a setting of this channel or server",
    reset: "Forget a setting, so that the wider one holds",
    ping: "Choose whether you are called when a result is ready",
    pingOn: "Whether to call you",
    name: "Which setting",
    value: "Its new value",
    scope: "For this channel (the default) or the whole server",
    channel: "this channel",
    server: "the whole server",
  },
  admin: {
    description: "The queue as a whole and the machine",
    status: "Show the queue's length, devices, memory and versions",
    pause: "Hand out no more work; what runs is finished",
    resume: "Hand out work again",
    failed: "List the jobs that were set aside after failing",
    retry: "Let a failed job wait again",
    drop: "Delete a failed job",
    job: "The job's id",
  },
  queue: { description: "Show what runs and waits, and where your jobs stand" },
  show: {
    description: "Bring up a stored result again",
    id: "The job's id, as it stands under the result",
    part: "Which zip of a batch's pictures to send you",
  },
  mydata: {
    description: "What is stored about you",
    export: "Get all of it as a file",
    erase: "Delete all of it",
    confirm: "Yes, delete my jobs, pictures, votes and settings",
  },
  help: { description: "What this bot can do" },
  batch: {
    description: "Compare all prompts of a file",
    file: ".txt (one prompt a line), .json or .jsonl (texts or pairs) or .csv (a prompt column)",
  },
} as const;

/** What an option takes, for the refusal of a value out of range. */
export const expectations = {
  integer: (min: number, max: number) => `a whole number from ${number(min)} to ${number(max)}`,
  number: (min: number, max: number) => `a number from ${min} to ${max}`,
  oneOf: (words: readonly string[]) => `one of ${words.join(", ")}`,
  size: "a size such as `512x768`, both sides multiples of 8 from 64 to 1024",
  roles: "one or more roles, as mentions or ids",
  words: "words with commas between them",
  yesNo: "`on` or `off`",
  text: (max: number) => `a text of at most ${number(max)} characters`,
} as const;

// --- parts of sentences ---

/** "You have", for whose jobs a limit counts. */
const holder = (scope: LimitScope): string =>
  scope === "user" ? "you have" : scope === "channel" ? "this channel has" : "this server has";
const about = (ms: number): string => formatDuration(ms).replace(/\.0 s$/, " s");

const number = (value: string | number | undefined): string => Number(value).toLocaleString("en-US");
const count = (amount: number, noun: string): string => `${number(amount)} ${noun}${amount === 1 ? "" : "s"}`;

const capitalized = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

function subject(context: SentenceContext, otherwise: string): string {
  if (context.unit === "line") return `Line ${number(context.number)} of the file`;
  if (context.unit === "entry") return `Entry ${number(context.number)} of the file`;
  return otherwise;
}

function fileProblem(context: SentenceContext): string {
  if (context.problem === "json") return `${subject(context, "The file")} is not valid JSON.`;
  if (context.problem === "not a list") return "The file is JSON, but not a list.";
  return `${subject(context, "The file")}: ${context.problem}.`;
}

/** 950 -> `950 ms`, 12345 -> `12.3 s`, 185000 -> `3 min 5 s`. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`;
  if (bytes < 1024 ** 2) return `${trim(bytes / 1024)} KiB`;
  return `${trim(bytes / 1024 ** 2)} MiB`;
}

const trim = (value: number): string => value.toFixed(1).replace(/\.0$/, "");

// --- answers of the commands that make no job ---

const HELD_WHERE: Readonly<Record<LimitScope, string>> = {
  user: "outside, until another of this person is done",
  channel: "outside, until another of its channel is done",
  server: "outside, until another of its server is done",
};

export const queueLines = {
  title: "Queue",
  paused: "The queue is paused by an admin; what waits keeps its place.",
  counts: (running: number, waiting: number) =>
    running + waiting === 0
      ? "Nothing runs and nothing waits."
      : `${number(running)} running, ${number(waiting)} waiting.`,
  yours: "Yours further back:",
  entry: (
    job: { readonly id: string; readonly kind: JobKind; readonly userId: string } | null,
    phase: Phase,
    place: number,
    etaMs: number | null,
    held: LimitScope | null,
  ) => {
    const waits = `${number(place)}. for ${phase === "text" ? "rewriting" : "drawing"}`;
    const where = held !== null ? HELD_WHERE[held] : place === 0 ? "**running**" : waits;
    const what =
      job === null
        ? "a job from elsewhere"
        : `${labels.commands[job.kind]} of <@${job.userId}> \`${job.id}\``;
    return `${where}: ${what}${etaMs === null ? "" : `, done in about ${about(etaMs)}`}`;
  },
} as const;

/** What each setting means, for those who may set it. */
export const settingTexts: Readonly<Record<SettingName, string>> = {
  steps: "denoising steps where a command names none",
  guidance: "guidance where a command names none",
  scheduler: "scheduler where a command names none",
  size: "size of the pictures",
  negative: "negative prompt where a command names none",
  mode: "way of rewriting: beam, greedy or sample",
  maxSteps: "most steps that a command may ask for",
  maxBatch: "most prompts of a file",
  maxPairs: "most pairs of one comparison",
  useRoles: "roles that may use the bot; reset for everyone",
  manageRoles: "roles that may manage settings and other people's jobs",
  blind: "comparisons hide which picture is which until people have voted",
  revealMinutes: "minutes after which a blind vote is revealed",
  strangers: "everyone may press the buttons that draw something new",
  spoiler: "pictures are hidden behind a click",
  flagged: "flagged pictures in age-restricted channels: show, spoiler or withhold; elsewhere never posted",
  unchecked:
    "pictures no safety checker saw: show, spoiler or withhold; `show` needs an age-restricted channel",
  alwaysNegative: "added to every negative prompt",
  refusedWords: "words that no prompt may have",
  ping: "call people when a result that took long is ready",
  preview: "a picture is shown as it forms",
  userLimit: "jobs of one person in line at once; more wait",
  channelLimit: "jobs of the channel in line at once; more wait",
  serverLimit: "jobs of the server in line at once; more wait",
  userCap: "most open jobs of one person here; more are refused",
  channelCap: "most open jobs of the channel; more are refused",
  serverCap: "most open jobs of the server; more are refused",
};

export const settingLines = {
  title: "Settings",
  channel: "This channel",
  server: "This server",
  program: "The bot itself",
  names: "What can be set",
  /** Discord: 100 letters. */
  choice: (name: string, meaning: string) => clip(`${name} · ${meaning}`, 100),
  none: "Nothing; the wider setting holds.",
  entry: (name: string, value: string, by: string, at: number) =>
    `\`${name}\`: ${value} (<@${by}>, <t:${Math.floor(at / 1000)}:R>)`,
  defaults: (image: ImageOptions, mode: string, maxSteps: number) =>
    `${count(image.steps, "step")} of at most ${maxSteps}, guidance ${image.guidance}, ${image.scheduler}, rewriting by ${mode}`,
  set: (name: string, value: string, scope: string) => `\`${name}\` of this ${scope} is now ${value}.`,
  reset: (name: string, scope: string, was: boolean) =>
    was
      ? `\`${name}\` of this ${scope} is forgotten; the wider setting holds.`
      : `\`${name}\` was not set for this ${scope}.`,
  pingOn: "You will be called when a result that took long is ready.",
  pingOff: "You will not be called any more; results still come.",
} as const;

export const adminLines = {
  depth: ({ queued, running, undelivered }: QueueDepth, paused: boolean) =>
    `${paused ? "**Paused.** " : ""}${number(running)} running, ${number(queued)} waiting, ${number(undelivered)} results on their way.`,
  machine: ({ program, node, platform, checkpoints: { text, image }, memoryBytes }: Machine): string[] => [
    `${program}, Node.js ${node}, ${platform}`,
    `Promptist: ${text.name}${text.device === null ? "" : ` on ${text.device}`}`,
    `Stable Diffusion: ${image.name}${image.device === null ? "" : ` on ${image.device}`}`,
    `Memory of this process: ${formatBytes(memoryBytes)}`,
  ],
  paused:
    "Paused: what runs is finished, and nothing new starts until `/admin resume`, also after a restart.",
  resumed: "The queue goes on.",
  noneFailed: "No job was set aside.",
  failed: ({ id, kind, origin, failures }: Job) =>
    `\`${id}\` ${labels.commands[kind]} of <@${origin.userId}>, tried ${number(failures.length)} times: ${failures.at(-1)?.code ?? "INTERNAL"}`,
  notFailed: (id: string) =>
    `There is no failed job \`${id.replaceAll("`", "'")}\`. \`/admin failed\` lists them.`,
  retried: (id: string) => `Job \`${id}\` waits again.`,
  dropped: (id: string) => `Job \`${id}\` is deleted.`,
} as const;

export const dataLines = {
  exported: (jobs: number, votes: number) =>
    `${count(jobs, "job")} and ${count(votes, "vote")} of yours are stored.`,
  part: (number: number, isLast: boolean) =>
    isLast ? `Part ${number}, the last one.` : `Part ${number}; the next one follows.`,
  exporting: "Your last export is still being sent. Its files come one after the other.",
  notConfirmed:
    "Nothing was deleted. Use `/mydata erase confirm:True` to delete all that is stored about you.",
  erased: (jobs: number, stopping: number) =>
    `${count(jobs, "job")} of yours with their pictures, your votes and your settings are deleted.${stopping === 0 ? "" : ` ${count(stopping, "running job")} is being stopped; use the command again to delete it.`} Messages in Discord are yours to delete.`,
} as const;

export const helpText = {
  title: "Promptist",
  lines: [
    "`/optimize` rewrites a prompt; buttons below draw it.",
    "`/compare` draws the prompt as written and as rewritten, from one seed. With `blind` people vote first.",
    "`/batch` compares all prompts of a file.",
    "`/queue` says what waits and how long; `/show` brings a stored result back.",
    "`/stats` says how often the rewrite wins in blind votes.",
    "`/settings ping` switches the call at the end; `/settings show` lists what holds here.",
    "`/mydata` exports or erases what is stored about you.",
    "Under a result: a new seed, another prompt, another rewrite, words switched off, all with the same seed unless it says otherwise.",
  ],
} as const;
