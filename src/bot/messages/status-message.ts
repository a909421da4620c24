import type { Progress } from "../../core/events.js";
import {
  hasOverview,
  type Item,
  type ItemNoun,
  type Job,
  type LimitScope,
  lacksRewrite,
  nounOf,
  type Phase,
} from "../../core/job.js";
import { codeBlock } from "../discord/markdown.js";
import type { Outgoing, OutgoingFile } from "../discord/outgoing.js";
import type { Words } from "../words/english/english.js";
import { axisLines } from "../words/english/grid.js";
import { wordsOf } from "../words/languages.js";
import { cancelRow } from "./parts/components.js";
import { coarse } from "./parts/eta.js";
import { evaluationAmount } from "./parts/evaluation-amount.js";
import { bothSections, noteLines, promptSections } from "./parts/rewrite-text.js";

/** Where an unfinished job is, as its message shows it. */
export type JobStatus =
  /** `position`: in the line of the phase; null until it is known. */
  | {
      readonly kind: "queued";
      /** In line; paused by an admin; until a device works; next while nothing runs; or between two tries. */
      readonly wait: "line" | "paused" | "devices" | "starts" | "retries";
      /** Whose limit keeps it out of the line, and how many jobs that limit allows. */
      readonly held?: { readonly scope: LimitScope; readonly limit: number };
      readonly phase: Phase;
      readonly position: number | null;
      /** Until the job is done, by this machine's recent times; null while they are unknown. */
      readonly etaMs: number | null;
    }
  | { readonly kind: "loading"; readonly phase: Phase }
  /** `leftMs`: until the job is done; null while that is unknown. */
  | { readonly kind: "working"; readonly progress: Progress; readonly leftMs: number | null }
  | { readonly kind: "stopping" }
  /** The last status, before the reply's token ends. */
  | { readonly kind: "late" }
  /** The user deleted all their data while the job waited. */
  | { readonly kind: "erased" };

/** What a status message says about its job in every status; the job's items are not kept in memory. */
export interface JobSummary {
  readonly id: string;
  /** Whose words the message is in, as a locale of Discord's. */
  readonly locale: string;
  readonly title: string;
  readonly subject: string;
  /** Whether single items can be taken out. */
  readonly items: ItemNoun | null;
  /** Whether either text of its pairs is a rewrite. */
  readonly isDuel: boolean;
}

/** The message's color tells the state at a glance: blue waits, orange runs, green is done, red failed. */
export const COLORS = {
  waiting: 0x3b82f6,
  running: 0xf59e0b,
  done: 0x22c55e,
  failed: 0xef4444,
  cancelled: 0x6b7280,
};

const SUBJECT_MAX = 400;

export function summarize(job: Job): JobSummary {
  const words = wordsOf(job.origin.locale);
  const { labels, statusLines } = words;
  const given = job.items.filter((item) => item.rewrite !== null && item.candidates.length === 0).length;
  const left = job.items.filter(({ cancelled }) => !cancelled).length;
  const takenOut = left === job.items.length ? [] : [statusLines.takenOut(job.kind, left, job.items.length)];
  const [first] = job.items;
  // The rewrite is shown once it is ready, unless it would tell which picture is which.
  const rewritten = first !== undefined && first.rewrite !== null && !lacksRewrite(first) && !job.blind;
  return {
    id: job.id,
    locale: job.origin.locale,
    title: labels.commands[job.kind],
    items: job.items.length > 1 ? nounOf(job.kind) : null,
    isDuel: first?.against !== undefined,
    subject:
      job.evaluation !== undefined
        ? [evaluationAmount(job.items, job.evaluation, words), ...takenOut].join(" ")
        : job.kind === "batch" || first === undefined
          ? [statusLines.batch(job.items.length, given), ...takenOut].join(" ")
          : [
              subjectOf(job, first, rewritten, words),
              ...(job.grid !== undefined
                ? axisLines(job.grid)
                : hasOverview(job)
                  ? [statusLines.pairs(job.items.length)]
                  : []),
              ...takenOut,
            ].join("\n"),
  };
}

const subjectOf = (job: Job, item: Item, rewritten: boolean, words: Words): string =>
  rewritten
    ? [
        ...(item.against === undefined ? promptSections(job, item, words) : bothSections(job, item, words)),
        ...noteLines(job, item, words),
      ].join("\n")
    : codeBlock(item.prompt, SUBJECT_MAX);

