/** A small Discord on loopback: the API, the gateway, the CDN and a page to chat in, for one bot. */

export { type OperatorSnapshot, type OperatorSource, operatorSnapshot } from "./page/operator.js";
export {
  cdnBeside,
  type LocalDiscord,
  type LocalDiscordOptions,
  PortTaken,
  startLocalDiscord,
} from "./server.js";
export type { Clock } from "./world/clock.js";
export type { Limits } from "./world/state.js";
