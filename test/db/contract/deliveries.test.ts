import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Deliveries } from "../../../src/db/deliveries.js";
import type { Queue } from "../../../src/db/queue.js";
import { ENGINES, type Engine } from "./engines.js";
import { claimNext, endThree, type JobWish, newJob } from "./fixtures.js";

const START = Date.UTC(2026, 0, 1);

describe.each(ENGINES)("$name", ({ create }) => {
  let engine: Engine;
  let queue: Queue;
  let deliveries: Deliveries;
  let time: number;

  beforeEach(async () => {
    time = START;
    engine = create();
    ({ queue, deliveries } = await engine.connect(() => time, { maxWaiting: 10 }));
  });
  afterEach(() => engine.destroy());

  const enqueue = (wish: JobWish) => queue.enqueue(newJob(wish));
  const claim = () => claimNext(queue);

  const finished = () =>
    endThree(queue, (ms) => {
      time += ms;
    });
  const undelivered = async () => deliveries.undelivered();

  test("every ended job waits for its delivery, oldest first", async () => {
    await enqueue({ user: "zoe" });
    await queue.release(await claim());
    const waiting = (await queue.open())[0]!;
    await queue.cancel(waiting.id);
    await deliveries.delivered(waiting.id, null);
    expect((await queue.get(waiting.id))?.delivery).toMatchObject({ deliveredAt: START, messageId: null });

    const { ada, bob, cyd } = await finished();
    expect(await undelivered()).toEqual([cyd, ada, bob]);
    await deliveries.deliveryFailed(ada, "503");
    await deliveries.deliveryFailed(ada, "503");
    expect((await queue.get(ada))?.delivery).toEqual({
      deliveredAt: null,
      messageId: null,
      attempts: 2,
      abandoned: null,
    });
    await deliveries.delivered(ada, "message 1");
    expect((await queue.get(ada))?.delivery).toEqual({
      deliveredAt: time,
      messageId: "message 1",
      attempts: 2,
      abandoned: null,
    });
    await deliveries.abandonDelivery(bob, "channel deleted");
    expect((await queue.get(bob))?.delivery.abandoned).toBe("channel deleted");
    expect(await undelivered()).toEqual([cyd]);
    expect((await queue.depth()).undelivered).toBe(1);
  });

  test("delivering a job that is not over throws", async () => {
    const { id } = await enqueue({ user: "ada" });
    for (const wrong of [id, "unknown"]) {
      await expect(deliveries.delivered(wrong, "message")).rejects.toMatchObject({ code: "INTERNAL" });
      await expect(deliveries.deliveryFailed(wrong, "503")).rejects.toMatchObject({ code: "INTERNAL" });
      await expect(deliveries.abandonDelivery(wrong, "gone")).rejects.toMatchObject({ code: "INTERNAL" });
    }
    expect((await queue.get(id))?.delivery.deliveredAt).toBeNull();
  });

  test("a sheet waits to be posted while its job is open, the oldest first, and is settled once", async () => {
    const claims = [];
    for (const user of ["ada", "bob"]) {
      await enqueue({ user, kind: "batch", prompts: ["a", "b"] });
      claims.push(await claim());
    }
    const [ada, bob] = claims.map(({ job }) => job.id);
    for (const held of claims.toReversed())
      for (const number of [2, 1]) await queue.saveSheet(held, { number, file: `${number}.png`, items: [0] });
    const of = (jobId: string | undefined, ...numbers: number[]) =>
      numbers.map((number) => ({ jobId, number }));
    expect(await deliveries.unsettledSheets()).toEqual([...of(ada, 1, 2), ...of(bob, 1, 2)]);
    await deliveries.settleSheet(ada!, 1);
    await deliveries.settleSheet(ada!, 9);
    await deliveries.settleSheet("unknown", 1);
    expect(await deliveries.unsettledSheets()).toEqual([...of(ada, 2), ...of(bob, 1, 2)]);
    await queue.complete(claims[1]!);
    expect(await deliveries.unsettledSheets()).toEqual(of(ada, 2));
  });
});
