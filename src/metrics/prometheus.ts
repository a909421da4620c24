import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { codeOf } from "../core/errors.js";
import type { Events, Progress } from "../core/events.js";
import type { Host, HostDevice } from "../core/hosts/host.js";
import { type JobState, PHASES, type Phase } from "../core/job.js";

interface WaitingLine {
  readonly phase: Phase;
  readonly jobs: number;
  readonly oldestAt: number;
}

/** What each scrape reads from the queue. */
export interface QueueState {
  lines(): Promise<readonly WaitingLine[]>;
  depth(): Promise<{ readonly running: number; readonly undelivered: number }>;
}

const ENDS: readonly JobState[] = ["done", "failed", "cancelled"];
/** Seconds: a step takes milliseconds on a miniature, and tens of seconds for a full model on a CPU. */
const STEP_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const LOAD_BUCKETS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];

/**
 * Counts events from now on, by Prometheus' conventions: base units (seconds, bytes) and totals that only
 * grow. Includes the process' own figures (memory, CPU, open files, event-loop delay p50 to p99).
 */
export function collectMetrics(
  events: Events,
  queue: QueueState,
  hosts: () => readonly Host[],
  now: () => number = Date.now,
): Registry {
  const registers = [new Registry()];
  const [registry] = registers as [Registry];
  collectDefaultMetrics({ register: registry });
  const gauge = <L extends string>(name: string, help: string, ...labelNames: L[]) =>
    new Gauge({ name: `promptist_${name}`, help, labelNames, registers });
  const counter = <L extends string>(name: string, help: string, ...labelNames: L[]) =>
    new Counter({ name: `promptist_${name}`, help, labelNames, registers });
  const seconds = <L extends string>(name: string, help: string, buckets: number[], ...labelNames: L[]) =>
    new Histogram({ name: `promptist_${name}_seconds`, help, buckets, labelNames, registers });

  // Read at scrape time: a count of events would be wrong after a restart.
  const read = <L extends string>(
    name: string,
    help: string,
    labelNames: L[],
    collect: (this: Gauge<L>) => Promise<void>,
  ) => new Gauge({ name: `promptist_${name}`, help, labelNames, registers, collect });
  const byPhase = async (set: (phase: Phase, line: WaitingLine | undefined) => void) => {
    const lines = await queue.lines();
    for (const phase of PHASES)
      set(
        phase,
        lines.find((line) => line.phase === phase),
      );
  };
  read("queue_jobs", "Jobs that wait", ["phase"], function () {
    return byPhase((phase, line) => this.set({ phase }, line?.jobs ?? 0));
  });
  read("queue_oldest_seconds", "Age of the job that waits longest", ["phase"], function () {
    return byPhase((phase, line) =>
      this.set({ phase }, line ? Math.max(0, now() - line.oldestAt) / 1000 : 0),
    );
  });
  read("jobs_running", "Jobs that a worker is at", [], async function () {
    this.set((await queue.depth()).running);
  });
  read("results_undelivered", "Finished jobs whose message is not posted yet", [], async function () {
    this.set((await queue.depth()).undelivered);
  });

  const ofOwn = <L extends string>(
    name: string,
    help: string,
    labels: L[],
    set: (gauge: Gauge<L>, own: Host) => void,
  ) =>
    read(name, help, labels, async function () {
      const [own] = hosts();
      if (own !== undefined) set(this, own);
    });
  ofOwn(
    "host_info",
    "1, with what this host is",
    ["host", "role", "version"],
    (it, { name, role, version }) => it.set({ host: name, role, version }, 1),
  );
  ofOwn("host_paused", "1 while this host takes no new jobs", [], (it, { paused }) => it.set(paused ? 1 : 0));
  const byDevice = (name: string, help: string, of: (device: HostDevice) => number) =>
    ofOwn(name, help, ["device", "phases"], (it, { state }) => {
      for (const device of state.devices)
        it.set({ device: device.name, phases: device.phases.join("+") }, of(device));
    });
  byDevice("device_busy", "1 while the device is at a job", ({ jobId }) => (jobId === null ? 0 : 1));
  byDevice("device_loaded_bytes", "Weights of the models that are loaded", ({ loadedBytes }) => loadedBytes);
  const byHost = (name: string, help: string, of: (host: Host) => number) =>
    read(name, help, ["host"], async function () {
      // Those that are deleted go from the metrics, too.
      this.reset();
      const [own, ...others] = hosts();
      // A worker knows itself alone.
      if (own === undefined || own.role === "worker") return;
      for (const host of [own, ...others]) this.set({ host: host.name }, of(host));
    });
  byHost("fleet_heartbeat_age_seconds", "Since the host was last heard of", ({ agoMs }) => agoMs / 1000);
  byHost(
    "fleet_jobs_running",
    "Jobs that the host said it is at",
    ({ state }) => state.devices.filter(({ jobId }) => jobId !== null).length,
  );
  byHost("fleet_paused", "1 while the host takes no new jobs", ({ paused }) => (paused ? 1 : 0));
  byHost("fleet_stopped", "1 for a host that said goodbye", ({ endedAt }) => (endedAt === null ? 0 : 1));

  const current = gauge("phase_active", "1 while the phase has its model loaded", "phase");
  const loads = seconds("phase_load", "Loading of a phase's model", LOAD_BUCKETS, "phase");
  const workerPeak = gauge("worker_peak_bytes", "Most memory of the phase's latest worker", "phase");
  const workerEnds = counter("worker_crashes_total", "Workers that ended by themselves", "phase");
  const leftBehind = counter("workers_left_behind_total", "Workers of an earlier run that were ended");
  const folderGone = gauge("data_folder_gone", "1 while the data folder or its database is not in its place");
  const standby = gauge("standby", "1 while this bot waits as the standby of another one on its database");
  const swaps = counter("model_swaps_total", "Times that a phase loaded another model in place of one");
  const aside = gauge(
    "device_set_aside",
    "1 while a device of DEVICES failed and waits to be tried",
    "device",
  );
  const steps = seconds("denoising_step", "One denoising step of a picture", STEP_BUCKETS);
  const tokens = seconds("token", "One token of a rewrite, all beams of it", STEP_BUCKETS);
  const items = counter("items_total", "Prompts that a phase is done with", "phase");
  const accepted = counter("jobs_accepted_total", "Jobs that were stored", "kind");
  const finished = counter("jobs_finished_total", "Jobs that ended", "state");
  const failures = counter("failures_total", "Failed attempts, also those that were tried again", "code");
  const deliveries = counter("deliveries_total", "Results that were posted");
  const limited = counter("discord_rate_limits_total", "Requests that Discord's rate limit held back");
  const odd = counter("discord_odd_events_total", "Gateway events that could not be handled", "event");
  const latency = gauge("discord_gateway_latency_seconds", "From the gateway's last heartbeat to its answer");
  for (const phase of PHASES) {
    current.set({ phase }, 0);
    items.inc({ phase }, 0);
    workerEnds.inc({ phase }, 0);
  }
  for (const state of ENDS) finished.inc({ state }, 0);

  const pace = new Pace(now, (progress, s) => (progress.output === "rewrite" ? tokens : steps).observe(s));
  events
    .on("job.enqueued", ({ job: { kind } }) => accepted.inc({ kind }))
    .on("phase.started", ({ phase, loadMs, replaced }) => {
      current.set({ phase }, 1);
      if (replaced !== undefined) swaps.inc();
      loads.observe({ phase }, loadMs / 1000);
    })
    .on("phase.finished", ({ phase, peakBytes }) => {
      current.set({ phase }, 0);
      if (peakBytes > 0) workerPeak.set({ phase }, peakBytes);
    })
    .on("worker.exited", ({ phase, code }) => {
      current.set({ phase }, 0);
      if (code !== 0) workerEnds.inc({ phase });
    })
    .on("device.set-aside", ({ device }) => aside.set({ device }, 1))
    .on("device.back", ({ device }) => aside.set({ device }, 0))
    .on("worker.left-behind", () => leftBehind.inc())
    .on("data-folder.gone", ({ isGone }) => folderGone.set(isGone ? 1 : 0))
    .on("bot.standby", ({ isWaiting }) => standby.set(isWaiting ? 1 : 0))
    .on("job.progress", (progress) => pace.step(progress))
    .on("job.item", ({ phase }) => items.inc({ phase }))
    .on("job.requeued", ({ code }) => {
      if (code !== undefined) failures.inc({ code });
    })
    .on("job.finished", ({ state, code }) => {
      finished.inc({ state });
      if (code !== undefined) failures.inc({ code });
    })
    .on("job.delivered", () => deliveries.inc())
    .on("discord.rate-limited", () => limited.inc())
    .on("discord.odd-event", ({ event }) => odd.inc({ event }))
    .on("discord.latency", ({ ms }) => latency.set(ms / 1000));
  return registry;
}

