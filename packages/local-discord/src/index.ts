/** A small Discord on loopback for one bot: the API, the gateway, the CDN and a page to chat in. */

export { PortTaken } from "./loopback.js";
export {
  type OperatorActions,
  type OperatorSnapshot,
  type OperatorSource,
  type OperatorTaste,
  operatorSnapshot,
} from "./page/operator.js";
export type { Example } from "./page/routes.js";
export { type OperatorPanel, startOperatorPanel } from "./panel.js";
export { cdnBeside, type LocalDiscord, type LocalDiscordOptions, startLocalDiscord } from "./server.js";
export type { Clock } from "./world/clock.js";
export type { Limits } from "./world/state.js";
