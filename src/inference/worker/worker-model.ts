import type { CallName, WorkerCalls, WorkerInfo } from "./protocol.js";

export interface CallContext {
  readonly signal: AbortSignal;
  readonly onStep: (done: number, of: number) => void;
  /** A small WebP of the picture as it forms. */
  readonly onPreview?: (data: Uint8Array) => void;
}

/** A model loaded in a worker, with the calls that it answers. */
export interface OpenModel {
  readonly info: Omit<WorkerInfo, "loadMs" | "phase">;
  readonly handlers: {
    readonly [N in CallName]?: (
      request: WorkerCalls[N]["request"],
      context: CallContext,
    ) => Promise<WorkerCalls[N]["response"]>;
  };
  release(): Promise<void>;
}
