// Measures how long people wait for a bot's standby: two bots (ROLE=bot), each a process of its own, on a PostgreSQL
// server in a temporary folder, and the local Discord here. The bot at work is killed, frozen, cut off from the database
// (its connections and each new one stay silent, behind a proxy) or stopped; times run until the standby has taken over
// and has answered a command. Then the other one waits in turn.
//
// The figures of the last run are in docs/scale.md.
// Run: npm run build && npm run bench -- standby [--smoke | times each]
import { createWriteStream, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startLocalDiscord } from "local-discord/testing";
import { startBot } from "../test/soak/ledger.mjs";
import { args, SMOKE } from "./support/arguments.mjs";
import { botEnvironment, QUICK_JOBS } from "./support/bot-environment.mjs";
import { postgresServer } from "./support/postgres.mjs";
import { startProxy } from "./support/proxy.mjs";

const TIMES = SMOKE ? 1 : Number(args[0] ?? 10);
const { server } = await postgresServer();
const folder = mkdtempSync(join(tmpdir(), "bench-standby-"));
const log = createWriteStream(join(folder, "log"));
const local = await startLocalDiscord({
  page: false,
  spec: false,
  limits: { identifyMs: 0, identifiesPerDay: 1e9 },
});

let started = 0;
const programs = new Set();
async function launch() {
  const proxy = await startProxy(new URL(server.url).port);
  const url = new URL(server.url);
  url.port = proxy.port;
  started += 1;
  const env = botEnvironment(local, join(folder, String(started)), {
    ...QUICK_JOBS,
    DATABASE_URL: url.href,
    PICTURES: join(folder, "pictures"),
    ROLE: "bot",
  });
  const program = { ...startBot(folder, env, log), proxy };
  programs.add(program);
  let said = "";
  const waiters = [];
  program.child.stdout.on("data", (text) => {
    said += text;
    for (const { words, resolve } of waiters) if (said.includes(words)) resolve(performance.now());
  });
  program.says = (words) =>
    new Promise((resolve) => {
      if (said.includes(words)) resolve(performance.now());
      else waiters.push({ words, resolve });
    });
  return program;
}

/** Each resolves when whoever was struck has ended. */
const BLOWS = {
  "told to stop": async ({ child, exited }) => {
    child.kill("SIGTERM");
    await exited;
  },
  killed: async ({ child, exited }) => {
    child.kill("SIGKILL");
    await exited;
  },
  frozen: async ({ child, exited }, over) => {
    child.kill("SIGSTOP");
    await over;
    child.kill("SIGCONT");
    await exited;
  },
  "cut off from the database": async ({ child, exited, proxy }, over) => {
    proxy.silence();
    await over;
    // It can't know that it was replaced.
    child.kill("SIGKILL");
    await exited;
  },
};

process.on("exit", () => {
  for (const { child } of programs) child.kill("SIGKILL");
});
const alice = local.member("alice");
try {
  let first = await launch();
  await first.says("is ready");
  for (const [name, strike] of Object.entries(BLOWS)) {
    const takeovers = [];
    const answers = [];
    for (let i = 0; i < TIMES; i += 1) {
      const second = await launch();
      await second.says("is its standby");
      const struckAt = performance.now();
      const ready = second.says("is ready");
      const struck = strike(first, ready);
      takeovers.push((await ready) - struckAt);
      await alice.slash("help");
      answers.push(performance.now() - struckAt);
      await struck;
      first.proxy.close();
      programs.delete(first);
      first = second;
    }
    const spread = (ms) => {
      const sorted = [...ms].sort((a, b) => a - b).map((one) => (one / 1_000).toFixed(1));
      return `${sorted[Math.floor(sorted.length / 2)]} s (${sorted[0]} to ${sorted.at(-1)})`;
    };
    console.log(`${name}: ready after ${spread(takeovers)}, a command answered after ${spread(answers)}`);
  }
} finally {
  for (const { child, exited, proxy } of programs) {
    child.kill("SIGKILL");
    await exited;
    proxy.close();
  }
  await local.close();
  await server.remove();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}
