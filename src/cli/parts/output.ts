import cliProgress from "cli-progress";
import { codeOf, type ErrorCode } from "../../core/errors.js";
import { redactor } from "../../core/redact.js";

/**
 * Prints a verb's output: messages and progress bars to stderr, the result to stdout as text or one JSON
 * object.
 */
export class Output {
  readonly json: boolean;
  readonly #redact: (text: string) => string;
  #bar: cliProgress.SingleBar | undefined;

  /** @param redact removes secrets from messages and errors */
  constructor(json: boolean, redact = redactor()) {
    this.json = json;
    this.#redact = redact;
  }

  /** Prints a message for the person at the terminal. */
  say(sentence: string): void {
    this.#endBar();
    process.stderr.write(`${this.#redact(sentence)}\n`);
  }

  /**
   * Prints the verb's result: `data` with `--json`, else `text`. If it can't be written, the exit code is 1.
   */
  result(data: object, text: string): void {
    this.#endBar();
    process.stdout.write(this.json ? `${JSON.stringify(data)}\n` : `${text}\n`, (error) => {
      if (!error) return;
      process.exitCode = 1;
      // A reader that goes away, such as `head`, has read what it wanted.
      if ((error as NodeJS.ErrnoException).code !== "EPIPE") this.say(`promptist: ${error.message}`);
    });
  }

  /** A progress bar on stderr, if that is a terminal; `label` names the work, and a new one what is done now. */
  progress(label: string): (done: number, of: number, now?: string) => void {
    this.#endBar();
    if (!process.stderr.isTTY) return () => {};
    const bar = new cliProgress.SingleBar({
      format: "{label} {bar} {value}/{total}  {eta_formatted} left",
      stream: process.stderr,
      clearOnComplete: true,
      hideCursor: true,
    });
    return (done, of, now = label) => {
      const words = { label: now.padEnd(24) };
      // A message in between has ended the bar.
      if (this.#bar !== bar) {
        this.#bar = bar;
        bar.start(of, done, words);
      } else bar.update(done, words);
      if (done >= of) this.#endBar();
    };
  }

  /** Reports an error; the caller sets the exit code. */
  fail(error: unknown): void {
    this.#endBar();
    const code = codeOf(error);
    const message = this.#redact(error instanceof Error ? error.message : String(error));
    this.failure(code, message);
    process.stderr.write(`promptist: ${message}\n`);
    // Our own errors are messages for the user; anything else is a bug, so print its stack.
    if (code === "INTERNAL" && error instanceof Error && error.stack)
      process.stderr.write(`${this.#redact(error.stack)}\n`);
  }

  /** Prints an error as JSON, if that was asked for. */
  failure(code: ErrorCode, message: string): void {
    if (this.json)
      process.stdout.write(`${JSON.stringify({ error: { code, message: this.#redact(message) } })}\n`);
  }

  #endBar(): void {
    this.#bar?.stop();
    this.#bar = undefined;
  }
}
