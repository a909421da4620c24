import type { Config } from "../config.js";
import { type Events, log } from "../core/events.js";
import type { Host } from "../core/hosts/host.js";
import type { Queue } from "../db/queue.js";

/** What the program knows by now: a standby that waits knows no queue and no host. */
export interface Known {
  readonly queue: () => Queue | null;
  /** This host, then all others. */
  readonly hosts: () => readonly Host[];
}

/** Serves the metrics where `METRICS_PORT` asks for them, and answers how to end that. Loads their library only then. */
export async function startMetrics(
  { METRICS_PORT }: Config,
  events: Events,
  known: Known,
): Promise<() => Promise<void>> {
  if (METRICS_PORT === 0) return async () => {};
  const { collectMetrics, serveMetrics } = await import("../metrics/prometheus.js");
  const queue = {
    lines: async () => (await known.queue()?.lines()) ?? [],
    depth: async () => (await known.queue()?.depth()) ?? { running: 0, undelivered: 0 },
  };
  const metrics = await serveMetrics(collectMetrics(events, queue, known.hosts), METRICS_PORT);
  log(events, "info", `Metrics at ${metrics.url}`);
  return () => metrics.close();
}
