import { describe, expect, test } from "vitest";
import { isFinished, type Job, type JobState, type Phase } from "../../../src/core/job.js";
import type { Claim } from "../../../src/db/queue.js";
import { ENGINES } from "./engines.js";
import { newJob } from "./fixtures.js";

const START = Date.UTC(2026, 0, 1);
const SEEDS = [1, 2, 3, 4, 5, 6];
const STEPS = 250;

/**
 * Which states may follow which here, where nobody requeues a failed job. `running -> queued` is a retry, a
 * recovery, or a step to the next phase.
 */
const TRANSITIONS: Readonly<Record<JobState, readonly JobState[]>> = {
  queued: ["running", "cancelled"],
  running: ["queued", "done", "failed", "cancelled"],
  done: [],
  failed: [],
  cancelled: [],
};

/**
 * A linear congruential generator (constants of Numerical Recipes), of whose bits the better, upper half is
 * used.
 */
function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state >>> 16) % below;
  };
}

describe.each(ENGINES)("$name: whatever several owners do in whatever order", ({ name, create }) => {
  // Both engines run the same SQL; on the server a step takes six times as long.
  const seeds = name === "postgres" ? SEEDS.slice(0, 2) : SEEDS;
  test.each(seeds)("the queue's promises hold (seed %i)", async (seed) => {
    const engine = create();
    let time = START;
    const { queue, deliveries, records } = await engine.connect(() => time, {
      maxAttempts: 3,
      maxWaiting: 25,
    });
    const random = seeded(seed);
    const pick = <T>(list: readonly T[]): T => list[random(list.length)]!;

    /** Every claim ever given, the newest last: most of them stale. */
    const claims: Claim[] = [];
    /** The state that each job was last seen in; a pruned job leaves. */
    const seen = new Map<string, Job>();
    /** What was written where, when the queue said that it kept it. */
    const kept = new Map<string, string>();
    const pruned = new Set<string>();
    let holding = 0;

    const isLive = (held: Claim) => {
      const job = seen.get(held.job.id);
      return job?.state === "running" && job.attempt === held.attempt;
    };

    const operations: readonly (() => Promise<void>)[] = [
      ...Array.from({ length: 3 }, () => async () => {
        const wish = {
          ...newJob({ user: `user ${random(4)}`, prompts: ["a", "b", "c"].slice(random(3)) }),
          ...(random(3) === 0 ? { limits: { user: 1 + random(3), channel: 6 + random(6) } } : {}),
        };
        const waiting = (await queue.depth()).queued;
        if (waiting >= 25) await expect(queue.enqueue(wish)).rejects.toMatchObject({ code: "QUEUE_FULL" });
        else expect((await queue.enqueue(wish)).state).toBe("queued");
      }),
      ...Array.from({ length: 4 }, () => async () => {
        const phase = pick<Phase>(["text", "image"]);
        const due = await queue.hasWork(phase);
        const first = (await queue.open()).find(
          (job) => job.state === "queued" && job.phase === phase && job.held === null,
        );
        if (first !== undefined) expect(await queue.position(first.id)).toBe(1);
        const held = await queue.claim(phase, `owner ${random(3)}`);
        expect(held !== undefined).toBe(due);
        if (held === undefined) return;
        expect(held.job.id).toBe(first?.id);
        claims.push(held);
      }),
      ...Array.from({ length: 3 }, () => async () => {
        if (claims.length === 0) return;
        const held = random(2) === 0 ? claims.at(-1)! : pick(claims);
        const item = random(held.job.items.length);
        const value = `${held.owner} ${held.attempt} ${random(1_000_000)}`;
        const text = random(2) === 0;
        const live = isLive(held);
        const answer = text
          ? await queue.saveText(held, item, { rewrite: value, candidates: [], notes: [] })
          : await queue.savePictures(held, item, {
              pictures: { baseline: { file: value, ms: null, judgement: null } },
            });
        expect(answer).toBe(live);
        if (answer) kept.set(`${held.job.id} ${item} ${text ? "rewrite" : "baseline"}`, value);
      }),
      ...Array.from({ length: 2 }, () => async () => {
        if (claims.length === 0) return;
        const held = random(2) === 0 ? claims.at(-1)! : pick(claims);
        const live = isLive(held);
        const end = pick([
          () => queue.advance(held),
          () => queue.release(held),
          () => queue.complete(held),
          () => queue.retry(held, "WORKER_DIED", "death", random(3) * 1_000),
          () => queue.fail(held, "INTERNAL", "bug"),
          () => queue.cancelled(held),
        ]);
        expect((await end()) !== false).toBe(live);
      }),
      async () => {
        if (seen.size > 0 && random(2) === 0) await queue.cancel(pick([...seen.keys()]));
      },
      async () => {
        const over = (await deliveries.undelivered())[0];
        if (over !== undefined) await deliveries.delivered(over, "message");
      },
      async () => {
        if (random(10) === 0) await queue.recover("all");
      },
      async () => {
        for (const id of await records.prune(time - 5_000)) {
          expect(seen.get(id)?.delivery.deliveredAt).not.toBeNull();
          pruned.add(id);
          seen.delete(id);
        }
      },
      async () => {
        time += random(2_000);
      },
    ];

    /**
     * Every job that was ever accepted is there, moved only as TRANSITIONS allows, and holds what was kept.
     */
    async function check(): Promise<void> {
      const open = await queue.open();
      const waiting = open.filter((job) => job.state === "queued");
      const inLine = waiting.filter((job) => job.held === null);
      for (const { held, limit, userId } of await queue.work()) {
        if (held === null) continue;
        holding += 1;
        const counted = open.filter(
          (job) => job.held === null && (held === "channel" || job.origin.userId === userId),
        );
        // Nobody is held back longer than the limit asks for.
        expect(counted.length).toBeGreaterThanOrEqual(limit!);
      }
      for (const phase of ["text", "image"] as const) {
        const line = inLine.filter((job) => job.phase === phase);
        const positions = await Promise.all(line.map((job) => queue.position(job.id)));
        expect(positions).toEqual(line.map((_, index) => index + 1));
      }
      for (const job of open) if (!seen.has(job.id)) seen.set(job.id, job);
      let finished = 0;
      for (const [id, before] of seen) {
        const job = await queue.get(id);
        if (job === undefined) throw new Error(`job ${id} was lost`);
        if (job.state !== before.state) {
          // A claim and its end between two looks do not happen: one operation is one look.
          expect(TRANSITIONS[before.state], `${before.state} -> ${job.state}`).toContain(job.state);
          expect(isFinished(before.state)).toBe(false);
        }
        expect(job.attempt).toBeGreaterThanOrEqual(before.attempt);
        expect(job.failures.slice(0, before.failures.length)).toEqual(before.failures);
        expect(job.failures.length).toBeLessThanOrEqual(3);
        if (isFinished(job.state)) finished += 1;
        seen.set(id, job);
      }
      const undelivered = [...seen.values()].filter(
        (job) => isFinished(job.state) && job.delivery.deliveredAt === null,
      );
      expect(await queue.depth()).toEqual({
        queued: waiting.length,
        running: open.length - waiting.length,
        undelivered: undelivered.length,
      });
      expect(seen.size).toBe(open.length + finished);
    }

    try {
      for (let step = 0; step < STEPS; step += 1) {
        await pick(operations)();
        await check();
      }
      for (const [key, value] of kept) {
        const [id, item, field] = key.split(" ") as [string, string, "rewrite" | "baseline"];
        if (pruned.has(id)) continue;
        const stored = seen.get(id)?.items[Number(item)];
        expect(field === "rewrite" ? stored?.rewrite : stored?.pictures.baseline?.file).toBe(value);
      }
      expect(claims.length).toBeGreaterThan(15);
      expect(kept.size).toBeGreaterThan(5);
      expect(holding).toBeGreaterThan(0);
    } finally {
      await engine.destroy();
    }
  });
});
