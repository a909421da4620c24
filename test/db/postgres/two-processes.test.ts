import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, inject, test } from "vitest";
import { STYLE_MAX } from "../../../src/core/styles.js";
import { postgresStore } from "../../../src/db/postgres/store.js";
import type { Store } from "../../../src/db/store.js";
import { newSchema, query } from "../../support/postgres-server.js";
import { claimNext, drawn, newJob } from "../contract/fixtures.js";
import { compileSources } from "../sqlite/child/sources.js";

const server = inject("postgresUrl");
const SCRIPT = fileURLToPath(new URL("./child/race.mjs", import.meta.url));
const ANSWERS = fileURLToPath(new URL("./child/race-answers.mjs", import.meta.url));
const DONE = 8;
const COMMANDS = 24;
const DRAFTS = 10;
const run = promisify(execFile);

const counted = (lines: readonly string[]): Map<string, number> => {
  const counts = new Map<string, number>();
  for (const line of lines) counts.set(line, (counts.get(line) ?? 0) + 1);
  return counts;
};
const twice = (lines: readonly string[]) => [...counted(lines)].filter(([, times]) => times > 1);

/** A database with drafts, two processes that run a script on it, and what they said. */
async function race(
  draftsDueAt: number,
  script: string,
  work: (at: {
    readonly url: string;
    readonly store: Store;
    /** What each of the two prints. */
    readonly both: (argumentsOf: (i: number) => readonly string[]) => Promise<string[][]>;
  }) => Promise<void>,
): Promise<void> {
  const url = await newSchema(server!);
  const sources = compileSources();
  const store = await postgresStore(url);
  try {
    const { origin, ...request } = newJob({ user: "drafter" });
    for (let i = 0; i < DRAFTS; i++)
      await store.drafts.add(
        { ...request, preview: false },
        { ...origin, interactionId: `draft-${i}` },
        draftsDueAt,
      );
    const both = async (argumentsOf: (i: number) => readonly string[]) => {
      const outputs = await Promise.all(
        ["one", "two"].map((name, i) =>
          run(process.execPath, [script, sources.dir, url, name, ...argumentsOf(i)]),
        ),
      );
      return outputs.map(({ stdout }) => stdout.trim().split("\n"));
    };
    await work({ url, store, both });
  } finally {
    await store.close();
    sources.remove();
  }
}

/** What was said of a verb. */
const about = (verb: string, lines: readonly string[]): string[] =>
  lines.flatMap((line) => (line.startsWith(`${verb} `) ? [line.slice(verb.length + 1)] : []));

describe.skipIf(server == null)("two processes on one database", () => {
  test("race with every verb, late and over their leases, and each thing happens once", async () => {
    await race(Number.MAX_SAFE_INTEGER, SCRIPT, async ({ url, both }) => {
      const said = await both((i) => [String(i + 1)]);
      const lines = said.flat();
      const of = (verb: string, from = lines) => about(verb, from);

      const jobs = await query<{ id: string; state: string; rewrite: string | null }>(
        url,
        "select id, state, rewrite from jobs join items on job = seq and position = 0",
      );
      expect(of("enqueued").sort()).toEqual(jobs.map(({ id }) => id).sort());
      expect(jobs).toHaveLength(COMMANDS + DRAFTS);
      expect(of("started")).toHaveLength(DRAFTS);
      expect(twice(of("started"))).toEqual([]);
      expect(twice(of("claimed"))).toEqual([]);
      expect(twice(of("over"))).toEqual([]);
      expect(twice(of("item-cancelled"))).toEqual([]);
      const [failed, requeued] = [counted(of("failed")), counted(of("requeued"))];
      for (const { id, state } of jobs) {
        expect(of("over").includes(id), id).toBe(state !== "failed");
        expect(failed.get(id) ?? 0, id).toBe((requeued.get(id) ?? 0) + (state === "failed" ? 1 : 0));
      }
      // Whoever's write was kept had the attempt, and what a rewrite took is counted once for each that was kept.
      const texts = of("text");
      for (const own of said)
        for (const entry of of("text", own).concat(of("image", own))) {
          const [id, , attempt] = entry.split(" ");
          expect(of("claimed", own)).toContain(`${id} ${attempt}`);
        }
      expect(await query(url, "select sum(ms)::int as ms from card_usage")).toEqual([{ ms: texts.length }]);
      for (const { id, rewrite } of jobs) {
        if (rewrite === null) continue;
        expect(texts).toContain(`${id} 0 ${rewrite.split(" ")[1]}`);
      }
      // It was a race: leases were lost, and what came too late was refused.
      for (const own of said) expect(of("claimed", own).length).toBeGreaterThan(10);
      expect(of("recovered").length).toBeGreaterThan(5);
      expect(of("refused").length).toBeGreaterThan(5);
    });
  });

  test("race with what people are told and with the end of what is stored, and each thing happens once", async () => {
    await race(Date.now(), ANSWERS, async ({ url, store, both }) => {
      for (const user of ["dropped", "pruned", "erased"])
        for (let i = 0; i < DONE; i++) {
          await store.queue.enqueue(newJob({ user, rewrites: ["A cat, detailed"] }));
          const claim = await claimNext(store.queue, "image");
          await store.queue.savePictures(claim, 0, {
            pictures: { baseline: drawn("a.png", 1), optimized: drawn("b.png", 1) },
          });
          for (const number of [1, 2])
            await store.queue.saveSheet(claim, { number, file: `${number}.png`, items: [0] });
          await store.queue.complete(claim);
        }
      const lines: string[] = [];
      for (const part of ["tell", "end"]) lines.push(...(await both(() => [part])).flat());
      const of = (verb: string) => about(verb, lines);

      const jobs = 3 * DONE;
      // Both see the same pair, and of each person one vote counts, whose choice both answer.
      expect(new Set(of("opened")).size).toBe(jobs);
      const first = of("first");
      expect(twice(first.map((vote) => vote.split(" ").slice(0, 2).join(" ")))).toEqual([]);
      for (const later of of("later")) expect(first).toContain(later);
      expect(of("late")).toEqual(Array(2 * jobs).fill(expect.stringMatching(/ closed$/)));
      for (const verb of ["closed", "favourite"])
        expect([twice(of(verb)), of(verb).length], verb).toEqual([[], jobs]);
      // Whoever erases a person answers all their jobs, also those that another program deletes meanwhile.
      expect(twice(of("gone"))).toEqual([]);
      expect(new Set([...of("gone"), ...of("erased")]).size).toBe(jobs);
      expect(of("taken away")).toEqual([]);
      expect(of("undelivered")).toContain("0");
      const added = of("style").filter((line) => line.startsWith("added "));
      expect(twice(added)).toEqual([]);
      expect(added).toHaveLength(STYLE_MAX.styles);
      expect(of("shown")).toHaveLength(2 * DRAFTS);
      for (const [verb, times] of [
        ["style-removed", STYLE_MAX.styles],
        ["setting-reset", 20],
      ] as const)
        expect([twice(of(verb)), of(verb).length], verb).toEqual([[], times]);
      expect(twice(of("draft-erased"))).toEqual([]);
      for (const table of ["jobs", "drafts", "favourites", "styles", "erased_messages", "arrivals"])
        expect(await query(url, `select count(*)::int as left from ${table}`), table).toEqual([{ left: 0 }]);
      // Votes outlive jobs; those of whoever was erased are gone.
      const [counted] = await query<{ votes: number }>(url, "select count(*)::int as votes from votes");
      expect(counted!.votes).toBe(first.filter((vote) => !vote.includes(" 0 ")).length);
    });
  });
});
