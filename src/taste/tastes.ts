import { setImmediate as nextTurn } from "node:timers/promises";
import { Mutex } from "async-mutex";
import { codeOf } from "../core/errors.js";
import { type Events, log } from "../core/events.js";
import type { Lesson, LessonKey, Lessons } from "../db/lessons.js";
import { Features } from "./features.js";
import { Fits } from "./fits.js";
import { Ledger } from "./ledger.js";
import { ServerTaste } from "./server-taste.js";

/** How long the event loop may be held at a time. */
const SLICE_MS = 8;
/** Votes may be stored out of the order of their times by as much. */
const LATE_MS = 5_000;
/** Stands for the server of direct messages. */
const DIRECT = "";

/** What one server likes, and what its features are. */
export interface Taste {
  readonly server: ServerTaste;
  readonly features: Features;
}

/**
 * What each server likes, learned from its votes. They are read from the store when somebody asks, and each is
 * learned from once; when votes were taken away, all is learned anew.
 */
export class Tastes {
  readonly #lessons: Lessons;
  readonly #events: Events;
  readonly #turns = new Mutex();
  #features = new Features();
  #ledger = new Ledger();
  #servers = new Map<string, ServerTaste>();
  #mark: string | null = null;
  /** The time of the last lesson. */
  #lastAt = 0;
  /** The times of the lessons that will be read again: those not long before the last. */
  #recent = new Map<string, number>();
  readonly #fits = new Fits();
  readonly #running = new Map<ServerTaste, Promise<void>>();

  constructor(lessons: Lessons, events: Events) {
    this.#lessons = lessons;
    this.#events = events;
  }

  /** What a server likes, by an exact fit of its votes. Throws QueueError, and what the fit failed of. */
  async of(guildId: string): Promise<Taste> {
    const taste = await this.#known(guildId);
    await this.#fit(taste.server);
    return taste;
  }

  /**
   * The same at once: a fit that is due goes on in the background, unless it is the first. If it fails, that is logged,
   * and what was known before is the answer. Throws QueueError.
   */
  async now(guildId: string): Promise<Taste> {
    const taste = await this.#known(guildId);
    const fit = this.#fit(taste.server).catch((error) => {
      if (codeOf(error) !== "CANCELLED")
        log(this.#events, "error", "A server's taste could not be fitted", error);
    });
    if (!taste.server.isFitted) await fit;
    return taste;
  }

  /** How many votes each server's members have taught with. Fits nothing. Throws QueueError. */
  votes(): Promise<ReadonlyMap<string, number>> {
    return this.#turns.runExclusive(async () => {
      await this.#read();
      const counts = [...this.#servers].map(([guildId, { votes }]) => [guildId, votes] as const);
      return new Map(counts.filter(([guildId, votes]) => guildId !== DIRECT && votes > 0));
    });
  }

  /** Ends fits that still run. */
  close(): void {
    this.#fits.close();
  }

  #known(guildId: string): Promise<Taste> {
    return this.#turns.runExclusive(async () => {
      await this.#read();
      return { server: this.#server(guildId), features: this.#features };
    });
  }

  /** Makes a server's taste exact again where that is due. One fit of a server runs at a time. */
  #fit(server: ServerTaste): Promise<void> {
    const running = this.#running.get(server);
    if (running !== undefined) return running;
    if (!server.needsFit) return Promise.resolve();
    const { task, end } = server.begin();
    const fit = this.#fits
      .make(task)
      .then(end)
      .finally(() => this.#running.delete(server));
    this.#running.set(server, fit);
    return fit;
  }

  /** Reads what is new in the store; all, if votes were taken away. */
  async #read(): Promise<void> {
    const mark = await this.#lessons.mark();
    if (mark !== this.#mark) {
      this.#features = new Features();
      this.#ledger = new Ledger();
      this.#servers = new Map();
      this.#lastAt = 0;
      this.#recent = new Map();
      this.#mark = mark;
    }
    let from: LessonKey = { at: this.#lastAt - LATE_MS, jobId: "", userId: "" };
    let until = performance.now() + SLICE_MS;
    for (;;) {
      const lessons = await this.#lessons.after(from);
      if (lessons.length === 0) return;
      for (const lesson of lessons) {
        this.#learn(lesson);
        if (performance.now() < until) continue;
        await nextTurn();
        until = performance.now() + SLICE_MS;
      }
      from = lessons.at(-1)!;
      this.#lastAt = Math.max(this.#lastAt, from.at);
      this.#forgetRead();
      await nextTurn();
      until = performance.now() + SLICE_MS;
    }
  }

  /** Forgets the lessons that no reading begins before. */
  #forgetRead(): void {
    for (const [key, at] of this.#recent) {
      if (at >= this.#lastAt - LATE_MS) return;
      this.#recent.delete(key);
    }
  }

  #learn({ jobId, userId, guildId, chosen, against: text, againstRewriter, at, ...rewritten }: Lesson): void {
    const key = `${jobId} ${userId}`;
    if (this.#recent.has(key)) return;
    this.#recent.set(key, at);
    const server = this.#server(guildId ?? DIRECT);
    const won = chosen === "optimized" ? 1 : 0;
    server.learn({ jobId, userId, won }, () =>
      this.#features.difference(
        text === null ? rewritten : { ...rewritten, against: { text, rewriter: againstRewriter } },
      ),
    );
  }

  #server(guildId: string): ServerTaste {
    const known = this.#servers.get(guildId);
    if (known !== undefined) return known;
    const server = new ServerTaste(this.#ledger);
    this.#servers.set(guildId, server);
    return server;
  }
}
