import { Locale } from "discord.js";
import { describe, expect, it, onTestFinished } from "vitest";
import { commandDefinitions } from "../../../src/bot/commands/index.js";
import { completeSize } from "../../../src/bot/commands/options.js";
import { LANGUAGES } from "../../../src/bot/words/locale-files.js";
import { SCHEDULERS } from "../../../src/core/options.js";
import { hasButton } from "../../support/batch.js";
import { isFinal, makeBot, nextEvent, startWorld } from "../../support/bot-world.js";

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
      kind: "compare",
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

describe("the size", () => {
  /** Those of the miniature. */
  const limits = { maxPromptLength: 1000, maxBatch: 20, maxFileBytes: 10_000, maxSteps: 100, maxPairs: 4 };
  const small = { bot: { limits: { ...limits, sides: { own: 64, max: 128 } } } };
  const tooLarge =
    "The size `512x768` is too large for the model here. No side may be longer than 128 pixels.";

  it("is offered as shapes that suit the checkpoint, and as what was typed where that is allowed", async () => {
    const { local } = await startWorld(small);
    const alice = local.member("alice");
    const offered = (size: string) => alice.autocomplete("compare", { prompt: "A cat", size }, "size");
    const all = [
      { name: "square · 64x64", value: "64x64" },
      { name: "portrait · 64x96", value: "64x96" },
      { name: "landscape · 96x64", value: "96x64" },
      { name: "larger · 96x96", value: "96x96" },
    ];
    expect(await offered("")).toEqual(all);
    expect(await offered("Port")).toEqual([all[1]]);
    expect(await offered("128x72")).toEqual([{ name: "128x72", value: "128x72" }]);
    for (const odd of ["512x768", "65x64", "huge"]) expect(await offered(odd)).toEqual(all);
  });

  it("is offered in six more languages", () => {
    const labels = LANGUAGES.map((language) => completeSize("", language as Locale, limits)[1]?.name);
    expect(labels).toContain("Hochformat · 512x768");
    expect(new Set(labels.map((label) => label?.replace(/\d+x\d+$/, "512x768"))).size).toBeGreaterThan(4);
    expect(completeSize("", Locale.Korean, limits)[3]?.name).toBe("larger · 768x768");
  });

  it.each([
    ["landscape", { width: 96, height: 64 }],
    ["128X128", { width: 128, height: 128 }],
  ])("%s is taken as written", async (size, pixels) => {
    const { local, queue } = await startWorld(small);
    await (await local.member("alice").slash("compare", { prompt: "A cat", size })).done();
    expect((await queue.open())[0]?.image.size).toEqual(pixels);
  });

  it.each([
    ["512x768", tooLarge],
    ["64x136", "No side may be longer than 128 pixels."],
    ["huge", "takes a size such as `64x96`, both sides multiples of 8 from 64 to 128."],
  ])("%s is refused privately, with the largest that is allowed", async (size, sentence) => {
    const { local, queue } = await startWorld(small);
    const alice = local.member("alice");
    const handle = await alice.slash("compare", { prompt: "A cat", size });
    expect(handle.ephemeral).toBe(true);
    expect(handle.message?.content).toContain(sentence);
    const admin = local.member("admin");
    const set = await admin.slash("settings set", { name: "size", value: size });
    expect(set.message?.content).toContain(sentence);
    expect(await queue.open()).toEqual([]);
  });

  it.each([
    ["128x128", "96x96"],
    ["128x96", "104x80"],
  ])("%s, which does not fit into memory, is refused privately, with %s", async (size, largest) => {
    const sides = { own: 64, max: 128, mostPixels: 96 * 96 };
    const { local, queue } = await startWorld({ bot: { limits: { ...limits, sides } } });
    const handle = await local.member("alice").slash("compare", { prompt: "A cat", size });
    expect(handle.ephemeral).toBe(true);
    expect(handle.message?.content).toBe(
      `The size \`${size}\` does not fit into the memory here. The largest of its shape that does is \`${largest}\`.`,
    );
    const data = `prompt,size\nA cat,${size}\n`;
    const batch = await local.member("alice").slash("batch", { file: { name: "sizes.csv", data } });
    expect((await batch.waitFor((m) => m.content !== "")).content).toContain(largest);
    expect(await queue.open()).toEqual([]);
    await (await local.member("alice").slash("compare", { prompt: "A cat", size: "96x96" })).done();
    expect(await queue.open()).toHaveLength(1);
  });

  it("of a batch's columns is refused before anything waits", async () => {
    const { local, queue } = await startWorld(small);
    const data = "prompt,width,height\nA cat,512,768\n";
    const handle = await local.member("alice").slash("batch", { file: { name: "report.csv", data } });
    expect((await handle.waitFor((m) => m.content !== "")).content).toContain(tooLarge);
    expect(await queue.open()).toEqual([]);
  });

  it("of an older job or setting is neither drawn again nor a default", async () => {
    const world = await startWorld();
    const alice = world.local.member("alice");
    const first = await alice.slash("compare", { prompt: "A cat", size: "512x768" });
    await first.done();
    await world.loop.runNext();
    const result = await first.waitFor(isFinal);
    const draft = await alice.slash("batch", {
      file: { name: "a.csv", data: "prompt,width,height\nA cat,512,768\n" },
    });
    const preview = await draft.waitFor((m) => hasButton(m, "Start"));
    await world.local.member("admin").slash("settings set", { name: "size", value: "768x768" });
    await world.bot.stop();
    const bot = makeBot(world, small.bot);
    onTestFinished(() => bot.stop());
    await bot.start();

    expect((await alice.press(result, "New seed")).message?.content).toContain(tooLarge);
    const answered = alice.waitFor((m) => m.content === tooLarge);
    await alice.press(preview, "Start");
    await answered;
    await (await alice.slash("compare", { prompt: "A dog" })).done();
    expect((await world.queue.open()).map(({ image }) => image.size)).toEqual([null]);
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

  it("have every name and description in every language, apart from names that are proper ones", () => {
    type Texts = Record<string, string>;
    interface Node {
      readonly name: string;
      readonly description?: string;
      readonly value?: string;
      readonly name_localizations?: Texts | null;
      readonly description_localizations?: Texts | null;
      readonly options?: readonly Node[];
      readonly choices?: readonly Node[];
    }
    const limits = { maxPromptLength: 1000, maxBatch: 20, maxFileBytes: 10_000, maxSteps: 100, maxPairs: 4 };
    const commands = commandDefinitions(limits) as unknown as readonly Node[];
    const proper: readonly string[] = SCHEDULERS;
    let checked = 0;
    const check = (node: Node, path: string, kind: "command" | "choice" | "menu") => {
      for (const language of ["en-US", ...LANGUAGES]) {
        const where = `${path} in ${language}`;
        const name = node.name_localizations?.[language];
        if (kind === "choice") {
          if (proper.includes(node.value ?? "")) continue;
          expect(name, where).toMatch(/^.{1,100}$/u);
          // Another language is another text, or it was forgotten.
          if (language !== "en-US") expect(name, where).not.toBe(node.name);
        } else if (kind === "menu") {
          expect(name, where).toMatch(/^.{1,32}$/u);
        } else {
          expect(name, where).toMatch(/^[-_'\p{L}\p{M}\p{N}]{1,32}$/u);
          expect(name, where).toBe(name?.toLowerCase());
          const description = node.description_localizations?.[language];
          expect(description, where).toMatch(/^.{1,100}$/u);
          if (language !== "en-US") expect(description, where).not.toBe(node.description);
        }
        checked++;
      }
      for (const language of LANGUAGES) {
        const names = (node.options ?? []).map((option) => option.name_localizations?.[language]);
        expect(new Set(names).size, `${path}: two options of one name in ${language}`).toBe(names.length);
      }
      for (const option of node.options ?? []) check(option, `${path} ${option.name}`, "command");
      for (const choice of node.choices ?? []) check(choice, `${path}=${choice.value}`, "choice");
    };
    for (const command of commands)
      check(command, command.name, command.description === undefined ? "menu" : "command");
    const top = commands.map((command) => command.name_localizations?.de);
    expect(new Set(top).size).toBe(top.length);
    expect(checked).toBeGreaterThan(500);
  });

  it("a setting is found by what it means, in the person's language; its name stays", async () => {
    const { local } = await startWorld();
    const admin = local.member("admin");
    const typed = (name: string) => admin.autocomplete("settings set", { name, value: "x" }, "name");
    expect(await typed("")).toHaveLength(25);
    expect(await typed("hidden behind")).toEqual([
      { name: "spoiler · pictures are hidden behind a click", value: "spoiler" },
    ]);
    local.state.users.get(admin.id)!.locale = "de";
    expect(await typed("nach einem Klick")).toEqual([
      { name: "spoiler · Bilder erst nach einem Klick zeigen", value: "spoiler" },
    ]);
    expect(await typed("no such thing")).toEqual([]);
  });

  it("stay within Discord's 8000 characters for each, in the longest language", () => {
    interface Node {
      readonly [key: string]: unknown;
    }
    const longest = (text: unknown, localized: unknown): number =>
      Math.max(0, ...[text, ...Object.values(localized ?? {})].map((it) => String(it ?? "").length));
    const count = (node: Node): number =>
      longest(node.name, node.name_localizations) +
      longest(node.description, node.description_localizations) +
      String(node.value ?? "").length +
      [...((node.options as Node[]) ?? []), ...((node.choices as Node[]) ?? [])].reduce(
        (sum, inner) => sum + count(inner),
        0,
      );
    const limits = { maxPromptLength: 1000, maxBatch: 20, maxFileBytes: 10_000, maxSteps: 100, maxPairs: 4 };
    for (const command of commandDefinitions(limits))
      expect(count(command as unknown as Node), command.name).toBeLessThan(8000);
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
  const parameters =
    "a cat\nNegative prompt: ugly\nSteps: 25, Sampler: Euler a, CFG scale: 6.5, Seed: 99, Size: 512x768, Model: x";
  it.each([
    ["```\na cat\n```", "a cat", {}],
    ["Try this: ```txt\na cat\n```", "a cat", {}],
    [
      "/imagine prompt: a cat --ar 1:1 --no dogs",
      "a cat",
      { negative: "dogs", size: { width: 512, height: 512 } },
    ],
    [
      parameters,
      "a cat",
      { negative: "ugly", steps: 25, guidance: 6.5, scheduler: "euler-ancestral", seed: 99 },
    ],
    [`\`\`\`\n${parameters}\n\`\`\``, "a cat", { steps: 25, size: { width: 512, height: 768 } }],
  ])("understands %j", async (content, prompt, image) => {
    const world = await startWorld();
    const alice = world.local.member("alice");
    await (await alice.menu("Compare this", alice.say(content))).done();
    const [job] = await world.queue.open();
    expect(job?.items.map((item) => item.prompt)).toEqual([prompt]);
    expect(job?.image).toMatchObject(image);
  });

  it("understands the bot's own result, and draws the same again", async () => {
    const world = await startWorld();
    const alice = world.local.member("alice");
    const options = {
      prompt: "a `cat`",
      negative: "ugly",
      steps: 20,
      seed: 7,
      size: "512x768",
      scheduler: "euler",
    };
    const first = await alice.slash("compare", options);
    await first.done();
    const [before] = await world.queue.open();
    await world.loop.runNext();
    const result = await first.waitFor(isFinal);
    await (await alice.menu("Compare this", result)).done();
    const [after] = await world.queue.open();
    expect(after?.items[0]?.prompt).toBe("a `cat`");
    expect(after?.image).toEqual(before?.image);
  });

  it("refuses a setting that the commands would refuse, and only where something is drawn", async () => {
    const world = await startWorld();
    const alice = world.local.member("alice");
    const message = alice.say("a cat\nSteps: 5000, Seed: 3");
    const refused = await alice.menu("Compare this", message);
    expect(refused.message?.content).toContain("The option `steps` takes a whole number from 1 to 100");
    await (await alice.menu("Optimize this", message)).done();
    expect((await world.queue.open()).map(({ kind }) => kind)).toEqual(["optimize"]);
  });

  it.each([
    ["Compare this", "a cat --sref 5", "Of the message, `--sref 5` is not read."],
    [
      "Compare this",
      "Try this:\n```\na cat\nSteps: 20, Clip skip: 2\n```",
      "Of the message, what is outside the code block is not read and `Clip skip` is not read.",
    ],
    [
      "Optimize this",
      "a cat --no dogs --ar 1:1",
      "Of the message, `size` and `negative` are for pictures only.",
    ],
  ])("%s %j: its result tells what was not taken", async (menu, content, sentence) => {
    const world = await startWorld();
    const alice = world.local.member("alice");
    const handle = await alice.menu(menu, alice.say(content));
    await handle.done();
    await world.loop.runNext();
    const result = await handle.waitFor(isFinal);
    expect(result.embeds[0]?.description).toContain(`\n${sentence}`);
  });

  it("takes the message's text as the prompt", async () => {
    const world = await startWorld();
    const enqueued = nextEvent(world.events, "job.enqueued");
    const message = world.local.member("bob").say("A castle\nby night");
    const handle = await world.local.member("alice").menu("Compare this", message);
    await handle.done();
    const { jobId, job } = await enqueued;
    expect(job.kind).toBe("compare");
    expect(await world.queue.get(jobId)).toMatchObject({
      origin: { userId: world.local.member("alice").id },
      items: [{ prompt: "A castle by night" }],
    });
  });
});
