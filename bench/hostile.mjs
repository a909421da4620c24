// Measures how long the bot's event loop blocks while people send the worst prompts allowed, 6,000 characters
// each. The bot runs in a process of its own, as users run it. The figures are its own metrics, first for a
// quiet period and then under attack, because on a busy machine both include the time that other programs
// took. Files are measured in test/hostile/event-loop.test.ts instead: a bot with a token fetches none from a
// local Discord.
//
// The figures of the last run are in docs/reliability.md.
// Run: npm run build && npm run bench -- hostile [--seconds 20] [--smoke]
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { startLocalDiscord } from "local-discord/testing";
import { args, SMOKE } from "./support/arguments.mjs";
import { botEnvironment } from "./support/bot-environment.mjs";

const { values } = parseArgs({
  args,
  options: { seconds: { type: "string", default: SMOKE ? "2" : "20" } },
});
const SECONDS = Number(values.seconds);
const GOAL_MS = 100;
const MIB = 2 ** 20;

const port = await new Promise((resolve) => {
  const server = createServer().listen(0, "127.0.0.1", () => {
    const { port } = server.address();
    server.close(() => resolve(port));
  });
});
const folder = mkdtempSync(join(tmpdir(), "bench-hostile-"));
const local = await startLocalDiscord({ page: false, spec: false });
const bot = spawn(
  process.execPath,
  [fileURLToPath(new URL("../bin/promptist.js", import.meta.url)), "start"],
  {
    cwd: folder,
    env: botEnvironment(local, join(folder, "data"), {
      LOG_LEVEL: "error",
      METRICS_PORT: String(port),
      MAX_PROMPT_LENGTH: "6000",
      IMAGE_STEPS: "1",
    }),
    stdio: ["ignore", "pipe", "inherit"],
  },
);
const ended = once(bot, "exit");

/** Event-loop delays since the last reading, in milliseconds, and the bot's memory in MiB. */
async function read() {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const value = (name) => Number(new RegExp(`^${name} (.+)$`, "m").exec(text)?.[1]);
  const lag = (which) => value(`nodejs_eventloop_lag_${which}_seconds`) * 1000;
  return {
    p50: lag("p50"),
    p99: lag("p99"),
    max: lag("max"),
    mib: value("process_resident_memory_bytes") / MIB,
  };
}
const shown = ({ p50, p99, max, mib }) =>
  `p50 ${p50.toFixed(0)} ms, p99 ${p99.toFixed(0)} ms, longest ${max.toFixed(0)} ms, ${mib.toFixed(0)} MiB`;

const prompts = ["*_`|<>@", "猫", "it's ", ". ", "a b ", "@everyone ", "👨‍👩‍👧‍👦"].map((one) =>
  one.repeat(Math.floor(6000 / one.length)),
);

try {
  await Promise.race([
    once(createInterface({ input: bot.stdout }), "line"),
    ended.then(([code]) => Promise.reject(new Error(`the bot ended (${code})`))),
  ]);
  for (const command of local.state.commands.values())
    for (const option of command.options ?? []) delete option.max_length;
  const mallory = local.member("bob");
  await read();
  await delay((SECONDS / 4) * 1000);
  const quiet = await read();
  console.log(`quiet, ${SECONDS / 4} s: ${shown(quiet)}`);

  const until = performance.now() + SECONDS * 1000;
  let sent = 0;
  while (performance.now() < until) {
    const prompt = await mallory.slash(sent % 2 ? "optimize" : "compare", {
      prompt: prompts[sent % prompts.length],
    });
    if (prompt.message === null) throw new Error("a prompt was not answered");
    sent += 1;
  }
  const attacked = await read();
  console.log(`attacked, ${SECONDS} s, ${sent} prompts: ${shown(attacked)}`);
  console.log(`goal: never blocked over ${GOAL_MS} ms by what is sent`);
  if (!SMOKE && attacked.max > GOAL_MS + quiet.max) process.exitCode = 1;
} finally {
  const asked = performance.now();
  bot.kill();
  const [code] = await ended;
  console.log(`stopped with code ${code} after ${(performance.now() - asked).toFixed(0)} ms`);
  await local.close();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}
