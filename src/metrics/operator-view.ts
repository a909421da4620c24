import { readFile } from "node:fs/promises";
import { isMissing } from "../core/errors.js";
import type { Events, Progress } from "../core/events.js";
import {
  conditionOf,
  type Host,
  type HostCondition,
  type HostRole,
  hasOtherPictures,
} from "../core/hosts/host.js";
import { type Job, type JobState, linkTo, PHASES, type Phase } from "../core/job.js";
import type { LogLine } from "./recent-log.js";

/** As many jobs as fit the panel without scrolling. */
const JOBS_SHOWN = 12;
const FINISHED_KEPT = 8;
const TITLE_CHARACTERS = 120;
const REASON_CHARACTERS = 300;

/** The part of the queue that the view needs. */
export interface JobSource {
  depth(): Promise<{ readonly queued: number; readonly running: number; readonly undelivered: number }>;
  paused(): Promise<boolean>;
  open(limit: number): Promise<Job[]>;
  get(id: string): Promise<Job | undefined>;
}

export interface OperatorSources {
  readonly events: Events;
  readonly jobs: JobSource;
  /** Finished jobs, latest first, at most `limit`; asked once, later ones are told by events. */
  readonly latest: (limit: number) => Promise<readonly Job[]>;
  /** The name of the checkpoint that each phase uses. */
  readonly checkpoints: Readonly<Record<Phase, string>>;
  /** Removes secrets from what a failure says. */
  readonly redact: (text: string) => string;
  /** Counts of the votes, if people vote. */
  readonly votes?: () => Promise<Votes>;
  readonly disk?: () => Promise<OperatorView["disk"]>;
  readonly log?: () => readonly LogLine[];
  /** This program and, where others share its database, these. */
  readonly hosts?: () => Promise<readonly Host[]>;
}

export interface Votes {
  readonly optimized: number;
  readonly baseline: number;
  /** What the votes say, in the words of `/stats`. */
  readonly summary: string;
}

/** The state of the program, for the operator. Times are milliseconds since the epoch, sizes are bytes. */
export interface OperatorView {
  queue: { waiting: number; running: number; undelivered: number; paused: boolean };
  phase: PhaseView | null;
  memory: { name: string; bytes: number; peak?: boolean }[];
  /** Open jobs in the order of service, then finished ones, latest first. */
  jobs: {
    id: string;
    kind: string;
    state: JobState;
    title: string;
    user: string;
    at: number;
    ms?: number;
    reason?: string;
    url: string;
  }[];
  models: { use: string; name: string; device?: string; loaded: boolean }[];
  disk?: { folder: string; bytes: number; free: number };
  log?: LogLine[];
  votes?: Votes;
  hosts?: HostView[];
}

/** One host and what its devices do. */
interface HostView {
  name: string;
  role: string;
  condition: HostCondition;
  version: string;
  /** It has another version than the program that shows it. */
  differs: boolean;
  seenAt: number;
  agoMs: number;
  /** Its pictures go elsewhere than those of the program that shows it. */
  otherPictures: boolean;
  offers: string[];
  devices: {
    name: string;
    doing: string;
    job?: string;
    models: string[];
    bytes: number;
    setAside?: string;
  }[];
}

interface PhaseView {
  name: string;
  detail: string;
  startedAt: number;
  progress?: { label: string; done: number; total: number; item: number; items: number };
}

const NAMES: Readonly<Record<Phase, string>> = { text: "Rewriting prompts", image: "Drawing pictures" };
const ROLES: Readonly<Record<HostRole, string>> = { both: "bot and worker", bot: "bot", worker: "worker" };
const LABELS: Readonly<Record<Progress["output"], string>> = {
  rewrite: "rewrite",
  baseline: "baseline picture",
  optimized: "optimized picture",
};

