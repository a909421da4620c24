import { expect, test } from "vitest";
import { createEvents, type Events } from "../../src/core/events.js";
import type { Job } from "../../src/core/job.js";
import { redactor } from "../../src/core/redact.js";
import { type LogLevel, type LogOptions, logEvents } from "../../src/metrics/log.js";

function logged(level: LogLevel, emit: (events: Events) => void, options: LogOptions = {}): string[] {
  const events = createEvents();
  const lines: string[] = [];
  logEvents(events, level, { ...options, write: (line) => lines.push(line) > 0 });
  emit(events);
  return lines;
}
const parsed = (lines: readonly string[]) => lines.map((line) => JSON.parse(line) as Record<string, unknown>);

/** One of each kind of event. */
function emitAll(events: Events): void {
  events.emit("job.enqueued", { jobId: "abc", job: { kind: "compare", items: [{}] } as unknown as Job });
  events.emit("worker.exited", { phase: "text", device: "cpu", pid: 7, code: 0, signal: null });
  events.emit("worker.exited", { phase: "image", device: "cpu", pid: 8, code: null, signal: "SIGKILL" });
  events.emit("log", { level: "error", message: "the disk is full", jobId: "abc" });
  events.emit("log", { level: "debug", message: "no driver", phase: "text" });
}

test("a level logs what is at least as severe, and a worker's clean exit is not a warning", () => {
  const at = (level: LogLevel) => parsed(logged(level, emitAll)).map(({ level: of, msg }) => `${of} ${msg}`);
  const [info, warn, error, debug] = [
    "info compare queued, 1 item(s)",
    "warn image process 8 ended with SIGKILL",
    "error the disk is full",
    "debug no driver",
  ];
  expect(at("debug")).toEqual([info, warn, error, debug]);
  expect(at("info")).toEqual([info, warn, error]);
  expect(at("warn")).toEqual([warn, error]);
  expect(at("error")).toEqual([error]);
  expect(at("silent")).toEqual([]);
});

test("each line is one JSON object with its time and, if it has one, its job", () => {
  const lines = logged("debug", (events) => {
    emitAll(events);
    events.emit("job.claimed", { jobId: "abc", phase: "text", attempt: 1 });
    events.emit("phase.started", { phase: "text", pid: 9, checkpoint: "p", device: "cpu", loadMs: 1200 });
    events.emit("log", { level: "warn", message: "text worker: out of tune\nsecond line", phase: "text" });
    events.emit("job.requeued", { jobId: "abc", phase: "text", reason: "retry", code: "WORKER_DIED" });
    events.emit("log", { level: "warn", message: "text worker: late", phase: "text" });
    events.emit("job.finished", { jobId: "abc", state: "failed", code: "WORKER_DIED" });
    events.emit("job.delivered", { jobId: "abc", messageId: "1" });
  });
  for (const line of lines) expect(line).toMatch(/^\{.*\}\n$/);
  const records = parsed(lines);
  for (const { time } of records) expect(new Date(String(time)).toISOString()).toBe(time);
  expect(records.filter(({ job }) => job === "abc").map(({ msg }) => msg)).toEqual([
    "compare queued, 1 item(s)",
    "the disk is full",
    "text phase, attempt 1",
    "text phase: p on cpu, loaded in 1.2 s, process 9",
    // What a worker prints belongs to the job it works on.
    "text worker: out of tune\nsecond line",
    "waits for the text phase (retry)",
    "failed (WORKER_DIED)",
    "delivered as message 1",
  ]);
});

