import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Job } from "../../../src/core/job.js";
import type { Lessons } from "../../../src/db/lessons.js";
import type { Queue } from "../../../src/db/queue.js";
import type { Choice, Votes } from "../../../src/db/votes.js";
import { ENGINES, type Engine } from "./engines.js";
import { claimNext, newJob } from "./fixtures.js";

const START = Date.UTC(2026, 0, 1);
const NONE = { optimized: 0, baseline: 0, tie: 0, bad: 0 };

describe.each(ENGINES)("$name", ({ create }) => {
  let engine: Engine;
  let queue: Queue;
  let votes: Votes;
  let lessons: Lessons;
  let time: number;

  beforeEach(async () => {
    time = START;
    engine = create();
    ({ queue, votes, lessons } = await engine.connect(() => time));
  });
  afterEach(() => engine.destroy());

  /** A finished pair, rewritten by the program. */
  async function pair({ user = "ada", guildId = "guild" as string | null } = {}): Promise<Job> {
    const wish = newJob({ user, seed: 7 });
    await queue.enqueue({ ...wish, origin: { ...wish.origin, guildId } });
    const text = await claimNext(queue);
    const candidates = [{ text: "A cat, sharp", tokens: 3, score: -1 }];
    await queue.saveText(text, 0, { rewrite: "A cat, sharp", candidates, notes: [] });
    await queue.advance(text);
    const image = await claimNext(queue, "image");
    await queue.saveCheckpoint(image, "image", "stable-diffusion");
    await queue.complete(image);
    return (await queue.get(image.job.id))!;
  }

  /** The choice that means a side of a job's ballot. */
  async function choiceFor(jobId: string, side: "baseline" | "optimized"): Promise<Choice> {
    return (await votes.ballot(jobId))?.left === side ? "left" : "right";
  }

  test("a ballot is opened once and keeps its sides", async () => {
    const job = await pair();
    expect(await votes.ballot(job.id)).toBeUndefined();
    const ballot = await votes.open(job, START + 1_000);
    expect(ballot).toEqual({
      jobId: job.id,
      guildId: "guild",
      channelId: "channel",
      left: expect.stringMatching(/^(baseline|optimized)$/),
      closesAt: START + 1_000,
      closedAt: null,
    });
    for (let n = 0; n < 10; n += 1) expect(await votes.open(job, null)).toEqual(ballot);
    expect(await votes.ballot(job.id)).toEqual(ballot);
  });

  test("a coin decides which side is left", async () => {
    const job = await pair();
    const lefts = new Set<string>();
    // All on one side has a chance of 2 in 2^40.
    for (let n = 0; n < 40; n += 1) lefts.add((await votes.open({ ...job, id: `job ${n}` }, null)).left);
    expect([...lefts].sort()).toEqual(["baseline", "optimized"]);
  });

  test("each person has one vote, the first one, until the ballot closes", async () => {
    const { id } = await pair();
    expect(await votes.vote(id, "ada", "left")).toBe("closed");
    await votes.open((await queue.get(id))!, null);
    const optimized = await choiceFor(id, "optimized");
    const baseline = await choiceFor(id, "baseline");
    expect(await votes.vote(id, "ada", optimized)).toEqual({ counted: optimized, isFirst: true });
    expect(await votes.vote(id, "bob", baseline)).toEqual({ counted: baseline, isFirst: true });
    expect(await votes.vote(id, "cyd", "tie")).toEqual({ counted: "tie", isFirst: true });
    expect(await votes.tally(id)).toEqual({ optimized: 1, baseline: 1, tie: 1, bad: 0 });
    expect(await votes.vote(id, "bob", optimized)).toEqual({ counted: baseline, isFirst: false });
    expect(await votes.vote(id, "cyd", "bad")).toEqual({ counted: "tie", isFirst: false });
    expect(await votes.tally(id)).toEqual({ optimized: 1, baseline: 1, tie: 1, bad: 0 });

    time += 5;
    expect(await votes.close(id)).toBe(true);
    expect(await votes.close(id)).toBe(false);
    expect(await votes.close("unknown")).toBe(false);
    expect((await votes.ballot(id))?.closedAt).toBe(START + 5);
    expect(await votes.vote(id, "dan", optimized)).toBe("closed");
    expect(await votes.tally(id)).toEqual({ optimized: 1, baseline: 1, tie: 1, bad: 0 });
    expect(await votes.tally("unknown")).toEqual(NONE);
  });

  test("ballots are due in the order of their closing times, those without one never", async () => {
    expect(await votes.nextDueAt()).toBeNull();
    const [never, late, early] = [await pair(), await pair(), await pair()];
    await votes.open(never, null);
    expect(await votes.nextDueAt()).toBeNull();
    await votes.open(late, START + 2_000);
    await votes.open(early, START + 1_000);
    expect(await votes.nextDueAt()).toBe(START + 1_000);
    expect(await votes.due()).toEqual([]);
    time += 2_000;
    expect((await votes.due()).map(({ jobId }) => jobId)).toEqual([early.id, late.id]);
    await votes.close(early.id);
    expect((await votes.due()).map(({ jobId }) => jobId)).toEqual([late.id]);
    expect(await votes.nextDueAt()).toBe(START + 2_000);
  });

  test("totals count by server, voter and mode", async () => {
    const here = await pair();
    const there = await pair({ guildId: "elsewhere" });
    const direct = await pair({ guildId: null });
    const given = { ...(await pair()), id: "given" };
    const noCandidates = { ...given, items: given.items.map((item) => ({ ...item, candidates: [] })) };
    for (const job of [here, there, direct, noCandidates]) await votes.open(job, null);
    for (const [job, user] of [
      [here, "ada"],
      [here, "bob"],
      [there, "ada"],
      [direct, "ada"],
    ] as const)
      await votes.vote(job.id, user, await choiceFor(job.id, "optimized"));
    await votes.vote("given", "bob", "bad");

    expect(await votes.total({})).toEqual({ ...NONE, optimized: 4, bad: 1 });
    expect(await votes.total({ guildId: null })).toEqual({ ...NONE, optimized: 4, bad: 1 });
    expect(await votes.total({ guildId: "guild" })).toEqual({ ...NONE, optimized: 2, bad: 1 });
    expect(await votes.total({ guildId: "guild", userId: "ada" })).toEqual({ ...NONE, optimized: 1 });
    expect(await votes.by("mode", {}, 10)).toEqual([
      { key: "beam", ...NONE, optimized: 4 },
      { key: "given", ...NONE, bad: 1 },
    ]);
    expect(await votes.by("user", { guildId: "guild" }, 10)).toEqual([
      { key: "bob", ...NONE, optimized: 1, bad: 1 },
      { key: "ada", ...NONE, optimized: 1 },
    ]);
  });

  test("duels tell who wrote what people voted between", async () => {
    const job = await pair();
    const other = { ...job.text, rewriter: "magicprompt" };
    const [item] = job.items;
    await votes.open(job, null);
    await votes.open({ ...job, id: "magic", text: other }, null);
    await votes.open({ ...job, id: "own way", items: [{ ...item!, text: other }] }, null);
    // What a person made of a rewrite is no rewriter's any more.
    await votes.open({ ...job, id: "reworded", items: [{ ...item!, rewrite: "A cat, blurry" }] }, null);
    await votes.open({ ...job, id: "same", items: [{ ...item!, rewrite: item!.prompt }] }, null);
    for (const [id, side] of [
      [job.id, "optimized"],
      ["magic", "baseline"],
      ["own way", "optimized"],
      ["reworded", "baseline"],
      ["same", "optimized"],
    ] as const)
      await votes.vote(id, "bob", await choiceFor(id, side));
    await votes.vote(job.id, "eve", "tie");
    const duels = await votes.duels({ guildId: "guild" });
    expect(duels.sort((a, b) => (a.optimizedRewriter < b.optimizedRewriter ? -1 : 1))).toEqual([
      { baselineRewriter: "none", optimizedRewriter: "given", ...NONE, baseline: 1 },
      { baselineRewriter: "none", optimizedRewriter: "magicprompt", ...NONE, optimized: 1, baseline: 1 },
      { baselineRewriter: "none", optimizedRewriter: "promptist", ...NONE, optimized: 1, tie: 1 },
    ]);
    expect(await votes.duels({ guildId: "elsewhere" })).toEqual([]);
  });

  test("votes on a pair that the rewrite did not change are kept and not counted", async () => {
    const job = await pair();
    const items = job.items.map((item) => ({ ...item, rewrite: " a CAT in the rain" }));
    await votes.open({ ...job, items }, null);
    await votes.vote(job.id, "ada", "left");
    expect(await votes.tally(job.id)).toEqual(NONE);
    expect(await votes.total({})).toEqual(NONE);
    expect(await votes.by("mode", {}, 10)).toEqual([]);
    expect(await votes.by("user", {}, 10)).toEqual([]);
    expect(await votes.exported({ jobId: job.id, userId: "ada" })).toMatchObject({ counted: false });
  });

  test("a vote is exported with its prompts, also when the job is gone", async () => {
    const job = await pair();
    const { left } = await votes.open(job, null);
    await votes.vote(job.id, "bob", "left");
    time += 1_000;
    await votes.vote(job.id, "ada", "tie");
    const keys = [
      { jobId: job.id, userId: "bob" },
      { jobId: job.id, userId: "ada" },
    ];
    expect(await votes.keys({})).toEqual(keys);
    expect(await votes.keys({ userId: "ada" })).toEqual([keys[1]]);
    expect(await votes.keys({ guildId: "elsewhere" })).toEqual([]);
    const vote = {
      job: job.id,
      voter: "bob",
      choice: left,
      leftSide: left,
      prompt: "A cat in the rain",
      against: null,
      optimized: "A cat, sharp",
      seed: 7,
      mode: "beam",
      baselineRewriter: "none",
      optimizedRewriter: "promptist",
      checkpoint: "stable-diffusion",
      propensity: null,
      votedAt: "2026-01-01T00:00:00.000Z",
      counted: true,
    };
    expect(await votes.exported(keys[0]!)).toEqual(vote);
    expect(await votes.exported(keys[1]!)).toMatchObject({ voter: "ada", choice: "tie" });
    expect(await votes.exported({ jobId: job.id, userId: "eve" })).toBeUndefined();
  });

  test("weighs the pairs that taste chose by their propensities, to tell what the first would have won", async () => {
    const chosen = async (isFirst: boolean, propensity: number, won: number, lost: number) => {
      const job = await pair();
      const note = { code: "taste", isFirst, propensity, explores: false, liked: [], disliked: [] } as const;
      await votes.open({ ...job, items: job.items.map((item) => ({ ...item, notes: [note] })) }, null);
      const [win, lose] = [await choiceFor(job.id, "optimized"), await choiceFor(job.id, "baseline")];
      for (let n = 0; n < won + lost; n++) await votes.vote(job.id, `voter ${n}`, n < won ? win : lose);
      await votes.vote(job.id, "undecided", "tie");
      return { jobId: job.id, userId: "undecided" };
    };
    expect(await votes.tasteShares("guild")).toEqual({ with: null, without: null });
    const other = await pair();
    await votes.open(other, null);
    await votes.vote(other.id, "bob", "left");
    await chosen(true, 0.25, 3, 1);
    await chosen(true, 1, 0, 4);
    const key = await chosen(false, 0.95, 8, 0);
    const shares = await votes.tasteShares("guild");
    expect(shares.with).toMatchObject({ share: 11 / 16, n: 16 });
    // Three of four, worth four times as much as none of four.
    expect(shares.without).toMatchObject({ share: 12 / 20, n: 8 });
    expect(shares.without!.low).toBeLessThan(0.2);
    expect(shares.without!.high).toBeGreaterThan(0.9);
    expect(await votes.exported(key)).toMatchObject({ propensity: 0.95 });
    expect(await votes.tasteShares("elsewhere")).toEqual({ with: null, without: null });
  });

  test("a vote between two rewriters is told as one, ranks them, and counts for no rewrite", async () => {
    const wish = newJob({ user: "ada", seed: 7 });
    const other = { ...wish.text, rewriter: "magicprompt" };
    const items = [{ prompt: "A cat", rewrite: null, against: { text: other, rewrite: null } }];
    const { id } = await queue.enqueue({ ...wish, origin: { ...wish.origin, guildId: "guild" }, items });
    expect(await queue.work()).toMatchObject([{ id, texts: 2 }]);
    const claim = await claimNext(queue);
    const rewrite = "A cat, sharp";
    const candidates = [{ text: rewrite, tokens: 3, score: -1 }];
    await queue.saveText(claim, 0, {
      side: "baseline",
      rewrite: "A cat, ink",
      candidates: [],
      notes: [],
      ms: 5,
    });
    expect(await queue.work()).toMatchObject([{ id, texts: 1 }]);
    await queue.saveText(claim, 0, { rewrite, candidates, notes: [], ms: 7 });
    const job = (await queue.get(id))!;
    expect(job.items[0]).toMatchObject({
      rewrite,
      rewriteMs: 7,
      candidates,
      against: { text: other, rewrite: "A cat, ink", ms: 5 },
    });
    await votes.open(job, null);
    await votes.vote(id, "bob", await choiceFor(id, "baseline"));
    expect(await votes.tally(id)).toEqual({ ...NONE, baseline: 1 });
    expect(await votes.total({ guildId: "guild" })).toEqual(NONE);
    expect(await votes.by("user", {}, 10)).toEqual([]);
    expect(await votes.duels({})).toEqual([
      { ...NONE, baselineRewriter: "magicprompt", optimizedRewriter: "promptist", baseline: 1 },
    ]);
    expect(await votes.exported({ jobId: id, userId: "bob" })).toMatchObject({
      prompt: "A cat",
      against: "A cat, ink",
      optimized: rewrite,
      counted: true,
    });
    // Taste learns from what one of them has and the other lacks.
    expect(await lessons.after({ at: 0, jobId: "", userId: "" })).toMatchObject([{ against: "A cat, ink" }]);
    // Two texts that say the same make the same picture.
    const same = {
      ...job,
      id: "same",
      items: [{ ...job.items[0]!, against: { text: other, rewrite, ms: 5 } }],
    };
    await votes.open(same, null);
    await votes.vote("same", "bob", "left");
    expect(await votes.tally("same")).toEqual(NONE);
    await votes.erase("ada");
    expect(await votes.exported({ jobId: id, userId: "bob" })).toMatchObject({ prompt: null, against: null });
  });

  test("erasing a person takes their votes and texts, and leaves the votes of others", async () => {
    const [adas, bobs] = [await pair({ user: "ada" }), await pair({ user: "bob" })];
    const unvoted = await pair({ user: "ada" });
    const same = await pair({ user: "ada" });
    const items = same.items.map((item) => ({ ...item, rewrite: item.prompt }));
    await votes.open(unvoted, null);
    await votes.open({ ...same, items }, null);
    await votes.vote(unvoted.id, "ada", "left");
    await votes.vote(same.id, "bob", "left");
    for (const job of [adas, bobs]) {
      await votes.open(job, null);
      for (const user of ["ada", "bob"]) await votes.vote(job.id, user, "tie");
    }
    await votes.erase("ada");
    expect(await votes.ballot(unvoted.id)).toBeUndefined();
    expect(await votes.ballot(same.id)).toBeUndefined();
    expect(await votes.ballot(adas.id)).toMatchObject({ closedAt: time });
    expect(await votes.ballot(bobs.id)).toMatchObject({ closedAt: null });
    const keys = await votes.keys({});
    expect(keys.map(({ userId }) => userId)).toEqual(["bob", "bob"]);
    expect(keys.map(({ jobId }) => jobId).sort()).toEqual([adas.id, bobs.id].sort());
    expect(await votes.exported({ jobId: adas.id, userId: "bob" })).toMatchObject({
      choice: "tie",
      prompt: null,
      optimized: null,
      seed: null,
      counted: true,
    });
    expect(await votes.total({})).toEqual({ ...NONE, tie: 2 });
  });
});
