/** A small Discord on loopback for one bot: the API, the gateway, the CDN and a page to chat in. */

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
