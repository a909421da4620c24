// What turns of models are worth: 100 jobs of 10 people over 3 models, through the real loop and queue. First with
// models that only take their time, on a clock of their own: once in turns, once in the order of the line with a model
// loaded whenever it changes, and beside a load for each job and the fewest loads that are possible with turns as
// short. Then, with fewer jobs, with two copies of the miniature beside it, which really load and draw.
//
// The results are in docs/operations.md.
// Run: npm run build && npm run bench -- model-turns [seconds a pair, 12] [seconds to load, 6] [real jobs, 30] [--smoke]
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openSafetensors, writeSafetensors } from "../dist/checkpoints/files/safetensors.js";
import { createEvents } from "../dist/core/events.js";
import { DEFAULT_IMAGE_OPTIONS, DEFAULT_TEXT_OPTIONS } from "../dist/core/options.js";
import { announced } from "../dist/db/announce.js";
import { openDatabase } from "../dist/db/sqlite/open.js";
import { sqliteStore } from "../dist/db/sqlite/store.js";
import { GpuLock } from "../dist/inference/loop/gpu-lock.js";
import { InferenceLoop } from "../dist/inference/loop/loop.js";
import { chooseModels, startWorker } from "../dist/inference/loop/model-choice.js";
import { ModelSets } from "../dist/inference/loop/model-sets.js";
import { PictureFolder } from "../dist/pictures/store.js";
import { args, SMOKE } from "./support/arguments.mjs";

const [JOBS, PEOPLE, MODELS] = [SMOKE ? 20 : 100, 10, ["", "Dawn", "Dusk"]];
const [pairS = 12, loadS = 6, realJobs = SMOKE ? 3 : 30] = args.map(Number);
/** As in inference/loop/phase.ts. */
const TURN_LOADS = 10;
/** A pair is two pictures. */
const PICTURES = 2;

