import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from "vitest";
import { createEvents, type Events, type Progress } from "../../../src/core/events.js";
import { EventRelay, HEARD } from "../../../src/db/postgres/relay.js";
import {
  createPostgresServer,
  newSchema,
  type PostgresServer,
  postgresPrograms,
} from "../../support/postgres-server.js";

const progress = (step: number, jobId = "a"): Progress => ({
  jobId,
  phase: "image",
  item: 0,
  items: 1,
  output: "baseline",
  step,
  steps: 50,
});

/** One restarts the server, so they have one of their own. */
describe.skipIf(inject("postgresUrl") == null)("events between programs", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await createPostgresServer(postgresPrograms()!);
  });
  afterAll(() => server.remove());

  async function connect(url: string, role: keyof typeof HEARD): Promise<Events> {
    const events = createEvents();
    const relay = new EventRelay({ url, events, heard: HEARD[role] });
    await relay.start();
    onTestFinished(() => relay.stop());
    return events;
  }

  /** A bot and two workers on a schema of their own. */
  async function fleet() {
    const url = await newSchema(server.url);
    return {
      url,
      bot: await connect(url, "bot"),
      one: await connect(url, "worker"),
      two: await connect(url, "worker"),
    };
  }

  test("a bot hears of a worker's work, in order, and previews of any size come whole", async () => {
    const { bot, one } = await fleet();
    const heard: unknown[] = [];
    for (const name of ["job.claimed", "job.preview", "job.item"] as const)
      bot.on(name, (body: unknown) => heard.push([name, body]));
    const data = Buffer.alloc(30_000, "\0\xff雨");
    const preview = { jobId: "a", item: 0, side: "baseline", harmless: true } as const;
    const over = once(bot, "job.finished");
    one.emit("job.claimed", { jobId: "a", phase: "image", attempt: 1 });
    one.emit("job.preview", { ...preview, data });
    one.emit("job.item", { jobId: "猫", item: 0, phase: "image" });
    one.emit("job.finished", { jobId: "a", state: "done" });
    expect(await over).toEqual([{ jobId: "a", state: "done" }]);
    expect(heard).toEqual([
      ["job.claimed", { jobId: "a", phase: "image", attempt: 1 }],
      ["job.preview", { ...preview, data: new Uint8Array(data) }],
      ["job.item", { jobId: "猫", item: 0, phase: "image" }],
    ]);
  });

  test("of many steps some are told, always the last one, and a worker hears of none", async () => {
    const { bot, one, two } = await fleet();
    const heard: number[] = [];
    bot.on("job.progress", ({ step }) => heard.push(step));
    two.on("job.progress", () => heard.push(-1));
    for (let step = 1; step <= 50; step++) one.emit("job.progress", progress(step));
    one.emit("job.finished", { jobId: "a", state: "done" });
    await once(bot, "job.finished");
    expect(heard).toEqual([1, 50]);
  });

  test("a worker is woken by what is stored or given back elsewhere, and hears whom to stop", async () => {
    const { bot, one, two } = await fleet();
    let wakes = 0;
    one.on("work.elsewhere", () => {
      wakes += 1;
    });
    const both = (name: "work.elsewhere" | "job.cancel-requested" | "queue.resumed") =>
      Promise.all([once(one, name), once(two, name)]);
    const woken = both("work.elsewhere");
    bot.emit("job.enqueued", { jobId: "a", job: {} as never });
    await woken;
    const asked = both("job.cancel-requested");
    bot.emit("job.cancel-requested", { jobId: "a" });
    expect(await asked).toEqual([[{ jobId: "a" }], [{ jobId: "a" }]]);
    const resumed = both("queue.resumed");
    bot.emit("queue.resumed");
    await resumed;
    const requeued = Promise.all([once(two, "work.elsewhere"), once(bot, "job.requeued")]);
    one.emit("job.requeued", { jobId: "a", phase: "image", reason: "next-phase" });
    expect((await requeued)[1]).toEqual([{ jobId: "a", phase: "image", reason: "next-phase" }]);
    // What a program hears it does not pass on, or it would go round for ever.
    const fence = both("queue.resumed");
    bot.emit("queue.resumed");
    await fence;
    expect(wakes).toBe(1);
  });

  test("other schemas of the database have events of their own", async () => {
    const { one } = await fleet();
    const other = await fleet();
    const heard: string[] = [];
    other.bot.on("job.finished", ({ jobId }) => heard.push(jobId));
    one.emit("job.finished", { jobId: "theirs", state: "done" });
    const over = once(other.bot, "job.finished");
    other.one.emit("job.finished", { jobId: "ours", state: "done" });
    await over;
    expect(heard).toEqual(["ours"]);
  });

  test("after the server was away all look for work, and hear each other again", async () => {
    const { bot, one } = await fleet();
    await server.stop("fast");
    one.emit("job.finished", { jobId: "lost", state: "done" });
    const woken = Promise.all([once(one, "work.elsewhere"), once(bot, "work.elsewhere")]);
    await server.start();
    await woken;
    const over = once(bot, "job.finished");
    one.emit("job.finished", { jobId: "a", state: "done" });
    expect(await over).toEqual([{ jobId: "a", state: "done" }]);
  });
});
