import type { Config } from "../config.js";
import { type Events, log } from "../core/events.js";
import type { Queue } from "../db/queue.js";

/**
 * Serves the metrics where `METRICS_PORT` asks for them, and answers how to end that. Loads their library only then.
 * `queueNow` answers null while this program waits as a standby, which knows nothing of the queue.
 */
export async function startMetrics(
  { METRICS_PORT }: Config,
  events: Events,
  queueNow: () => Queue | null,
): Promise<() => Promise<void>> {
  if (METRICS_PORT === 0) return async () => {};
  const { collectMetrics, serveMetrics } = await import("../metrics/prometheus.js");
  const queue = {
    lines: async () => (await queueNow()?.lines()) ?? [],
    depth: async () => (await queueNow()?.depth()) ?? { running: 0, undelivered: 0 },
  };
  const metrics = await serveMetrics(collectMetrics(events, queue), METRICS_PORT);
  log(events, "info", `Metrics at ${metrics.url}`);
  return () => metrics.close();
}