/** Starts listening and returns a function that reports the current state when called. */
export function watchForOperator(sources: OperatorSources): () => Promise<OperatorView> {
  const { events, jobs, latest, checkpoints, redact, votes, disk, log, hosts } = sources;
  /** By phase and device. */
  const phases = new Map<string, PhaseView & { readonly phase: Phase }>();
  const workers = new Map<string, { readonly phase: Phase; readonly pid: number }>();
  /** Where a job is worked on. */
  const places = new Map<string, string>();
  let peakBytes: number | null = null;
  const devices = new Map<Phase, string>();
  const finished: string[] = [];
  let earlier: readonly string[] | null = null;
  const placeOf = (at: { readonly phase: Phase; readonly device: string }) => `${at.phase} ${at.device}`;
  const over = (at: { readonly phase: Phase; readonly device: string }) => {
    phases.delete(placeOf(at));
    workers.delete(placeOf(at));
  };
  const first = (phase: Phase) => [...phases.entries()].find(([, view]) => view.phase === phase);
  events
    .on("phase.started", (event) => {
      workers.set(placeOf(event), { phase: event.phase, pid: event.pid });
      devices.set(event.phase, event.device);
      phases.set(placeOf(event), {
        phase: event.phase,
        name: NAMES[event.phase],
        detail: `${event.checkpoint} on ${event.device}`,
        startedAt: Date.now() - Math.round(event.loadMs),
      });
    })
    .on("phase.finished", (event) => {
      over(event);
      peakBytes = event.peakBytes;
    })
    .on("worker.exited", over)
    .on("device.works", (event) => {
      if (event.jobId !== null) places.set(event.jobId, placeOf(event));
    })
    .on("job.progress", ({ jobId, phase, output, step, steps, item, items }) => {
      const place = places.get(jobId) ?? first(phase)?.[0];
      const view = place === undefined ? undefined : phases.get(place);
      if (place === undefined || view === undefined || steps < 1) return;
      const progress = { label: LABELS[output], done: step, total: steps, item, items };
      phases.set(place, { ...view, progress });
    })
    .on("job.finished", ({ jobId }) => {
      places.delete(jobId);
      finished.unshift(jobId);
      finished.length = Math.min(finished.length, FINISHED_KEPT);
    });

  /** The latest finished jobs: those of this run, then those of earlier ones. */
  const finishedJobs = async () => {
    earlier ??= (await latest(FINISHED_KEPT)).map((it) => it.id);
    const ids = [...new Set([...finished, ...earlier])].slice(0, FINISHED_KEPT);
    const found = await Promise.all(ids.map((id) => jobs.get(id)));
    // Some were erased meanwhile, or wait again.
    return found.flatMap((it) => (it === undefined || it.finishedAt === null ? [] : [it]));
  };
  const memory = async () => {
    const entries: OperatorView["memory"] = [{ name: "Bot", bytes: process.memoryUsage.rss() }];
    const several = new Set([...workers.values()].map(({ phase }) => phase)).size < workers.size;
    for (const [place, { phase, pid }] of workers) {
      const bytes = await residentBytes(pid);
      const name = several ? `${NAMES[phase]} on ${place.slice(phase.length + 1)}` : NAMES[phase];
      if (bytes !== null) entries.push({ name: workers.size === 1 ? "Worker" : name, bytes });
    }
    if (workers.size === 0 && peakBytes !== null)
      entries.push({ name: "Latest worker", bytes: peakBytes, peak: true });
    return entries;
  };

  return async () => {
    const [depth, paused, open, done] = await Promise.all([
      jobs.depth(),
      jobs.paused(),
      jobs.open(JOBS_SHOWN),
      finishedJobs(),
    ]);
    const use = await disk?.();
    return {
      queue: { waiting: depth.queued, running: depth.running, undelivered: depth.undelivered, paused },
      // Where both run, a picture takes longer.
      phase: phaseView(first("image") ?? first("text")),
      memory: await memory(),
      jobs: [...open, ...done].slice(0, JOBS_SHOWN).map((job) => jobView(job, redact)),
      models: PHASES.map((it) => {
        const device = devices.get(it);
        return {
          use: NAMES[it],
          name: checkpoints[it],
          ...(device === undefined ? {} : { device }),
          loaded: [...workers.values()].some(({ phase }) => phase === it),
        };
      }),
      ...(use === undefined ? {} : { disk: use }),
      ...(log === undefined ? {} : { log: [...log()] }),
      ...(votes === undefined ? {} : { votes: await votes() }),
      ...(hosts === undefined ? {} : { hosts: hostViews(await hosts()) }),
    };
  };
}

function hostViews(hosts: readonly Host[]): HostView[] {
  const own = hosts.find((host) => host.isSelf);
  return hosts.map((host) => ({
    name: host.name,
    role: ROLES[host.role],
    condition: conditionOf(host),
    version: host.version,
    differs: own !== undefined && host.version !== own.version,
    otherPictures: own !== undefined && hasOtherPictures(host, own),
    seenAt: host.seenAt,
    agoMs: Math.round(host.agoMs),
    offers: [...host.state.offers],
    devices: host.state.devices.map(({ name, opened, phase, jobId, models, loadedBytes, setAside }) => ({
      name: opened === null || opened === name ? name : `${name} (${opened})`,
      doing: jobId === null || phase === null ? "waits for work" : NAMES[phase],
      ...(jobId === null ? {} : { job: jobId }),
      models: [...models],
      bytes: loadedBytes,
      ...(setAside === null ? {} : { setAside }),
    })),
  }));
}

/** As the panel takes it. */
function phaseView(
  found: readonly [string, PhaseView & { readonly phase: Phase }] | undefined,
): PhaseView | null {
  if (found === undefined) return null;
  const { phase: _, ...view } = found[1];
  return view;
}

/** Resident memory of a process, or null where the system does not tell it (Linux does), or it has ended. */
async function residentBytes(pid: number): Promise<number | null> {
  try {
    const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, "utf8")) ?? [];
    return kib === undefined ? null : Number(kib) * 1024;
  } catch (error) {
    // ESRCH: it ended between opening and reading.
    if (isMissing(error) || (error as NodeJS.ErrnoException).code === "ESRCH") return null;
    throw error;
  }
}

function jobView(job: Job, redact: (text: string) => string): OperatorView["jobs"][number] {
  const [first = ""] = job.items.map((item) => item.prompt);
  const prompt = first.slice(0, TITLE_CHARACTERS);
  const { length } = job.items;
  const isOnePrompt = job.items.every((item) => item.prompt === first);
  const rest = length < 2 ? "" : isOnePrompt ? `, ${length} pairs` : ` and ${length - 1} more`;
  const failure = job.state === "failed" ? job.failures.at(-1) : undefined;
  return {
    id: job.id,
    kind: job.kind,
    state: job.state,
    title: `${prompt}${rest}`,
    user: job.origin.userId,
    at: job.finishedAt ?? job.createdAt,
    ...(job.startedAt === null ? {} : { ms: Math.max(0, (job.finishedAt ?? Date.now()) - job.startedAt) }),
    ...(failure === undefined
      ? {}
      : { reason: redact(`${failure.code}: ${failure.detail}`).slice(0, REASON_CHARACTERS) }),
    url: linkTo(job.origin, job.delivery.messageId),
  };
}
