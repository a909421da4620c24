// Runs the built bot at full speed for a long time, in a process of its own, on the miniature with few steps.
// Three people always have commands open (three /optimize to one /compare, every 24th command a /batch of
// twelve). Every five seconds it records the bot's memory, open files, the size of the WAL and the pictures,
// and the event loop's delay; at the end it plots them.
//
// Run: npm run build && node bench/soak.mjs [--minutes 60] [--open 12] [--plot docs/images/soak.png] [--samples FILE.json] [--smoke]
//   --plot-only FILE.json draws the samples of an earlier run.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import Database from "better-sqlite3";
import { startLocalDiscord } from "local-discord/testing";
import sharp from "sharp";
import { COLORS } from "../dist/bot/messages/status-message.js";
import { args, SMOKE } from "./support/arguments.mjs";
import { botEnvironment, QUICK_JOBS } from "./support/bot-environment.mjs";

const { values: flags } = parseArgs({
  args,
  options: {
    minutes: { type: "string", default: SMOKE ? "0.05" : "60" },
    open: { type: "string", default: SMOKE ? "3" : "12" },
    plot: { type: "string" },
    samples: { type: "string" },
    "plot-only": { type: "string" },
  },
});
const ROOT = fileURLToPath(new URL("..", import.meta.url));
const MIB = 2 ** 20;
const BATCH_EVERY = 24;
/** Enough for a second contact sheet. */
const BATCH_PROMPTS = SMOKE ? 2 : 12;
const FINAL = new Set([COLORS.done, COLORS.failed, COLORS.cancelled]);
/**
 * Share of the run, in which caches fill, code is compiled and the heap settles, that the slope leaves out.
 */
const WARM_UP = 0.5;

if (flags["plot-only"] !== undefined) {
  const { samples, summary } = JSON.parse(readFileSync(flags["plot-only"], "utf8"));
  await draw(samples, summary, flags.plot ?? "soak.png");
  process.exit(0);
}

const folder = mkdtempSync(join(tmpdir(), "promptist-soak-"));
const dataDir = join(folder, "data");
const local = await startLocalDiscord({ page: false, spec: false, limits: { cdnBytes: 64 * MIB } });
const bot = spawn(
  process.execPath,
  [
    "--import",
    new URL("./support/report-self.mjs", import.meta.url).href,
    join(ROOT, "bin", "promptist.js"),
    "start",
  ],
  {
    cwd: folder,
    stdio: ["ignore", "ignore", "inherit", "ipc"],
    env: botEnvironment(local, dataDir, {
      ...QUICK_JOBS,
      LOG_LEVEL: "error",
      REPORT_EVERY_MS: SMOKE ? "500" : "5000",
      // Small, so that retention deletes something within the run.
      KEEP_PICTURES_BYTES: String(64 * MIB),
    }),
  },
);
process.on("exit", () => bot.kill("SIGKILL"));
const exited = once(bot, "exit");
await local.botOnline(60_000);

const people = ["alice", "bob", "admin"].map((name) => local.member(name));
const counts = { sent: 0, batches: 0, notAnswered: 0, done: 0, failed: 0, cancelled: 0 };
const acknowledged = [];
let stopped = false;

/** One of a person's open commands: sends one, waits for its end, sends the next. */
async function work(slot) {
  while (!stopped) {
    const person = people[slot % people.length];
    if (!person.commands().includes("compare")) {
      await delay(200);
      continue;
    }
    const number = counts.sent++;
    const name = number % BATCH_EVERY === 1 ? "batch" : number % 4 === 0 ? "compare" : "optimize";
    const prompt = `A cat, number ${number}`;
    const lines = Array.from({ length: BATCH_PROMPTS }, (_, i) => `${prompt}, variation ${i}`).join("\n");
    const options = {
      optimize: { prompt },
      compare: { prompt, seed: number },
      batch: { file: { name: "prompts.txt", data: lines } },
    };
    try {
      const at = performance.now();
      const handle = await person.slash(name, options[name], {
        channel: slot % 2 === 0 ? "general" : "gallery",
      });
      acknowledged.push(performance.now() - at);
      if (name === "batch") {
        await handle.done({ timeoutMs: 60_000 });
        await person.press(handle.message, "Start");
        counts.batches += 1;
      }
      const message = await handle.waitFor((it) => FINAL.has(it.embeds[0]?.color), {
        timeoutMs: 15 * 60_000,
      });
      counts[Object.keys(COLORS).find((name) => COLORS[name] === message.embeds[0].color)] += 1;
    } catch (error) {
      if (error.name !== "InteractionFailed") throw error;
      counts.notAnswered += 1;
    }
  }
}

