import { createHash, randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { retry } from "../../core/backoff.js";
import { describe } from "../../core/errors.js";
import { type AppEvents, type Events, log } from "../../core/events.js";
import { clientOptions } from "./connection.js";
import { toQueueError } from "./postgres-error.js";

/** What those who talk to people must know of other programs' work. */
const NEWS = [
  "job.claimed",
  "job.progress",
  "job.preview",
  "job.picture",
  "job.item",
  "job.sheet",
  "job.requeued",
  "job.finished",
  "job.erased",
  "phase.started",
  "phase.finished",
] as const;
/** What concerns those who work as well. */
const ORDERS = [
  "job.cancel-requested",
  "queue.paused",
  "queue.resumed",
  "host.paused",
  "work.elsewhere",
] as const;

type Carried = (typeof NEWS)[number] | (typeof ORDERS)[number];

/** Which of the events that the others emit a program hears. */
export const HEARD = { bot: [...NEWS, ...ORDERS], worker: ORDERS } satisfies Record<
  string,
  readonly Carried[]
>;

/** A program that waits for work hears of all that may be some. */
const MEANS_WORK = ["job.enqueued", "job.requeued"] as const;

/** PostgreSQL takes less than 8000 bytes, of which the numbers of a piece take a few. */
const PIECE = 7_800;
/** No event is larger, and a preview that is isn't worth it. */
const LARGEST = 256 * 1024;
/** Milliseconds between two steps of one picture that are told. */
const PROGRESS_MS = 400;
const RETRY_MS = 200;
const LONGEST_RETRY_MS = 5_000;

export interface RelayOptions {
  readonly url: string;
  readonly events: Events;
  readonly heard: readonly Carried[];
}

/**
 * Carries events between the programs on one database by LISTEN and NOTIFY: what this one's store and loops emit goes
 * to the others, and what they emit is emitted here, as if it had happened here. Each event has a channel of its own,
 * so a worker does not hear how far others are.
 *
 * It is a hint and no more: while the connection is away nothing is carried and nothing is kept, the rows tell all, and
 * whoever listens looks at them now and then anyway. It sends from a connection and transactions of its own, because a
 * commit that notifies takes a lock over the whole server.
 */
export class EventRelay {
  readonly #options: RelayOptions;
  readonly #self = randomUUID();
  readonly #ending = new AbortController();
  readonly #subscriptions: (() => void)[] = [];
  readonly #toldAt = new Map<string, number>();
  /** Pieces of an event that is not whole yet, by the program that sends it. */
  readonly #pieces = new Map<string, readonly string[]>();
  #client: pg.Client | null = null;
  #prefix = "";
  #unsent: { readonly event: Carried; readonly piece: string }[] = [];
  #sending: Promise<void> | null = null;
  /** While what another program told is emitted here. */
  #isHearing = false;

  constructor(options: RelayOptions) {
    this.#options = options;
  }

  /** Begins to listen and to tell; resolves once it is connected. Throws QueueError like `openPostgres`. */
  async start(): Promise<void> {
    const { events } = this.#options;
    // The types relate each name to its arguments; over a list of names TypeScript cannot.
    const emitter = events as NodeJS.EventEmitter;
    const tell = (event: string, to: (body: unknown) => void) => {
      const listener = (body: unknown) => {
        if (!this.#isHearing && this.#client !== null) to(body);
      };
      emitter.on(event, listener);
      this.#subscriptions.push(() => emitter.off(event, listener));
    };
    for (const event of [...NEWS, ...ORDERS]) tell(event, (body) => this.#tell(event, body));
    for (const event of MEANS_WORK) tell(event, () => this.#tell("work.elsewhere", undefined));
    try {
      await this.#connect();
    } catch (error) {
      throw toQueueError(error);
    }
  }

  async stop(): Promise<void> {
    for (const unsubscribe of this.#subscriptions) unsubscribe();
    // What a stop gives back is worth telling.
    await this.#sending;
    this.#ending.abort();
    await this.#client?.end();
  }

  async #connect(): Promise<void> {
    const client = new pg.Client(clientOptions(this.#options.url));
    // `end` follows, and says what to do.
    client.on("error", () => {});
    client.on("notification", ({ channel, payload = "" }) => this.#hear(channel, payload));
    await client.connect();
    const { rows } = await client.query<{ schema: string }>("select current_schema() as schema");
    // A channel belongs to the whole database, and its name has 63 bytes at most.
    const schema = createHash("sha256").update(rows[0]!.schema).digest("hex").slice(0, 12);
    this.#prefix = `promptist_${schema}_`;
    for (const event of this.#options.heard) await client.query(`listen "${this.#prefix}${event}"`);
    this.#client = client;
    client.on("end", () => {
      this.#client = null;
      this.#unsent = [];
      this.#pieces.clear();
      if (!this.#ending.signal.aborted) void this.#connectAgain();
    });
  }

  async #connectAgain(): Promise<void> {
    const { events } = this.#options;
    const onFailure = (error: unknown) => log(events, "debug", describe(error));
    const { signal } = this.#ending;
    try {
      await retry({ firstMs: RETRY_MS, maxMs: LONGEST_RETRY_MS, signal, onFailure }, () => this.#connect());
      // Work may have come meanwhile.
      events.emit("work.elsewhere");
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  #tell(event: Carried, body: unknown): void {
    if (event === "job.progress" && !this.#isDue(body as AppEvents["job.progress"][0])) return;
    const text = toText(body);
    if (text.length > LARGEST) return;
    const count = Math.max(1, Math.ceil(text.length / PIECE));
    for (let i = 0; i < count; i++) {
      const piece = text.slice(i * PIECE, (i + 1) * PIECE);
      this.#unsent.push({ event, piece: `${this.#self} ${i + 1}/${count} ${piece}` });
    }
    this.#sending ??= this.#send().finally(() => {
      this.#sending = null;
    });
  }

  /** Whether it is time to tell another step of a job; the last one of a picture always is. */
  #isDue({ jobId, step, steps }: AppEvents["job.progress"][0]): boolean {
    const now = performance.now();
    const isOver = step >= steps;
    if (!isOver && now - (this.#toldAt.get(jobId) ?? Number.NEGATIVE_INFINITY) < PROGRESS_MS) return false;
    if (isOver) this.#toldAt.delete(jobId);
    else this.#toldAt.set(jobId, now);
    return true;
  }

  /** All that waits, in order, in as few transactions as come. */
  async #send(): Promise<void> {
    // Together what one turn of the event loop emits.
    await delay(0);
    while (this.#unsent.length > 0 && this.#client !== null) {
      const sent = this.#unsent;
      this.#unsent = [];
      try {
        await this.#client.query(
          "select pg_notify($1 || event, piece) from unnest($2::text[], $3::text[]) as told (event, piece)",
          [this.#prefix, sent.map(({ event }) => event), sent.map(({ piece }) => piece)],
        );
      } catch (error) {
        log(this.#options.events, "debug", "other programs could not be told", error);
      }
    }
  }

  #hear(channel: string, payload: string): void {
    const [, from = "", number, count, piece = ""] = /^(\S+) (\d+)\/(\d+) (.*)$/s.exec(payload) ?? [];
    if (from === this.#self) return;
    const before = this.#pieces.get(from) ?? [];
    this.#pieces.delete(from);
    // The beginning of an event may have been missed.
    if (number !== "1" && Number(number) !== before.length + 1) return;
    const pieces = number === "1" ? [piece] : [...before, piece];
    if (number !== count) {
      this.#pieces.set(from, pieces);
      return;
    }
    const text = pieces.join("");
    this.#isHearing = true;
    try {
      (this.#options.events as NodeJS.EventEmitter).emit(
        channel.slice(this.#prefix.length),
        ...(text === "" ? [] : [fromText(text)]),
      );
    } finally {
      this.#isHearing = false;
    }
  }
}

/** JSON in ASCII, so that a character is a byte; bytes as base64. Empty for an event that says nothing. */
function toText(body: unknown): string {
  if (body === undefined) return "";
  // A Buffer's own toJSON would come before a replacer.
  const plain = Object.entries(body as object).map(([key, value]) => [
    key,
    value instanceof Uint8Array ? { base64: Buffer.from(value).toString("base64") } : value,
  ]);
  return JSON.stringify(Object.fromEntries(plain)).replace(
    /[\u0080-\uffff]/g,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

const fromText = (text: string): unknown =>
  JSON.parse(text, (_key, value: unknown) => {
    const isBytes = typeof value === "object" && value !== null && "base64" in value;
    return isBytes ? new Uint8Array(Buffer.from(String(value.base64), "base64")) : value;
  });