/** The same numbers in each run (mulberry32). */
function randomOf(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Who asks for which model; `mixed`: everybody for any, else each person for one. */
function requests(jobs, isMixed) {
  const random = randomOf(7);
  return Array.from({ length: jobs }, (_, i) => {
    const person = i % PEOPLE;
    return { person, model: isMixed ? Math.floor(random() * MODELS.length) : person % MODELS.length };
  });
}

const newJob = (i, { person, model }) => ({
  kind: "compare",
  origin: {
    userId: String(person),
    guildId: "guild",
    channelId: "channel",
    locale: "en-US",
    applicationId: "application",
    interactionId: String(i),
    interactionToken: "token",
    tokenExpiresAt: 0,
  },
  text: DEFAULT_TEXT_OPTIONS,
  image: {
    ...DEFAULT_IMAGE_OPTIONS,
    steps: 2,
    guidance: 2,
    seed: i,
    ...(model === 0 ? {} : { model: MODELS[model] }),
  },
  items: [{ prompt: "a red apple", rewrite: "a red apple, bright" }],
});

/** Runs all requests, which wait from the start; answers the loads and when each job was done. */
async function run(asked, { startWorker, now, checkpointName }, inTurns, devices = 1, isShared = true) {
  const folder = mkdtempSync(join(tmpdir(), "bench-model-turns-"));
  const events = createEvents();
  const store = announced(sqliteStore(openDatabase(join(folder, "queue.db")), { now }), events);
  const queue = inTurns
    ? store.queue
    : { ...store.queue, claim: (phase, owner) => store.queue.claim(phase, owner) };
  let loads = 0;
  events.on("phase.started", () => loads++);
  events.on("log", ({ level, message, error }) => {
    if (level === "error") console.error(message, error ?? "");
  });
  const people = new Map();
  for (const [i, request] of asked.entries())
    people.set((await queue.enqueue(newJob(i, request))).id, request.person);
  const started = now();
  const ends = [];
  const all = new Promise((resolve, reject) => {
    events.on("job.finished", ({ jobId, state }) => {
      if (state !== "done") reject(new Error(`${jobId} ended as ${state}`));
      ends.push({ person: people.get(jobId), s: (now() - started) / 1_000 });
      if (ends.length === asked.length) resolve();
    });
  });
  const loops = [];
  for (let device = 0; device < devices; device++) {
    const loop = new InferenceLoop({
      queue,
      events,
      gpu: new GpuLock(),
      startWorker,
      checkpointName,
      pictures: new PictureFolder(join(folder, "pictures")),
      owner: `bench ${device}`,
      phaseMs: 120_000,
      now,
      ...(devices === 1 ? {} : { device: `cpu:${device}` }),
      ...(isShared
        ? { elsewhere: () => loops.filter((it) => it !== loop).flatMap(({ loaded }) => loaded) }
        : {}),
    });
    loops.push(loop);
  }
  for (const loop of loops) loop.start();
  await all;
  await Promise.all(loops.map((loop) => loop.stop()));
  await store.close();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  return { loads, ends, seconds: ends.at(-1).s };
}

/**
 * Models that take the time of real ones, on a clock that only they move: to the end of what ends first, once every
 * device takes its time, or one has had nothing to do for a while.
 */
function scripted(devices = 1) {
  let time = 1_000_000;
  let waiting = [];
  let idle;
  const advance = () => {
    clearTimeout(idle);
    const [first, ...others] = waiting.toSorted((one, other) => one.at - other.at);
    if (first === undefined) return;
    waiting = others;
    time = first.at;
    first.resolve();
    if (others.length > 0) idle = setTimeout(advance, IDLE_MS);
  };
  const pass = (seconds) =>
    new Promise((resolve) => {
      waiting.push({ at: time + seconds * 1_000, resolve });
      clearTimeout(idle);
      if (waiting.length === devices) advance();
      else idle = setTimeout(advance, IDLE_MS);
    });
  return timed(() => time, pass);
}
/** Longer than a device takes between two pieces of work. */
const IDLE_MS = 250;

function timed(now, pass) {
  return {
    now,
    checkpointName: (_phase, { model }) => model ?? "own",
    startWorker: async (phase) => {
      await pass(loadS);
      const calls = {
        draw: async ({ file }) => {
          await pass(pairS / PICTURES);
          writeFileSync(file, "");
          return { truncated: null, judgement: null, notes: [] };
        },
        compose: ({ file }) => {
          writeFileSync(file, "");
          return { width: 1, height: 1 };
        },
      };
      return {
        info: {
          phase,
          device: "scripted",
          hash: "scripted",
          harmless: true,
          loadMs: loadS * 1_000,
          notes: [],
          weightBytes: 1,
        },
        pid: 0,
        alive: true,
        call: async (name, request) => calls[name](request),
        close: async () => ({ peakBytes: 0, code: 0, signal: null }),
      };
    },
  };
}

/**
 * The fewest loads for so many jobs of each model, where a model draws no more jobs than fit into its turn while
 * others wait: all orders of all turns, by dynamic programming.
 */
function fewestLoads(counts) {
  const most = Math.ceil((TURN_LOADS * loadS) / pairS);
  const known = new Map();
  const fewest = (left, last) => {
    if (left.every((jobs) => jobs === 0)) return 0;
    const key = `${left} ${last}`;
    const found = known.get(key);
    if (found !== undefined) return found;
    let best = Number.POSITIVE_INFINITY;
    for (const [model, jobs] of left.entries()) {
      if (model === last || jobs === 0) continue;
      const isAlone = left.every((others, other) => other === model || others === 0);
      for (let drawn = 1; drawn <= (isAlone ? jobs : Math.min(jobs, most)); drawn++)
        best = Math.min(best, 1 + fewest(left.with(model, jobs - drawn), model));
    }
    // Only the last model's own jobs are left, which go on without a load.
    if (last !== null && left.every((jobs, model) => model === last || jobs === 0)) best = 0;
    known.set(key, best);
    return best;
  };
  return fewest(counts, null);
}

const median = (list) => [...list].sort((a, b) => a - b)[Math.floor((list.length - 1) / 2)];

/** When the people have their first picture, and the longest that anybody waits from one result to the next. */
function waits(ends) {
  const first = new Map();
  const last = new Map();
  let longest = 0;
  for (const { person, s } of ends) {
    if (!first.has(person)) first.set(person, s);
    longest = Math.max(longest, s - (last.get(person) ?? 0));
    last.set(person, s);
  }
  const all = [...first.values()];
  return `first result after ${median(all).toFixed(0)} s (median), ${Math.max(...all).toFixed(0)} s (last person); nobody waits longer than ${longest.toFixed(0)} s for the next one`;
}

console.log(
  `${JOBS} jobs of ${PEOPLE} people over ${MODELS.length} models, all waiting at once; a pair ${pairS} s, loading ${loadS} s`,
);
for (const [name, isMixed] of [
  ["everybody asks for any model", true],
  ["each person asks for one model", false],
]) {
  const asked = requests(JOBS, isMixed);
  const counts = MODELS.map((_, model) => asked.filter((it) => it.model === model).length);
  const turns = await run(asked, scripted(), true);
  const line = await run(asked, scripted(), false);
  const least = fewestLoads(counts);
  console.log(`${name} (${counts.join(", ")} jobs)`);
  console.log(`  in turns: ${turns.loads} loads, ${turns.seconds} s in all; ${waits(turns.ends)}`);
  console.log(
    `  in the order of the line: ${line.loads} loads, ${line.seconds} s in all; ${waits(line.ends)}`,
  );
  console.log(`  a load for each job: ${JOBS} loads, ${JOBS * (loadS + pairS)} s in all`);
  const share = turns.loads / least;
  console.log(
    `  least possible with turns as short: ${least} loads; in turns ${share.toFixed(2)} times as many`,
  );
  if (share > 1.5) throw new Error("more than 1.5 times the least possible");
  for (const [how, isShared] of [
    ["each leaves to the other what that has loaded", true],
    ["each for itself", false],
  ]) {
    const two = await run(asked, scripted(2), true, 2, isShared);
    console.log(`  two devices, ${how}: ${two.loads} loads, ${two.seconds} s in all; ${waits(two.ends)}`);
  }
}

// --- the miniature and two copies that draw something else ---

const MINIATURE = fileURLToPath(new URL("../checkpoints/miniature/", import.meta.url));
const UNET = join("unet", "diffusion_pytorch_model.fp16.safetensors");

/** A copy of the miniature whose UNet predicts a little more noise. */
function copyOfMiniature(folder, shift) {
  const source = join(MINIATURE, "stable-diffusion");
  cpSync(source, folder, { recursive: true });
  rmSync(join(folder, UNET));
  const weights = openSafetensors(join(source, UNET));
  const tensors = weights.names.map((name) => {
    const { type, shape } = weights.get(name);
    if (name !== "conv_out.bias") return { name, type, shape, data: weights.read(name) };
    const values = weights.readFloat32(name).map((value) => value + shift);
    return { name, type: "F32", shape, data: new Uint8Array(values.buffer) };
  });
  writeSafetensors(join(folder, UNET), tensors);
}

const home = mkdtempSync(join(tmpdir(), "bench-models-"));
try {
  for (const [i, name] of MODELS.entries())
    if (name !== "") copyOfMiniature(join(home, "models", name), i / 10);
  const library = {
    checkpointsDir: join(home, "checkpoints"),
    miniatureDir: MINIATURE,
    modelsDirs: [join(home, "models")],
    cacheDir: join(home, "cache"),
  };
  const wishes = {
    ...library,
    promptist: undefined,
    diffusion: undefined,
    clip: undefined,
    device: "cpu",
    weights: "int8",
    precision: "auto",
    threads: 1,
  };
  const models = new ModelSets(chooseModels(wishes), wishes, library);
  const real = {
    now: Date.now,
    checkpointName: (_phase, set) => models.nameOf(set),
    startWorker: async (phase, lease, signal, set) =>
      startWorker(await models.choiceOf(set), phase, lease, { signal }),
  };
  const asked = requests(realJobs, true);
  // Graphs are compiled once, which belongs to neither.
  await run(asked.slice(0, SMOKE ? 1 : MODELS.length * 2), real, false);
  for (const [name, inTurns] of [
    ["in turns", true],
    ["in the order of the line", false],
  ]) {
    const { loads, seconds } = await run(asked, real, inTurns);
    console.log(`miniatures, ${realJobs} jobs ${name}: ${loads} loads, ${seconds.toFixed(1)} s in all`);
  }
} finally {
  rmSync(home, { recursive: true, force: true, maxRetries: 5 });
}
