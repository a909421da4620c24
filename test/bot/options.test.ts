import { describe, expect, it } from "vitest";
import { LANGUAGES } from "../../src/bot/translations.js";
import { makeBot, nextEvent, startWorld } from "./support.js";

describe("the options of a comparison", () => {
  it("reach the job: size, scheduler, mode, and pairs from the seeds that follow", async () => {
    const { local, queue } = await startWorld();
    const handle = await local.member("alice").slash("compare", {
      prompt: "A cat",
      seed: 7,
      size: "512x768",
      scheduler: "euler",
      mode: "sample",
      pairs: 3,
    });
    await handle.done();
    const [job] = await queue.open();
    expect(job).toMatchObject({
      kind: "batch",
      image: { size: { width: 512, height: 768 }, scheduler: "euler" },
      text: { mode: "sample", seed: 7 },
    });
    expect(job?.items.map(({ prompt, seed }) => [prompt, seed])).toEqual([
      ["A cat", 7],
      ["A cat", 8],
      ["A cat", 9],
    ]);
  });

  it.each([
    ["513x512", "both sides multiples of 8"],
    ["8x8", "both sides multiples of 8"],
    ["big", "a size such as `512x768`"],
  ])("size %s is refused privately", async (size, sentence) => {
    const { local, queue } = await startWorld();
    const handle = await local.member("alice").slash("compare", { prompt: "A cat", size });
    expect(handle.ephemeral).toBe(true);
    expect(handle.message?.content).toContain(sentence);
    expect(await queue.open()).toEqual([]);
  });

  it("the prompt is completed from one's own recent ones", async () => {
    const { local } = await startWorld();
    const alice = local.member("alice");
    for (const prompt of ["A cat", "A dog", `A cat ${"x".repeat(120)}`]) {
      await (await alice.slash("optimize", { prompt })).done();
    }
    await (await local.member("bob").slash("optimize", { prompt: "bob's cat" })).done();
    const choices = await alice.autocomplete("compare", { prompt: "CAT" }, "prompt");
    // Discord takes 100 letters of a choice, so the long one is not offered.
    expect(choices).toEqual([{ name: "A cat", value: "A cat" }]);
  });
});

describe("the commands as they are registered", () => {
  it("speak six more languages, and go wherever a person has installed the bot", async () => {
    const { local } = await startWorld();
    const commands = [...local.state.commands.values()];
    const compare = commands.find(({ name }) => name === "compare")!;
    expect(LANGUAGES).toHaveLength(6);
    for (const language of LANGUAGES) {
      expect(compare.name_localizations?.[language]).toMatch(/^[\p{L}\p{M}]+$/u);
      expect(compare.description_localizations?.[language]).toBeTruthy();
      const seed = compare.options?.find(({ name }) => name === "seed") as {
        description_localizations?: Record<string, string>;
      };
      expect(seed.description_localizations?.[language]).toBeTruthy();
    }
    expect(compare.contexts).toEqual([0, 1, 2]);
    expect(compare.integration_types).toEqual([0, 1]);
    const admin = commands.find(({ name }) => name === "admin")!;
    expect(admin.integration_types).toEqual([0]);
    expect(admin.default_member_permissions).toBe("32");
    expect(commands.filter(({ type }) => type === 3).map(({ name }) => name)).toEqual([
      "Optimize this",
      "Compare this",
    ]);
  });

  it("are registered once: the next start finds them as they are", async () => {
    const world = await startWorld();
    const puts = () => world.local.transcript.rest("PUT", /commands$/).length;
    expect(puts()).toBe(1);
    await world.bot.stop();
    const bot = makeBot(world);
    await bot.start();
    await bot.stop();
    expect(puts()).toBe(1);
  });
});

describe("the menu of a message", () => {
  it("takes the message's text as the prompt", async () => {
    const world = await startWorld();
    const enqueued = nextEvent(world.events, "job.enqueued");
    const message = world.local.member("bob").say("A castle\nby night");
    const handle = await world.local.member("alice").menu("Compare this", message);
    await handle.done();
    const { jobId, kind } = await enqueued;
    expect(kind).toBe("compare");
    expect(await world.queue.get(jobId)).toMatchObject({
      origin: { userId: world.local.member("alice").id },
      items: [{ prompt: "A castle by night" }],
    });
  });
});
