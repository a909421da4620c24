// Measures what servers cost the bot: memory, connections to Discord and the time until it is ready, with more and
// more servers. The bot runs in a process of its own and asks Discord how many connections it advises; the local
// Discord has servers of three channels and one member besides the bot. Memory is what the system counts for the
// process once ten commands in a server of each connection are answered.
//
// The figures of the last run are in docs/scale.md.
// Run: npm run build && npm run bench -- shards [--smoke]
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startLocalDiscord } from "local-discord/testing";
import { SMOKE } from "./support/arguments.mjs";
import { botEnvironment, QUICK_JOBS } from "./support/bot-environment.mjs";

const SERVERS = SMOKE ? [4] : [1, 1_000, 2_000, 5_000, 10_000];
const limits = { identifyMs: 0, cdnBytes: 2 ** 20, ...(SMOKE ? { advisedGuildsPerShard: 2 } : {}) };
const COMMANDS = 10;

const used = (pid, name) =>
  Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]) /
  1024;

async function measure(servers) {
  const folder = mkdtempSync(join(tmpdir(), "bench-shards-"));
  const local = await startLocalDiscord({ page: false, spec: false, limits });
  const { state } = local;
  const alice = [...state.users.values()].find(({ username }) => username === "alice");
  const rooms = [];
  for (let i = 1; i < servers; i++) {
    const guild = state.addGuild(`Server ${i}`, alice);
    for (const name of ["general", "pictures", "staff"]) rooms.push(state.addChannel(guild, name));
    // Ids of one millisecond belong to one connection.
    if (i % 5 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const started = performance.now();
  const bot = spawn(
    process.execPath,
    [fileURLToPath(new URL("../bin/promptist.js", import.meta.url)), "start"],
    {
      env: botEnvironment(local, folder, { ...QUICK_JOBS, LOG_LEVEL: "warn" }),
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  const exited = once(bot, "exit");
  let said = "";
  for await (const chunk of bot.stdout) {
    said += chunk;
    if (/ready/i.test(said)) break;
  }
  bot.stdout.resume();
  const readyS = (performance.now() - started) / 1_000;
  const advice = await fetch(`${local.apiUrl}/v10/gateway/bot`, {
    headers: { authorization: `Bot ${local.token}` },
  });
  const { shards: connections } = await advice.json();
  const member = local.member("alice");
  for (let i = 0; i < COMMANDS; i++) {
    const channel = rooms.at(-1 - 7 * i)?.id;
    await member.slash("help", {}, channel === undefined ? {} : { channel });
  }
  const figures = { servers, connections, readyS, mib: used(bot.pid, "VmRSS"), peak: used(bot.pid, "VmHWM") };
  bot.kill("SIGTERM");
  await exited;
  await local.close();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  return figures;
}

let first = null;
for (const servers of SERVERS) {
  const { connections, readyS, mib, peak } = await measure(servers);
  first ??= { servers, mib };
  const each =
    servers === first.servers
      ? ""
      : `, ${(((mib - first.mib) / (servers - first.servers)) * 1_000).toFixed(1)} MiB for 1,000 more`;
  console.log(
    `${servers} servers: ${connections} connections, ready after ${readyS.toFixed(1)} s, ${mib.toFixed(0)} MiB (most ${peak.toFixed(0)})${each}`,
  );
}
