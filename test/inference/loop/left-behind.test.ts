import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { createEvents } from "../../../src/core/events.js";
import { startOf, WorkerRecords } from "../../../src/inference/loop/left-behind.js";
import { temporaryFolder } from "../../support/app.js";

let folder: string;
let logged: string[];
let ended: number[];
let records: WorkerRecords;
beforeEach(() => {
  const made = temporaryFolder();
  onTestFinished(() => made.remove());
  folder = join(made.path, "workers");
  logged = [];
  ended = [];
  const events = createEvents();
  events.on("log", ({ message }) => logged.push(message));
  events.on("worker.left-behind", ({ pid }) => ended.push(pid));
  records = new WorkerRecords(folder, events);
});

/** A process that does nothing until it is ended. */
async function startIdle(): Promise<{ child: ChildProcess; pid: number; gone: Promise<unknown[]> }> {
  const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1e6); console.log('up')"]);
  const gone = once(child, "exit");
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await gone;
  });
  await once(child.stdout, "data");
  return { child, pid: child.pid!, gone };
}

describe.skipIf(process.platform === "win32")("a worker that an earlier run wrote down", () => {
  test("is ended, also where it is frozen, and told once", async () => {
    const { child, pid, gone } = await startIdle();
    await records.add(pid);
    child.kill("SIGSTOP");
    await records.endLeftBehind();
    expect(await gone).toEqual([null, "SIGKILL"]);
    expect(ended).toEqual([pid]);
    expect(readdirSync(folder)).toEqual([]);
    await records.endLeftBehind();
    expect(ended).toEqual([pid]);
    expect(logged).toEqual([]);
  });

  test("and whose pid another process has by now is left alone", async () => {
    const worker = await startIdle();
    await records.add(worker.pid);
    const [name = ""] = readdirSync(folder);
    worker.child.kill("SIGKILL");
    await worker.gone;
    const other = await startIdle();
    // What the system does when it gives the pid to a new process: same pid, other start.
    renameSync(join(folder, name), join(folder, name.replace(/^\d+/, String(other.pid))));
    expect(await startOf(other.pid)).not.toBe(name.replace(/^\d+_/, ""));
    await records.endLeftBehind();
    expect(await startOf(other.pid)).not.toBeNull();
    expect(other.child.signalCode).toBeNull();
    expect(ended).toEqual([]);
    expect(readdirSync(folder)).toEqual([]);
  });

  test("on a system that does not tell when a process started is left alone, and the log says so", async () => {
    const { child, pid } = await startIdle();
    mkdirSync(folder);
    writeFileSync(join(folder, `${pid}_unknown`), "");
    await records.endLeftBehind();
    expect(child.signalCode).toBeNull();
    expect(logged).toEqual([expect.stringContaining(`end it by hand: kill -9 ${pid}`)]);
    await records.endLeftBehind();
    expect(logged).toHaveLength(1);
  });

  test("and that has ended since is crossed out without a word", async () => {
    const { child, pid, gone } = await startIdle();
    const crossOut = await records.add(pid);
    child.kill("SIGKILL");
    await gone;
    await records.endLeftBehind();
    expect(readdirSync(folder)).toEqual([]);
    crossOut();
    expect([...ended, ...logged]).toEqual([]);
  });
});

test("files that are no records are not touched", async () => {
  mkdirSync(folder);
  for (const name of ["notes.txt", "0_x", "-1_x", "12345678901_x"]) writeFileSync(join(folder, name), "");
  await records.endLeftBehind();
  expect(readdirSync(folder)).toHaveLength(4);
  expect(logged).toEqual([]);
});

test.skipIf(process.platform === "win32")(
  "a worker that can't be written down is told in the log",
  async () => {
    writeFileSync(folder, "a file where the folder should be");
    const crossOut = await records.add(process.pid);
    crossOut();
    expect(logged).toEqual([
      expect.stringContaining(`Model process ${process.pid} could not be written down`),
    ]);
  },
);

describe("the start of a process", () => {
  test.skipIf(!["linux", "darwin"].includes(process.platform))(
    "tells two processes apart by more than their pid",
    async () => {
      const mine = await startOf(process.pid);
      expect(mine).toBe(await startOf(process.pid));
      expect(mine).not.toBe(await startOf(process.ppid));
      expect(mine).not.toBe("unknown");
    },
  );

  test.skipIf(!existsSync("/bin/ps"))("is read from ps where there is no /proc", async () => {
    const mine = await startOf(process.pid, "darwin");
    expect(Math.abs(Number(mine) - (Date.now() - process.uptime() * 1_000))).toBeLessThan(60_000);
    expect(await startOf(2 ** 22 + 1, "darwin")).toBeNull();
  });
});
