/** A moment in a connection's life: the server has just sent HELLO, received IDENTIFY, and so on. */
export type GatewayMoment = "hello" | "identify" | "ready" | "resume" | "resumed" | "interaction";

/** Lets a test make the gateway misbehave (testing/faults.ts). */
export interface Interference {
  /** Whether to cut the connection at this moment. */
  cuts(moment: GatewayMoment): boolean;
  /** Whether to acknowledge heartbeats. */
  acknowledges(): boolean;
  /** Whether to refuse to resume a session. */
  refusesResume(): boolean;
  /** Changes the content of a READY. */
  ready(data: object): unknown;
  /** Calls `send`, which sends an interaction: once and at once, or as a test planned. */
  deliver(send: () => void): void;
}

/** The default: nothing goes wrong. */
export const NO_INTERFERENCE: Interference = {
  cuts: () => false,
  acknowledges: () => true,
  refusesResume: () => false,
  ready: (data) => data,
  deliver: (send) => send(),
};