/**
 * What the message shows besides words: the finished picture of the pair, and the preview of the other one.
 * Without either the message keeps its files.
 */
export interface StatusPictures {
  readonly finished: OutgoingFile | null;
  readonly preview: OutgoingFile | null;
  /** Id of the finished picture's file from an earlier edit, to be kept. */
  readonly kept: string | null;
  /** Whether the message still has a preview of a picture that is finished, which is removed. */
  readonly stale: boolean;
}

const NO_PICTURES: StatusPictures = { finished: null, preview: null, kept: null, stale: false };

export function statusMessage(
  job: JobSummary,
  status: JobStatus,
  { finished, preview, kept, stale }: StatusPictures = NO_PICTURES,
): Outgoing {
  const words = wordsOf(job.locale);
  if (status.kind === "erased") return erasedMessage(job, words);
  const waits = status.kind === "queued";
  const files = [finished, preview].filter((file) => file !== null);
  return {
    content: "",
    embeds: [
      {
        title: job.title,
        description: `${job.subject}\n${statusText(status, job, words)}`,
        color: waits ? COLORS.waiting : COLORS.running,
        ...(preview === null ? {} : { image: { url: `attachment://${preview.name}` } }),
      },
    ],
    components: [cancelRow(job.id, status.kind !== "stopping", job.items, words)],
    files,
    keepFiles: files.length === 0 && !stale ? true : kept === null ? false : [kept],
  };
}

/** The message of an erased job: none of its texts, and no buttons. */
const erasedMessage = ({ title }: JobSummary, { statusLines }: Words): Outgoing => ({
  content: "",
  embeds: [{ title, description: statusLines.erased, color: COLORS.cancelled }],
  components: [],
  files: [],
});

function statusText(
  status: JobStatus,
  { items, isDuel }: Pick<JobSummary, "items" | "isDuel">,
  words: Words,
): string {
  const { statusLines } = words;
  switch (status.kind) {
    case "queued":
      if (status.wait === "paused") return statusLines.paused;
      if (status.wait === "devices") return statusLines.devicesFailed;
      if (status.held !== undefined) return statusLines.held(status.held.scope, status.held.limit);
      if (status.wait === "retries") return statusLines.retries;
      if (status.wait === "starts") return statusLines.starts(status.phase);
      return status.position === null
        ? statusLines.accepted
        : statusLines.position(status.phase, status.position, status.etaMs);
    case "loading":
      return statusLines.loading(status.phase);
    case "working":
      return progressText(status.progress, status.leftMs, { noun: items ?? "prompt", isDuel }, words);
    case "stopping":
      return statusLines.stopping;
    case "late":
      return statusLines.late;
    case "erased":
      return statusLines.erased;
  }
}

function progressText(
  progress: Progress,
  leftMs: number | null,
  { noun, isDuel }: { readonly noun: ItemNoun; readonly isDuel: boolean },
  { statusLines }: Words,
): string {
  const { output, step, steps, item, items } = progress;
  const what =
    output === "rewrite"
      ? statusLines.rewriting(step, steps)
      : statusLines.drawing(isDuel ? "optimized" : output, step, steps);
  const parts = [
    what,
    ...(items > 1 ? [statusLines.item(noun, item, items)] : []),
    ...(leftMs === null ? [] : [statusLines.left(coarse(leftMs))]),
  ];
  return `${bar(fractionDone(progress))}\n${parts.join(" · ")}`;
}

/** How much of the job's phase is done, 0 to 1; a pair is two pictures, the baseline first. */
export function fractionDone({ output, single = false, step, steps, item, items }: Progress): number {
  const part = steps > 0 ? Math.min(1, step / steps) : 0;
  const ofItem = output === "rewrite" || single ? part : (output === "optimized" ? 0.5 : 0) + part / 2;
  return Math.min(1, (item + ofItem) / Math.max(1, items));
}

const BLOCKS = 10;

/** Ten blocks and a percentage; full only when all is done. */
export function bar(fraction: number): string {
  const filled = Math.floor(fraction * BLOCKS);
  return `${"▰".repeat(filled)}${"▱".repeat(BLOCKS - filled)} ${Math.floor(fraction * 100)} %`;
}
