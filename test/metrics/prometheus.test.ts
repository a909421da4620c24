import { request } from "node:http";
import { connect } from "node:net";
import { networkInterfaces } from "node:os";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { rawRequests, sendAll } from "../../packages/local-discord/test/support/raw-requests.js";
import { startServerProcess } from "../../packages/local-discord/test/support/server-process.js";
import { createEvents } from "../../src/core/events.js";
import type { Job } from "../../src/core/job.js";
import type { Side } from "../../src/core/side.js";
import { collectMetrics, type QueueState, serveMetrics } from "../../src/metrics/prometheus.js";
import { cases, parameters } from "../hostile/support.js";
import { startApp, temporaryFolder } from "../support/app.js";
import { nextEvent } from "../support/bot-world.js";
import { device, host } from "../support/hosts.js";

const ALONE = () => [host()];
const EMPTY: QueueState = {
  lines: async () => [],
  depth: async () => ({ running: 0, undelivered: 0 }),
};

/** The value of a sample such as `promptist_queue_jobs{phase="text"}`. */
function sample(text: string, name: string): number | null {
  const line = text.split("\n").find((one) => one.startsWith(`${name} `));
  return line === undefined ? null : Number(line.slice(name.length + 1));
}

test("events become counts, loads and seconds", async () => {
  const events = createEvents();
  let clock = 1_000_000;
  const registry = collectMetrics(
    events,
    {
      lines: async () => [{ phase: "image", jobs: 3, oldestAt: 995_000 }],
      depth: async () => ({ running: 1, undelivered: 2 }),
    },
    ALONE,
    () => clock,
  );
  events.emit("job.enqueued", { jobId: "a", job: { kind: "compare", items: [{}] } as unknown as Job });
  events.emit("phase.started", { phase: "image", pid: 1, checkpoint: "sd", device: "cpu", loadMs: 1500 });
  const step = (jobId: string, output: "rewrite" | Side, number: number) =>
    events.emit("job.progress", { jobId, phase: "image", item: 0, items: 1, output, step: number, steps: 9 });
  step("a", "baseline", 1);
  clock += 2000;
  step("a", "baseline", 2);
  clock += 8000;
  step("a", "baseline", 4);
  clock += 60_000;
  // Another picture: the time between two pictures is not a step.
  step("a", "optimized", 1);
  clock += 500;
  step("b", "rewrite", 1);
  clock += 250;
  step("b", "rewrite", 2);
  events.emit("job.requeued", { jobId: "a", phase: "image", reason: "retry", code: "WORKER_DIED" });
  events.emit("job.requeued", { jobId: "a", phase: "image", reason: "yield" });
  events.emit("worker.exited", { phase: "image", device: "cpu", pid: 1, code: null, signal: "SIGKILL" });
  events.emit("job.finished", { jobId: "a", state: "failed", code: "WORKER_DIED" });
  events.emit("job.finished", { jobId: "b", state: "done" });
  events.emit("job.delivered", { jobId: "a", messageId: "1" });
  events.emit("discord.rate-limited", { route: "/channels/:id", ms: 300 });
  events.emit("discord.latency", { ms: 42 });
  events.emit("discord.odd-event", { event: "INTERACTION_CREATE" });

  events.emit("worker.left-behind", { pid: 5, startedMsAgo: 90_000 });

  events.emit("data-folder.gone", { isGone: true });

  for (const device of ["cuda:0", "cuda:1"])
    events.emit("device.set-aside", {
      device,
      phase: "image",
      code: "WORKER_DIED",
      reason: "lost",
      retryMs: 1,
    });
  events.emit("device.back", { device: "cuda:0", phase: "image" });

  const text = await registry.metrics();
  const expected: Record<string, number> = {
    'promptist_queue_jobs{phase="image"}': 3,
    'promptist_queue_jobs{phase="text"}': 0,
    'promptist_queue_oldest_seconds{phase="image"}': (clock - 995_000) / 1000,
    promptist_jobs_running: 1,
    promptist_results_undelivered: 2,
    'promptist_jobs_accepted_total{kind="compare"}': 1,
    'promptist_phase_load_seconds_sum{phase="image"}': 1.5,
    'promptist_phase_load_seconds_count{phase="image"}': 1,
    'promptist_phase_active{phase="image"}': 0,
    promptist_denoising_step_seconds_count: 2,
    promptist_denoising_step_seconds_sum: 6,
    promptist_token_seconds_count: 1,
    promptist_token_seconds_sum: 0.25,
    'promptist_failures_total{code="WORKER_DIED"}': 2,
    'promptist_worker_crashes_total{phase="image"}': 1,
    'promptist_jobs_finished_total{state="failed"}': 1,
    'promptist_jobs_finished_total{state="done"}': 1,
    'promptist_jobs_finished_total{state="cancelled"}': 0,
    promptist_workers_left_behind_total: 1,
    promptist_data_folder_gone: 1,
    'promptist_device_set_aside{device="cuda:0"}': 0,
    'promptist_device_set_aside{device="cuda:1"}': 1,
    promptist_deliveries_total: 1,
    promptist_discord_rate_limits_total: 1,
    promptist_discord_gateway_latency_seconds: 0.042,
    'promptist_discord_odd_events_total{event="INTERACTION_CREATE"}': 1,
  };
  for (const [name, value] of Object.entries(expected)) expect(sample(text, name), name).toBe(value);
  for (const name of ["nodejs_eventloop_lag_p50_seconds", "nodejs_eventloop_lag_p99_seconds"])
    expect(sample(text, name), name).not.toBeNull();
});

