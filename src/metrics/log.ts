import type { Events } from "../core/events.js";

export type LogLevel = "silent" | "error" | "warn" | "info";
const RANK: Record<LogLevel, number> = { silent: 0, error: 1, warn: 2, info: 3 };

/** Writes what happens as one line each, from `level` up. Answers a function that writes a line of its own. */
export function logEvents(
  events: Events,
  level: LogLevel,
  write: (line: string) => void = (line) => process.stderr.write(`${line}\n`),
): void {
  const log = (of: LogLevel, message: string) => {
    if (RANK[of] <= RANK[level]) write(`${new Date().toISOString()} ${of.padEnd(5)} ${message}`);
  };
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
  events
    .on("job.enqueued", ({ jobId, kind, items }) => log("info", `${jobId} ${kind} queued, ${items} item(s)`))
    .on("job.claimed", ({ jobId, phase, attempt }) =>
      log("info", `${jobId} ${phase} phase, attempt ${attempt}`),
    )
    .on("job.requeued", ({ jobId, phase, reason }) =>
      log("info", `${jobId} waits for the ${phase} phase (${reason})`),
    )
    .on("job.finished", ({ jobId, state }) => log("info", `${jobId} ${state}`))
    .on("job.delivered", ({ jobId, messageId }) =>
      log("info", `${jobId} delivered${messageId ? ` as message ${messageId}` : ""}`),
    )
    .on("phase.started", ({ phase, pid, checkpoint, device, loadMs }) =>
      log("info", `${phase} phase: ${checkpoint} on ${device}, loaded in ${seconds(loadMs)}, process ${pid}`),
    )
    .on("phase.finished", ({ phase, jobs, items, ms, peakBytes }) =>
      log(
        "info",
        `${phase} phase over: ${jobs} job(s) finished, ${items} item(s) in ${seconds(ms)}, peak ${Math.round(peakBytes / 2 ** 20)} MiB`,
      ),
    )
    .on("worker.exited", ({ phase, pid, code, signal }) => {
      if (code !== 0) log("warn", `${phase} process ${pid} ended with ${signal ?? `code ${code}`}`);
    })
    .on("log", ({ level: of, message, error, jobId }) => {
      log(of, `${jobId ? `${jobId} ` : ""}${message}`);
      if (of === "error" && error instanceof Error && error.stack) log(of, error.stack);
    });
}
