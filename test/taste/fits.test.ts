import { describe, expect, test } from "vitest";
import { atOnce } from "../../src/core/statistics/cholesky.js";
import { seededRandom } from "../../src/core/statistics/random.js";
import { Features } from "../../src/taste/features.js";
import { type FitTask, fitTaste } from "../../src/taste/fit.js";
import { Fits } from "../../src/taste/fits.js";
import { Ledger } from "../../src/taste/ledger.js";
import { ServerTaste } from "../../src/taste/server-taste.js";

interface Size {
  readonly phrases: number;
  readonly votes: number;
}

/** Two servers' votes on pairs of ten phrases; `phrases` differ. `more` has another one in the first server. */
function serversOf({ phrases, votes }: Size) {
  const [features, random] = [new Features(), seededRandom(7)];
  let count = 0;
  const vote = (server: ServerTaste) => {
    const added = Array.from({ length: 10 }, () => `words ${Math.floor(phrases * random())}`).join(", ");
    const pair = { prompt: "A cat", rewrite: `A cat, ${added}`, mode: "beam", rewriter: "promptist" };
    const [jobId, userId] = [`${++count}`, `${count % 7}`];
    server.learn({ jobId, userId, won: random() < 0.6 ? 1 : 0 }, () => features.difference(pair));
  };
  const ledger = new Ledger();
  const servers = [new ServerTaste(ledger), new ServerTaste(ledger)] as const;
  for (const server of servers) for (let n = 0; n < votes; n++) vote(server);
  return { servers, more: () => vote(servers[0]) };
}
const taskOf = (size: Size): FitTask => {
  const [server] = serversOf(size).servers;
  return server.begin().task;
};

describe("a fit of what a server likes", () => {
  // The first is made here, the second in a thread.
  test.each([
    { phrases: 40, votes: 30 },
    { phrases: 200, votes: 60 },
  ])("is the same to the last bit wherever it is made: $votes votes on $phrases phrases", async (size) => {
    const task = taskOf(size);
    expect(await new Fits().make(task)).toEqual(atOnce(fitTaste(task)));
  });

  test("has the votes that came while it was made, as if they had come after it", () => {
    const effectsWith = (when: "during" | "after" | "never") => {
      const { servers, more } = serversOf({ phrases: 40, votes: 30 });
      const [server] = servers;
      const { task, end } = server.begin();
      if (when === "during") for (let n = 0; n < 5; n++) more();
      end(atOnce(fitTaste(task)));
      if (when === "after") for (let n = 0; n < 5; n++) more();
      return [...server.effects()].map(({ mean, deviation }) => [mean, deviation]);
    };
    expect(effectsWith("during")).toEqual(effectsWith("after"));
    expect(effectsWith("during")).not.toEqual(effectsWith("never"));
  });

  test("tells what its thread failed of, and the next one is made", async () => {
    const fits = new Fits();
    const task = taskOf({ phrases: 160, votes: 50 });
    const broken = { ...task, votes: { ...task.votes, starts: new Int32Array(0) } };
    const [failed, made] = await Promise.allSettled([fits.make(broken), fits.make(task)]);
    expect(failed).toMatchObject({ status: "rejected", reason: expect.any(RangeError) });
    expect(made.status).toBe("fulfilled");
  });

  test("ends when the program stops, and so do those that wait for their turn", async () => {
    const fits = new Fits();
    const task = taskOf({ phrases: 5_000, votes: 3_000 });
    const all = Promise.allSettled([fits.make(task), fits.make(task)]);
    fits.close();
    for (const outcome of await all)
      expect(outcome).toMatchObject({ status: "rejected", reason: { name: "AbortError" } });
  });
});
