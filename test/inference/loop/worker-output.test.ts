import { expect, test } from "vitest";
import { WorkerOutput } from "../../../src/inference/loop/worker-output.js";

test("a worker that floods its output costs a bounded log, and the log says what it lacks", () => {
  const passed: string[] = [];
  let now = 0;
  const output = new WorkerOutput(
    (line) => passed.push(line),
    () => now,
  );
  const size = () => passed.reduce((sum, line) => sum + line.length, 0);
  output.take("Loading\r\n\n  \nReady\n");
  expect(passed).toEqual(["Loading", "Ready"]);

  // 100 MB in a second, in chunks of a pipe's size.
  const chunk = `${"x".repeat(1_023)}\n`.repeat(64);
  for (let i = 0; i < 1_600; i++) output.take(chunk);
  expect(size()).toBeGreaterThan(60_000);
  expect(size()).toBeLessThanOrEqual(65_536);

  now = 1_000;
  output.take("Done\n");
  expect(passed.at(-2)).toMatch(/^\d+ line\(s\) left out: it printed more than 64 KiB in a second$/);
  expect(Number.parseInt(passed.at(-2)!, 10)).toBe(1_600 * 64 - (passed.length - 4));
  expect(passed.at(-1)).toBe("Done");

  // The rest is told when the worker ends; its last words stay, cut.
  output.take(`${"y".repeat(100_000)}\nlast words\n`);
  output.end();
  output.end();
  expect(passed.at(-1)).toMatch(/^2 line\(s\) left out/);
  expect(output.tail.at(-1)).toBe("last words");
  expect(output.tail).toHaveLength(8);
  expect(Math.max(...output.tail.map((line) => line.length))).toBe(1_000);
});
