import type { Config } from "../config.js";
import { type Events, log } from "../core/events.js";
import type { Queue } from "../db/queue.js";
import type { FleetState } from "../metrics/prometheus.js";

/** Serves the metrics where `METRICS_PORT` asks for them, and answers how to end that. Loads their library only then. */
export async function startMetrics(
  { METRICS_PORT }: Config,
  events: Events,
  queue: Queue,
  fleet: FleetState,
): Promise<() => Promise<void>> {
  if (METRICS_PORT === 0) return async () => {};
  const { collectMetrics, serveMetrics } = await import("../metrics/prometheus.js");
  const metrics = await serveMetrics(collectMetrics(events, queue, fleet), METRICS_PORT);
  log(events, "info", `Metrics at ${metrics.url}`);
  return () => metrics.close();
}
