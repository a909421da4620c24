/** What a worker may print each second, in characters. A healthy one prints a few lines in its life. */
const PER_SECOND = 1 << 16;
const TAIL_LINES = 8;
const TAIL_LINE_LENGTH = 1_000;

/**
 * What a worker prints, as lines: passes on as much as fits in a log, and says how many lines it left out. Keeps
 * the last lines for the report of the worker's death.
 */
export class WorkerOutput {
  readonly #pass: (line: string) => void;
  readonly #now: () => number;
  readonly #tail: string[] = [];
  #secondBegan = Number.NEGATIVE_INFINITY;
  #printed = 0;
  #leftOut = 0;

  /** @param now returns milliseconds of a clock that only goes forward */
  constructor(pass: (line: string) => void, now: () => number = () => performance.now()) {
    this.#pass = pass;
    this.#now = now;
  }

  /** Takes what the worker printed, as it came from the pipe. */
  take(text: string): void {
    for (const line of text.split(/\r?\n/)) {
      if (line.trim() === "") continue;
      this.#tail.push(line.slice(0, TAIL_LINE_LENGTH));
      if (this.#tail.length > TAIL_LINES) this.#tail.shift();
      if (!this.#fits(line)) {
        this.#leftOut += 1;
        continue;
      }
      this.end();
      this.#pass(line);
    }
  }

  /** Says how many lines were left out since it last said so. */
  end(): void {
    if (this.#leftOut === 0) return;
    const lines = this.#leftOut;
    this.#leftOut = 0;
    this.#pass(`${lines} line(s) left out: it printed more than ${PER_SECOND / 1024} KiB in a second`);
  }

  /** The last lines that the worker printed, long ones cut. */
  get tail(): readonly string[] {
    return this.#tail;
  }

  #fits(line: string): boolean {
    const now = this.#now();
    if (now - this.#secondBegan >= 1_000) {
      this.#secondBegan = now;
      this.#printed = 0;
    }
    this.#printed += line.length;
    return this.#printed <= PER_SECOND;
  }
}
