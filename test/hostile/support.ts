import { appendFileSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import fc from "fast-check";
import { within } from "../support/within.js";

/** How many cases a property runs: `few` in CI, FUZZ_CASES in `bench/fuzz.mjs`. */
export const cases = (few: number): number => Number(process.env.FUZZ_CASES ?? few);

/**
 * A fixed seed in CI, so that only code changes cause failures; the long run draws one and prints it on
 * failure.
 */
export const parameters = <T>(few: number): fc.Parameters<T> => ({
  numRuns: cases(few),
  ...(process.env.FUZZ_CASES === undefined ? { seed: 20_261_124 } : {}),
});

/**
 * Milliseconds that calls take, by the clock or this process' CPU time, whichever is less, because another
 * process may have the core. A slow call is repeated, because it may have paid for an earlier call's garbage.
 */
export class Timings {
  readonly #values: number[] = [];

  /** Runs and times `action`. Throws if even the best of five runs takes `within(limitMs)` or more. */
  take<T>(limitMs: number, what: string, action: () => T): T {
    let best = Number.POSITIVE_INFINITY;
    for (let tries = 0; ; tries++) {
      const started = performance.now();
      const cpu = process.cpuUsage();
      const answer = action();
      const { user, system } = process.cpuUsage(cpu);
      best = Math.min(best, performance.now() - started, (user + system) / 1000);
      const last = tries === 4;
      const allowed = last ? within(limitMs) : limitMs;
      if (best < allowed) {
        this.#values.push(best);
        return answer;
      }
      if (last)
        throw new Error(`${what} took ${best.toFixed(0)} ms at best, ${allowed.toFixed(0)} are allowed`);
    }
  }

  /** In milliseconds. */
  figures(): { calls: number; median: number; p99: number; max: number } {
    const sorted = this.#values.sort((a, b) => a - b);
    const at = (share: number) =>
      Math.round((sorted[Math.ceil(share * sorted.length) - 1] ?? 0) * 1000) / 1000;
    return { calls: sorted.length, median: at(0.5), p99: at(0.99), max: at(1) };
  }
}

export const BLOCKED_AT_MOST_MS = 100;
/** Another process may have the core, but what the code itself blocks it blocks every time. */
export const TRIES = 5;

/** The longest time in milliseconds that `action` blocks the event loop, the least of several runs. */
export async function blocked(action: () => Promise<unknown>): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let tries = 0; tries < TRIES && least >= BLOCKED_AT_MOST_MS / 2; tries++) {
    const loop = monitorEventLoopDelay({ resolution: 1 });
    loop.enable();
    // The monitor measures from its first tick on, so an immediate block would be missed without this wait.
    await delay(5);
    await action();
    await delay(5);
    loop.disable();
    least = Math.min(least, loop.max / 1e6);
  }
  return least;
}

/** Adds a line to the long run's report. */
export function report(name: string, figures: Readonly<Record<string, unknown>>): void {
  const file = process.env.FUZZ_REPORT;
  if (file !== undefined) appendFileSync(file, `${JSON.stringify({ name, ...figures })}\n`);
}

/** One character of any plane, lone surrogates included. */
const unit = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(..."abcdefgh ,.-'") },
  fc.integer({ min: 0, max: 0x1f }).map((code) => String.fromCharCode(code)),
  fc.integer({ min: 0x7f, max: 0xffff }).map((code) => String.fromCharCode(code)),
  fc.integer({ min: 0x1_0000, max: 0x10_ffff }).map((code) => String.fromCodePoint(code)),
  fc.constantFrom(
    ..."\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff\u0301\u200d",
  ),
);

/** Typical attempts: Markdown, mentions, links, other programs' formats. */
const pieces = fc.constantFrom(
  "@everyone",
  "@here",
  "<@1234567890123456789>",
  "<@!1234567890123456789>",
  "<@&1234567890123456789>",
  "<#1234567890123456789>",
  "<:x:1234567890123456789>",
  "</help:1234567890123456789>",
  "<t:0:R>",
  "<id:customize>",
  "@\u200beveryone",
  "@\u202eeveryone",
  "```",
  "``",
  "`",
  "~~~",
  "||",
  "**",
  "__",
  "\n> ",
  "\n>>> ",
  "\n# ",
  "\n- ",
  "-# ",
  "[x](https://example.com)",
  "https://example.com",
  "<https://example.com>",
  "discord.gg/x",
  "\\",
  "\r\n",
  "$(x)",
  "{{x}}",
  "%s%n",
  "../../etc/passwd",
  "';--",
  "<script>",
  "=1+1",
  "__proto__",
  "constructor",
  "undefined",
  "👨‍👩‍👧‍👦",
  "ﷺ",
);

/** Characters repeated thousands of times: the worst case for code that compares or marks. */
const repeated = fc
  .tuple(fc.oneof(pieces, unit, fc.constantFrom("x", ". ", "it's ", "猫", "a b ", ",")), fc.nat(6000))
  .map(([piece, count]) => piece.repeat(Math.max(1, Math.ceil(count / piece.length))));

/** A text of at most 6,000 units, such as nobody would write. */
export const hostileText: fc.Arbitrary<string> = fc
  .oneof(
    {
      weight: 6,
      arbitrary: fc.array(fc.oneof(unit, pieces), { maxLength: 60 }).map((parts) => parts.join("")),
    },
    { weight: 2, arbitrary: fc.array(pieces, { maxLength: 20 }).map((parts) => parts.join(" ")) },
    { weight: 1, arbitrary: repeated },
    { weight: 1, arbitrary: fc.tuple(repeated, repeated).map((parts) => parts.join("")) },
  )
  .map((text) => text.slice(0, 6000));
