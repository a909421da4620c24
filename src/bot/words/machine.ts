import type { Phase } from "../../core/job.js";

/** The program and what it runs on, for admins. */
export interface Machine {
  /** Name and version. */
  readonly program: string;
  readonly node: string;
  readonly platform: string;
  /** The checkpoint of each phase, and the device that last ran it; null before it did. */
  readonly checkpoints: Readonly<Record<Phase, { readonly name: string; readonly device: string | null }>>;
  /** Resident memory of the bot's own process. */
  readonly memoryBytes: number;
}