/** The status of a request with these headers. */
function status(url: string, headers: Record<string, string> = {}, path = "/metrics"): Promise<number> {
  return new Promise((resolve, reject) => {
    request(new URL(path, url), { headers }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    })
      .on("error", reject)
      .end();
  });
}

test("metrics are served to this machine only, and not to pages of other sites", async () => {
  const server = await serveMetrics(collectMetrics(createEvents(), EMPTY, ALONE), 0);
  onTestFinished(() => server.close());
  const answer = await fetch(server.url);
  expect(answer.headers.get("content-type")).toContain("text/plain; version=0.0.4");
  expect(await answer.text()).toContain("promptist_queue_jobs");
  expect(await status(server.url, {}, "/")).toBe(404);
  const { port, hostname } = new URL(server.url);
  expect(hostname).toBe("127.0.0.1");
  for (const host of [`evil.example:${port}`, "127.0.0.1", `127.0.0.1.nip.io:${port}`])
    expect(await status(server.url, { host }), host).toBe(403);
  expect(await status(server.url, { origin: "https://evil.example" })).toBe(403);
  expect((await fetch(server.url, { method: "POST" })).status).toBe(405);

  const others = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, family }) => !internal && family === "IPv4");
  for (const { address } of others) {
    const reached = await new Promise((resolve) => {
      const socket = connect(Number(port), address, () => resolve(true));
      socket.on("error", () => resolve(false));
      onTestFinished(() => void socket.destroy());
    });
    expect(reached, address).toBe(false);
  }
});

test("raw requests and upgrades of any kind are answered or dropped", async () => {
  const server = await startServerProcess<{ url: string }>(
    fileURLToPath(new URL("serve.mjs", import.meta.url)),
  );
  onTestFinished(() => server.stop());
  const { url } = server.told;
  const port = Number(new URL(url).port);
  const target = { port, paths: ["/metrics", "/"], headers: ["accept: */*", "range: bytes=0-"] };
  const count = cases(2000);
  const requests = fc.sample(fc.noBias(rawRequests(target)), { ...parameters(count), numRuns: count });
  const answers = new Map<string, number>();
  const wrong: unknown[] = [];
  await sendAll(port, requests, (raw, { answer, hung }) => {
    const code = /^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? "dropped";
    answers.set(code, (answers.get(code) ?? 0) + 1);
    if (hung || /^5/.test(code)) wrong.push({ raw, code, hung });
  });
  expect(wrong.slice(0, 5)).toEqual([]);
  for (const code of ["200", "400", "403", "404", "405", "dropped"])
    expect(answers.get(code), code).toBeGreaterThan(count / 200);
  expect((await fetch(url)).status).toBe(200);
  expect([server.alive, server.errors()]).toEqual([true, ""]);
});

