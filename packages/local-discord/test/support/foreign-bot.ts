import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { LocalDiscord } from "../../src/testing/index.js";

const FILE = fileURLToPath(new URL("../foreign-bot/bot.mjs", import.meta.url));

export interface ForeignBot {
  /** What it has written to stdout and stderr. */
  output(): string;
  stop(): Promise<number | null>;
}

/** Starts the guide's bot as a process of its own, told nothing but a token and the address of the API. */
export async function startForeignBot(
  local: Pick<LocalDiscord, "token" | "apiUrl" | "botOnline">,
): Promise<ForeignBot> {
  const child = spawn(process.execPath, [FILE], {
    env: { ...process.env, DISCORD_TOKEN: local.token, DISCORD_API: local.apiUrl },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  const exit = new Promise<number | null>((resolve) => child.on("exit", resolve));
  const early = exit.then((code) => {
    throw new Error(`The bot ended with ${code}:\n${output}`);
  });
  // Its later end, when it is stopped, is awaited by `stop`.
  early.catch(() => {});
  await Promise.race([local.botOnline(30_000), early]);
  return {
    output: () => output,
    stop: () => {
      child.kill("SIGTERM");
      return exit;
    },
  };
}
