import { describe, expect, it } from "vitest";
import { DAY_MS, dayOf, leftOf } from "../../src/core/quota.js";

const MINUTE = 60_000;
const DAILY = 10 * MINUTE;
const NOON = Date.UTC(2026, 0, 10, 12);
const TODAY = dayOf(NOON);
const MIDNIGHT = (TODAY + 1) * DAY_MS;
const left = (...uses: readonly [day: number, minutes: number][]) =>
  leftOf(
    DAILY,
    uses.map(([day, minutes]) => ({ day: TODAY + day, ms: minutes * MINUTE })),
    NOON,
  );

describe("leftOf", () => {
  it("gives who has not drawn for days three days' minutes, and no more", () => {
    expect(left()).toEqual({ leftMs: 30 * MINUTE, todayMs: 0, freeAt: MIDNIGHT });
    expect(left([-20, 30]).leftMs).toBe(30 * MINUTE);
  });

  it("takes off what was used, and adds a day's minutes at each midnight", () => {
    expect(left([0, 4], [0, 3])).toEqual({ leftMs: 23 * MINUTE, todayMs: 7 * MINUTE, freeAt: MIDNIGHT });
    expect(left([-1, 30]).leftMs).toBe(10 * MINUTE);
    expect(left([-2, 30]).leftMs).toBe(20 * MINUTE);
    expect(left([-1, 30], [0, 10])).toMatchObject({ leftMs: 0, freeAt: MIDNIGHT });
  });

  it("takes what a job took beyond the last minute from the next days, and says when there are some again", () => {
    const { leftMs, freeAt } = left([0, 55]);
    expect(leftMs).toBe(-25 * MINUTE);
    expect(freeAt).toBe(MIDNIGHT + 2 * DAY_MS);
    expect(leftOf(DAILY, [{ day: TODAY, ms: 55 * MINUTE }], freeAt - 1).leftMs).toBeLessThanOrEqual(0);
    expect(leftOf(DAILY, [{ day: TODAY, ms: 55 * MINUTE }], freeAt).leftMs).toBe(5 * MINUTE);
    // Of a debt of whole days, the midnight that pays it leaves nothing.
    expect(left([0, 50]).freeAt).toBe(MIDNIGHT + 2 * DAY_MS);
    expect(leftOf(DAILY, [{ day: TODAY, ms: 50 * MINUTE }], MIDNIGHT + 2 * DAY_MS).leftMs).toBe(10 * MINUTE);
  });

  it("forgives what is older than a month", () => {
    expect(left([-31, 10_000]).leftMs).toBe(30 * MINUTE);
    expect(left([-30, 10_000]).leftMs).toBeLessThan(0);
  });
});
