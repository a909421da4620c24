import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DEFAULT_TEXT_OPTIONS } from "../../../src/core/options.js";
import type { Side } from "../../../src/core/side.js";
import type { Lesson } from "../../../src/db/lessons.js";
import type { Store } from "../../../src/db/store.js";
import { ENGINES, type Engine } from "./engines.js";
import { newJob } from "./fixtures.js";

const START = Date.UTC(2026, 0, 1);
const FIRST = { at: 0, jobId: "", userId: "" };

describe.each(ENGINES)("$name", ({ create }) => {
  let engine: Engine;
  let store: Store;
  let time: number;

  beforeEach(async () => {
    time = START;
    engine = create();
    store = await engine.connect(() => time);
  });
  afterEach(() => engine.destroy());

  /** An open ballot of a given pair. */
  async function pair(author: string, rewrite = "A cat, sharp", guildId: string | null = "guild") {
    const wish = newJob({ user: author, prompts: ["A cat"], rewrites: [rewrite] });
    const job = await store.queue.enqueue({ ...wish, origin: { ...wish.origin, guildId } });
    await store.votes.open(job, null);
    return job.id;
  }
  async function vote(jobId: string, user: string, side: Side | "tie" | "bad") {
    time += 1;
    const left = (await store.votes.ballot(jobId))!.left;
    const choice = side === "tie" || side === "bad" ? side : side === left ? "left" : "right";
    await store.votes.vote(jobId, user, choice);
  }
  async function all(): Promise<Lesson[]> {
    const found: Lesson[] = [];
    for (let page = await store.lessons.after(FIRST); page.length > 0; ) {
      found.push(...page);
      page = await store.lessons.after(page.at(-1)!);
    }
    return found;
  }

  test("are the votes for one of two pictures, in order of time, with their texts", async () => {
    const [first, second] = [await pair("ada"), await pair("ada", "A cat, oil painting", null)];
    await vote(second, "bob", "baseline");
    await vote(first, "bob", "optimized");
    await vote(first, "cyd", "tie");
    await vote(first, "dan", "bad");
    const shared = {
      userId: "bob",
      mode: "given",
      rewriter: "given",
      prompt: "A cat",
      against: null,
      againstRewriter: "none",
    };
    const lessons = [
      {
        ...shared,
        jobId: second,
        guildId: null,
        chosen: "baseline",
        rewrite: "A cat, oil painting",
        at: START + 1,
      },
      {
        ...shared,
        jobId: first,
        guildId: "guild",
        chosen: "optimized",
        rewrite: "A cat, sharp",
        at: START + 2,
      },
    ];
    expect(await all()).toEqual(lessons);
    expect(await store.lessons.after(lessons[0]!)).toEqual(lessons.slice(1));
    expect(await store.lessons.after(lessons[1]!)).toEqual([]);
  });

  test("have both texts of a pair of two rewriters, unless they say the same", async () => {
    const rival = { ...DEFAULT_TEXT_OPTIONS, rewriter: "magicprompt" };
    const duel = async (rewrite: string) => {
      const wish = newJob({ user: "ada", prompts: ["A cat"], rewrites: ["A cat, sharp"] });
      const items = wish.items.map((item) => ({ ...item, against: { text: rival, rewrite } }));
      const job = await store.queue.enqueue({ ...wish, items });
      await store.votes.open(job, null);
      return job.id;
    };
    await vote(await duel("A cat, ink"), "bob", "baseline");
    await vote(await duel(" a cat, SHARP"), "bob", "optimized");
    expect(await all()).toMatchObject([
      { chosen: "baseline", rewrite: "A cat, sharp", against: "A cat, ink", againstRewriter: "magicprompt" },
    ]);
  });

  test("leave out a pair that the rewrite did not change", async () => {
    await vote(await pair("ada", " a CAT "), "bob", "optimized");
    expect(await all()).toEqual([]);
  });

  test("come in pages, of one moment too", async () => {
    const jobId = await pair("ada");
    const left = (await store.votes.ballot(jobId))!.left;
    const choice = left === "optimized" ? "left" : "right";
    // All at once would wait for each other for too long.
    for (let from = 0; from < 1_050; from += 25) {
      const voters = Array.from({ length: 25 }, (_, n) => `${from + n}`);
      await Promise.all(voters.map((voter) => store.votes.vote(jobId, voter, choice)));
    }
    const found = await all();
    expect(found).toHaveLength(1_050);
    expect(new Set(found.map(({ userId }) => userId)).size).toBe(1_050);
    expect((await store.lessons.after(FIRST)).length).toBeLessThan(1_050);
  });

  test("an erasure takes a person's votes, and the texts of their pairs, and changes the mark", async () => {
    const [theirs, other] = [await pair("ada"), await pair("eve")];
    await vote(theirs, "bob", "optimized");
    await vote(other, "ada", "optimized");
    await vote(other, "bob", "baseline");
    const before = await store.lessons.mark();
    await store.votes.erase("ada");
    expect((await all()).map(({ jobId, userId }) => [jobId, userId])).toEqual([[other, "bob"]]);
    const after = await store.lessons.mark();
    expect(after).not.toBe(before);
    expect(await store.lessons.mark()).toBe(after);
    await store.votes.erase("nobody");
    expect(await store.lessons.mark()).toBe(after);
  });

  test("a server forgets its votes up to now, which still count; others keep theirs", async () => {
    const [here, there] = [await pair("ada"), await pair("ada", "A cat, sharp", "elsewhere")];
    await vote(here, "bob", "optimized");
    await vote(there, "bob", "optimized");
    const before = await store.lessons.mark();
    await store.lessons.forget("guild");
    expect(await store.lessons.mark()).not.toBe(before);
    expect((await all()).map(({ jobId }) => jobId)).toEqual([there]);
    expect(await store.votes.total({ guildId: "guild" })).toMatchObject({ optimized: 1 });
    await vote(here, "cyd", "baseline");
    expect((await all()).map(({ userId }) => userId)).toEqual(["bob", "cyd"]);
  });
});
