import { type Events, subscribe } from "../core/events.js";
import type { HostDevice, HostState } from "../core/hosts/host.js";
import type { Phase } from "../core/job.js";
import { RecentTimes } from "./recent-times.js";

const REASON_CHARACTERS = 300;

/** A loop of this program, and the device that it works on. */
export interface LoopOnDevice {
  /** As its events and claims name it. */
  readonly owner: string;
  readonly device: string;
  readonly phases: readonly Phase[];
}

export interface HostWatchOptions {
  readonly events: Events;
  readonly loops: readonly LoopOnDevice[];
  /** Names of the models and rewriters that jobs may use here. */
  readonly offers: readonly string[];
  /** A mark of the picture store, where it is known. */
  readonly pictures: string | null;
}

/** What this program is and does, gathered from its own events; those of other hosts on the same bus are left out. */
export class HostWatch {
  readonly #devices: readonly WatchedDevice[];
  readonly #rest: Pick<HostState, "offers" | "pictures">;

  constructor({ events, loops, offers, pictures }: HostWatchOptions) {
    this.#rest = { offers, pictures };
    this.#devices = loops.map((loop) => new WatchedDevice(events, loop));
  }

  state(): HostState {
    return { devices: this.#devices.map((device) => device.state()), ...this.#rest };
  }
}

class WatchedDevice {
  readonly #loop: LoopOnDevice;
  readonly #times: RecentTimes;
  /** By the process that has it. */
  readonly #loaded = new Map<number, { readonly model: string; readonly bytes: number }>();
  #opened: string | null = null;
  #phase: Phase | null = null;
  #jobId: string | null = null;
  #setAside: string | null = null;

  constructor(events: Events, loop: LoopOnDevice) {
    this.#loop = loop;
    this.#times = new RecentTimes(events, loop.owner);
    const isOurs = ({ owner }: { readonly owner?: string }) => owner === loop.owner;
    const over = ({ jobId }: { readonly jobId: string }) => {
      if (jobId === this.#jobId) this.#jobId = null;
    };
    subscribe(events, {
      "phase.started": (event) => {
        if (!isOurs(event)) return;
        this.#opened = event.device;
        this.#phase = event.phase;
        this.#loaded.set(event.pid, { model: event.checkpoint, bytes: event.weightBytes ?? 0 });
      },
      "worker.exited": (event) => {
        if (isOurs(event)) this.#loaded.delete(event.pid);
      },
      "phase.finished": (event) => {
        if (!isOurs(event)) return;
        this.#phase = null;
        this.#loaded.clear();
      },
      "job.claimed": (event) => {
        if (!isOurs(event)) return over(event);
        this.#jobId = event.jobId;
        this.#phase = event.phase;
      },
      "device.set-aside": ({ device, code, reason }) => {
        if (device === loop.device) this.#setAside = `${code}: ${reason}`.slice(0, REASON_CHARACTERS);
      },
      "device.back": ({ device }) => {
        if (device === loop.device) this.#setAside = null;
      },
      "job.requeued": over,
      "job.finished": over,
    });
  }

  state(): HostDevice {
    const loaded = [...this.#loaded.values()];
    return {
      name: this.#loop.device,
      opened: this.#opened,
      phases: this.#loop.phases,
      phase: this.#phase,
      models: loaded.map(({ model }) => model),
      loadedBytes: loaded.reduce((sum, { bytes }) => sum + bytes, 0),
      jobId: this.#jobId,
      setAside: this.#setAside,
      speeds: this.#times.speeds(),
    };
  }
}
