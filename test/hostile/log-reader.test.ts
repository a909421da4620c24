import { execFile } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import { startLocalDiscord } from "local-discord/testing";
import { describe, expect, onTestFinished, test } from "vitest";
import { temporaryFolder } from "../support/app.js";
import { startBotProcess } from "../support/bot-process.js";
import { isFinal } from "../support/bot-world.js";
import { within } from "../support/within.js";

/** Who reads the program's output may go away, fill their disk, or stop reading: the work goes on. */

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const TICKS_A_SECOND = 100;

/** The share of a core that a process uses over a second. */
async function busy(pid: number): Promise<number> {
  const ticks = () => {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
    return Number(fields[11]) + Number(fields[12]);
  };
  const before = ticks();
  const began = performance.now();
  await delay(1_000);
  return (ticks() - before) / TICKS_A_SECOND / ((performance.now() - began) / 1_000);
}

/**
 * Starts the built bot with its output redirected by `redirection`, in bash, where $DIR is a folder for the
 * test's files.
 */
async function startRedirected(redirection: string, settings: Record<string, string> = {}) {
  const folder = temporaryFolder();
  onTestFinished(() => folder.remove());
  const local = await startLocalDiscord({ page: false });
  onTestFinished(() => local.close());
  const bot = startBotProcess(
    local,
    join(folder.path, "data"),
    { LOG_LEVEL: "debug", DIR: folder.path, ...settings },
    ["bash", "-c", `exec "$@" ${redirection}`, "bash"],
  );
  await local.botOnline(60_000);
  const alice = local.member("alice");
  await expect.poll(() => alice.commands(), { timeout: 60_000 }).toContain("compare");
  return {
    pid: bot.child.pid!,
    file: (name: string) => join(folder.path, name),
    /** Sends a command and waits for its pictures. */
    async works() {
      const handle = await alice.slash("compare", { prompt: "A cat", seed: 1 });
      await handle.waitFor(isFinal, { timeoutMs: 100_000 });
      expect(handle.message?.attachments.length).toBeGreaterThan(0);
      expect(await busy(bot.child.pid!)).toBeLessThan(0.5);
    },
    /** Sends SIGTERM and waits for the end. */
    async stops() {
      const asked = performance.now();
      bot.child.kill("SIGTERM");
      expect(await bot.exited).toEqual([0, null]);
      expect(performance.now() - asked).toBeLessThan(within(3_000));
    },
  };
}

describe.skipIf(process.platform !== "linux")("the bot goes on, and stops in time, when", () => {
  test.each([
    ["the reader of its log goes away after two lines", "> >(exec head -2 >/dev/null) 2>&1"],
    ["the disk of its standard output is full", ">/dev/full"],
    ["the disk of its log is full", "2>/dev/full"],
    ["both are closed", ">&- 2>&-"],
  ])("%s", { timeout: 200_000 }, async (_when, redirection) => {
    const bot = await startRedirected(redirection);
    await bot.works();
    await bot.stops();
  });

  test("the reader of its log stops reading, and the log says what it lacks once it is read again", {
    timeout: 200_000,
  }, async () => {
    const flood = temporaryFolder();
    onTestFinished(() => flood.remove());
    const script = join(flood.path, "flood.mjs");
    writeFileSync(script, `process.on("SIGUSR2", () => process.stderr.write("-".repeat(4 << 20) + "\\n"));`);
    const bot = await startRedirected('> >(echo $BASHPID >"$DIR/reader"; exec cat >"$DIR/log") 2>&1', {
      NODE_OPTIONS: `--import ${pathToFileURL(script).href}`,
    });
    const reader = Number(readFileSync(bot.file("reader"), "utf8"));
    onTestFinished(() => {
      if (existsSync(`/proc/${reader}`)) process.kill(reader, "SIGKILL");
    });
    const log = () => readFileSync(bot.file("log"), "utf8");
    await expect.poll(log).toContain("is ready");
    process.kill(reader, "SIGSTOP");
    process.kill(bot.pid, "SIGUSR2");
    await bot.works();
    expect(log()).not.toContain("compare queued");

    process.kill(reader, "SIGCONT");
    await expect.poll(() => log().length, { timeout: 10_000 }).toBeGreaterThan(4 << 20);
    await bot.works();
    await expect.poll(log).toMatch(/\d+ line\(s\) of the log were left out, because nobody read it/);
    process.kill(reader, "SIGSTOP");
    process.kill(bot.pid, "SIGUSR2");
    await bot.stops();
  });
});

/** Runs a shell line with the program's file as its $0; its exit code and what it printed. */
function shell(line: string): Promise<{ code: number; out: string; said: string }> {
  return new Promise((resolve) => {
    execFile(
      "bash",
      ["-c", `set -o pipefail; ${line}`, join(ROOT, "bin", "promptist.js")],
      (error, out, said) => resolve({ code: error === null ? 0 : Number(error.code), out, said }),
    );
  });
}

describe.skipIf(process.platform !== "linux")("a verb", () => {
  test("whose result does not fit on the disk fails with a sentence", async () => {
    const { code, said } = await shell(`node "$0" doctor --explain --json >/dev/full`);
    expect(code).toBe(1);
    expect(said).toMatch(/^promptist: ENOSPC: no space left on device, write\n$/);
  });

  test("whose reader has gone fails without a word, and never with a stack", async () => {
    const { code, said } = await shell(`{ sleep 0.2; node "$0" doctor --explain --json; } | true`);
    expect(code).toBe(1);
    expect(said).toBe("");
  });

  test("whose messages can't be written still gives its result", async () => {
    const { code, out } = await shell(`node "$0" doctor --explain --json 2>/dev/full`);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toBeTypeOf("object");
  });
});
