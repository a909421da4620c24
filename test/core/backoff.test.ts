import { describe, expect, it } from "vitest";
import { atMost, backoffMs, retry } from "../../src/core/backoff.js";

describe("the wait after a failure", () => {
  it.each([
    [0, 100],
    [1, 200],
    [5, 3_200],
    [6, 5_000],
    [10_000, 5_000],
  ])("after %d earlier ones is %d ms", (failures, ms) => expect(backoffMs(failures, 100, 5_000)).toBe(ms));
});

describe("retry", () => {
  const failing = (times: number) => {
    let calls = 0;
    return async () => {
      calls++;
      if (calls <= times) throw new Error(`failure ${calls}`);
      return calls;
    };
  };
  const { signal } = new AbortController();

  it("repeats a task until it succeeds, and doubles the wait", async () => {
    const delays: number[] = [];
    const onFailure = (_: unknown, delayMs: number) => delays.push(delayMs);
    expect(await retry({ firstMs: 1, maxMs: 4, signal, onFailure }, failing(4))).toBe(5);
    expect(delays).toEqual([1, 2, 4, 4]);
  });

  it("ends with what onFailure throws", async () => {
    const onFailure = (error: unknown) => {
      throw error;
    };
    await expect(retry({ firstMs: 1, signal, onFailure }, failing(1))).rejects.toThrow("failure 1");
  });

  it("ends its wait when the signal aborts", async () => {
    const stopping = new AbortController();
    const onFailure = () => stopping.abort();
    const endless = retry({ firstMs: 3_600_000, signal: stopping.signal, onFailure }, failing(1));
    await expect(endless).rejects.toMatchObject({ name: "AbortError" });
  });
});

describe("atMost", () => {
  it("waits for work that ends in time, and throws its error", async () => {
    let ended = false;
    await atMost(
      60_000,
      Promise.resolve().then(() => {
        ended = true;
      }),
    );
    expect(ended).toBe(true);
    await expect(atMost(60_000, Promise.reject(new Error("no")))).rejects.toThrow("no");
  });

  it("does not wait for work that takes longer", async () => {
    await atMost(1, new Promise(() => {}));
  });
});
