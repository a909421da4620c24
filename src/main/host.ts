import { createHash } from "node:crypto";
import { hostname } from "node:os";
import type { Config } from "../config.js";
import { type Events, log } from "../core/events.js";
import { PROGRAM } from "../core/version.js";
import { Heartbeat } from "../db/heartbeat.js";
import { HostWatch } from "../metrics/host-watch.js";
import { markOf, type PictureStore } from "../pictures/store.js";
import { devicesOf } from "./devices.js";
import type { Engine } from "./engine.js";
import { type Models, type PlannedLoop, plannedLoops } from "./loops.js";

/** What this program is among the hosts of its database. */
export interface ThisHost {
  readonly heartbeat: Heartbeat;
  /** Its loops; none for a bot that does not work itself. */
  readonly planned: readonly PlannedLoop[];
}

const NAMES_OFFERED = 100;

/**
 * A name that stays the same over restarts and keeps two programs of one machine apart: each has a data folder of its
 * own, so it is the machine's name with a mark of that folder.
 */
export const hostName = ({ dataDir }: Pick<Config, "dataDir">): string =>
  `${hostname()}-${createHash("sha256").update(dataDir).digest("hex").slice(0, 4)}`;

/** A host starts while the store is away, as it goes on while it is away. */
async function markOrNull(pictures: PictureStore, events: Events): Promise<string | null> {
  try {
    return await markOf(pictures);
  } catch (error) {
    log(events, "warn", "The picture store can't be reached now", error);
    return null;
  }
}

/** Tells the others that this program runs, before it begins to work. Throws QueueError. */
export async function startHost(
  config: Config,
  { models, choice }: Models,
  { engine, events, pictures }: { engine: Engine; events: Events; pictures: PictureStore },
): Promise<ThisHost> {
  const name = hostName(config);
  const planned = config.ROLE === "bot" ? [] : plannedLoops(choice, name, (await devicesOf(config)).devices);
  const offers =
    planned.length === 0
      ? []
      : [...models.rewriters(), ...(await models.known()).models].slice(0, NAMES_OFFERED);
  const isShared = engine.pollMs !== undefined;
  const watch = new HostWatch({
    events,
    loops: planned,
    offers,
    pictures: isShared ? await markOrNull(pictures, events) : null,
  });
  const heartbeat = new Heartbeat({
    hosts: engine.store.hosts,
    events,
    name,
    role: config.ROLE,
    version: PROGRAM,
    state: () => watch.state(),
    isShared,
  });
  await heartbeat.start();
  if (heartbeat.isPaused)
    log(events, "warn", `This host is paused: it takes no job until /admin resume host:${name}`);
  return { heartbeat, planned };
}
