import type { DevicePace, Work } from "../../src/core/hosts/waiting.js";
import { PHASES } from "../../src/core/job.js";

/** One device that does everything, in the time that `estimateMs` tells. */
export const oneDevice = (estimateMs: (work: Work) => number | null): DevicePace[] => [
  { phases: PHASES, jobId: null, estimateMs },
];
