import { expect, test } from "vitest";
import { createEvents, log } from "../../src/core/events.js";
import { redactor } from "../../src/core/redact.js";
import { recentLog } from "../../src/metrics/recent-log.js";

test("keeps the last 50 lines, bounded, with their job and reason, and without secrets", () => {
  const events = createEvents();
  const lines = recentLog(events, redactor(["my-very-secret-token"]));
  const before = Date.now();
  for (let n = 0; n < 60; n++) log(events, "info", `line ${n}`);
  expect(lines().map((it) => it.text)).toEqual(Array.from({ length: 50 }, (_, n) => `line ${n + 10}`));
  log(events, "debug", "not for the panel");
  log(events, "error", "failed", new Error("with my-very-secret-token in it"), "a1");
  log(events, "warn", `${"x".repeat(395)} my-very-secret-token`);
  const [failed, long] = lines().slice(-2);
  expect(failed).toMatchObject({ level: "error", text: "a1 failed (Error: with [token] in it)" });
  expect(failed!.at).toBeGreaterThanOrEqual(before - 1);
  expect(long!.text).toHaveLength(400);
  expect(long!.text).not.toContain("my-very");
  expect(lines()).toHaveLength(50);
});
