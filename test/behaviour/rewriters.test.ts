import { expect, it } from "vitest";
import type { Job } from "../../src/core/job.js";
import { isFinal, nextEvent, startWorld, type World } from "../support/bot-world.js";
import { textOf } from "../support/message.js";

async function enqueued(world: World, command: () => Promise<unknown>) {
  const event = nextEvent(world.events, "job.enqueued");
  await command();
  const { jobId } = await event;
  return (await world.queue.get(jobId))!;
}

it("a rewriter is offered while typed, brings its own settings, is named in the result, and stays with re-runs", async () => {
  const world = await startWorld({ bot: { rewriters: () => ["promptist", "magicprompt"] } });
  const alice = world.local.member("alice");
  const choices = await alice.autocomplete("compare", { prompt: "A cat", rewriter: "" }, "rewriter");
  expect(choices.slice(0, 3)).toEqual([
    { name: "Promptist", value: "promptist" },
    { name: "MagicPrompt", value: "magicprompt" },
    { name: "none", value: "none" },
  ]);
  expect(choices.map(({ value }) => value)).toContain("style:woodcut");
  const event = nextEvent(world.events, "job.enqueued");
  const handle = await alice.slash("compare", { prompt: "A cat", seed: 7, rewriter: "MagicPrompt" });
  const { jobId } = await event;
  expect((await world.queue.get(jobId))?.text).toMatchObject({
    rewriter: "magicprompt",
    mode: "sample",
    temperature: 0.7,
    seed: 7,
  });
  while ((await world.queue.depth()).queued > 0) await world.loop.runNext();
  const result = await handle.waitFor(isFinal);
  expect(textOf(result)).toContain("rewritten by MagicPrompt");
  const again = await enqueued(world, () => alice.press(result, "New seed"));
  expect(again.text.rewriter).toBe("magicprompt");
  const greedy = await enqueued(world, () =>
    alice.slash("compare", { prompt: "A cat", rewriter: "magicprompt", mode: "greedy" }),
  );
  expect(greedy.text).toMatchObject({ rewriter: "magicprompt", mode: "greedy" });

  const unknown = await alice.slash("compare", { prompt: "A cat", rewriter: "shakespeare" });
  expect(unknown.ephemeral).toBe(true);
  expect(unknown.message?.content).toContain("The rewriter `shakespeare` can't be used here");
  const gone = await alice.slash("compare", { prompt: "A cat", rewriter: "magicprompt-small" });
  expect(gone.message?.content).toContain("`MagicPrompt small` is no longer on the bot's machine");
});

it("none and a style need no model: the rewrite is the prompt, or the prompt in the style's words", async () => {
  const world = await startWorld();
  const alice = world.local.member("alice");
  const styled = await enqueued(world, () =>
    alice.slash("compare", { prompt: "A cat", rewriter: "style:Woodcut" }),
  );
  expect(styled.text.rewriter).toBe("style:woodcut");
  expect(styled).toMatchObject({ phase: "image", items: [{ prompt: "A cat" }] });
  expect(styled.items[0]?.rewrite).toMatch(/^woodcut print of A cat, carved lines/);
  const event = nextEvent(world.events, "job.enqueued");
  const handle = await alice.slash("compare", { prompt: "A cat", rewriter: "none" });
  const { jobId } = await event;
  expect(await world.queue.get(jobId)).toMatchObject({ phase: "image", items: [{ rewrite: "A cat" }] });
  while ((await world.queue.depth()).queued > 0) await world.loop.runNext();
  expect((await handle.waitFor(isFinal)).embeds[0]?.title).toBe("As written");
  const unknown = await alice.slash("compare", { prompt: "A cat", rewriter: "style:cubist" });
  expect(unknown.message?.content).toContain("The style `cubist` is not there");
});

