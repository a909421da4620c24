import { randomBytes } from "node:crypto";
import type { Clock } from "../world/clock.js";
import { Op } from "./protocol.js";

/** How many dispatches a session keeps for replay. */
const REPLAY_KEPT = 1_000;

export interface Dispatch {
  readonly op: 0;
  readonly t: string;
  readonly s: number;
  readonly d: unknown;
}

/** The connection of a session. */
export interface Line {
  send(dispatch: Dispatch): void;
  /** Cuts the connection without a closing handshake. */
  cut(): void;
}

/** The number of a connection from 0, and how many connections the bot says it has. */
export type Shard = readonly [id: number, count: number];

/** Whether a shard hears of a guild; of direct messages, which have none, the first one does. */
export const servesGuild = ([id, count]: Shard, guildId: string | null): boolean =>
  (guildId === null ? 0 : Number((BigInt(guildId) >> 22n) % BigInt(count))) === id;

/** What survives a dropped connection: the bot's intents, and the events it may have missed. */
export class Session {
  readonly id = randomBytes(16).toString("hex");
  /** Null while the bot is away. */
  line: Line | null = null;
  #seq = 0;
  readonly #sent: Dispatch[] = [];

  constructor(
    readonly intents: number,
    readonly shard: Shard,
  ) {}

  /** The number of the latest dispatch. */
  get seq(): number {
    return this.#seq;
  }

  /** Sends an event, or keeps it until the bot resumes. */
  dispatch(t: string, d: unknown): void {
    this.#seq += 1;
    const dispatch: Dispatch = { op: Op.dispatch, t, s: this.#seq, d };
    this.#sent.push(dispatch);
    if (this.#sent.length > REPLAY_KEPT) this.#sent.shift();
    this.line?.send(dispatch);
  }

  /** Sends every event after the dispatch numbered `seq` again. */
  replay(seq: number): void {
    for (const dispatch of this.#sent) if (dispatch.s > seq) this.line?.send(dispatch);
  }
}

/** The sessions that are connected or can be resumed. */
export class Sessions {
  readonly #clock: Clock;
  readonly #resumeMs: number;
  readonly #byId = new Map<string, Session>();
  /** Cancels the expiry timer of a disconnected session. */
  readonly #keep = new Map<Session, () => void>();

  constructor(clock: Clock, resumeMs: number) {
    this.#clock = clock;
    this.#resumeMs = resumeMs;
  }

  [Symbol.iterator](): IterableIterator<Session> {
    return this.#byId.values();
  }

  start(intents: number, shard: Shard): Session {
    const session = new Session(intents, shard);
    this.#byId.set(session.id, session);
    return session;
  }

  get(id: string): Session | undefined {
    return this.#byId.get(id);
  }

  /** Moves a session to a new connection and cuts the old one if it still exists. */
  resume(session: Session, line: Line): void {
    session.line?.cut();
    this.#keep.get(session)?.();
    this.#keep.delete(session);
    session.line = line;
  }

  /** Called when the connection is gone: the session can be resumed for a while. */
  leave(session: Session): void {
    session.line = null;
    if (!this.#byId.has(session.id)) return;
    this.#keep.set(
      session,
      this.#clock.after(this.#resumeMs, () => this.end(session.id)),
    );
  }

  /** Makes the session impossible to resume. */
  end(id: string): void {
    const session = this.#byId.get(id);
    if (session === undefined) return;
    this.#keep.get(session)?.();
    this.#keep.delete(session);
    this.#byId.delete(id);
  }

  /** Ends all sessions. */
  clear(): void {
    for (const stop of this.#keep.values()) stop();
    this.#keep.clear();
    this.#byId.clear();
  }
}
