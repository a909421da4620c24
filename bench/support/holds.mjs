// Measures how long this process' event loop is held at a stretch. A bench preloads it into the bot (node
// --import) and asks with a message; it can also be imported.

const TICK_MS = 1;
let held = 0;
let wall = 0;
let last = performance.now();
let spent = process.cpuUsage();

/** Notes what ran since the last tick. Another program may have had the core, so processor time counts too. */
function tick() {
  const [now, { user, system }] = [performance.now(), process.cpuUsage(spent)];
  const gap = now - last - TICK_MS;
  wall = Math.max(wall, gap);
  held = Math.max(held, Math.min(gap, (user + system) / 1000));
  last = now;
  spent = process.cpuUsage();
}

/**
 * The longest hold since the last call, in milliseconds: by the clock, and by the clock or the process'
 * processor time, whichever is less.
 */
export function longestHold() {
  tick();
  const longest = { wall, held };
  [wall, held] = [0, 0];
  return longest;
}

setInterval(tick, TICK_MS).unref();
process.on("message", () => process.send(longestHold()));
// The channel to the parent must not keep the bot alive.
process.channel?.unref();
