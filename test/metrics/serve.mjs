// A metrics server in a process of its own, which prints its address as one line of JSON.
import { createEvents } from "../../dist/core/events.js";
import { collectMetrics, serveMetrics } from "../../dist/metrics/prometheus.js";

const queue = { lines: async () => [], depth: async () => ({ running: 0, undelivered: 0 }) };
const host = {
  name: "host",
  role: "both",
  version: "1",
  agoMs: 0,
  endedAt: null,
  paused: false,
  state: { devices: [] },
};
const { url } = await serveMetrics(
  collectMetrics(createEvents(), queue, () => [host]),
  0,
);
process.stdout.write(`${JSON.stringify({ url })}\n`);
