import sharp from "sharp";
import { expect, test } from "vitest";
import { DEFAULT_TEXT_OPTIONS } from "../../src/core/options.js";
import { pngTexts } from "../../src/pictures/png.js";
import { withPngText } from "../../src/pictures/png-text.js";
import { IMAGE_SETTINGS, isFinal, startWorld } from "../support/bot-world.js";

/** `/info` and `/compare from:`, on the local Discord with the real bot and queue. */

const text = (message: { content: string; embeds: readonly { description?: string }[] } | null | undefined) =>
  `${message?.content ?? ""}\n${message?.embeds[0]?.description ?? ""}`;

async function picture(texts: Readonly<Record<string, string>>, name = "cat.png") {
  const blank = await sharp({ create: { width: 8, height: 8, channels: 3, background: "#123" } })
    .png()
    .toBuffer();
  return { name, data: withPngText(blank, texts) };
}

const OURS = pngTexts({
  prompt: "A cat, art",
  negative: "ugly",
  seed: 99,
  steps: 25,
  guidance: 6.5,
  scheduler: "euler-ancestral",
  size: { width: 512, height: 768 },
  checkpoint: "mine",
  models: {
    model: { name: "mine", hash: "6ce0161689b3" },
    vae: null,
    clipSkip: 0,
    loras: [],
    embeddings: [],
  },
  pair: { side: "optimized", original: "A cat", rewrite: "A cat, art" },
  program: "promptist 0.3.0",
});
const DRAWN = {
  seed: 99,
  steps: 25,
  guidance: 6.5,
  scheduler: "euler-ancestral",
  size: { width: 512, height: 768 },
  negative: "ugly",
};
const A1111 = {
  parameters:
    "a dog <lora:style:0.8>\nNegative prompt: ugly\nSteps: 150, Sampler: DPM++ SDE Karras, CFG scale: 6.5, Seed: 5, Size: 832x1216, Model hash: 879db523c3, Model: dreamshaper_8, Version: v1.9.4",
};
/** A bot that says what draws in it. */
const defaults = {
  text: DEFAULT_TEXT_OPTIONS,
  image: IMAGE_SETTINGS,
  miniature: [],
  models: { model: "mine", vae: null, clipSkip: 0, loras: [], embeddings: [] },
};

test("/info tells a picture's prompt, rewrite and settings privately, and Compare this draws them again", async () => {
  const { local, queue } = await startWorld();
  const alice = local.member("alice");
  const answer = await alice.slash("info", { picture: await picture(OURS) });
  const message = await answer.waitFor((m) => m.embeds.length > 0);
  expect(answer.ephemeral).toBe(true);
  expect(message.embeds[0]?.title).toBe("How this picture was made");
  const said = text(message);
  expect(said).toContain("**Prompt**```\nA cat\n```");
  expect(said).toContain("**Rewritten by Promptist**```\nA cat, art\n```");
  expect(said).toContain("25 steps · euler-ancestral · guidance 6.5 · seed 99 · 512x768");
  expect(said).toContain("Model: mine `6ce0161689b3`");
  expect(said).toContain("Made by promptist 0.3.0; it shows the rewrite.");
  const handle = await alice.press(message, "Compare this");
  expect(handle.ephemeral).toBe(false);
  await expect.poll(async () => (await queue.open()).length).toBe(1);
  const [job] = await queue.open();
  expect(job).toMatchObject({ kind: "compare", image: DRAWN });
  expect(job!.items.map(({ prompt, rewrite }) => [prompt, rewrite])).toEqual([["A cat", "A cat, art"]]);
});