/** Bytes and number of all files below a folder. */
function sizeOf(path) {
  let bytes = 0;
  let files = 0;
  try {
    for (const entry of readdirSync(path, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      try {
        bytes += statSync(join(entry.parentPath ?? entry.path, entry.name)).size;
        files += 1;
      } catch (error) {
        // A temporary file that was renamed meanwhile.
        if (error.code !== "ENOENT") throw error;
      }
    }
  } catch (error) {
    if (error.code !== "ENOENT") throw error;
  }
  return { bytes, files };
}

const fileSize = (path) => {
  try {
    return statSync(path).size;
  } catch (error) {
    if (error.code === "ENOENT") return 0;
    throw error;
  }
};

const samples = [];
const started = performance.now();
bot.on("message", (self) => {
  samples.push({
    ...self,
    minutes: (performance.now() - started) / 60_000,
    openFiles: process.platform === "linux" ? readdirSync(`/proc/${bot.pid}/fd`).length : 0,
    wal: fileSize(join(dataDir, "promptist.sqlite-wal")),
    database: fileSize(join(dataDir, "promptist.sqlite")),
    pictures: sizeOf(join(dataDir, "pictures")).bytes,
    jobs: counts.done + counts.failed + counts.cancelled,
  });
});

const streams = Array.from({ length: Number(flags.open) }, (_, slot) => work(slot));
await Promise.race([
  delay(Number(flags.minutes) * 60_000),
  exited.then(([code]) => {
    throw new Error(`the bot ended by itself with ${code}`);
  }),
]);
stopped = true;
await Promise.all(streams);
const asked = performance.now();
bot.kill("SIGTERM");
const [code] = await exited;
const stopMs = Math.round(performance.now() - asked);

const db = new Database(join(dataDir, "promptist.sqlite"), { readonly: true });
const integrity = db.pragma("integrity_check", { simple: true });
const undelivered = db.prepare("select count(*) from jobs where delivered_at is null").pluck().get();
db.close();
await local.close();

const warm = samples.slice(Math.floor(samples.length * WARM_UP));
const most = (list, key) => Math.max(...list.map((it) => it[key]));
const quantile = (list, share) =>
  [...list].sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(list.length * share))];
/** Slope per hour by least squares. */
function slope(key) {
  const n = warm.length;
  const meanX = warm.reduce((sum, it) => sum + it.minutes, 0) / n;
  const meanY = warm.reduce((sum, it) => sum + it[key], 0) / n;
  const above = warm.reduce((sum, it) => sum + (it.minutes - meanX) * (it[key] - meanY), 0);
  const below = warm.reduce((sum, it) => sum + (it.minutes - meanX) ** 2, 0);
  return (above / below) * 60;
}
const round = (value, digits = 2) => Number(value.toFixed(digits));
const summary = {
  minutes: round(samples.at(-1).minutes, 1),
  ...counts,
  undelivered,
  jobsPerMinute: round(samples.at(-1).jobs / samples.at(-1).minutes, 1),
  rssMiB: {
    first: round(warm[0].rss / MIB, 1),
    last: round(warm.at(-1).rss / MIB, 1),
    most: round(most(samples, "rss") / MIB, 1),
  },
  slopeMiBPerHour: { rss: round(slope("rss") / MIB), heapUsed: round(slope("heapUsed") / MIB) },
  openFiles: {
    median: quantile(
      warm.map((it) => it.openFiles),
      0.5,
    ),
    most: most(samples, "openFiles"),
    slopePerHour: round(slope("openFiles")),
  },
  walMiBMost: round(most(samples, "wal") / MIB),
  databaseMiB: round(samples.at(-1).database / MIB),
  picturesMiB: {
    last: round(samples.at(-1).pictures / MIB, 1),
    most: round(most(samples, "pictures") / MIB, 1),
  },
  eventLoopDelayMs: {
    p50: round(
      quantile(
        warm.map((it) => it.p50),
        0.5,
      ),
    ),
    p99: round(
      quantile(
        warm.map((it) => it.p99),
        0.5,
      ),
    ),
    worst: round(most(warm, "max"), 0),
  },
  acknowledgedMs: { p50: round(quantile(acknowledged, 0.5), 0), p99: round(quantile(acknowledged, 0.99), 0) },
  integrity,
  stop: { code, ms: stopMs },
};
console.log(JSON.stringify(summary, null, 2));
if (flags.samples !== undefined) writeFileSync(flags.samples, JSON.stringify({ samples, summary }));
if (flags.plot !== undefined) await draw(samples, summary, flags.plot);
rmSync(folder, { recursive: true, force: true });
process.exit(integrity === "ok" && undelivered === 0 && code === 0 ? 0 : 1);

