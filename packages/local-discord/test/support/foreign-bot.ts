import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { LocalDiscord } from "../../src/testing/index.js";

const FILE = fileURLToPath(new URL("../foreign-bot/bot.mjs", import.meta.url));

export interface ForeignBot {
  /** Its stdout and stderr so far. */
  output(): string;
  stop(): Promise<number | null>;
}

/** Starts the guide's bot in its own process, given only a token and the API's address. */
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
  // When the bot is stopped, `stop` awaits its exit.
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