test("/compare from: draws a pair of ours again at once, and its options win", async () => {
  const { local, queue, loop } = await startWorld();
  const alice = local.member("alice");
  const from = await picture(OURS);
  const handle = await alice.slash("compare", { from, steps: 10, negative: "dull" });
  await expect.poll(async () => (await queue.open()).length).toBe(1);
  const [job] = await queue.open();
  expect(job).toMatchObject({ image: { ...DRAWN, steps: 10, negative: "dull" } });
  expect(job!.items[0]).toMatchObject({ prompt: "A cat", rewrite: "A cat, art", seed: 99 });
  await loop.runNext();
  await handle.waitFor(isFinal);
  await alice.slash("compare", { from, mode: "greedy", pairs: 2, seed: 3 });
  await expect.poll(async () => (await queue.open()).length).toBe(1);
  const [again] = await queue.open();
  expect(again!.items.map(({ prompt, rewrite, seed }) => [prompt, rewrite, seed])).toEqual([
    ["A cat", null, 3],
    ["A cat", null, 4],
  ]);
  await alice.slash("compare", { from, prompt: "A dog" });
  await expect.poll(async () => (await queue.open()).length).toBe(2);
  const [, typed] = await queue.open();
  expect(typed!.items[0]).toMatchObject({ prompt: "A dog", rewrite: null, seed: 99 });
});

test("/compare from: says first what is different here, and draws after Start", async () => {
  const { local, queue } = await startWorld({ bot: { defaults } });
  const alice = local.member("alice");
  const handle = await alice.slash("compare", { from: await picture(A1111), blind: true });
  const draft = await handle.waitFor((m) => m.components.length > 0);
  const said = text(draft);
  for (const sentence of [
    "`DPM++ SDE Karras` is not a sampler of ours, so the usual one is taken",
    "the model `dreamshaper_8` is not here, so `mine` draws",
    "the LoRA `style` is not loaded here, so it is drawn without",
    "150 steps are over the limit here, so 100 are used",
    "832x1216 can't be drawn here, so 704x1024 is used",
  ])
    expect(said).toContain(`- ${sentence}`);
  expect(await queue.open()).toEqual([]);
  await alice.press(draft, "Start");
  await expect.poll(async () => (await queue.open()).length).toBe(1);
  const [job] = await queue.open();
  expect(job).toMatchObject({
    kind: "compare",
    blind: true,
    image: { seed: 5, steps: 100, guidance: 6.5, size: { width: 704, height: 1024 }, negative: "ugly" },
    items: [{ prompt: "a dog", rewrite: null }],
  });
});

test("/compare from: draws with the picture's own model and LoRAs where they are here", async () => {
  const known = async () => ({
    own: "mine",
    models: ["mine", "DreamShaper_8"],
    loras: ["style", "pastel"],
  });
  const { local, queue } = await startWorld({ bot: { defaults, models: { known, adult: ["pastel"] } } });
  const alice = local.member("alice");
  const parameters =
    "a dog <lora:style:0.8> <lora:pastel:0.5>\nSteps: 20, Sampler: Euler, CFG scale: 6.5, Seed: 5, Size: 512x512, Model: dreamshaper_8.safetensors";
  const from = await picture({ parameters });
  const draft = await (await alice.slash("compare", { from })).waitFor((m) => m.components.length > 0);
  // Not offered outside age-restricted channels, so as good as not here.
  expect(text(draft)).toContain("- the LoRA `pastel` is not loaded here, so it is drawn without");
  expect(text(draft)).not.toContain("the model");
  await alice.press(draft, "Start");
  await expect.poll(async () => (await queue.open()).length).toBe(1);
  await alice.slash("compare", { from: await picture(OURS), lora: "style:0.4" });
  await expect.poll(async () => (await queue.open()).length).toBe(2);
  const [theirs, ours] = await queue.open();
  expect(theirs!.image).toMatchObject({ model: "DreamShaper_8", loras: [{ name: "style", strength: 0.8 }] });
  expect(ours!.image).toMatchObject({ model: "", loras: [{ name: "style", strength: 0.4 }] });
});

