import { createHash } from "node:crypto";
import type { Clock } from "../world/clock.js";

/** `limit` calls per `windowMs` for each top-level resource (channel, guild, webhook). */
export interface Bucket {
  readonly name: string;
  readonly limit: number;
  readonly windowMs: number;
  /** Interaction endpoints do not count against the global limit (topics/rate-limits). */
  readonly outsideGlobal?: boolean;
}

interface Window {
  remaining: number;
  resetAt: number;
}

export interface Verdict {
  readonly allowed: boolean;
  readonly headers: Record<string, string>;
  /** Body of the 429. */
  readonly body?: { message: string; retry_after: number; global: boolean };
}

/** Fixed windows, as at Discord: the first call opens one; when it ends, the count restarts at once. */
export class RateLimiter {
  readonly #windows = new Map<string, Window>();
  readonly #global: Window = { remaining: 0, resetAt: 0 };

  readonly #clock: Clock;
  readonly #globalPerSecond: number;

  constructor(clock: Clock, globalPerSecond: number) {
    this.#clock = clock;
    this.#globalPerSecond = globalPerSecond;
  }

  /** Counts one call to `bucket` on `resource`, the id that the limit is counted by. */
  take(bucket: Bucket, resource: string): Verdict {
    if (this.#globalPerSecond === 0) return { allowed: true, headers: {} };
    const now = this.#clock.now();
    if (bucket.outsideGlobal !== true && !this.#takeGlobal(now)) {
      return this.#refusal(this.#global.resetAt - now, true, {});
    }
    const key = `${bucket.name}:${resource}`;
    let window = this.#windows.get(key);
    if (window === undefined || window.resetAt <= now) {
      window = { remaining: bucket.limit, resetAt: now + bucket.windowMs };
      this.#windows.set(key, window);
      if (this.#windows.size > 1_000) this.#sweep(now);
    }
    const allowed = window.remaining > 0;
    if (allowed) window.remaining -= 1;
    const headers = {
      "X-RateLimit-Limit": String(bucket.limit),
      "X-RateLimit-Remaining": String(window.remaining),
      "X-RateLimit-Reset": (window.resetAt / 1000).toFixed(3),
      "X-RateLimit-Reset-After": ((window.resetAt - now) / 1000).toFixed(3),
      "X-RateLimit-Bucket": createHash("md5").update(bucket.name).digest("hex"),
    };
    return allowed ? { allowed, headers } : this.#refusal(window.resetAt - now, false, headers);
  }

  #takeGlobal(now: number): boolean {
    if (this.#global.resetAt <= now) {
      this.#global.remaining = this.#globalPerSecond;
      this.#global.resetAt = now + 1000;
    }
    if (this.#global.remaining === 0) return false;
    this.#global.remaining -= 1;
    return true;
  }

  #refusal(waitMs: number, global: boolean, headers: Record<string, string>): Verdict {
    const seconds = Math.max(0.001, waitMs / 1000);
    return {
      allowed: false,
      headers: {
        ...headers,
        "Retry-After": String(Math.ceil(seconds)),
        "X-RateLimit-Scope": global ? "global" : "user",
        ...(global ? { "X-RateLimit-Global": "true" } : {}),
      },
      body: {
        message: "You are being rate limited.",
        retry_after: Number(seconds.toFixed(3)),
        global,
      },
    };
  }

  #sweep(now: number): void {
    for (const [key, window] of this.#windows) if (window.resetAt <= now) this.#windows.delete(key);
  }
}
