import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { LocalDiscord } from "local-discord/testing";
import { expect, onTestFinished } from "vitest";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

export interface BotProcess {
  readonly child: ChildProcess;
  /** Exit code and signal. */
  readonly exited: Promise<[number | null, string | null]>;
  /** Its stdout and stderr so far. */
  output(): string;
}

/**
 * `promptist start` as people run it: its own process, on the miniature, connected to this process' local
 * Discord. `wrap` is a command to run it with.
 */
export function startBotProcess(
  local: LocalDiscord,
  dataDir: string,
  settings: Record<string, string> = {},
  wrap: readonly string[] = [],
): BotProcess {
  const line = [...wrap, process.execPath, join(ROOT, "bin", "promptist.js"), "start"];
  const child = spawn(line[0]!, line.slice(1), {
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...process.env,
      DISCORD_TOKEN: local.token,
      DISCORD_API_URL: local.apiUrl,
      DATA_DIR: dataDir,
      CHECKPOINTS_DIR: join(ROOT, "checkpoints"),
      DEVICE: "cpu",
      THREADS: "1",
      TEXT_MODE: "greedy",
      TEXT_MAX_NEW_TOKENS: "8",
      IMAGE_STEPS: "2",
      ...settings,
    },
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
  const exited = once(child, "exit") as Promise<[number | null, string | null]>;
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await exited;
  });
  return { child, exited, output: () => said };
}

/** Like `startBotProcess`, but waits until the bot says that it is ready and its commands are registered. */
export async function startReadyBot(...how: Parameters<typeof startBotProcess>): Promise<BotProcess> {
  const bot = startBotProcess(...how);
  const [local] = how;
  await local.botOnline(60_000);
  // A killed bot may count as online for a moment.
  await expect.poll(() => bot.output(), { timeout: 60_000 }).toContain("is ready");
  await expect.poll(() => local.member("alice").commands(), { timeout: 60_000 }).toContain("compare");
  return bot;
}

/** Processes whose parent is `pid`; Linux only. */
export const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);
