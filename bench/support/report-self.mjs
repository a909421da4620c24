// bench/soak.mjs preloads this into the bot (node --import). Every REPORT_EVERY_MS it sends its parent what only
// the process itself can measure: its heap and its event loop's delay.
import { monitorEventLoopDelay } from "node:perf_hooks";

const EVERY_MS = Number(process.env.REPORT_EVERY_MS);
const delays = monitorEventLoopDelay({ resolution: 10 });
delays.enable();
setInterval(() => {
  const { heapUsed, external, rss } = process.memoryUsage();
  const ms = (nanoseconds) => nanoseconds / 1e6;
  process.send?.({
    heapUsed,
    external,
    rss,
    // The measured delay includes the monitor's own timer of 10 ms.
    p50: Math.max(0, ms(delays.percentile(50)) - 10),
    p99: Math.max(0, ms(delays.percentile(99)) - 10),
    max: Math.max(0, ms(delays.max) - 10),
  });
  delays.reset();
}, EVERY_MS).unref();
// The channel to the parent must not keep the bot alive.
process.channel?.unref();
