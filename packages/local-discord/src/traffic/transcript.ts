/** One REST call or gateway payload, in the order that the server saw them. */
export type TranscriptEntry =
  | {
      readonly kind: "rest";
      /** Clock time in milliseconds. */
      readonly at: number;
      readonly method: string;
      /**
       * Path below `/api/v10` as it was sent (discord.js writes `@original` as `%40original`), tokens
       * shortened.
       */
      readonly path: string;
      readonly status: number;
      readonly request: unknown;
      readonly files: readonly { readonly filename: string; readonly bytes: number }[];
      readonly response: unknown;
    }
  | {
      readonly kind: "gateway";
      readonly at: number;
      readonly from: "bot" | "server";
      readonly op: number;
      readonly event: string | null;
      readonly data: unknown;
    };

const KEPT = 5_000;

/** The latest calls and events, for assertions and error messages. */
export class Transcript {
  readonly #entries: TranscriptEntry[] = [];
  readonly #listeners = new Set<(entry: TranscriptEntry) => void>();
  #added = 0;

  add(entry: TranscriptEntry): void {
    this.#entries.push(entry);
    this.#added += 1;
    for (const listener of this.#listeners) listener(entry);
    if (this.#entries.length > KEPT) this.#entries.shift();
  }

  /** Calls `listener` after every entry until the returned function is called. */
  subscribe(listener: (entry: TranscriptEntry) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get entries(): readonly TranscriptEntry[] {
    return this.#entries;
  }

  /**
   * Entries after the first `count`, at most the latest `most` of them, and the total made so far.
   */
  since(count: number, most: number): { entries: readonly TranscriptEntry[]; count: number } {
    const fresh = Math.min(Math.max(0, this.#added - count), most);
    return { entries: fresh === 0 ? [] : this.#entries.slice(-fresh), count: this.#added };
  }

  /** REST calls whose method and path match, oldest first. */
  rest(method?: string, path?: RegExp): Extract<TranscriptEntry, { kind: "rest" }>[] {
    return this.#entries.filter(
      (entry): entry is Extract<TranscriptEntry, { kind: "rest" }> =>
        entry.kind === "rest" &&
        (method === undefined || entry.method === method) &&
        (path === undefined || path.test(entry.path)),
    );
  }

  /** Gateway payloads by event name. */
  gateway(event?: string): Extract<TranscriptEntry, { kind: "gateway" }>[] {
    return this.#entries.filter(
      (entry): entry is Extract<TranscriptEntry, { kind: "gateway" }> =>
        entry.kind === "gateway" && (event === undefined || entry.event === event),
    );
  }

  clear(): void {
    this.#entries.length = 0;
  }

  /** The last `count` entries, one line each. */
  tail(count = 15): string {
    return this.#entries.slice(-count).map(line).join("\n");
  }
}

function line(entry: TranscriptEntry): string {
  if (entry.kind === "rest") {
    const failure = entry.status >= 400 ? ` ${JSON.stringify(entry.response)}` : "";
    return `${entry.method} ${entry.path} -> ${entry.status}${failure}`;
  }
  const arrow = entry.from === "bot" ? "bot ->" : "-> bot";
  return `gateway ${arrow} op ${entry.op}${entry.event === null ? "" : ` ${entry.event}`}`;
}
