import type { ApiMessage, LocalDiscord } from "local-discord/testing";
import { describe, expect, it, onTestFinished } from "vitest";
import { startBatch } from "../support/batch.js";
import { makeBot, nextEvent, startWorld } from "../support/bot-world.js";
import { textOf } from "../support/message.js";

const again = (local: LocalDiscord, message: ApiMessage | null, jobId: string) =>
  local.member("alice").select(message, "repeat:history", [jobId]);

describe("/history", () => {
  const lines = (message: ApiMessage | null) =>
    (message?.embeds ?? []).flatMap(({ description = "" }) => (description ?? "").split("\n"));
  const optionsOf = (message: ApiMessage | null) =>
    message?.components.flatMap((row) => row.components ?? []).find((it) => it.options)?.options ?? [];

  it("says how to begin, to those who have asked for nothing yet", async () => {
    const { local } = await startWorld();
    const answer = await local.member("bob").slash("history");
    expect(answer.ephemeral).toBe(true);
    expect(answer.message?.content).toMatch(/Start with <\/compare:\d+>/);
    expect(answer.message?.components).toEqual([]);
  });

  it("lists one's own jobs with state, prompt, age and a link, and does one again", async () => {
    const { local, loop, queue, events } = await startWorld();
    const alice = local.member("alice");
    const delivered = nextEvent(events, "job.delivered");
    const first = await alice.slash("compare", { prompt: "A [cat](x) in the rain", seed: 7, steps: 12 });
    await first.done();
    await loop.runNext();
    const { messageId } = await delivered;
    await (await local.member("bob").slash("optimize", { prompt: "bob's own" })).done();
    await (await alice.slash("optimize", { prompt: "x".repeat(900) })).done();

    const list = await alice.slash("history");
    expect(list.ephemeral).toBe(true);
    const [newest, oldest, ...more] = lines(list.message);
    expect(more).toEqual([]);
    expect(newest).toMatch(/^🕓 x{39}… · waiting · <t:\d+:R> · \[Open\]\(https:.*\)$/);
    expect(oldest).toContain("✔️ A \\[cat\\]\\(x\\) in the rain · done");
    expect(oldest).toContain(`/${messageId})`);

    const [, choice] = optionsOf(list.message);
    expect(choice).toMatchObject({ label: "A [cat](x) in the rain" });
    expect(choice?.description).toMatch(/^Compare, done, /);
    const enqueued = nextEvent(events, "job.enqueued");
    const press = await again(local, list.message, choice!.value);
    const job = await queue.get((await enqueued).jobId);
    expect(press.ephemeral).toBe(false);
    expect(job).toMatchObject({ kind: "compare", parentId: choice!.value, image: { steps: 12 } });
    expect(job?.image.seed).not.toBe(7);
    expect(job?.items[0]).toMatchObject({ prompt: "A [cat](x) in the rain" });
  });

  it("rewrites a prompt of /optimize anew, and shows a batch before it starts again", async () => {
    const { local, loop, queue, events } = await startWorld();
    const alice = local.member("alice");
    const batch = await startBatch(alice, { name: "p.txt", data: "A cat\nA dog\n" });
    await batch.done();
    await loop.runNext();
    await (await alice.slash("optimize", { prompt: "A bird" })).done();
    await loop.runNext();
    const { message } = await alice.slash("history");
    const [bird, pets] = optionsOf(message).map(({ value }) => value);
    const enqueued = nextEvent(events, "job.enqueued");
    await again(local, message, bird!);
    expect(await queue.get((await enqueued).jobId)).toMatchObject({
      kind: "optimize",
      state: "queued",
      items: [{ prompt: "A bird", rewrite: null }],
    });
    const draft = await again(local, message, pets!);
    expect(textOf(await draft.done())).toContain("2 prompts");
    expect(draft.message?.components[0]?.components?.map(({ label }) => label)).toEqual(["Start", "Discard"]);
  });

  it("holds 25 of the worst prompts", async () => {
    const { local, problems } = await startWorld();
    const alice = local.member("alice");
    for (let i = 0; i < 26; i++)
      await (await alice.slash("optimize", { prompt: `${"*_`|<>[]()".repeat(90)} ${i}` })).done();
    const { message } = await alice.slash("history");
    expect(lines(message)).toHaveLength(25);
    expect(optionsOf(message)).toHaveLength(25);
    expect(problems).toEqual([]);
  });

  it("says if the chosen job is gone", async () => {
    const { local, loop, queue, events } = await startWorld();
    const alice = local.member("alice");
    await (await alice.slash("optimize", { prompt: "A cat" })).done();
    const delivered = nextEvent(events, "job.delivered");
    await loop.runNext();
    await delivered;
    const { message } = await alice.slash("history");
    await (await alice.slash("mydata erase", { confirm: true })).done();
    const gone = await again(local, message, optionsOf(message)[0]!.value);
    expect(gone.message?.content).toMatch(/no such job/);
    expect(await queue.open()).toEqual([]);
  });
});

describe("an id that is typed", () => {
  it("is completed with one's own jobs by their prompt", async () => {
    const { local } = await startWorld();
    const alice = local.member("alice");
    for (const prompt of ["A cat", "A dog", "y".repeat(300)])
      await (await alice.slash("optimize", { prompt })).done();
    await (await local.member("bob").slash("optimize", { prompt: "A cat of bob's" })).done();
    const names = async (id: string) =>
      (await alice.autocomplete("show", { id }, "id")).map(({ name }) => name);
    expect(await names("")).toEqual([
      expect.stringMatching(/^y{50,}… · .+$/),
      expect.stringMatching(/^A dog · (now|\d+ seconds? ago)$/),
      expect.stringMatching(/^A cat · /),
    ]);
    for (const name of await names("")) expect(name.length).toBeLessThanOrEqual(100);
    expect(await names("CAT")).toEqual([expect.stringMatching(/^A cat · /)]);
    const [dog] = await alice.autocomplete("show", { id: "dog" }, "id");
    const shown = await alice.slash("show", { id: String(dog?.value) });
    expect(shown.message?.content).toMatch(/not finished/);
  });

  it("is completed with the failed jobs, only for those who run the bot", async () => {
    const world = await startWorld();
    const { local, loop } = world;
    await (await local.member("alice").slash("optimize", { prompt: "A cat" })).done();
    const claim = await loop.claim("text");
    await loop.fail(claim, "DISK_FULL");
    await (await local.member("alice").slash("optimize", { prompt: "waits" })).done();
    const complete = (name: string, job: string) =>
      local.member(name).autocomplete("admin retry", { job }, "job");
    expect(await complete("admin", "ca")).toEqual([
      { name: expect.stringMatching(/^A cat · /), value: claim.job.id },
    ]);
    expect(await complete("admin", "dog")).toEqual([]);
    await world.bot.stop();
    const bot = makeBot(world, { adminIds: ["12345678901234567"] });
    onTestFinished(() => bot.stop());
    await bot.start();
    expect(await complete("admin", "")).toEqual([]);
  });
});
