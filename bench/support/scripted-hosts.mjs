// Worker hosts whose cards only take their time: the real loop, queue, leases and events of each, in this process.
// Started by bench/fleet.mjs with what to run as a message; tells what its hosts saw when it is told to end.
import { copyFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { createEvents } from "../../dist/core/events.js";
import { announced } from "../../dist/db/announce.js";
import { LapsedLeases } from "../../dist/db/lapsed.js";
import { EventRelay, HEARD } from "../../dist/db/postgres/relay.js";
import { postgresStore } from "../../dist/db/postgres/store.js";
import { GpuLock } from "../../dist/inference/loop/gpu-lock.js";
import { InferenceLoop } from "../../dist/inference/loop/loop.js";
import { PictureFolder } from "../../dist/pictures/store.js";

/** A worker looks for work so often (main/engine.ts). */
const POLL_MS = 5_000;
const STEPS = 20;

let roundTrips = 0;
const { query } = pg.Client.prototype;
pg.Client.prototype.query = function counted(...args) {
  roundTrips += 1;
  return query.apply(this, args);
};
const claims = [];
const problems = [];
const hosts = [];

async function takeTime(ms, { signal, onProgress } = {}) {
  for (let step = 1; step <= STEPS; step += 1) {
    await delay(ms / STEPS, undefined, { signal });
    onProgress?.(step, STEPS);
  }
}

const scriptedWorker = ({ rewriteMs, pictureMs, picture }, phase) => {
  const calls = {
    async optimize({ prompts }, options) {
      await takeTime(rewriteMs * prompts.length, options);
      return prompts.map((prompt) => ({ prompt, rewrite: `${prompt}, detailed`, candidates: [], notes: [] }));
    },
    async draw({ file }, options) {
      await takeTime(pictureMs, options);
      copyFileSync(picture, file);
      return { truncated: null, judgement: null, notes: [] };
    },
    async compose({ file }) {
      copyFileSync(picture, file);
      return { width: 64, height: 64 };
    },
  };
  return {
    info: { phase, device: "scripted", hash: "scripted", harmless: true, loadMs: 0, notes: [] },
    pid: 0,
    alive: true,
    call: (name, ...how) => calls[name](...how),
    close: async () => ({ peakBytes: 0, code: 0, signal: null }),
  };
};

async function startHost(name, wish) {
  const events = createEvents();
  events.on("log", ({ level, message, error }) => {
    if (level === "error") problems.push(`${message} ${error ?? ""}`);
  });
  const store = announced(await postgresStore(wish.url), events);
  const queue = {
    ...store.queue,
    async claim(...how) {
      const startedAt = performance.now();
      const claim = await store.queue.claim(...how);
      claims.push({ ms: performance.now() - startedAt, isFound: claim !== undefined });
      return claim;
    },
  };
  const relay = new EventRelay({ url: wish.url, events, heard: HEARD.worker });
  await relay.start();
  const lapsed = new LapsedLeases(store.queue, events);
  lapsed.start();
  const loop = new InferenceLoop({
    queue,
    events,
    phases: ["text", "image"],
    gpu: new GpuLock(),
    startWorker: async (phase) => scriptedWorker(wish, phase),
    checkpointName: (phase) => phase,
    pictures: new PictureFolder(wish.pictures),
    owner: name,
    phaseMs: wish.phaseMs,
    pollMs: POLL_MS,
  });
  loop.start();
  return async () => {
    await loop.stop();
    await lapsed.stop();
    await relay.stop();
    await store.close();
  };
}

process.on("message", async ({ start, end }) => {
  if (start !== undefined) {
    for (const name of start.names) hosts.push(await startHost(name, start));
    process.send({ started: true });
  }
  if (end) {
    await Promise.all(hosts.map((stop) => stop()));
    const { user, system } = process.cpuUsage();
    process.send({ claims, roundTrips, problems, cpuMs: (user + system) / 1_000 }, () => process.exit(0));
  }
});
