/** A moment of a connection: the server has just sent HELLO, or received IDENTIFY, and so on. */
export type GatewayMoment = "hello" | "identify" | "ready" | "resume" | "resumed" | "interaction";

/** Where a test can make the gateway misbehave (testing/faults.ts). */
export interface Interference {
  /** Whether the connection is cut in this moment. */
  cuts(moment: GatewayMoment): boolean;
  /** Whether heartbeats are acknowledged. */
  acknowledges(): boolean;
  /** Whether a session that a bot wants to resume is gone. */
  refusesResume(): boolean;
  /** Calls `send`, which sends an interaction: once and now, or as the test asks. */
  deliver(send: () => void): void;
}

/** Nothing goes wrong. */
export const NO_INTERFERENCE: Interference = {
  cuts: () => false,
  acknowledges: () => true,
  refusesResume: () => false,
  deliver: (send) => send(),
};
