import { connect, createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

/**
 * A way to a port of this machine whose connections can be made slow, silent or cut. Data that came while it is silent
 * is lost, as are the ends of connections: both sides hear nothing more.
 */
export async function startProxy(port) {
  let isSilent = false;
  let delayMs = 0;
  const sockets = new Set();
  const pass = (from, to) => {
    // One after the other, so that nothing overtakes what was delayed longer.
    let passed = Promise.resolve();
    from.on("error", () => to.destroy());
    from.on("data", (bytes) => {
      if (isSilent) return;
      const dueAt = performance.now() + delayMs;
      passed = passed.then(async () => {
        const waitMs = dueAt - performance.now();
        if (waitMs > 0) await delay(waitMs);
        to.write(bytes);
      });
    });
    from.on("close", () => {
      sockets.delete(from);
      if (!isSilent) void passed.then(() => to.destroy());
    });
    sockets.add(from);
  };
  const proxy = createServer((client) => {
    const upstream = connect(port, "127.0.0.1");
    pass(client, upstream);
    pass(upstream, client);
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => proxy.once("listening", resolve));
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: proxy.address().port,
    silence() {
      isSilent = true;
    },
    /** Each piece arrives so much later. */
    slow(ms) {
      delayMs = ms;
    },
    cut,
    close() {
      cut();
      proxy.close();
    },
  };
}
