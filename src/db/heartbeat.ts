import { type Events, log, subscribe } from "../core/events.js";
import { BEAT_MS, type Host, type HostRole, type HostState } from "../core/hosts/host.js";
import type { Hosts } from "./hosts.js";

/** After a change that others want to see. */
const SOON_MS = 1_000;

export interface HeartbeatOptions {
  readonly hosts: Hosts;
  readonly events: Events;
  readonly name: string;
  readonly role: HostRole;
  readonly version: string;
  /** What the program is and does now. */
  readonly state: () => HostState;
  /** Whether other programs share the database. One that is alone tells it when it starts and ends, and no more. */
  readonly isShared: boolean;
}

/**
 * Owns this program's row among the hosts: writes it every few seconds, and soon after what it does has changed. It
 * knows whether the program is paused, and for a bot what the others said last.
 */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #seesOthers: boolean;
  readonly #unsubscribe: () => void;
  #isPaused = false;
  #others: readonly Host[] = [];
  #readAt = 0;
  #told = "";
  #startedAt = Date.now();
  #timer: NodeJS.Timeout | undefined;
  #soon: NodeJS.Timeout | undefined;
  #beat: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#seesOthers = options.role !== "worker";
    const { events, name } = options;
    const changed = () => this.#tellSoon();
    this.#unsubscribe = subscribe(events, {
      "host.paused": (host) => {
        if (host.name === name) this.#isPaused = host.paused;
      },
      "job.claimed": changed,
      "job.requeued": changed,
      "job.finished": changed,
      "phase.started": changed,
      "phase.finished": changed,
      "device.set-aside": changed,
      "device.back": changed,
    });
  }

  /** True while this program may end what it is at and begin nothing more. */
  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** This host as it is, then all others as they were last heard of. */
  get latest(): readonly Host[] {
    const sinceMs = performance.now() - this.#readAt;
    return [this.#own(), ...this.#others.map((host) => ({ ...host, agoMs: host.agoMs + sinceMs }))];
  }

  /** Tells that the program runs, and learns whether it is paused. Throws QueueError. */
  async start(): Promise<void> {
    await this.#tell(true);
    if (this.#options.isShared && !this.#stopped) this.#wait();
  }

  /** All hosts as the database has them now, by name. Throws QueueError. */
  async list(): Promise<readonly Host[]> {
    await this.#readOthers();
    return [...this.latest].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Tells nothing more, not even a goodbye. */
  end(): void {
    this.#stopped = true;
    this.#unsubscribe();
    clearTimeout(this.#timer);
    clearTimeout(this.#soon);
  }

  /** Says goodbye, as far as the database can be reached. */
  async stop(): Promise<void> {
    this.end();
    await this.#beat;
    const { hosts, name, events } = this.#options;
    try {
      await hosts.leave(name);
    } catch (error) {
      log(events, "debug", "this host could not say goodbye", error);
    }
  }

  #wait(): void {
    this.#timer = setTimeout(() => {
      this.#beat = this.#tryToTell().then(() => {
        if (!this.#stopped) this.#wait();
      });
    }, BEAT_MS);
  }

  #tellSoon(): void {
    if (this.#soon !== undefined || !this.#options.isShared) return;
    this.#soon = setTimeout(() => {
      this.#soon = undefined;
      // A bot hears what the others do, too.
      if (JSON.stringify(this.#options.state()) === this.#told) return;
      this.#beat = this.#beat.then(() => this.#tryToTell());
    }, SOON_MS);
  }

  async #tryToTell(): Promise<void> {
    try {
      await this.#tell(false);
    } catch (error) {
      log(this.#options.events, "debug", "this host could not tell that it runs", error);
    }
  }

  async #tell(starts: boolean): Promise<void> {
    const { hosts, name, role, version, state } = this.#options;
    const now = state();
    this.#isPaused = await hosts.beat({ name, role, version, state: now, starts });
    this.#told = JSON.stringify(now);
    if (starts) this.#startedAt = Date.now();
    if (!this.#seesOthers) return;
    await hosts.forgetGone();
    await this.#readOthers();
  }

  async #readOthers(): Promise<void> {
    const { hosts, name } = this.#options;
    const all = await hosts.list();
    this.#readAt = performance.now();
    this.#others = all.filter((host) => host.name !== name);
    this.#isPaused = all.find((host) => host.name === name)?.paused ?? this.#isPaused;
  }

  #own(): Host {
    const { name, role, version, state } = this.#options;
    return {
      name,
      role,
      version,
      startedAt: this.#startedAt,
      seenAt: Date.now(),
      endedAt: null,
      paused: this.#isPaused,
      state: state(),
      agoMs: 0,
      isSelf: true,
    };
  }
}
