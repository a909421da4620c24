import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Draft, Drafts } from "../../../src/db/drafts.js";
import type { Queue } from "../../../src/db/queue.js";
import type { Records } from "../../../src/db/records.js";
import { ENGINES, type Engine } from "./engines.js";
import { newJob } from "./fixtures.js";

const START = Date.UTC(2026, 0, 1);

describe.each(ENGINES)("$name", ({ create }) => {
  let engine: Engine;
  let queue: Queue;
  let drafts: Drafts;
  let records: Records;
  let time: number;

  beforeEach(async () => {
    time = START;
    engine = create();
    ({ queue, drafts, records } = await engine.connect(() => time));
  });
  afterEach(() => engine.destroy());

  const pairs = { kind: "batch", prompts: ["a", "b"], rewrites: ["a, sharp", null] } as const;

  function add(user: string, expiresAt = START + 60_000): Promise<Draft> {
    const { kind, text, image, items, origin } = newJob({ user, ...pairs });
    return drafts.add({ kind, text, image, items, preview: false }, origin, expiresAt);
  }

  test("is read back whole by its id and its interaction's id, also after a restart", async () => {
    const draft = await add("ada");
    expect(draft).toMatchObject({
      id: expect.stringMatching(/^[a-z0-9]{8,20}$/),
      createdAt: START,
      expiresAt: START + 60_000,
      request: {
        kind: "batch",
        items: [
          { prompt: "a", rewrite: "a, sharp" },
          { prompt: "b", rewrite: null },
        ],
      },
    });
    const { drafts: after } = await engine.connect(() => time);
    expect(await after.get(draft.id)).toEqual(draft);
    expect(await after.ofInteraction(draft.origin.interactionId)).toEqual(draft);
    expect(await after.get("unknown")).toBeUndefined();
    expect(await after.ofInteraction("unknown")).toBeUndefined();
  });

  test("is due when its time is over, the earliest first", async () => {
    expect(await drafts.nextDueAt()).toBeNull();
    const late = await add("ada", START + 2_000);
    const early = await add("bob", START + 1_000);
    expect(await drafts.nextDueAt()).toBe(START + 1_000);
    expect(await drafts.due()).toEqual([]);
    time += 1_000;
    expect(await drafts.due()).toEqual([{ id: early.id, origin: early.origin }]);
    time += 1_000;
    expect((await drafts.due()).map(({ id }) => id)).toEqual([early.id, late.id]);
    await drafts.discard(early.id);
    await drafts.discard("unknown");
    expect(await drafts.nextDueAt()).toBe(START + 2_000);
  });

  test("is deleted in the commit that stores its job, and stays if the queue refuses the job", async () => {
    const draft = await add("ada");
    const job = { ...newJob({ user: "ada", ...pairs }), draftId: draft.id };
    await queue.enqueue(newJob({ user: "ada" }));
    await expect(queue.enqueue({ ...job, caps: { user: 1 } })).rejects.toMatchObject({ code: "QUEUE_CAP" });
    await expect(queue.enqueue({ ...job, items: [] })).rejects.toMatchObject({ code: "INTERNAL" });
    expect(await drafts.get(draft.id)).toEqual(draft);

    await queue.arrive(draft.origin);
    const stored = await queue.enqueue(job);
    expect(await drafts.get(draft.id)).toBeUndefined();
    expect(await queue.arrivals()).toEqual([]);
    expect(await queue.enqueue(job)).toEqual(stored);
    const again = { ...newJob({ user: "ada", ...pairs }), draftId: draft.id };
    await expect(queue.enqueue(again)).rejects.toMatchObject({ code: "DRAFT_GONE" });
    expect((await queue.depth()).queued).toBe(2);
  });

  test("a person's drafts are listed, the oldest first, and erased", async () => {
    const first = await add("ada");
    time += 1;
    const second = await add("ada");
    const bobs = await add("bob");
    expect(await drafts.idsOfUser("ada")).toEqual([first.id, second.id]);
    expect(await drafts.shown(first.id, "message")).toBe(true);
    expect(await drafts.erase("ada", true)).toEqual([first.id, second.id]);
    expect(await drafts.shown(first.id, "message")).toBe(false);
    expect(await drafts.idsOfUser("ada")).toEqual([]);
    expect(await drafts.get(bobs.id)).toEqual(bobs);
    // The token of the second one has ended, so its reply is out of reach.
    const left = await records.erasedMessages(0, 10);
    expect(left.map(({ sourceId, messageId }) => [sourceId, messageId])).toEqual([[first.id, "message"]]);
    expect(await drafts.erase("bob")).toEqual([bobs.id]);
    expect(await records.erasedMessages(0, 10)).toHaveLength(1);
  });
});
