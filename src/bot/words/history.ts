import type { JobKind, JobState } from "../../core/job.js";
import { clip, escapeMarkdown } from "../discord/markdown.js";
import { labels } from "./labels.js";
import { LANGUAGES } from "./translations.js";

/** Letters of a prompt in a line; 25 lines of twice as many fit an answer. */
const PROMPT_MAX = 40;

/** A job in a list, as far as its line tells it. */
interface Entry {
  readonly kind: JobKind;
  readonly state: JobState;
  readonly prompt: string;
  readonly createdAt: number;
}

const STATES: Readonly<Record<JobState, { readonly sign: string; readonly name: string }>> = {
  queued: { sign: "🕓", name: "waiting" },
  running: { sign: "▶️", name: "running" },
  done: { sign: "✔️", name: "done" },
  failed: { sign: "⚠️", name: "failed" },
  cancelled: { sign: "✖️", name: "cancelled" },
};

/** The list of a person's last jobs. */
export const historyLines = {
  title: "Your last jobs",
  none: "You have not asked for anything yet. Start with `/compare`.",
  /** `link`: to its message, or to its channel while it has none. */
  entry: ({ state, prompt, createdAt }: Entry, link: string) =>
    `${STATES[state].sign} ${beginning(prompt)} · ${STATES[state].name} · <t:${Math.floor(createdAt / 1000)}:R> · [Open](${link})`,
  again: "Do one again, from a new seed",
  choice: ({ prompt }: Entry, max: number) => clip(oneLine(prompt), max),
  choiceDetail: ({ kind, state, createdAt }: Entry, now: number, locale: string) =>
    `${labels.commands[kind]}, ${STATES[state].name}, ${age(now - createdAt, locale)}`,
  /** Completes an id: the prompt is cut, its age is not. */
  completion: ({ prompt, createdAt }: Entry, now: number, locale: string, max: number) => {
    const end = ` · ${age(now - createdAt, locale)}`;
    return `${clip(oneLine(prompt), max - end.length)}${end}`;
  },
} as const;

const oneLine = (text: string): string => text.replace(/\s+/g, " ");

/** The beginning of a prompt as inert text. */
export const beginning = (prompt: string): string => escapeMarkdown(clip(oneLine(prompt), PROMPT_MAX));

const UNITS = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
] as const;

/** "5 minutes ago", in the reader's language; menus and completions show no timestamps of Discord's. */
function age(ms: number, locale: string): string {
  const [unit, size] = UNITS.find(([, of]) => ms >= of) ?? (["second", 1000] as const);
  const amount = -Math.max(0, Math.floor(ms / size));
  const language = LANGUAGES.find((one) => one === locale) ?? "en";
  return new Intl.RelativeTimeFormat(language, { numeric: "auto" }).format(amount, unit);
}
