import { describe, expect, test } from "vitest";
import { createEvents } from "../../src/core/events.js";
import { VOTER_MAX } from "../../src/taste/fit.js";
import { knownPhrases } from "../../src/taste/known-phrases.js";
import { Tastes } from "../../src/taste/tastes.js";
import { InMemory } from "./lessons.js";

const phrasesOf = async (tastes: Tastes, guildId = "guild") => knownPhrases(await tastes.of(guildId));
const phrase = async (tastes: Tastes, name: string, guildId = "guild") =>
  (await phrasesOf(tastes, guildId)).phrases.find((known) => known.phrase === name)!;

/** Sharp wins three in four, blurry one in four. */
function opinions(lessons: InMemory, times: number, guildId = "guild") {
  for (let n = 0; n < times; n++) {
    lessons.add("Sharp", n % 4 === 0 ? "baseline" : "optimized", { guildId });
    lessons.add("blurry,  oil  painting", n % 4 === 0 ? "optimized" : "baseline", { guildId });
  }
}

describe("a server's taste", () => {
  test("knows what wins and what loses, the surest first, and how sure that is", async () => {
    const lessons = new InMemory();
    opinions(lessons, 300);
    const { votes, phrases } = await phrasesOf(new Tastes(lessons, createEvents()));
    expect(votes).toBe(600);
    expect(phrases.map((known) => known.phrase)).toEqual(["sharp", "blurry", "oil painting"]);
    const [sharp, , blurry] = phrases;
    expect(sharp!.interval.low).toBeGreaterThan(0.5);
    expect(blurry!.share).toBeLessThan(0.5);
    expect(sharp).toMatchObject({ n: 300 });
  });

  test("is hardly moved by few votes, and learns more with each", async () => {
    const lessons = new InMemory();
    const tastes = new Tastes(lessons, createEvents());
    lessons.add("sharp", "optimized");
    lessons.add("sharp", "optimized");
    const few = await phrase(tastes, "sharp");
    expect(few.share).toBeGreaterThan(0.5);
    expect(few.share).toBeLessThan(0.57);
    for (let n = 0; n < 5; n++) lessons.add("sharp", "optimized");
    const more = await phrase(tastes, "sharp");
    expect(more.share).toBeGreaterThan(few.share);
    expect(more.deviation).toBeLessThan(few.deviation);
    expect(more.n).toBe(7);
  });

  test("shows no phrase that stood in one pair alone", async () => {
    const lessons = new InMemory();
    lessons.add("my secret", "optimized");
    expect(await phrasesOf(new Tastes(lessons, createEvents()))).toEqual({ votes: 1, phrases: [] });
  });

  test("counts each vote once, however often it is asked", async () => {
    const lessons = new InMemory();
    const tastes = new Tastes(lessons, createEvents());
    opinions(lessons, 4);
    const first = await phrasesOf(tastes);
    expect(await phrasesOf(tastes)).toEqual(first);
    expect(first.votes).toBe(8);
  });

  test("is exactly as if a person had never voted, once that person is erased", async () => {
    const [lessons, never] = [new InMemory(), new InMemory()];
    opinions(lessons, 10);
    const others = [...lessons.votes];
    for (let n = 0; n < 30; n++) lessons.add("sharp, blurry", "baseline", { user: "ada" });
    const tastes = new Tastes(lessons, createEvents());
    const before = await phrasesOf(tastes);
    lessons.remove(({ userId }) => userId !== "ada");
    never.votes = others;
    const after = await phrasesOf(tastes);
    expect(after).toEqual(await phrasesOf(new Tastes(never, createEvents())));
    expect(after).not.toEqual(before);
  });

  test("is left as it was when the program stops, which nobody is told of", async () => {
    const lessons = new InMemory();
    const events = createEvents();
    const logged: unknown[] = [];
    events.on("log", (line) => logged.push(line));
    const tastes = new Tastes(lessons, events);
    // Too many phrases for a fit without a thread.
    for (let n = 0; n < 200; n++) lessons.add(`sharp, words ${n}`, "optimized");
    tastes.close();
    await expect(tastes.of("guild")).rejects.toThrow("aborted");
    const { server, features } = await tastes.now("guild");
    const sharp = features.difference({
      prompt: "A",
      rewrite: "A, sharp",
      mode: "beam",
      rewriter: "promptist",
    });
    expect(server.posterior.logOdds(sharp)).toBe(0);
    expect(logged).toEqual([]);
  });

  test("bounds what one person's votes weigh", async () => {
    const effectOf = async (votes: number) => {
      const lessons = new InMemory();
      opinions(lessons, 20);
      for (let n = 0; n < votes; n++) lessons.add("sharp", "baseline", { user: "flood" });
      return (await phrase(new Tastes(lessons, createEvents()), "sharp")).effect;
    };
    const [none, bounded, flooded] = [
      await effectOf(0),
      await effectOf(VOTER_MAX),
      await effectOf(4 * VOTER_MAX),
    ];
    expect(bounded).toBeLessThan(none);
    // A little remains, as the same weight comes in smaller parts; it neither counts for more nor makes others older.
    expect(Math.abs(flooded - bounded)).toBeLessThan(0.01);
  });

  test("follows a change: of as many votes for as against, the later ones count", async () => {
    const effectOf = async (first: "optimized" | "baseline", then: "optimized" | "baseline") => {
      const lessons = new InMemory();
      for (const chosen of [first, then]) for (let n = 0; n < 60; n++) lessons.add("sharp", chosen);
      return (await phrase(new Tastes(lessons, createEvents()), "sharp")).effect;
    };
    expect(await effectOf("optimized", "baseline")).toBeLessThan(-0.1);
    expect(await effectOf("baseline", "optimized")).toBeGreaterThan(0.1);
  });

  test("starts from what other servers like, and shows nothing that was not voted on here", async () => {
    const lessons = new InMemory();
    opinions(lessons, 60, "elsewhere");
    const alone = new InMemory();
    for (const some of [lessons, alone]) {
      some.add("sharp", "baseline");
      some.add("sharp", "optimized");
    }
    const informed = await phrase(new Tastes(lessons, createEvents()), "sharp");
    expect(informed.share).toBeGreaterThan((await phrase(new Tastes(alone, createEvents()), "sharp")).share);
    expect(
      (await phrasesOf(new Tastes(lessons, createEvents()))).phrases.map((known) => known.phrase),
    ).toEqual(["sharp"]);
  });
});
