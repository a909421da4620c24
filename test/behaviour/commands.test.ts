import { parse } from "csv-parse/sync";
import sharp from "sharp";
import { describe, expect, it, onTestFinished } from "vitest";
import { startBatch } from "../support/batch.js";
import { isFinal, makeBot, nextEvent, startWorld } from "../support/bot-world.js";
import { textOf } from "../support/message.js";

describe("/optimize", () => {
  it("goes from a place in the queue to the rewrite and the other rewrites, in one message", async () => {
    const { local, loop, deliveries, events, problems } = await startWorld();
    const delivered = nextEvent(events, "job.delivered");
    const handle = await local.member("alice").slash("optimize", { prompt: "  A cat in the rain " });
    const waiting = await handle.waitFor((m) => textOf(m).includes("Starting…"));
    expect(waiting.content).toBe("");
    expect(textOf(waiting)).toContain("A cat in the rain");

    await loop.runNext();
    const result = await handle.waitFor(isFinal);
    expect(result.id).toBe(waiting.id);
    expect(textOf(result)).toContain(
      "**Rewritten by Promptist**```\nA cat in the rain, highly detailed, artstation\n```\n-# A cat in the rain**, highly detailed, artstation**",
    );
    const choice = result.components.flatMap((row) => row.components ?? []).find((it) => it.options);
    expect(choice?.options?.map(({ label }) => label)).toEqual(["2. sharp focus", "3. octane render"]);
    expect(textOf(result)).toMatch(/\n-# [\d.]+ m?s · miniature models · Job `\w+`\.$/);
    expect(textOf(result)).not.toContain("seed");
    expect(result.attachments).toEqual([]);

    expect((await delivered).messageId).toBe(result.id);
    expect(await deliveries.undelivered()).toEqual([]);
    expect(local.member("alice").messages()).toHaveLength(1);
    expect(problems).toEqual([]);
  });
});

describe("/compare", () => {
  it("posts both originals once, the rewrite to copy, the difference and every setting", async () => {
    const { local, loop, queue, events } = await startWorld();
    const alice = local.member("alice");
    const accepted = nextEvent(events, "job.enqueued");
    const delivered = nextEvent(events, "job.delivered");
    const handle = await alice.slash("compare", {
      prompt: "A *cat*, @everyone",
      seed: 1234567890123,
      steps: 12,
      guidance: 6,
      negative: "blurry",
    });
    const { jobId: id } = await accepted;
    await loop.runNext();
    const result = await handle.waitFor(isFinal);

    expect(textOf(result)).toContain(
      "**Left** as written · **right** rewritten by Promptist:```\nA *cat*, @everyone, highly detailed, artstation\n```\n-# A \\*cat\\*, \\@everyone**, highly detailed, artstation**",
    );
    expect(textOf(result)).toContain("**Negative prompt**```\nblurry\n```");
    expect(textOf(result)).toMatch(
      /\n-# seed 1234567890123 · 12 steps · guidance 6 · [\d.]+ m?s · miniature models · Job `\w+`\.$/,
    );
    expect(result.mention_everyone).toBe(false);
    expect(result.mentions).toEqual([]);

    const stem = `${id}-1234567890123`;
    expect(result.attachments.map((file) => file.filename)).toEqual([
      `${stem}-baseline.png`,
      `${stem}-optimized.png`,
    ]);
    for (const file of result.attachments) {
      expect(file.description).toContain("A *cat*");
      expect((await sharp(await alice.download(file)).metadata()).format).toBe("png");
    }
    expect(result.embeds[0]?.image).toBeUndefined();

    await delivered;
    const job = await queue.get(id);
    expect(job?.image).toMatchObject({ seed: 1234567890123, steps: 12, guidance: 6, negative: "blurry" });
    expect(job?.delivery.messageId).toBe(result.id);
  });

  it("draws its own seed when none is given, another one each time", async () => {
    const { local, queue } = await startWorld();
    const seeds = new Set<number>();
    for (let i = 0; i < 3; i++) {
      const handle = await local.member("alice").slash("compare", { prompt: "A cat" });
      await handle.done();
    }
    for (const job of await queue.open()) seeds.add(job.image.seed);
    expect(seeds.size).toBe(3);
  });
});

describe("a default beyond the limit", () => {
  it("is brought within it", async () => {
    const limits = { maxPromptLength: 1000, maxBatch: 20, maxFileBytes: 10_000, maxSteps: 20, maxPairs: 4 };
    const { local, queue } = await startWorld({ bot: { limits } });
    await (await local.member("alice").slash("compare", { prompt: "A cat" })).done();
    expect((await queue.open())[0]?.image.steps).toBe(20);
  });
});

describe("/batch", () => {
  it("turns a text file into pairs, a contact sheet and prompts.json", async () => {
    const { local, loop } = await startWorld();
    const alice = local.member("alice");
    const handle = await startBatch(alice, { name: "p.txt", data: "A cat\nA dog\n" });
    await handle.waitFor((m) => textOf(m).includes("2 prompts.\nStarting…"));
    await loop.runNext();
    const result = await handle.waitFor(isFinal);
    expect(textOf(result)).toContain("2 prompts, 4 pictures.");
    expect(textOf(result)).toMatch(/seeds \d+ to \d+ · [\d.]+ m?s/);
    const prompts = result.attachments.find((file) => file.filename === "prompts.json")!;
    expect(JSON.parse((await alice.download(prompts)).toString("utf8"))).toEqual([
      { original: "A cat", optimized: "A cat, highly detailed, artstation" },
      { original: "A dog", optimized: "A dog, highly detailed, artstation" },
    ]);
    expect(result.embeds[0]?.image?.url).toContain("contact-sheet-1.png");
    const report = result.attachments.find((file) => file.filename === "report.csv")!;
    const rows = parse((await alice.download(report)).toString("utf8"), { columns: true }) as Record<
      string,
      string
    >[];
    const seeds = rows.map((row) => Number(row.seed));
    expect(seeds[1]).toBe(seeds[0]! + 1);
    expect(rows).toMatchObject([
      { number: "1", original: "A cat", optimized: "A cat, highly detailed, artstation", steps: "50" },
      { number: "2", original: "A dog", stable_diffusion: "stable-diffusion" },
    ]);
  });

  it("says that Promptist is not needed for pairs, and sends them to the image phase", async () => {
    const { local, loop, queue } = await startWorld();
    const pairs = [
      { original: "A cat", optimized: "A cat, detailed" },
      { original: "A dog", optimized: "A dog, detailed" },
    ];
    const handle = await startBatch(local.member("alice"), {
      name: "prompts.json",
      data: JSON.stringify(pairs),
    });
    await handle.waitFor((m) =>
      textOf(m).startsWith("2 prompts, all already optimized: Promptist is not needed.\nDrawing starts…"),
    );
    expect(await queue.hasWork("text")).toBe(false);
    await loop.runNext();
    expect(textOf(await handle.waitFor(isFinal))).toContain("4 pictures");
  });

  it("counts the pairs of a mixed file", async () => {
    const { local } = await startWorld();
    const list = ["A cat", { original: "A dog", optimized: "A dog, detailed" }];
    const handle = await local.member("alice").slash("batch", {
      file: { name: "prompts.json", data: JSON.stringify(list) },
    });
    expect(textOf(await handle.done())).toContain(
      "2 prompts, 1 already optimized: Promptist is not needed for it.",
    );
  });
});

describe("one interaction that Discord delivers twice", () => {
  it("makes one job and one message", async () => {
    const { local, queue, loop, problems } = await startWorld();
    const alice = local.member("alice");
    const handle = await alice.slash("compare", { prompt: "A cat", seed: 1 });
    local.state.emit({ type: "interaction.created", interaction: handle.record });
    // Events arrive in order: once this one is answered, the repeated one was handled.
    await (await alice.slash("optimize", { prompt: "after it" })).done();
    expect((await queue.depth()).queued).toBe(2);
    await loop.runNext();
    await handle.waitFor(isFinal);
    expect(local.transcript.rest("POST", /callback/)).toHaveLength(2);
    expect(problems).toEqual([]);
  });
});

describe("one interaction that arrives again after a restart", () => {
  it("changes nothing, whether its job waits or is delivered", async () => {
    const world = await startWorld();
    const { local, queue, loop, events } = world;
    const alice = local.member("alice");
    const done = await alice.slash("optimize", { prompt: "one" });
    await done.done();
    const delivered = nextEvent(events, "job.delivered");
    await loop.runNext();
    await delivered;
    const waiting = await alice.slash("optimize", { prompt: "two" });
    await waiting.done();
    await world.bot.stop();
    const bot = makeBot(world);
    onTestFinished(() => bot.stop());
    await bot.start();

    const before = JSON.stringify(done.message);
    for (const { record } of [done, waiting]) {
      local.state.emit({ type: "interaction.created", interaction: record });
    }
    await (await alice.slash("optimize", { prompt: "after them" })).done();
    await waiting.waitFor((m) => textOf(m).includes("Starting…"));
    expect((await queue.depth()).queued).toBe(2);
    expect(JSON.stringify(done.message)).toBe(before);
    expect(alice.messages()).toHaveLength(3);
  });
});

describe("a gateway connection that breaks", () => {
  it("connects again, and the command sent meanwhile is served", async () => {
    const { local, events, loop } = await startWorld();
    const alice = local.member("alice");
    await (await alice.slash("optimize", { prompt: "one" })).done();
    await loop.runNext();
    const second = nextEvent(events, "job.enqueued");
    local.faults.dropGateway();
    const handle = await alice.slash("optimize", { prompt: "two" });
    await second;
    await loop.runNext();
    expect(textOf(await handle.waitFor(isFinal))).toContain("two**, highly detailed");
  });
});

describe("brackets that weigh words", () => {
  const PLAIN = "are read as plain text here. To give them their meaning, choose `prompts: weighted`";

  it("are said to mean nothing where prompts are read as diffusers reads them", async () => {
    const { local, loop } = await startWorld();
    for (const [prompt, isTold] of [
      ["a (red:1.3) cat", true],
      ["a cat BREAK a dog", true],
      ["a cat (black)", false],
    ] as const) {
      const handle = await local.member("alice").slash("optimize", { prompt });
      await handle.done();
      await loop.rewrite(await loop.claim("text"));
      expect(textOf(await handle.waitFor(isFinal)).includes(PLAIN), prompt).toBe(isTold);
    }
  });

  it("are read by the option, or by the channel's setting", async () => {
    const { local, loop, queue } = await startWorld();
    const alice = local.member("alice");
    const jobOf = async (options: Record<string, string>) => {
      const handle = await alice.slash("compare", { prompt: "a (red:1.3) cat", ...options });
      await handle.done();
      const [waiting] = await queue.work();
      await loop.runNext();
      const job = (await queue.get(waiting!.id))!;
      return { mode: job.image.prompts, text: textOf(await handle.waitFor(isFinal)) };
    };
    const usual = await jobOf({});
    expect(usual).toMatchObject({ mode: "diffusers" });
    expect(usual.text).toContain(PLAIN);
    const own = await jobOf({ prompts: "weighted" });
    expect(own).toMatchObject({ mode: "weighted" });
    expect(own.text).not.toContain(PLAIN);
    expect(own.text).toContain("weighted prompts");
    const admin = local.member("admin");
    await admin.slash("settings set", { name: "prompts", value: "weighted" });
    expect(await jobOf({})).toMatchObject({ mode: "weighted" });
    expect(await jobOf({ prompts: "diffusers" })).toMatchObject({ mode: "diffusers" });
  });

  it("do not hide a refused word", async () => {
    const { local, queue } = await startWorld();
    const admin = local.member("admin");
    await admin.slash("settings set", { name: "refusedWords", value: "zebra" });
    for (const prompt of ["a ze\\bra", "a ze(:1)bra", "a (zebra:0.1)"]) {
      const handle = await local.member("alice").slash("compare", { prompt, prompts: "weighted" });
      expect(handle.message?.content, prompt).toContain("is not allowed here");
    }
    expect(await queue.work()).toEqual([]);
  });
});

describe("a note on a result", () => {
  it("is said under it", async () => {
    const { local, loop } = await startWorld();
    const handle = await local.member("alice").slash("optimize", { prompt: "A cat" });
    await handle.done();
    await loop.rewrite(await loop.claim("text"), [
      { code: "unchanged" },
      { code: "truncated", side: "optimized", words: "trending on artstation" },
    ]);
    const result = textOf(await handle.waitFor(isFinal));
    expect(result).toContain("Promptist changed nothing.");
    expect(result).toContain("can't read the end of the rewritten prompt: `trending on artstation`");
    expect(result).toContain("With `prompts: weighted` the image model reads long prompts to their end.");
  });
});