it("several rewriters stand one below the other, and a menu draws the pair of one", async () => {
  const world = await startWorld();
  const alice = world.local.member("alice");
  const offered = await alice.autocomplete(
    "optimize",
    { prompt: "A cat", rewriter: "promptist,magicprompt-s" },
    "rewriter",
  );
  expect(offered).toEqual([{ name: "promptist,MagicPrompt small", value: "promptist,magicprompt-small" }]);
  const event = nextEvent(world.events, "job.enqueued");
  const names = "promptist, magicprompt, style:ink drawing";
  const handle = await alice.slash("optimize", { prompt: "A cat", rewriter: names });
  const { jobId } = await event;
  const job = (await world.queue.get(jobId))!;
  expect(job.items.map((item) => (item.text ?? job.text).rewriter)).toEqual([
    "promptist",
    "magicprompt",
    "style:ink drawing",
  ]);
  while ((await world.queue.depth()).queued > 0) await world.loop.runNext();
  const result = await handle.waitFor(isFinal);
  expect(textOf(result)).toMatch(
    /\*\*Prompt\*\*```\nA cat\n```\n?\*\*Rewritten by Promptist\*\*[\s\S]*\*\*Rewritten by MagicPrompt\*\*[\s\S]*ink drawing of A cat/,
  );
  const pair = await enqueued(world, () => alice.select(result, "Draw the pair", ["1"]));
  expect(pair).toMatchObject({ kind: "compare", text: { rewriter: "magicprompt", mode: "sample" } });
  expect(pair.items[0]?.rewrite).toBe(job.items[1]?.rewrite ?? "A cat, highly detailed, artstation");
  const many = await alice.slash("optimize", { prompt: "A cat", rewriter: "none,none,none,none,none" });
  expect(many.message?.content).toContain("can't be used here");
});

it("a channel has a rewriter by default, and a file's rows have their own", async () => {
  const world = await startWorld();
  const [admin, alice] = [world.local.member("admin"), world.local.member("alice")];
  await admin.slash("settings set", { name: "rewriter", value: "magicprompt" });
  const compare = (options: Record<string, string> = {}) =>
    enqueued(world, () => alice.slash("compare", { prompt: "A cat", ...options }));
  expect((await compare()).text).toMatchObject({ rewriter: "magicprompt", mode: "sample" });
  expect((await compare({ rewriter: "promptist" })).text).toMatchObject({
    rewriter: "promptist",
    mode: "beam",
  });
  const said = alice.say("A fox");
  expect((await enqueued(world, () => alice.menu("Compare this", said))).text.rewriter).toBe("magicprompt");
  const rows = "prompt,rewriter\nA cat,Promptist\nA dog,none\nA fox,\nA hen,style:woodcut\nA cow,bard\n";
  const draft = await alice.slash("batch", { file: { name: "rows.csv", data: rows } });
  const shown = await draft.waitFor((message) => message.components.length > 0);
  expect(textOf(shown)).toContain("there is no rewriter");
  const job = await enqueued(world, () => alice.press(shown, "Start"));
  expect(job.text.rewriter).toBe("magicprompt");
  expect(job.items.map(({ text: own, rewrite }) => [own?.rewriter, rewrite?.slice(0, 18)])).toEqual([
    ["promptist", undefined],
    ["none", "A dog"],
    [undefined, undefined],
    ["style:woodcut", "woodcut print of A"],
    [undefined, undefined],
  ]);
});

