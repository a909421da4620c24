import type { Clock } from "./clock.js";

/** First millisecond of Discord's ids: 2015-01-01T00:00:00Z (API reference, "Snowflakes"). */
const EPOCH_MS = 1_420_070_400_000;
const PER_MILLISECOND = 4096;

/** Makes ids of 17 to 19 digits that sort by time and never repeat; the same clock gives the same ids. */
export class SnowflakeFactory {
  #lastMs = 0;
  #increment = 0;

  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  next(): string {
    const nowMs = this.#clock.now() - EPOCH_MS;
    if (nowMs > this.#lastMs) {
      this.#lastMs = nowMs;
      this.#increment = 0;
    } else if (++this.#increment === PER_MILLISECOND) {
      this.#lastMs += 1;
      this.#increment = 0;
    }
    return ((BigInt(this.#lastMs) << 22n) | BigInt(this.#increment)).toString();
  }
}
