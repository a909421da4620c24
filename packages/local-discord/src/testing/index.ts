/**
 * The local Discord for tests: the same server plus simulated people, faults, and access to its state and
 * transcript. "local-discord" loads nothing from this folder.
 */

import {
  type LocalDiscordOptions,
  type Parts,
  type LocalDiscord as Served,
  startLocalDiscord as start,
} from "../server.js";
import { Faults } from "./faults.js";
import { Member } from "./member.js";
import { quiet } from "./quiet.js";
import { until } from "./until.js";

export type { GatewayMoment } from "../gateway/interference.js";
export { PortTaken } from "../loopback.js";
export {
  type OperatorActions,
  type OperatorSnapshot,
  type OperatorSource,
  type OperatorTaste,
  operatorSnapshot,
} from "../page/operator.js";
export { type OperatorPanel, startOperatorPanel } from "../panel.js";
export type { ModalInputs } from "../people/inputs.js";
export { type FileInput, InvocationError, type OptionInputs } from "../people/options.js";
export * from "../protocol/types.js";
export { cdnBeside, type LocalDiscordOptions } from "../server.js";
export type { Transcript, TranscriptEntry } from "../traffic/transcript.js";
export { Interactions, type NewInteraction } from "../world/interactions.js";
export type * from "../world/records.js";
export type { DiscordState, Limits, StoreEvent } from "../world/state.js";
export { Faults, type RestFault } from "./faults.js";
export { InteractionFailed, InteractionHandle, Member, type WaitOptions, type Where } from "./member.js";
export { VirtualClock } from "./virtual-clock.js";

/** A local Discord with everything tests need. */
export interface LocalDiscord extends Served, Pick<Parts, "state" | "transcript" | "spec"> {
  readonly faults: Faults;
  /** Every route of the API that is served, such as "GET /users/@me". */
  readonly routes: readonly string[];
  /** A simulated person: "alice", "bob" or "admin". */
  member(name: string): Member;
  /** Resolves when a bot is connected. */
  botOnline(timeoutMs?: number): Promise<void>;
  /**
   * Resolves when nothing happens: no call in progress, no interaction waiting for its answer, and no new
   * call or event for `idleMs` real milliseconds. Rejects after `timeoutMs` with the last calls and events.
   */
  quiet(options?: { idleMs?: number; timeoutMs?: number }): Promise<void>;
  /** The id of a guild channel by name. */
  channelId(name: string): string;
}

/** Starts a local Discord on loopback, for tests. */
export async function startLocalDiscord(options: LocalDiscordOptions = {}): Promise<LocalDiscord> {
  return forTests(await start(options));
}

/** Adds test access to a running local Discord. Call it once: its faults stay installed in the server. */
export function forTests(local: Served): LocalDiscord {
  const { parts } = local;
  const { state, transcript, spec, people, rest } = parts;
  return {
    ...local,
    get token() {
      return local.token;
    },
    state,
    transcript,
    spec,
    faults: new Faults(parts),
    routes: rest.routes,
    member: (name) => new Member(parts, people.user(name)),
    botOnline: async (timeoutMs = 5_000) => {
      await until(parts, () => state.botOnline || undefined, "a bot to connect", timeoutMs);
    },
    quiet: (wait) => quiet(parts, wait),
    channelId: (name) => {
      const { channelIds } = state.guilds.get(local.guildId)!;
      const id = channelIds.find((it) => state.channels.get(it)?.name === name);
      if (id === undefined) throw new Error(`There is no channel "${name}"`);
      return id;
    },
  };
}