it("a pair has another rewriter or a style in place of the prompt as written, which files and settings name too", async () => {
  const world = await startWorld();
  const [admin, alice] = [world.local.member("admin"), world.local.member("alice")];
  const compare = (options: Record<string, string>) =>
    enqueued(world, () => alice.slash("compare", { prompt: "A cat", ...options }));
  const sidesOf = ({ text: own, items: [item] }: Job) => [own.rewriter, item?.against?.text.rewriter];

  expect(await alice.autocomplete("compare", { prompt: "A cat", against: "magicp" }, "against")).toEqual([
    { name: "MagicPrompt", value: "magicprompt" },
    { name: "MagicPrompt small", value: "magicprompt-small" },
  ]);
  const styled = await compare({ against: "style:Woodcut" });
  expect(sidesOf(styled)).toEqual(["promptist", "style:woodcut"]);
  expect(styled).toMatchObject({ phase: "text", items: [{ rewrite: null }] });
  expect(styled.items[0]?.against?.rewrite).toMatch(/^woodcut print of A cat, carved/);
  // `none` is the prompt as written, whichever side it is named for.
  expect(sidesOf(await compare({ against: "none" }))).toEqual(["promptist", undefined]);
  expect(sidesOf(await compare({ rewriter: "none", against: "magicprompt" }))).toEqual([
    "magicprompt",
    undefined,
  ]);
  const same = await alice.slash("compare", { prompt: "A cat", against: "Promptist" });
  expect(same.ephemeral).toBe(true);
  expect(same.message?.content).toContain("Both sides would be `Promptist`");

  await admin.slash("settings set", { name: "against", value: "magicprompt" });
  expect(sidesOf(await compare({}))).toEqual(["promptist", "magicprompt"]);
  // What a channel always compares with may be named itself.
  expect(sidesOf(await compare({ rewriter: "magicprompt" }))).toEqual(["magicprompt", undefined]);
  expect(sidesOf(await compare({ against: "none" }))).toEqual(["promptist", undefined]);

  const rows = [
    "prompt,optimized,rewriter,against,against_text",
    "A cat,,,style:photo,",
    "A dog,,magicprompt,magicprompt,",
    'A fox,"A fox, oil",,promptist,"A fox, ink"',
    "A hen,,,,",
  ];
  const draft = await alice.slash("batch", { file: { name: "rows.csv", data: rows.join("\n") } });
  const shown = await draft.waitFor((message) => message.components.length > 0);
  expect(textOf(shown)).toContain("Both sides would be MagicPrompt's");
  const job = await enqueued(world, () => alice.press(shown, "Start"));
  expect(job.items.map(({ prompt, rewrite, against }) => [prompt, rewrite, against?.text.rewriter])).toEqual([
    ["A cat", null, "style:photo"],
    ["A fox", "A fox, oil", "promptist"],
    ["A hen", null, "magicprompt"],
  ]);
  expect(job.items[1]?.against?.rewrite).toBe("A fox, ink");
});

it("a grid shows what rewriters make of one prompt, and LoRAs at several strengths", async () => {
  const known = async () => ({ own: "sd", models: ["sd"], loras: ["pastel", "ink"] });
  const world = await startWorld({ bot: { models: { known, adult: [] } } });
  const alice = world.local.member("alice");
  const grid = (options: Record<string, string>) =>
    enqueued(world, () => alice.slash("grid", { prompt: "A cat", ...options }));
  const x = "rewriter=none,promptist,magicprompt,style:woodcut";
  const written = await grid({ x });
  expect(
    written.items.map(({ only, rewrite, text }) => [only, text?.rewriter, rewrite?.slice(0, 20)]),
  ).toEqual([
    ["optimized", "none", "A cat"],
    ["optimized", "promptist", undefined],
    ["optimized", "magicprompt", undefined],
    ["optimized", "style:woodcut", "woodcut print of A c"],
  ]);
  expect(written.items[2]?.text).toMatchObject({ mode: "sample", seed: written.image.seed });
  while ((await world.queue.depth()).queued > 0) await world.loop.runNext();
  const result = await alice.waitFor(isFinal);
  expect(textOf(result)).toContain("**Prompt**```\nA cat\n```");
  expect((await enqueued(world, () => alice.press(result, "New seed"))).items[2]?.text?.rewriter).toBe(
    "magicprompt",
  );
  const refused = await alice.slash("grid", { prompt: "A cat", x: "rewriter=bard" });
  expect(refused.message?.content).toContain("The value `bard` can't be used for `rewriter`");

  const strong = await grid({ x: "strength=0.4,1", lora: "pastel" });
  expect(strong.items.map(({ image }) => image?.loras)).toEqual([
    [{ name: "pastel", strength: 0.4 }],
    [{ name: "pastel", strength: 1 }],
  ]);
  const each = await grid({ x: "lora=pastel,ink", y: "strength=0.5,0.9" });
  expect(
    each.items.map(({ image }) => image?.loras?.map(({ name, strength }) => `${name} ${strength}`)),
  ).toEqual([["pastel 0.5"], ["ink 0.5"], ["pastel 0.9"], ["ink 0.9"]]);
  const none = await alice.slash("grid", { prompt: "A cat", x: "strength=0.4,1" });
  expect(none.message?.content).toContain("The axis `strength` is the strength of LoRAs");
});
