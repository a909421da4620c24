import type { Events, Progress } from "../core/events.js";
import type { Job, JobState, Phase } from "../core/job.js";

/** As many jobs as fit the panel without scrolling. */
const JOBS_SHOWN = 12;
const FINISHED_KEPT = 8;
const TITLE_CHARACTERS = 120;

/** The part of the queue that the view needs. */
export interface JobSource {
  depth(): Promise<{ readonly queued: number; readonly running: number; readonly undelivered: number }>;
  paused(): Promise<boolean>;
  open(limit: number): Promise<Job[]>;
  get(id: string): Promise<Job | undefined>;
}

export interface Votes {
  readonly optimized: number;
  readonly baseline: number;
  readonly ties: number;
}

/** The state of the program, for the operator. Times are milliseconds since the epoch, sizes are bytes. */
export interface OperatorView {
  queue: { waiting: number; running: number; undelivered: number; paused: boolean };
  phase: PhaseView | null;
  memory: { name: string; bytes: number; peak?: boolean }[];
  /** Open jobs in the order of service, then finished ones, latest first. */
  jobs: { id: string; kind: string; state: JobState; title: string; user: string; at: number; ms?: number }[];
  votes?: Votes;
}

interface PhaseView {
  name: string;
  detail: string;
  startedAt: number;
  progress?: { label: string; done: number; total: number; item: number; items: number };
}

const NAMES: Readonly<Record<Phase, string>> = { text: "Rewriting prompts", image: "Drawing pictures" };
const LABELS: Readonly<Record<Progress["making"], string>> = {
  rewrite: "rewrite",
  baseline: "baseline picture",
  optimized: "optimized picture",
};

/**
 * Starts listening and returns a function that reports the current state when called.
 * @param votes counts of the votes, if people vote
 */
export function watchForOperator(
  events: Events,
  jobs: JobSource,
  votes?: () => Promise<Votes>,
): () => Promise<OperatorView> {
  let phase: PhaseView | null = null;
  let peakBytes: number | null = null;
  const finished: string[] = [];
  events
    .on("phase.started", (event) => {
      phase = {
        name: NAMES[event.phase],
        detail: `${event.checkpoint} on ${event.device}`,
        startedAt: Date.now() - Math.round(event.loadMs),
      };
    })
    .on("phase.finished", (event) => {
      phase = null;
      peakBytes = event.peakBytes;
    })
    .on("worker.exited", () => {
      phase = null;
    })
    .on("job.progress", ({ making, step, steps, item, items }) => {
      if (phase === null || steps < 1) return;
      phase = { ...phase, progress: { label: LABELS[making], done: step, total: steps, item, items } };
    })
    .on("job.finished", ({ jobId }) => {
      finished.unshift(jobId);
      finished.length = Math.min(finished.length, FINISHED_KEPT);
    });

  return async () => {
    const [depth, paused, open, over] = await Promise.all([
      jobs.depth(),
      jobs.paused(),
      jobs.open(JOBS_SHOWN),
      Promise.all(finished.map((id) => jobs.get(id))),
    ]);
    return {
      queue: { waiting: depth.queued, running: depth.running, undelivered: depth.undelivered, paused },
      phase,
      memory: [
        { name: "Bot", bytes: process.memoryUsage.rss() },
        ...(peakBytes === null ? [] : [{ name: "Latest worker", bytes: peakBytes, peak: true }]),
      ],
      jobs: [...open, ...over.filter((job) => job !== undefined)].slice(0, JOBS_SHOWN).map(jobView),
      ...(votes === undefined ? {} : { votes: await votes() }),
    };
  };
}

function jobView(job: Job): OperatorView["jobs"][number] {
  const [first = ""] = job.items.map(({ prompt }) => prompt);
  const prompt = first.slice(0, TITLE_CHARACTERS);
  const { length } = job.items;
  const isOnePrompt = job.items.every((item) => item.prompt === first);
  const rest = length < 2 ? "" : isOnePrompt ? `, ${length} pairs` : ` and ${length - 1} more`;
  return {
    id: job.id,
    kind: job.kind,
    state: job.state,
    title: `${prompt}${rest}`,
    user: job.origin.userId,
    at: job.finishedAt ?? job.createdAt,
    ...(job.startedAt === null ? {} : { ms: Math.max(0, (job.finishedAt ?? Date.now()) - job.startedAt) }),
  };
}
