import { type ItemNoun, type JobKind, type LimitScope, nounOf, type Phase } from "../../../core/job.js";
import { labels } from "./labels.js";
import { about, count, holder, listed, number } from "./parts.js";

/** Lines of the message while a job waits and runs. */
export const statusLines = {
  accepted: "Accepted.",
  position: (phase: Phase, position: number, etaMs: number | null) =>
    `In the queue for ${phase === "text" ? "rewriting" : "drawing"}: ${position === 1 ? "next" : `place ${number(position)}`}.${etaMs === null ? "" : ` Done in about ${about(etaMs)}.`}`,
  starts: (phase: Phase) => (phase === "text" ? "Starting…" : "Drawing starts…"),
  paused: "Paused by an admin; your place is kept.",
  devicesFailed: "The graphics card has stopped working; it is tried again and again. Your place is kept.",
  retries: "This attempt failed. The bot tries again in a moment.",
  held: (scope: LimitScope, limit: number) =>
    `Waits outside the queue: ${holder(scope)} ${count(limit, "job")} in it, the most allowed at once. It joins the queue by itself when ${limit === 1 ? "that one" : "one of them"} is done.`,
  loading: (phase: Phase) =>
    phase === "text" ? "Rewriting: loading Promptist…" : "Drawing: loading Stable Diffusion…",
  rewriting: (step: number, steps: number) => `rewriting, token ${step} of ${steps}`,
  drawing: (side: "baseline" | "optimized", step: number, steps: number) =>
    `drawing ${side === "baseline" ? "as written" : "the rewrite"}, step ${step} of ${steps}`,
  item: (noun: ItemNoun, index: number, items: number) => `${noun} ${index + 1} of ${items}`,
  left: (ms: number) => `about ${about(ms)} left`,
  pairs: (pairs: number) => `${count(pairs, "pair")}, each from a seed of its own.`,
  takenOut: (kind: JobKind, left: number, all: number) =>
    `${number(left)} of ${count(all, nounOf(kind))} left.`,
  stopping: "Stopping.",
  late: "This takes longer than Discord lets me edit this message. The result will come as a new message here.",
  erased: "This was cancelled and deleted, with everything stored about you.",
  batch: (prompts: number, given: number) =>
    given === 0
      ? `${count(prompts, "prompt")}.`
      : given === prompts
        ? `${count(prompts, "prompt")}, all already optimized: Promptist is not needed.`
        : `${count(prompts, "prompt")}, ${given} already optimized: Promptist is not needed for ${given === 1 ? "it" : "them"}.`,
} as const;

const HELD_WHERE: Readonly<Record<LimitScope, string>> = {
  user: "outside, until another job of this person is done",
  channel: "outside, until another job of its channel is done",
  server: "outside, until another job of its server is done",
};

export const queueLines = {
  title: "Queue",
  paused: "An admin paused the queue. Waiting jobs keep their places.",
  devicesFailed:
    "The graphics card has stopped working; it is tried again and again. Waiting jobs keep their places.",
  counts: (running: number, waiting: number) =>
    running + waiting === 0
      ? "Nothing is running or waiting."
      : `${number(running)} running, ${number(waiting)} waiting.`,
  /** `names`: of models, as code. */
  loaded: (names: readonly string[]) => `Loaded: ${listed(names)}.`,
  swaps: (swaps: number) => `Changes of model since the bot started: ${number(swaps)}.`,
  yours: "Your jobs further back:",
  entry: (
    job: { readonly id: string; readonly kind: JobKind; readonly userId: string } | null,
    phase: Phase,
    position: number,
    etaMs: number | null,
    held: LimitScope | null,
  ) => {
    const waits = `${number(position)}. for ${phase === "text" ? "rewriting" : "drawing"}`;
    const where = held !== null ? HELD_WHERE[held] : position === 0 ? "**running**" : waits;
    const what =
      job === null
        ? "a job from elsewhere"
        : `${labels.commands[job.kind]} by <@${job.userId}> \`${job.id}\``;
    return `${where}: ${what}${etaMs === null ? "" : `, done in about ${about(etaMs)}`}`;
  },
} as const;