/** Draws one panel below the other, each with its own scale from zero. */
async function draw(points, { minutes, done }, file) {
  const [width, panel, left, right, top, gap] = [900, 118, 76, 20, 64, 26];
  const ink = "#e6e7ea";
  const faint = "#5b5e66";
  const panels = [
    [
      "Memory of the bot, MiB: resident (blue), heap in use (orange)",
      [
        ["rss", "#4f8ef7"],
        ["heapUsed", "#f59e0b"],
      ],
      MIB,
    ],
    ["Open files of the bot", [["openFiles", "#22c55e"]], 1],
    ["Write-ahead log of the database, MiB", [["wal", "#a78bfa"]], MIB],
    ["Pictures on the disk, MiB", [["pictures", "#f472b6"]], MIB],
    [
      "Event-loop delay, ms: 50th (blue) and 99th percentile (orange) of 5 s each",
      [
        ["p50", "#4f8ef7"],
        ["p99", "#f59e0b"],
      ],
      1,
    ],
  ];
  const height = top + panels.length * (panel + gap) + 24;
  const end = points.at(-1).minutes;
  const x = (at) => left + (at / end) * (width - left - right);
  const words = [text(`${done.toLocaleString("en-US")} jobs in ${minutes} minutes`, left, 18, 19, ink)];
  const shapes = panels.map(([title, lines, unit], i) => {
    const foot = top + i * (panel + gap) + panel;
    const highest = Math.max(...lines.flatMap(([key]) => points.map((it) => it[key] / unit))) * 1.1 || 1;
    const y = (value) => foot - (value / unit / highest) * (panel - 24);
    words.push(text(title, left, foot - panel - 2, 13, ink));
    for (const share of [0, 1 / 1.1]) {
      const label = highest * share >= 20 ? (highest * share).toFixed(0) : (highest * share).toFixed(1);
      words.push(text(label, 14, foot - share * (panel - 24) - 8, 12, ink));
    }
    const paths = lines.map(([key, color]) => {
      const path = points
        .map((it, n) => `${n === 0 ? "M" : "L"}${x(it.minutes).toFixed(1)},${y(it[key]).toFixed(1)}`)
        .join("");
      return `<path d="${path}" fill="none" stroke="${color}" stroke-width="1.5"/>`;
    });
    return `<path d="M${left},${foot}H${width - right}" stroke="${faint}"/>${paths.join("")}`;
  });
  for (const share of [0, 0.25, 0.5, 0.75, 1])
    words.push(
      text(`${(end * share).toFixed(0)} min`, x(end * share) - (share === 1 ? 40 : 10), height - 34, 12, ink),
    );
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><rect width="100%" height="100%" fill="#2b2d31"/>${shapes.join("")}</svg>`;
  await sharp(Buffer.from(svg))
    .composite(await Promise.all(words))
    .png()
    .toFile(file);
}

/** Renders text in the program's font; text in an SVG would need a system font. */
async function text(words, x, y, size, color) {
  const fontfile = createRequire(import.meta.url).resolve("dejavu-fonts-ttf/ttf/DejaVuSans.ttf");
  const markup = `<span foreground="${color}">${words.replace(/[&<>]/g, (sign) => `&#${sign.charCodeAt(0)};`)}</span>`;
  const input = await sharp({
    text: { text: markup, font: `DejaVu Sans ${size}`, fontfile, dpi: 72, rgba: true },
  })
    .png()
    .toBuffer();
  return { input, left: Math.round(x), top: Math.round(y) };
}
