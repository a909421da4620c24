import type { Host, HostDevice, WorkTimes } from "../../src/core/hosts/host.js";
import { PHASES } from "../../src/core/job.js";

export const UNKNOWN: WorkTimes = {
  loadMs: { text: null, image: null },
  textMs: null,
  stepMs: null,
  pictureRestMs: null,
};
/** A text takes as long as a picture of one step. */
export const speeds = (ms: number): WorkTimes => ({
  loadMs: { text: 0, image: 0 },
  textMs: ms,
  stepMs: ms,
  pictureRestMs: ms,
});

export const device = (of: WorkTimes = UNKNOWN, over: Partial<HostDevice> = {}): HostDevice => ({
  name: "cuda:0",
  opened: null,
  phases: PHASES,
  phase: null,
  models: [],
  loadedBytes: 0,
  jobId: null,
  setAside: null,
  speeds: of,
  ...over,
});

export const host = (devices: readonly HostDevice[] = [], over: Partial<Host> = {}): Host => ({
  name: "host",
  role: "worker",
  version: "1",
  startedAt: 0,
  seenAt: 0,
  endedAt: null,
  paused: false,
  state: { devices, offers: [], pictures: null },
  agoMs: 0,
  ...over,
});