test("a queue that can't be read is reported", async () => {
  const broken: QueueState = {
    ...EMPTY,
    lines: () => Promise.reject(Object.assign(new Error(), { code: "SQLITE_BUSY" })),
  };
  const server = await serveMetrics(collectMetrics(createEvents(), broken, ALONE), 0);
  onTestFinished(() => server.close());
  const answer = await fetch(server.url);
  expect([answer.status, await answer.text()]).toEqual([
    503,
    "The queue cannot be read: QUEUE_BUSY_DATABASE\n",
  ]);
});

test("the whole program counts a comparison from its command to its message", async () => {
  const folder = temporaryFolder();
  onTestFinished(() => folder.remove());
  const app = await startApp(folder.path);
  onTestFinished(() => app.stop());
  const registry = collectMetrics(app.events, app.queue, ALONE);
  const delivered = nextEvent(app.events, "job.delivered");
  const over = nextEvent(app.events, "phase.finished", ({ phase }) => phase === "image");
  await app.local.member("alice").slash("compare", { prompt: "A cat", seed: 1 });
  await Promise.all([delivered, over]);
  const text = await registry.metrics();
  for (const phase of ["text", "image"]) {
    expect(sample(text, `promptist_phase_load_seconds_count{phase="${phase}"}`)).toBe(1);
    expect(sample(text, `promptist_items_total{phase="${phase}"}`)).toBe(1);
    expect(sample(text, `promptist_worker_peak_bytes{phase="${phase}"}`)).toBeGreaterThan(10 * 2 ** 20);
  }
  expect(sample(text, "promptist_denoising_step_seconds_count")).toBeGreaterThan(1);
  expect(sample(text, "promptist_token_seconds_count")).toBeGreaterThan(1);
  expect(sample(text, 'promptist_jobs_finished_total{state="done"}')).toBe(1);
  expect(sample(text, "promptist_deliveries_total")).toBe(1);
  expect(sample(text, 'promptist_queue_jobs{phase="text"}')).toBe(0);
});

test("a host tells of itself, and a bot of all", async () => {
  const busy = device(undefined, { jobId: "abc", loadedBytes: 500, name: "cuda:1" });
  const own = host([device(undefined, { setAside: "lost" }), busy], {
    name: "bot",
    role: "both",
    version: "0.2.0",
  });
  const other = host([busy], { name: "card", agoMs: 40_000, paused: true });
  let fleet = [own, other];
  const text = await collectMetrics(createEvents(), EMPTY, () => fleet).metrics();
  const values = {
    'promptist_host_info{host="bot",role="both",version="0.2.0"}': 1,
    promptist_host_paused: 0,
    'promptist_device_busy{device="cuda:0",phases="text+image"}': 0,
    'promptist_device_busy{device="cuda:1",phases="text+image"}': 1,
    'promptist_device_loaded_bytes{device="cuda:1",phases="text+image"}': 500,
    'promptist_fleet_heartbeat_age_seconds{host="card"}': 40,
    'promptist_fleet_jobs_running{host="bot"}': 1,
    'promptist_fleet_paused{host="card"}': 1,
    'promptist_fleet_stopped{host="card"}': 0,
  };
  for (const [name, value] of Object.entries(values)) expect(sample(text, name), name).toBe(value);

  fleet = [own];
  const later = await collectMetrics(createEvents(), EMPTY, () => fleet).metrics();
  expect(later).not.toContain("card");
  const worker = await collectMetrics(createEvents(), EMPTY, () => [other]).metrics();
  expect(worker).not.toContain("promptist_fleet_paused{");
  expect(sample(worker, "promptist_host_paused")).toBe(1);
});
