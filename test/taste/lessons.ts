import type { Lesson, LessonKey, Lessons } from "../../src/db/lessons.js";

/** Lessons in memory, in the order of the contract. */
export class InMemory implements Lessons {
  votes: Lesson[] = [];
  #mark = 0;
  #number = 0;

  /** One vote on a pair of its own. */
  add(phrases: string, chosen: Lesson["chosen"], { user = `${this.#number}`, guildId = "guild" } = {}) {
    const at = ++this.#number;
    const lesson = {
      jobId: `job ${at}`,
      userId: user,
      guildId,
      mode: "beam",
      chosen,
      at,
      rewriter: "promptist",
    };
    const against = { against: null, againstRewriter: "none" };
    this.votes.push({ ...lesson, ...against, prompt: "A cat", rewrite: `A cat, ${phrases}` });
  }
  remove(keep: (vote: Lesson) => boolean) {
    this.votes = this.votes.filter(keep);
    this.#mark++;
  }
  async after({ at }: LessonKey) {
    return this.votes.filter((vote) => vote.at > at).slice(0, 7);
  }
  async mark() {
    return `${this.#mark}`;
  }
  async forget(guildId: string) {
    this.remove((vote) => vote.guildId !== guildId);
  }
}
