import type { Config } from "../config.js";
import { atMost, retry } from "../core/backoff.js";
import { describe } from "../core/errors.js";
import { type Events, log, subscribe } from "../core/events.js";
import { BEAT_MS } from "../core/hosts/host.js";
import { PROGRAM } from "../core/version.js";
import { Heartbeat } from "../db/heartbeat.js";
import { hostName } from "./host.js";

const LONGEST_RETRY_MS = 60_000;
const GOODBYE_MS = 1_000;

/**
 * Shows a bot that waits as standby among the hosts, until it takes over (`bot.standby`) and shows itself as what it is
 * then. The tables are those of the bot at work, which may be older and know no hosts. Answers how to end it with a
 * goodbye.
 */
export async function showStandby(config: Config, events: Events): Promise<() => Promise<void>> {
  const { postgresHosts } = await import("../db/postgres/store.js");
  const { hosts, close } = postgresHosts(config.DATABASE_URL);
  const ending = new AbortController();
  const heartbeat = new Heartbeat({
    hosts,
    events,
    name: hostName(config),
    role: config.ROLE,
    version: PROGRAM,
    state: () => ({ devices: [], offers: [], pictures: null, isWaiting: true }),
    isShared: true,
  });
  const onFailure = (error: unknown) =>
    log(events, "debug", `a standby can't show itself: ${describe(error)}`);
  const backoff = { firstMs: BEAT_MS, maxMs: LONGEST_RETRY_MS, signal: ending.signal, onFailure };
  // It is tried until the wait is over.
  retry(backoff, () => heartbeat.start()).catch(() => {});

  let isOver = false;
  const unsubscribe = subscribe(events, {
    "bot.standby": ({ isWaiting }) => {
      if (!isWaiting) end();
    },
  });
  function end(): void {
    isOver = true;
    unsubscribe();
    ending.abort();
    heartbeat.end();
    // The bot need not wait for a connection that may be broken.
    void close();
  }
  return async () => {
    if (isOver) return;
    await atMost(GOODBYE_MS, heartbeat.stop());
    end();
  };
}
