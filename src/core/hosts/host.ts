import type { Phase } from "../job.js";

/** What a program does on its database: talk to Discord and work, only the one, or only the other. */
export type HostRole = "both" | "bot" | "worker";

/** Milliseconds that work took on a device lately; null: none of it was done there yet. */
export interface WorkTimes {
  /** Loading the model of each phase. */
  readonly loadMs: Readonly<Record<Phase, number | null>>;
  /** Rewriting one prompt. */
  readonly textMs: number | null;
  /** One denoising step, and the rest of a picture besides its steps after the first. */
  readonly stepMs: number | null;
  readonly pictureRestMs: number | null;
}

/** A device that a loop of a host works on. */
export interface HostDevice {
  /** As it was asked for, such as `auto` or `cuda:0`. */
  readonly name: string;
  /** What it turned out to be; null until a model was loaded. */
  readonly opened: string | null;
  readonly phases: readonly Phase[];
  /** The phase of the job that it is at, or whose models are still loaded. */
  readonly phase: Phase | null;
  /** The models that are loaded, and the bytes of their weights. */
  readonly models: readonly string[];
  readonly loadedBytes: number;
  /** The job that it is at. */
  readonly jobId: string | null;
  /** Why it takes no work, where it was set aside after failures. */
  readonly setAside: string | null;
  readonly speeds: WorkTimes;
}

/** What a host says of itself with each heartbeat. */
export interface HostState {
  readonly devices: readonly HostDevice[];
  /** Names of the models and rewriters that its jobs may use. */
  readonly offers: readonly string[];
  /** A mark of its picture store, which is the same on all hosts that share one; null where it isn't known. */
  readonly pictures: string | null;
  /** It is the standby of the bot at work. */
  readonly isWaiting?: true;
}

/** One running program, or one that was, by its latest heartbeat. Times are milliseconds since the epoch, on the database's clock. */
export interface Host {
  readonly name: string;
  readonly role: HostRole;
  readonly version: string;
  readonly startedAt: number;
  readonly seenAt: number;
  /** When it said that it ends; null for one that runs or died. */
  readonly endedAt: number | null;
  readonly paused: boolean;
  readonly state: HostState;
  /** How long ago the heartbeat was, when this was read. */
  readonly agoMs: number;
  /** True for the program that reads this. */
  readonly isSelf?: true;
}

export const BEAT_MS = 5_000;
/** Three heartbeats may be late; who is not heard of for longer is taken for gone. */
const SILENT_MS = 3 * BEAT_MS;

/** `waiting`: as the standby of the bot. `silent`: no heartbeat came for a while, and no goodbye. */
export type HostCondition = "running" | "paused" | "waiting" | "silent" | "stopped";

export function conditionOf({
  endedAt,
  agoMs,
  paused,
  state,
}: Pick<Host, "endedAt" | "agoMs" | "paused" | "state">): HostCondition {
  if (endedAt !== null) return "stopped";
  if (agoMs > SILENT_MS) return "silent";
  if (state.isWaiting) return "waiting";
  return paused ? "paused" : "running";
}

/** Whether two hosts keep their pictures in different stores, as far as both know theirs. */
export const hasOtherPictures = ({ state: a }: Host, { state: b }: Host): boolean =>
  a.pictures !== null && b.pictures !== null && a.pictures !== b.pictures;

const devicesOf = (hosts: readonly Host[]): HostDevice[] =>
  hosts.filter((host) => conditionOf(host) === "running").flatMap(({ state }) => state.devices);

/** Whether every device of the hosts that run is set aside, so that jobs wait until one works again. */
export function haveDevicesFailed(hosts: readonly Host[]): boolean {
  const drawing = devicesOf(hosts).filter(({ phases }) => phases.includes("image"));
  return drawing.length > 0 && drawing.every(({ setAside }) => setAside !== null);
}

/** The devices that take jobs now. */
export const workingDevices = (hosts: readonly Host[]): HostDevice[] =>
  devicesOf(hosts).filter(({ setAside }) => setAside === null);
