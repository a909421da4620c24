import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { COUNTED_DAYS, DAY_MS, dayOf } from "../../../src/core/quota.js";
import type { Store } from "../../../src/db/store.js";
import { ENGINES, type Engine } from "./engines.js";
import { newJob } from "./fixtures.js";

const START = Date.UTC(2026, 0, 1, 23);
const DAY = dayOf(START);

describe.each(ENGINES)("$name", ({ create }) => {
  let engine: Engine;
  let store: Omit<Store, "close">;
  let time: number;

  beforeEach(async () => {
    time = START;
    engine = create();
    store = await engine.connect(() => time);
  });
  afterEach(() => engine.destroy());

  const picture = (ms: number | null) => ({ file: "a.png", ms, judgement: null });

  /** A comparison that takes 10 ms to rewrite, and 30 and 40 ms to draw. */
  async function draw(userId: string, guildId: string | null): Promise<void> {
    const { queue } = store;
    const wanted = newJob({ user: "ada" });
    const stored = await queue.enqueue({ ...wanted, origin: { ...wanted.origin, userId, guildId } });
    const text = (await queue.claim("text", "loop"))!;
    expect(text.job.id).toBe(stored.id);
    await queue.saveText(text, 0, { rewrite: "x", candidates: [], notes: [], ms: 10 });
    await queue.advance(text);
    const image = (await queue.claim("image", "loop"))!;
    await queue.savePictures(image, 0, { pictures: { baseline: picture(30) } });
    await queue.savePictures(image, 0, { pictures: { optimized: picture(40) }, comparison: "c.png" });
    await queue.complete(image);
  }

  test("what is stored is added to the day, the person and the server", async () => {
    const { usage } = store;
    await draw("ada", "guild");
    await draw("ada", null);
    time += 2 * 60 * 60_000;
    await draw("ada", "guild");
    await draw("bob", "guild");
    expect(await usage.spent({ userId: "ada", guildId: "guild" })).toEqual([
      { day: DAY, ms: 80 },
      { day: DAY + 1, ms: 80 },
    ]);
    expect(await usage.spent({ userId: "ada", guildId: null })).toEqual([{ day: DAY, ms: 80 }]);
    const total = async (filter: Parameters<typeof usage.spent>[0]) =>
      (await usage.spent(filter)).reduce((sum, { ms }) => sum + ms, 0);
    expect(await total({ userId: "ada" })).toBe(240);
    expect(await total({ guildId: "guild" })).toBe(240);
    expect(await total({ guildId: "other" })).toBe(0);
    expect(await usage.ofUser("ada")).toEqual([
      { guildId: null, day: DAY, ms: 80 },
      { guildId: "guild", day: DAY, ms: 80 },
      { guildId: "guild", day: DAY + 1, ms: 80 },
    ]);
  });

  test("a copied picture and a stale claim cost nothing", async () => {
    const { queue, usage } = store;
    const wanted = newJob({ user: "ada" });
    await queue.enqueue({ ...wanted, origin: { ...wanted.origin, userId: "ada", guildId: "guild" } });
    const text = (await queue.claim("text", "loop"))!;
    await queue.recover("all");
    expect(await queue.saveText(text, 0, { rewrite: "x", candidates: [], notes: [], ms: 10 })).toBe(false);
    const again = (await queue.claim("text", "loop"))!;
    await queue.saveText(again, 0, { rewrite: "x", candidates: [], notes: [] });
    await queue.advance(again);
    const image = (await queue.claim("image", "loop"))!;
    await queue.savePictures(image, 0, { pictures: { baseline: picture(null) } });
    expect(await usage.spent({ userId: "ada" })).toEqual([]);
  });

  test("days that count no more are forgotten, and an erased person's use stays the server's alone", async () => {
    const { usage } = store;
    await draw("ada", "guild");
    await draw("bob", "guild");
    await usage.erase("ada");
    await usage.erase("bob");
    expect(await usage.spent({ userId: "ada" })).toEqual([]);
    expect(await usage.ofUser("bob")).toEqual([]);
    expect(await usage.spent({ guildId: "guild" })).toEqual([{ day: DAY, ms: 160 }]);
    time += (COUNTED_DAYS + 1) * DAY_MS;
    await draw("ada", "guild");
    expect(await usage.spent({ guildId: "guild" })).toEqual([{ day: DAY + COUNTED_DAYS + 1, ms: 80 }]);
  });
});