test("a prompt that looks like settings does not change them", async () => {
  const { local, queue } = await startWorld();
  const alice = local.member("alice");
  const odd = { ...JSON.parse(OURS.promptist), original: "A cat · seed 5 · 3 steps · 64x64", rewrite: null };
  const answer = await alice.slash("info", { picture: await picture({ promptist: JSON.stringify(odd) }) });
  await alice.press(await answer.waitFor((m) => m.embeds.length > 0), "Compare this");
  await expect.poll(async () => (await queue.open()).length).toBe(1);
  const [job] = await queue.open();
  expect(job).toMatchObject({ image: DRAWN, items: [{ prompt: odd.original, rewrite: null }] });
});

test("the menus of a message with a picture alone read the picture", async () => {
  const { local, queue } = await startWorld();
  const alice = local.member("alice");
  const message = await alice.say("", { files: [await picture(OURS)] });
  await alice.menu("Optimize this", message);
  await alice.menu("Compare this", message);
  await expect.poll(async () => (await queue.open()).length).toBe(2);
  const [rewriting, drawing] = await queue.open();
  expect(rewriting).toMatchObject({ kind: "optimize", items: [{ prompt: "A cat", rewrite: null }] });
  expect(drawing).toMatchObject({
    kind: "compare",
    image: DRAWN,
    items: [{ prompt: "A cat", rewrite: "A cat, art" }],
  });
});

test("a picture without a prompt is told privately what to do", async () => {
  const { local, queue } = await startWorld();
  const alice = local.member("alice");
  const none = await picture({});
  const sentence = "The picture holds no prompt: many sites and apps remove it.";
  for (const [command, options] of [
    ["info", { picture: none }],
    ["compare", { from: none }],
  ] as const) {
    const answer = await alice.slash(command, options);
    const message = await answer.waitFor((m) => m.content !== "");
    expect(answer.ephemeral).toBe(true);
    expect(message.content).toContain(sentence);
  }
  const gif = await alice.slash("info", { picture: { name: "a.gif", data: Buffer.from("GIF89a") } });
  expect(text(await gif.waitFor((m) => m.content !== ""))).toContain("Attach a PNG, JPEG or WebP file.");
  const nothing = await alice.slash("compare", {});
  expect(nothing.message?.content).toContain("The prompt is empty.");
  expect(await queue.open()).toEqual([]);
});

test("a contact sheet lists its prompts, and is no prompt to compare", async () => {
  const { local } = await startWorld();
  const alice = local.member("alice");
  const pairs = [1, 2].map((number) => ({ number, original: `Cat ${number}`, rewrite: "x" }));
  const sheet = await picture({ promptist: JSON.stringify({ version: 1, pairs }) });
  const answer = await alice.slash("info", { picture: sheet });
  const message = await answer.waitFor((m) => m.embeds.length > 0);
  expect(text(message)).toContain("It shows 2 pairs.");
  expect(text(message)).toContain("2. Cat 2");
  expect(message.components).toEqual([]);
  const refused = await alice.slash("compare", { from: sheet });
  expect(text(await refused.waitFor((m) => m.content !== ""))).toContain("contact sheet with many prompts");
});

test("a prompt that does not fit the answer has no button, and refused words stay refused", async () => {
  const { local, queue } = await startWorld();
  const alice = local.member("alice");
  const long = { ...JSON.parse(OURS.promptist), original: "cat ".repeat(700) };
  const answer = await alice.slash("info", { picture: await picture({ promptist: JSON.stringify(long) }) });
  const message = await answer.waitFor((m) => m.embeds.length > 0);
  expect(message.components).toEqual([]);
  expect(text(message)).toContain("To draw it with these settings, attach it to");
  const admin = local.member("admin");
  await admin.slash("settings set", { name: "refusedWords", value: "dog", scope: "server" });
  const refused = await alice.slash("compare", { from: await picture(A1111) });
  expect(text(await refused.waitFor((m) => m.content !== ""))).toContain("`dog` is not allowed here");
  expect(await queue.open()).toEqual([]);
});
