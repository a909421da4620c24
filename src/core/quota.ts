/** Quotas: minutes of the card that a person or a server has a day. */

export const DAY_MS = 24 * 60 * 60_000;
/** Unused minutes of this many days are kept beside today's. */
export const CARRIED_DAYS = 2;
/** Days whose use still counts: a debt that is older is forgiven. */
export const COUNTED_DAYS = 30;

/** The day of a time, counted from the epoch; it begins at midnight UTC. */
export const dayOf = (time: number): number => Math.floor(time / DAY_MS);

/** Milliseconds of the card that were used on a day. */
export interface DayUse {
  readonly day: number;
  readonly ms: number;
}

/** What is left of a quota. */
export interface Left {
  /** Below 0 where a job that had begun took more than there was. */
  readonly leftMs: number;
  /** What was used today. */
  readonly todayMs: number;
  /** When minutes come next: the midnight after which there are some. Milliseconds since the epoch. */
  readonly freeAt: number;
}

/**
 * What is left now. Each midnight adds a day's minutes, up to those of CARRIED_DAYS + 1 days in all, and what was used
 * too much is taken off. Who has not used any for days has the most.
 * @param dailyMs milliseconds a day
 * @param uses in any order, several of one day are added
 */
export function leftOf(dailyMs: number, uses: readonly DayUse[], now: number): Left {
  const most = (CARRIED_DAYS + 1) * dailyMs;
  const today = dayOf(now);
  const usedOn = new Map<number, number>();
  for (const { day, ms } of uses) usedOn.set(day, (usedOn.get(day) ?? 0) + ms);
  let leftMs = most;
  for (let day = today - COUNTED_DAYS; day <= today; day++)
    leftMs = Math.min(most, leftMs + dailyMs) - (usedOn.get(day) ?? 0);
  const nights = leftMs > 0 ? 1 : Math.floor(-leftMs / dailyMs) + 1;
  return { leftMs, todayMs: usedOn.get(today) ?? 0, freeAt: (today + nights) * DAY_MS };
}
