import { setImmediate as nextTurn } from "node:timers/promises";
import { Mutex } from "async-mutex";
import type { Lesson, LessonKey, Lessons } from "../db/lessons.js";
import { Features } from "./features.js";
import { ServerTaste } from "./server-taste.js";

/** How long the event loop may be held at a time. */
const SLICE_MS = 8;
/** Votes may be stored out of the order of their times by as much. */
const LATE_MS = 5_000;
/** Stands for the server of direct messages. */
const DIRECT = "";
const FIRST: LessonKey = { at: 0, jobId: "", userId: "" };

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
  readonly #turns = new Mutex();
  #features = new Features();
  #servers = new Map<string, ServerTaste>();
  #mark: string | null = null;
  #last = FIRST;
  readonly #fits = new Map<ServerTaste, Promise<void>>();

  constructor(lessons: Lessons) {
    this.#lessons = lessons;
  }

  /** What a server likes, by an exact fit of its votes. Throws QueueError. */
  async of(guildId: string): Promise<Taste> {
    const taste = await this.#known(guildId);
    await this.#fit(taste.server);
    return taste;
  }

  /** The same at once: a fit that is due goes on in the background, unless it is the first. Throws QueueError. */
  async now(guildId: string): Promise<Taste> {
    const taste = await this.#known(guildId);
    const fit = this.#fit(taste.server);
    if (!taste.server.isFitted) await fit;
    return taste;
  }

  #known(guildId: string): Promise<Taste> {
    return this.#turns.runExclusive(async () => {
      await this.#read();
      return { server: this.#server(guildId), features: this.#features };
    });
  }

  /** Makes a server's taste exact again where that is due. One fit of a server runs at a time. */
  #fit(server: ServerTaste): Promise<void> {
    const running = this.#fits.get(server);
    if (running !== undefined) return running;
    const others = [...this.#servers.values()].filter((other) => other !== server);
    if (!server.needsFit(others)) return Promise.resolve();
    const fit = inTurns(server.fit(others)).finally(() => this.#fits.delete(server));
    this.#fits.set(server, fit);
    return fit;
  }

  /** Reads what is new in the store; all, if votes were taken away. */
  async #read(): Promise<void> {
    const mark = await this.#lessons.mark();
    if (mark !== this.#mark) {
      this.#features = new Features();
      this.#servers = new Map();
      this.#last = FIRST;
      this.#mark = mark;
    }
    let from: LessonKey = { at: this.#last.at - LATE_MS, jobId: "", userId: "" };
    for (;;) {
      const lessons = await this.#lessons.after(from);
      if (lessons.length === 0) return;
      for (const lesson of lessons) this.#learn(lesson);
      from = lessons.at(-1)!;
      this.#last = from;
      await nextTurn();
    }
  }

  #learn({ jobId, userId, guildId, chosen, against: text, againstRewriter, ...rewritten }: Lesson): void {
    const server = this.#server(guildId ?? DIRECT);
    if (server.has(jobId, userId)) return;
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
    const features = this.#features;
    const server = new ServerTaste((feature) => features.phrase(feature) !== null);
    this.#servers.set(guildId, server);
    return server;
  }
}

/** Works piece by piece, and lets the event loop run in between. */
async function inTurns(work: Generator<void, void, void>): Promise<void> {
  let until = performance.now() + SLICE_MS;
  while (work.next().done !== true) {
    if (performance.now() < until) continue;
    await nextTurn();
    until = performance.now() + SLICE_MS;
  }
}
