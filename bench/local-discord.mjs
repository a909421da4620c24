// Measures the time from starting a local Discord to the first message on its page, with a bot in another
// process:
// npm run build && node bench/local-discord.mjs [runs] [--smoke]
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { startLocalDiscord } from "local-discord/testing";
import { chromium } from "playwright-core";
import { args, SMOKE } from "./support/arguments.mjs";

const BOT = fileURLToPath(new URL("../packages/local-discord/test/foreign-bot/bot.mjs", import.meta.url));
const RUNS = Number(args[0] ?? (SMOKE ? 1 : 5));
const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"],
});
const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
const times = { start: [], bot: [], page: [], message: [], all: [] };

for (let run = 0; run < RUNS; run++) {
  const began = performance.now();
  let last = began;
  const lap = (name) => {
    const now = performance.now();
    times[name].push(now - last);
    last = now;
  };
  const local = await startLocalDiscord();
  lap("start");
  const bot = spawn(process.execPath, [BOT], {
    env: { ...process.env, DISCORD_TOKEN: local.token, DISCORD_API: local.apiUrl },
    stdio: "ignore",
  });
  await local.botOnline(30_000);
  lap("bot");
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(local.url);
  const composer = page.getByRole("combobox", { name: /^Message/ });
  await composer.waitFor();
  lap("page");
  await composer.fill("/ping ");
  await composer.press("Enter");
  await page.getByText("Pong!").waitFor();
  lap("message");
  times.all.push(performance.now() - began);
  await context.close();
  bot.kill("SIGTERM");
  await local.close();
}
await browser.close();
for (const [name, list] of Object.entries(times))
  console.log(
    `${name.padEnd(8)} median ${Math.round(median(list))} ms  (${list.map(Math.round).join(", ")})`,
  );
