import { expect, test } from "vitest";
import { createEvents } from "../../src/core/events.js";
import { type LogLevel, logEvents } from "../../src/metrics/log.js";

/** What one of each kind of event comes to at a level, without the time. */
function linesAt(level: LogLevel): string[] {
  const events = createEvents();
  const lines: string[] = [];
  logEvents(events, level, (line) => lines.push(line.replace(/^\d{4}-\d\d-\d\dT[\d:.]+Z /, "")));
  events.emit("job.enqueued", { jobId: "abc", kind: "compare", items: 1 });
  events.emit("worker.exited", { phase: "text", pid: 7, code: 0, signal: null });
  events.emit("worker.exited", { phase: "image", pid: 8, code: null, signal: "SIGKILL" });
  events.emit("log", { level: "error", message: "the disk is full", jobId: "abc" });
  return lines;
}

test("a level lets through what is as grave, and a worker that ends well is no warning", () => {
  const [info, warn, error] = [
    "info  abc compare queued, 1 item(s)",
    "warn  image process 8 ended with SIGKILL",
    "error abc the disk is full",
  ];
  expect(linesAt("info")).toEqual([info, warn, error]);
  expect(linesAt("warn")).toEqual([warn, error]);
  expect(linesAt("error")).toEqual([error]);
  expect(linesAt("silent")).toEqual([]);
});

test("an error comes with its stack", () => {
  const events = createEvents();
  const lines: string[] = [];
  logEvents(events, "error", (line) => lines.push(line));
  events.emit("log", { level: "error", message: "bug", error: new Error("boom") });
  expect(lines.join("\n")).toMatch(/bug\n.*Error: boom\n +at /);
});
