// What TEXT_DEVICE=cpu is worth: 100 jobs of 10 people, every second one a rewrite alone, through the real loop
// and queue, with models that only take their time. Once both phases take turns on the card; once Promptist has
// the CPU and the card only draws.
//
// The times below stand for a small card: Promptist on two CPU cores is measured (docs/fidelity.md), the card's
// are assumptions, which arguments replace. Everything runs 20 times as fast as it says.
//
// The results are in docs/operations.md.
// Run: npm run build && npm run bench -- text-device [seconds a picture, 6] [seconds to load Stable Diffusion, 4]
//   [seconds between two jobs, 9] [--smoke]
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { createEvents } from "../dist/core/events.js";
import { DEFAULT_IMAGE_OPTIONS, DEFAULT_TEXT_OPTIONS } from "../dist/core/options.js";
import { announced } from "../dist/db/announce.js";
import { openDatabase } from "../dist/db/sqlite/open.js";
import { sqliteStore } from "../dist/db/sqlite/store.js";
import { GpuLock } from "../dist/inference/loop/gpu-lock.js";
import { InferenceLoop } from "../dist/inference/loop/loop.js";
import { PictureFolder } from "../dist/pictures/store.js";
import { args, SMOKE } from "./support/arguments.mjs";

const FASTER = SMOKE ? 200 : 20;
const [JOBS, PEOPLE] = SMOKE ? [8, 2] : [100, 10];
const [pictureS = 6, loadS = 4, betweenS = 9] = args.map(Number);
const PHASE_S = 120;
const SECONDS = {
  card: { textLoad: 1.5, rewrite: 0.4 },
  cpu: { textLoad: 1.2, rewrite: 0.94 },
  image: { load: loadS, picture: pictureS },
};
const pass = (seconds) => delay((seconds * 1_000) / FASTER);

/** A model that takes the time of a real one. */
async function startWorker(phase, textTimes) {
  const load = phase === "text" ? textTimes.textLoad : SECONDS.image.load;
  await pass(load);
  const calls = {
    optimize: async ({ prompts }) => {
      await pass(textTimes.rewrite * prompts.length);
      return prompts.map((prompt) => ({ prompt, rewrite: `${prompt}, detailed`, candidates: [], notes: [] }));
    },
    draw: async ({ file }) => {
      await pass(SECONDS.image.picture);
      writeFileSync(file, "");
      return { truncated: null, judgement: null, notes: [] };
    },
    compose: async ({ file }) => {
      writeFileSync(file, "");
      return { width: 1, height: 1 };
    },
  };
  return {
    info: { phase, device: "scripted", hash: "scripted", harmless: true, loadMs: load * 1_000, notes: [] },
    pid: 0,
    alive: true,
    call: (name, request) => calls[name](request),
    close: async () => ({ peakBytes: 0, code: 0, signal: null }),
  };
}

async function run(loopsOf, textTimes) {
  const folder = mkdtempSync(join(tmpdir(), "bench-text-device-"));
  const events = createEvents();
  const { queue, close } = announced(sqliteStore(openDatabase(join(folder, "queue.db"))), events);
  let loads = 0;
  events.on("phase.started", () => loads++);
  events.on("log", ({ level, message, error }) => {
    if (level !== "debug") console.error(message, error ?? "");
  });
  const loops = loopsOf.map(
    (phases) =>
      new InferenceLoop({
        queue,
        events,
        phases,
        gpu: new GpuLock(),
        startWorker: (phase) => startWorker(phase, textTimes),
        checkpointName: (phase) => phase,
        pictures: new PictureFolder(join(folder, "pictures")),
        owner: phases.join(),
        phaseMs: (PHASE_S * 1_000) / FASTER,
      }),
  );
  for (const loop of loops) loop.start();
  const waits = { optimize: [], compare: [] };
  const asked = new Map();
  const all = new Promise((resolve) => {
    let ended = 0;
    events.on("job.finished", ({ jobId, state }) => {
      if (state !== "done") throw new Error(`${jobId} ended as ${state}`);
      const { kind, at } = asked.get(jobId);
      waits[kind].push(((performance.now() - at) * FASTER) / 1_000);
      if (++ended === JOBS) resolve();
    });
  });
  const started = performance.now();
  for (let i = 0; i < JOBS; i++) {
    const kind = i % 2 === 0 ? "compare" : "optimize";
    const at = performance.now();
    const { id } = await queue.enqueue({
      kind,
      origin: {
        userId: String(i % PEOPLE),
        guildId: "guild",
        channelId: "channel",
        locale: "en-US",
        applicationId: "application",
        interactionId: String(i),
        interactionToken: "token",
        tokenExpiresAt: 0,
      },
      text: DEFAULT_TEXT_OPTIONS,
      image: { ...DEFAULT_IMAGE_OPTIONS, guidance: 7.5, seed: i },
      items: [{ prompt: `prompt ${i}`, rewrite: null }],
    });
    asked.set(id, { kind, at });
    await pass(betweenS);
  }
  await all;
  const seconds = ((performance.now() - started) * FASTER) / 1_000;
  await Promise.all(loops.map((loop) => loop.stop()));
  close();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  return { seconds, loads, waits };
}

const at = (list, share) => [...list].sort((a, b) => a - b)[Math.floor(share * (list.length - 1))];
const show = (list) => `median ${at(list, 0.5).toFixed(1)} s, 95th percentile ${at(list, 0.95).toFixed(1)} s`;
console.log(
  `${JOBS} jobs of ${PEOPLE} people, one every ${betweenS} s; a picture ${pictureS} s, loading Stable Diffusion ${loadS} s`,
);
for (const [name, loops, times] of [
  ["taking turns on the card", [["text", "image"]], SECONDS.card],
  ["TEXT_DEVICE=cpu", [["text"], ["image"]], SECONDS.cpu],
]) {
  const { seconds, loads, waits } = await run(loops, times);
  console.log(
    `${name}: ${seconds.toFixed(0)} s in all, ${loads} models loaded\n  /optimize ${show(waits.optimize)}\n  /compare  ${show(waits.compare)}`,
  );
}
