import type { JobKind, JobState } from "../../../core/job.js";
import { clip, escapeMarkdown } from "../../discord/markdown.js";
import type { labels } from "./labels.js";
import type { Translated } from "./translated.js";

/** Letters of a prompt in a line; 25 lines of twice as many fit an answer. */
const PROMPT_MAX = 40;

/** What one line of the list shows of a job. */
interface Entry {
  readonly kind: JobKind;
  readonly state: JobState;
  readonly prompt: string;
  readonly createdAt: number;
}

const SIGNS: Readonly<Record<JobState, string>> = {
  queued: "🕓",
  running: "▶️",
  done: "✔️",
  failed: "⚠️",
  cancelled: "✖️",
};

/** The list of a person's last jobs. */
export const historyLines = {
  title: "Your last jobs",
  none: "You have not asked for anything yet. Start with `/compare`.",
  states: {
    queued: "waiting",
    running: "running",
    done: "done",
    failed: "failed",
    cancelled: "cancelled",
  } satisfies Record<JobState, string>,
  open: "Open",
  again: "Do one again, from a new seed",
} as const;

type HistoryWords = Translated<{
  historyLines: typeof historyLines;
  labels: typeof labels;
  locale: string;
}>;

/** A line of the list. `link`: to the job's message, or to its channel while it has none. */
export const historyEntry = (
  { state, prompt, createdAt }: Entry,
  link: string,
  { historyLines: { states, open } }: HistoryWords,
): string =>
  `${SIGNS[state]} ${beginning(prompt)} · ${states[state]} · <t:${Math.floor(createdAt / 1000)}:R> · [${open}](${link})`;

/** A choice of the menu below the list, and the line below the choice. */
export const historyChoice = ({ prompt }: Entry, max: number): string => clip(oneLine(prompt), max);
export const choiceDetail = (
  { kind, state, createdAt }: Entry,
  now: number,
  { historyLines: { states }, labels: { commands }, locale }: HistoryWords,
): string => `${commands[kind]}, ${states[state]}, ${age(now - createdAt, locale)}`;

/** Completes an id: the prompt is cut, its age is not. */
export function jobCompletion(
  { prompt, createdAt }: Entry,
  now: number,
  max: number,
  { locale }: HistoryWords,
): string {
  const end = ` · ${age(now - createdAt, locale)}`;
  return `${clip(oneLine(prompt), max - end.length)}${end}`;
}

const oneLine = (text: string): string => text.replace(/\s+/g, " ");

/** The beginning of a prompt as inert text. */
export const beginning = (prompt: string): string => escapeMarkdown(clip(oneLine(prompt), PROMPT_MAX));

const UNITS = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
] as const;

/** "5 minutes ago"; menus and completions show no timestamps of Discord's. */
function age(ms: number, locale: string): string {
  const [unit, size] = UNITS.find(([, of]) => ms >= of) ?? (["second", 1000] as const);
  const amount = -Math.max(0, Math.floor(ms / size));
  return new Intl.RelativeTimeFormat(locale, { numeric: "auto" }).format(amount, unit);
}