/** Measures the seconds between two steps of the same picture or rewrite. */
class Pace {
  #last: { readonly progress: Progress; readonly at: number } | null = null;
  readonly #now: () => number;
  readonly #observe: (progress: Progress, seconds: number) => void;

  constructor(now: () => number, observe: (progress: Progress, seconds: number) => void) {
    this.#now = now;
    this.#observe = observe;
  }

  step(progress: Progress): void {
    const at = this.#now();
    const last = this.#last;
    this.#last = { progress, at };
    if (last === null) return;
    const { jobId, item, output, step } = last.progress;
    const taken = progress.step - step;
    if (progress.jobId !== jobId || progress.item !== item || progress.output !== output || taken < 1) return;
    this.#observe(progress, (at - last.at) / 1000 / taken);
  }
}

const HOST = "127.0.0.1";

export interface MetricsServer {
  /** For example `http://127.0.0.1:9464/metrics`. */
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Serves the metrics at `/metrics` on loopback only; port 0 picks a free one. Rejects other Host names, so a
 * web page cannot read them through a name that resolves to 127.0.0.1. Rejects with the system's error if the
 * port is taken.
 */
export async function serveMetrics(registry: Registry, port: number): Promise<MetricsServer> {
  let own: readonly string[] = [];
  const server = createServer(async (request, response) => {
    const answer = (status: number, body: string, type = "text/plain; charset=utf-8") =>
      response.writeHead(status, { "content-type": type }).end(request.method === "HEAD" ? "" : body);
    if (!own.includes(request.headers.host ?? "") || request.headers.origin !== undefined)
      return answer(403, "Forbidden\n");
    if (request.url !== "/metrics") return answer(404, "See /metrics\n");
    if (request.method !== "GET" && request.method !== "HEAD") return answer(405, "Only GET\n");
    try {
      answer(200, await registry.metrics(), registry.contentType);
    } catch (error) {
      answer(503, `The queue cannot be read: ${codeOf(error)}\n`);
    }
  });
  await new Promise<void>((resolve, reject) => {
    // Stays after the start: a connection that cannot be accepted concerns its client only.
    server.on("error", reject);
    server.listen(port, HOST, () => resolve());
  });
  const { port: bound } = server.address() as AddressInfo;
  own = [`${HOST}:${bound}`, `localhost:${bound}`];
  return {
    url: `http://${HOST}:${bound}/metrics`,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()));
        server.closeAllConnections();
      }),
  };
}
