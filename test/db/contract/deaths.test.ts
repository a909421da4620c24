import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Claim, LEASE_MS, MOST_DEATHS } from "../../../src/db/queue.js";
import type { Store } from "../../../src/db/store.js";
import { ENGINES, type Engine } from "./engines.js";
import { claimNext, newJob } from "./fixtures.js";

const START = 1_700_000_000_000;
const WAIT_MS = 10_000;
const APART_MS = 120_000;

describe.each(ENGINES)("deaths of programs with a job on $name", ({ create }) => {
  let engine: Engine;
  let store: Store;
  let time: number;

  beforeEach(async () => {
    time = START;
    engine = create();
    store = await engine.connect(() => time);
  });
  afterEach(() => engine.destroy());

  const enqueue = async (user: string, prompts?: string[]) =>
    (await store.queue.enqueue(newJob({ user, ...(prompts && { prompts }) }))).id;
  const claim = (owner: string) => claimNext(store.queue, "text", owner);
  /** Everything that is due is claimed by loops of one host, which then is not heard of again. */
  async function die(host: string): Promise<Claim[]> {
    const claims: Claim[] = [];
    for (let loop = 1; ; loop++) {
      const claimed = await store.queue.claim("text", `${host} loop-${loop}`);
      if (claimed === undefined) break;
      claims.push(claimed);
    }
    time += LEASE_MS + 1;
    return claims;
  }
  const rewrite = { rewrite: "a cat, trending", candidates: [], notes: [] };

  test("the third in a row sets the job aside, with a reason, and a retry begins to count anew", async () => {
    const id = await enqueue("ada");
    for (const [death, host] of ["one", "two"].entries()) {
      await die(host);
      expect(await store.queue.recover("lapsed")).toEqual([{ id, phase: "text", state: "queued" }]);
      expect(await store.queue.hasWork("text")).toBe(death === 0);
      time += death === 0 ? 0 : WAIT_MS;
    }
    await die("three");
    expect(await store.queue.recover("lapsed")).toEqual([{ id, phase: "text", state: "failed" }]);
    expect(await store.queue.get(id)).toMatchObject({
      state: "failed",
      finishedAt: time,
      failures: [
        { code: "HOST_DIED", context: { times: MOST_DEATHS }, detail: expect.stringContaining("three") },
      ],
    });
    await store.queue.requeue(id);
    await die("four");
    expect(await store.queue.recover("lapsed")).toMatchObject([{ state: "queued" }]);
    expect(await store.queue.hasWork("text")).toBe(true);
  });

  test("also of one program that has the queue for itself and begins again", async () => {
    const id = await enqueue("ada");
    for (const state of ["queued", "queued", "failed"]) {
      await claim("host run");
      expect(await store.queue.recover("all")).toEqual([{ id, phase: "text", state }]);
      time += WAIT_MS;
    }
  });

  test("do not add up over what is stored in between", async () => {
    await enqueue("ada", ["A cat", "A dog", "A cup", "A tree"]);
    for (let item = 0; item < 4; item++) {
      const held = await claim("host run");
      expect(await store.queue.saveText(held, item, rewrite)).toBe(true);
      expect(await store.queue.recover("all")).toMatchObject([{ state: "queued" }]);
    }
  });

  test("are taken back by a holder that was only frozen or cut off", async () => {
    const id = await enqueue("ada");
    for (let freeze = 0; freeze < 2 * MOST_DEATHS; freeze++) {
      const [held] = await die("frozen");
      expect(await store.queue.recover("lapsed")).toEqual([{ id, phase: "text", state: "queued" }]);
      const hears = freeze % 2 === 0 ? store.queue.extend(held!) : store.queue.saveText(held!, 0, rewrite);
      expect(await hears).toBe(false);
      expect(await store.queue.complete(held!)).toBe(false);
    }
  });

  test("of several hosts at once, such as in a power cut, tell nothing against their jobs", async () => {
    const ids = [await enqueue("ada"), await enqueue("bob")];
    for (let cut = 0; cut < 2 * MOST_DEATHS; cut++) {
      await claim("one loop");
      await claim("two loop");
      time += LEASE_MS + 1;
      const recovered = await store.queue.recover("lapsed");
      expect(recovered.map(({ state }) => state)).toEqual(["queued", "queued"]);
    }
    for (const id of ids) expect(await store.queue.get(id)).toMatchObject({ failures: [] });
  });

  test("what a loop has lost itself, or gave back, does not count", async () => {
    const id = await enqueue("ada");
    for (let loss = 0; loss < 2 * MOST_DEATHS; loss++) {
      const held = await claim("host loop");
      if (loss % 2 === 0) expect(await store.queue.release(held)).toBe("queued");
      else expect(await store.queue.recover({ owner: "host loop" })).toMatchObject([{ id, state: "queued" }]);
    }
  });

  test("leave the innocent one of two jobs that were at work together", async () => {
    const innocent = await enqueue("ada");
    const killer = await enqueue("bob");
    for (let death = 0; death < 2; death++) {
      expect(await die("host")).toHaveLength(2);
      await store.queue.recover("lapsed");
    }
    // Now they are tried one by one.
    time += WAIT_MS;
    const alone = await claim("host loop-1");
    expect(alone.job.id).toBe(innocent);
    expect(await store.queue.hasWork("text")).toBe(false);
    expect(await store.queue.complete(alone)).toBe(true);
    time += APART_MS;
    expect(await die("host")).toMatchObject([{ job: { id: killer } }]);
    expect(await store.queue.recover("lapsed")).toEqual([{ id: killer, phase: "text", state: "failed" }]);
  });

  test("a job that was asked to stop is cancelled, not failed", async () => {
    const id = await enqueue("ada");
    for (let death = 0; death < 3; death++) {
      await die("host");
      if (death === 2) await store.queue.cancel(id);
      const state = death === 2 ? "cancelled" : "queued";
      expect(await store.queue.recover("lapsed")).toEqual([{ id, phase: "text", state }]);
      time += WAIT_MS;
    }
  });
});