test("what a worker prints belongs to the job of its device, whichever claimed last", () => {
  const [first, second, later] = parsed(
    logged("info", (events) => {
      for (const [jobId, device] of [
        ["abc", "cuda:0"],
        ["def", "cuda:1"],
      ] as const) {
        events.emit("job.claimed", { jobId, phase: "image", attempt: 1 });
        events.emit("device.works", { device, phase: "image", jobId });
      }
      const print = (device: string) =>
        events.emit("log", { level: "warn", message: "slow", phase: "image", device });
      print("cuda:0");
      print("cuda:1");
      events.emit("device.works", { device: "cuda:1", phase: "image", jobId: null });
      events.emit("job.finished", { jobId: "def", state: "done" });
      print("cuda:1");
    }).filter((line) => line.includes("slow")),
  );
  expect(first).toMatchObject({ job: "abc", device: "cuda:0" });
  expect(second).toMatchObject({ job: "def", device: "cuda:1" });
  expect(later?.job).not.toBe("def");
});

test("a device that is set aside is an error with its reason, and its return is told", () => {
  const lines = parsed(
    logged("info", (events) => {
      const device = "cuda:1";
      const failure = { code: "WORKER_DIED", reason: "Device is lost", retryMs: 10_000 } as const;
      events.emit("device.set-aside", { device, phase: "image", ...failure });
      events.emit("device.back", { device, phase: "image" });
    }),
  );
  expect(lines).toMatchObject([
    { level: "error", device: "cuda:1", code: "WORKER_DIED", reason: "Device is lost" },
    { level: "info", device: "cuda:1" },
  ]);
  expect(lines[0]?.msg).toContain("tried again in 10.0 s");
});

test("an error is logged with code, causes and stack, a warning without the stack", () => {
  const error = new Error("boom", { cause: Object.assign(new Error("no space"), { code: "ENOSPC" }) });
  const [bug, warning] = parsed(
    logged("info", (events) => {
      events.emit("log", { level: "error", message: "bug", error });
      events.emit("log", { level: "warn", message: "later", error });
    }),
  );
  expect(bug).toMatchObject({ msg: "bug", code: "DISK_FULL", reason: "Error: boom <- Error: no space" });
  expect(bug?.stack).toMatch(/^Error: boom\n +at /);
  expect(warning).toMatchObject({ code: "DISK_FULL", reason: "Error: boom <- Error: no space" });
  expect(warning?.stack).toBeUndefined();
});

test("on a terminal a line is readable, with the job in front and the stack below", () => {
  const lines = logged(
    "info",
    (events) => {
      events.emit("job.finished", { jobId: "abc", state: "done" });
      events.emit("log", { level: "error", message: "bug", jobId: "abc", error: new Error("boom") });
    },
    { pretty: true },
  );
  expect(lines[0]).toMatch(/^\[\d\d:\d\d:\d\d\] INFO: abc done\n$/);
  expect(lines[1]).toMatch(/^\[\d\d:\d\d:\d\d\] ERROR: abc bug \(Error: boom\)\n[\s\S]*Error: boom\n +at /);
});

test("no token appears in a line, whatever its source", () => {
  const token = "MTIzNDU2Nzg5MDEyMzQ1Njc4.GaBcDe.abcdefghijklmnopqrstuvwxyz0123456789AB";
  const other = token.replace("MTIz", "MTI0");
  const odd = 'a "secret" of another shape';
  const options = { redact: redactor([token, odd]) };
  for (const pretty of [false, true]) {
    const text = logged(
      "debug",
      (events) => {
        const error = new Error(`Headers.append: "Bot ${token}" is an invalid header value`, {
          cause: new Error(
            `PATCH https://discord.com/api/v10/webhooks/123/${"aW50ZXJhY3Rpb24".repeat(4)}/messages`,
          ),
        });
        events.emit("log", { level: "error", message: `login with ${token} and ${odd}`, error });
        events.emit("log", { level: "warn", message: `worker: ${other}`, error: token, jobId: token });
        events.emit("discord.rate-limited", { route: "/x", ms: 1 });
      },
      { ...options, pretty },
    ).join("");
    expect(text).not.toContain(token);
    expect(text).not.toContain(other);
    expect(text).not.toContain("secret");
    expect(text).not.toContain("aW50ZXJhY3Rpb24aW50");
    expect(text).toContain("[token]");
    if (!pretty) expect(() => parsed(text.trim().split("\n"))).not.toThrow();
  }
});
