import type { ErrorCode } from "../core/errors.js";
import type { Events } from "../core/events.js";

/** A device of this program, for the operator. */
export interface DeviceState {
  readonly device: string;
  /** The job that it is at. */
  readonly jobId: string | null;
  /** Why it is set aside, and when it is tried again (milliseconds since the epoch); null while it works. */
  readonly aside: { readonly code: ErrorCode; readonly reason: string; readonly retryAt: number } | null;
}

/** What the several devices of this program do, from events alone. */
export class DeviceStates {
  readonly #states: Map<string, DeviceState>;
  readonly #drawing: readonly string[];

  /**
   * @param devices all, by name
   * @param drawing those that draw pictures
   */
  constructor(
    events: Events,
    devices: readonly string[],
    drawing: readonly string[],
    now: () => number = Date.now,
  ) {
    this.#states = new Map(devices.map((device) => [device, { device, jobId: null, aside: null }]));
    this.#drawing = drawing;
    const change = (device: string, change: Partial<DeviceState>) => {
      const state = this.#states.get(device);
      if (state !== undefined) this.#states.set(device, { ...state, ...change });
    };
    events
      .on("device.works", ({ device, jobId }) => change(device, { jobId }))
      .on("device.set-aside", ({ device, code, reason, retryMs }) =>
        change(device, { aside: { code, reason, retryAt: now() + retryMs } }),
      )
      .on("device.back", ({ device }) => change(device, { aside: null }));
  }

  get all(): readonly DeviceState[] {
    return [...this.#states.values()];
  }

  /** How many of those that draw are not set aside; 1 where the program has only one device, which never is. */
  get working(): number {
    if (this.#drawing.length === 0) return 1;
    return this.#drawing.filter((device) => this.#states.get(device)?.aside === null).length;
  }
}
