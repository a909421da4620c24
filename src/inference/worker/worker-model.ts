import type { CallName, WorkerCalls, WorkerInfo } from "./protocol.js";

export interface CallContext {
  readonly signal: AbortSignal;
  readonly onStep: (done: number, of: number) => void;
  /** Called with each preview, a small WebP. */
  readonly onPreview?: (data: Uint8Array) => void;
}

/** Called with the device's name once it is open, before the model is loaded there. */
export type OnDevice = (name: string) => void;

/** A model loaded in a worker, with the calls that it answers. */
export interface LoadedModel {
  readonly info: Omit<WorkerInfo, "loadMs" | "phase">;
  readonly handlers: {
    readonly [N in CallName]?: (
      request: WorkerCalls[N]["request"],
      context: CallContext,
    ) => Promise<WorkerCalls[N]["response"]>;
  };
  release(): Promise<void>;
}
