import { randomBytes } from "node:crypto";
import type { Clock } from "../world/clock.js";
import { Op } from "./protocol.js";

/** Dispatches that a session can replay. */
const REPLAY_KEPT = 1_000;

export interface Dispatch {
  readonly op: 0;
  readonly t: string;
  readonly s: number;
  readonly d: unknown;
}

/** The connection that a session is on. */
export interface Line {
  send(dispatch: Dispatch): void;
  /** Cuts it without a closing handshake. */
  cut(): void;
}

/** What survives a dropped connection: which intents the bot has, and what it may have missed. */
export class Session {
  readonly id = randomBytes(16).toString("hex");
  /** Null while the bot is away. */
  line: Line | null = null;
  #seq = 0;
  readonly #sent: Dispatch[] = [];

  constructor(readonly intents: number) {}

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

  /** Sends again what came after the dispatch numbered `seq`. */
  replay(seq: number): void {
    for (const dispatch of this.#sent) if (dispatch.s > seq) this.line?.send(dispatch);
  }
}

/** The sessions that are connected or can be resumed. */
export class Sessions {
  readonly #clock: Clock;
  readonly #resumeMs: number;
  readonly #byId = new Map<string, Session>();
  /** Stops the clock of a session that nobody is connected to. */
  readonly #keep = new Map<Session, () => void>();

  constructor(clock: Clock, resumeMs: number) {
    this.#clock = clock;
    this.#resumeMs = resumeMs;
  }

  [Symbol.iterator](): IterableIterator<Session> {
    return this.#byId.values();
  }

  start(intents: number): Session {
    const session = new Session(intents);
    this.#byId.set(session.id, session);
    return session;
  }

  get(id: string): Session | undefined {
    return this.#byId.get(id);
  }

  /** Puts a session on a new connection; the old one, where it is still there, is cut. */
  resume(session: Session, line: Line): void {
    session.line?.cut();
    this.#keep.get(session)?.();
    this.#keep.delete(session);
    session.line = line;
  }

  /** Its connection is gone: the session can be resumed for a while. */
  leave(session: Session): void {
    session.line = null;
    if (!this.#byId.has(session.id)) return;
    this.#keep.set(
      session,
      this.#clock.after(this.#resumeMs, () => this.end(session.id)),
    );
  }

  /** The session can no longer be resumed. */
  end(id: string): void {
    const session = this.#byId.get(id);
    if (session === undefined) return;
    this.#keep.get(session)?.();
    this.#keep.delete(session);
    this.#byId.delete(id);
  }

  /** Ends all of them. */
  clear(): void {
    for (const stop of this.#keep.values()) stop();
    this.#keep.clear();
    this.#byId.clear();
  }
}
