import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { LiveEdits } from "../../../src/bot/delivery/live-edits.js";

interface Sent {
  readonly at: number;
  readonly key: string;
  readonly state: number;
}

/** Records what was sent when; an edit takes `tookMs`. */
function recorder({
  gapMs = 1000,
  urgentGapMs = 200,
  burst = { edits: 4, ms: 0 },
  perSecond = 1000,
  tookMs = 0,
} = {}) {
  const sent: Sent[] = [];
  let underway = 0;
  let mostUnderwayOfOne = 0;
  const edits = new LiveEdits<number>({
    gapMs,
    urgentGapMs,
    burst,
    perSecond,
    send: async (key, state) => {
      sent.push({ at: performance.now(), key, state });
      mostUnderwayOfOne = Math.max(mostUnderwayOfOne, ++underway);
      if (tookMs > 0) await new Promise((resolve) => setTimeout(resolve, tookMs));
      underway--;
    },
  });
  return { edits, sent, most: () => mostUnderwayOfOne };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("LiveEdits", () => {
  it("sends the first state at once and then only the newest of each gap, in order", async () => {
    const { edits, sent } = recorder();
    const start = performance.now();
    for (let state = 0; state < 100; state++) {
      edits.push("a", state);
      await vi.advanceTimersByTimeAsync(100);
    }
    await vi.advanceTimersByTimeAsync(1000);
    expect(sent.map(({ state }) => state)).toEqual([0, 9, 19, 29, 39, 49, 59, 69, 79, 89, 99]);
    expect(sent.map(({ at }) => Math.round(at - start))).toEqual([...Array(11).keys()].map((i) => i * 1000));
  });

  it("sends an urgent state after the urgent gap, or a newer one that overtakes it", async () => {
    const { edits, sent } = recorder();
    const start = performance.now();
    edits.push("a", 1);
    await vi.advanceTimersByTimeAsync(50);
    edits.push("a", 2);
    await vi.advanceTimersByTimeAsync(50);
    edits.push("a", 3, true);
    edits.push("a", 4);
    await vi.advanceTimersByTimeAsync(150);
    edits.push("a", 5);
    await vi.advanceTimersByTimeAsync(5000);
    expect(sent.map(({ at, state }) => [Math.round(at - start), state])).toEqual([
      [0, 1],
      [200, 4],
      [1200, 5],
    ]);
  });

  it("sends no more edits of one message than a burst may have, urgent or not", async () => {
    const { edits, sent } = recorder({ burst: { edits: 4, ms: 5000 } });
    const start = performance.now();
    for (let state = 0; state < 120; state++) {
      edits.push("a", state, state < 60);
      await vi.advanceTimersByTimeAsync(100);
    }
    edits.push("b", 1);
    await vi.advanceTimersByTimeAsync(10);
    expect(sent.at(-1)).toMatchObject({ key: "b" });
    const times = sent.filter(({ key }) => key === "a").map(({ at }) => Math.round(at - start));
    expect(times.slice(0, 5)).toEqual([0, 200, 400, 600, 5000]);
    for (const [i, at] of times.entries())
      if (i >= 4) expect(at - times[i - 4]!).toBeGreaterThanOrEqual(5000);
  });

  it("never overlaps edits of one message, however slow they are", async () => {
    const { edits, sent, most } = recorder({ tookMs: 3500 });
    for (let state = 0; state < 20; state++) {
      edits.push("a", state);
      await vi.advanceTimersByTimeAsync(500);
    }
    await vi.advanceTimersByTimeAsync(10_000);
    expect(most()).toBe(1);
    expect(sent.map(({ state }) => state)).toEqual([0, 6, 13, 19]);
  });

  it("shares its rate among all messages, first come first served", async () => {
    const { edits, sent } = recorder({ perSecond: 10 });
    const start = performance.now();
    for (let i = 0; i < 50; i++) edits.push(`m${i}`, i);
    await vi.advanceTimersByTimeAsync(999);
    expect(sent).toHaveLength(10);
    await vi.advanceTimersByTimeAsync(4000);
    expect(sent.map(({ key }) => key)).toEqual([...Array(50).keys()].map((i) => `m${i}`));
    const perSecond = sent.map(({ at }) => Math.floor((at - start) / 1000));
    for (let second = 0; second < 5; second++) expect(perSecond.filter((s) => s === second)).toHaveLength(10);
  });

  it("does not send what Discord shows already", async () => {
    const { edits, sent } = recorder();
    for (const state of [1, 1, 2, 1]) edits.push("a", state);
    await vi.advanceTimersByTimeAsync(5000);
    edits.push("a", 1);
    await vi.advanceTimersByTimeAsync(5000);
    expect(sent.map(({ state }) => state)).toEqual([1]);
  });

  it("sends nothing after close, which waits for the edit under way", async () => {
    const { edits, sent } = recorder({ tookMs: 700 });
    edits.push("a", 1);
    await vi.advanceTimersByTimeAsync(100);
    edits.push("a", 2);
    let closed = false;
    const closing = edits.close("a").then(() => {
      closed = true;
    });
    await vi.advanceTimersByTimeAsync(500);
    expect(closed).toBe(false);
    await vi.advanceTimersByTimeAsync(5000);
    await closing;
    expect(sent.map(({ state }) => state)).toEqual([1]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("leaves no timer behind", async () => {
    const { edits } = recorder({ perSecond: 1 });
    for (let i = 0; i < 5; i++) edits.push(`m${i}`, i);
    await edits.closeAll();
    expect(vi.getTimerCount()).toBe(0);
  });
});
