import { describe, expect, test } from "vitest";
import { createEvents } from "../../src/core/events.js";
import type { Candidate, Job } from "../../src/core/job.js";
import { DEFAULT_TEXT_OPTIONS } from "../../src/core/options.js";
import { RewriteChoice } from "../../src/taste/rewrite-choice.js";
import { Tastes } from "../../src/taste/tastes.js";
import { InMemory } from "./lessons.js";

const jobOf = (id: string, guildId: string | null = "guild") =>
  ({ id, origin: { guildId, channelId: "channel" }, text: DEFAULT_TEXT_OPTIONS }) as Job;
/** As likely as each other. */
const candidates: Candidate[] = ["greg rutkowski, sharp", "soft lighting, sharp"].map((words) => ({
  text: `A cat, ${words}`,
  tokens: 4,
  score: -16,
}));

function choiceOf(lessons: InMemory, on = true) {
  return new RewriteChoice({ tastes: new Tastes(lessons, createEvents()), isOn: async () => on });
}
function taught(): InMemory {
  const lessons = new InMemory();
  for (let n = 0; n < 200; n++) {
    lessons.add("soft lighting", n % 5 === 0 ? "baseline" : "optimized");
    lessons.add("greg rutkowski", n % 5 === 0 ? "optimized" : "baseline");
  }
  return lessons;
}
const many = Array.from({ length: 200 }, (_, n) => jobOf(`job ${n}`));

describe("the choice of a job's rewrite", () => {
  test("is what the server likes, with the phrases as its reason, but for the explored share", async () => {
    const choice = choiceOf(taught());
    const taken = await Promise.all(many.map((job) => choice.take(job, "A cat", candidates)));
    const liked = taken.filter((one) => one!.rewrite === candidates[1]!.text);
    expect(liked.length).toBeGreaterThan(180);
    expect(liked.length).toBeLessThan(200);
    expect(liked[0]!.note).toMatchObject({
      code: "taste",
      isFirst: false,
      explores: false,
      liked: ["soft lighting"],
      disliked: ["greg rutkowski"],
    });
    expect(liked[0]!.note.propensity).toBeCloseTo(0.95, 2);
    const explored = taken.find((one) => one!.rewrite === candidates[0]!.text)!;
    expect(explored.note).toMatchObject({ isFirst: true, explores: true });
    expect(explored.note.propensity).toBeCloseTo(0.05, 2);
  });

  test("is the first where nothing is known, but for the explored share", async () => {
    const choice = choiceOf(new InMemory());
    const likelier = [candidates[0]!, { ...candidates[1]!, score: -20 }];
    const taken = await Promise.all(many.map((job) => choice.take(job, "A cat", likelier)));
    expect(taken.filter((one) => one!.note.isFirst).length).toBeGreaterThan(190);
  });

  test("is the same for the same prompt of a job", async () => {
    const choice = choiceOf(taught());
    for (const job of many.slice(0, 30)) {
      const [one, other] = [
        await choice.take(job, "A cat", candidates),
        await choice.take(job, "A cat", candidates),
      ];
      expect(other).toEqual(one);
    }
  });

  test("is not made without a server, where it is off, and of one rewrite alone", async () => {
    const lessons = taught();
    expect(await choiceOf(lessons, false).take(jobOf("a"), "A cat", candidates)).toBeNull();
    expect(await choiceOf(lessons).take(jobOf("a", null), "A cat", candidates)).toBeNull();
    expect(await choiceOf(lessons).take(jobOf("a"), "A cat", candidates.slice(0, 1))).toBeNull();
  });
});
