import { pino } from "pino";
import { prettyFactory } from "pino-pretty";
import { codeOf, describe } from "../core/errors.js";
import type { Events } from "../core/events.js";
import type { Phase } from "../core/job.js";
import { boundedWriter } from "../core/standard-streams.js";

export const LOG_LEVELS = ["silent", "error", "warn", "info", "debug"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LogOptions {
  /**
   * Writes a line including its line break and returns true, or leaves it out and returns false; to stderr by
   * default, which leaves lines out while nobody reads them.
   */
  readonly write?: (line: string) => boolean;
  /** Lines for people, the default on a terminal; otherwise one JSON object per line. */
  readonly pretty?: boolean;
  /** Removes secrets from a line before it is written. */
  readonly redact?: (text: string) => string;
}

/**
 * Logs events, one line each, from `level` up. Every line that belongs to a job carries its id as `job`,
 * including what a worker prints while it works on that job.
 */
export function logEvents(events: Events, level: LogLevel, options: LogOptions = {}): void {
  const { write = boundedWriter(process.stderr), redact = (text) => text } = options;
  const pretty = options.pretty ?? (options.write === undefined && process.stderr.isTTY === true);
  const render = pretty ? prettyLines() : (line: string) => line;
  const log = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line: string) => deliver(redact(render(line))) },
  );
  let leftOut = 0;
  const deliver = (line: string) => {
    if (!write(line)) leftOut += 1;
    else if (leftOut > 0) {
      const lines = leftOut;
      leftOut = 0;
      log.warn({ lines }, `${lines} line(s) of the log were left out, because nobody read it`);
    }
  };
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
  /** By phase and device as far as it is known, else by phase: with several devices the former tells whose line it is. */
  const atWork = new Map<string, string>();
  const ends = (jobId: string) => {
    for (const [place, job] of atWork) if (job === jobId) atWork.delete(place);
  };
  events
    .on("job.enqueued", ({ jobId, job: { kind, items } }) =>
      log.info({ job: jobId, kind, items: items.length }, `${kind} queued, ${items.length} item(s)`),
    )
    .on("job.claimed", ({ jobId: job, phase, attempt }) => {
      atWork.set(phase, job);
      log.info({ job, phase, attempt }, `${phase} phase, attempt ${attempt}`);
    })
    .on("job.requeued", ({ jobId: job, phase, reason }) => {
      ends(job);
      log.info({ job, phase, reason }, `waits for the ${phase} phase (${reason})`);
    })
    .on("job.finished", ({ jobId: job, state, code }) => {
      ends(job);
      log.info({ job, state, ...(code === undefined ? {} : { code }) }, code ? `${state} (${code})` : state);
    })
    .on("job.delivered", ({ jobId: job, messageId: message }) =>
      log.info({ job, message }, `delivered${message ? ` as message ${message}` : ""}`),
    )
    .on("bot.standby", ({ isWaiting }) =>
      log.info(
        isWaiting
          ? "another bot works on the database; this one waits as its standby"
          : "the other bot has ended; this one takes over",
      ),
    )
    .on("phase.started", ({ phase, pid: worker, checkpoint, device, loadMs, replaced }) =>
      log.info(
        {
          ...about(phase, device),
          worker,
          checkpoint,
          device,
          loadMs,
          ...(replaced === undefined ? {} : { replaced }),
        },
        `${phase} phase: ${checkpoint}${replaced === undefined ? "" : ` in place of ${replaced}`} on ${device}, loaded in ${seconds(loadMs)}, process ${worker}`,
      ),
    )
    .on("device.works", ({ device, phase, jobId }) => {
      if (jobId === null) atWork.delete(placeOf(phase, device));
      else atWork.set(placeOf(phase, device), jobId);
    })
    .on("device.set-aside", ({ device, phase, code, reason, retryMs }) =>
      log.error(
        { device, phase, code, reason, retryMs },
        `device ${device} failed and is set aside; it is tried again in ${seconds(retryMs)}`,
      ),
    )
    .on("device.back", ({ device, phase }) => log.info({ device, phase }, `device ${device} works again`))
    .on("phase.finished", ({ phase, device, jobs, items, ms, peakBytes }) =>
      log.info(
        { phase, device, jobs, items, ms, peakBytes },
        `${phase} phase on ${device} over: ${jobs} job(s) finished, ${items} item(s) in ${seconds(ms)}, peak ${Math.round(peakBytes / 2 ** 20)} MiB`,
      ),
    )
    .on("worker.exited", ({ phase, device, pid: worker, code, signal }) => {
      if (code !== 0)
        log.warn(
          { ...about(phase, device), device, worker, code, signal },
          `${phase} process ${worker} ended with ${signal ?? `code ${code}`}`,
        );
    })
    .on("worker.left-behind", ({ pid: worker, startedMsAgo }) =>
      log.warn(
        { worker, startedMsAgo: Math.round(startedMsAgo) },
        `ended model process ${worker}, which an earlier run of the bot left behind; it had started ${seconds(startedMsAgo)} ago`,
      ),
    )
    .on("log", ({ level: of, message, error, jobId, phase, device }) => {
      const job = jobId ?? (phase === undefined ? undefined : about(phase, device).job);
      const why = error === undefined ? {} : { code: codeOf(error), reason: describe(error) };
      const stack = of === "error" && error instanceof Error && error.stack ? { stack: error.stack } : {};
      log[of](
        {
          ...(job === undefined ? {} : { job }),
          ...(phase === undefined ? {} : { phase }),
          ...(device === undefined ? {} : { device }),
          ...why,
          ...stack,
        },
        message,
      );
    });

  function about(phase: Phase, device?: string): { phase: Phase; job?: string } {
    const job = (device === undefined ? undefined : atWork.get(placeOf(phase, device))) ?? atWork.get(phase);
    return job === undefined ? { phase } : { phase, job };
  }
}

const placeOf = (phase: Phase, device: string): string => `${phase} ${device}`;

/** Formats for a terminal: time, level, job and message, then the stack if it is a bug. */
function prettyLines(): (line: string) => string {
  const format = prettyFactory({
    colorize: process.stderr.isTTY === true,
    translateTime: "SYS:HH:MM:ss",
    include: "level,time",
    messageFormat: "{if job}{job} {end}{msg}{if reason} ({reason}){end}{if stack}\n{stack}{end}",
  });
  return (line) => format(line) ?? line;
}
