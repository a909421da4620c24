// Preloaded into a process and its workers to cut them off: any use of the network fails at once.
import { Socket } from "node:net";

const refuse = () => {
  throw new Error("the network is cut");
};
globalThis.fetch = refuse;
Socket.prototype.connect = refuse;
