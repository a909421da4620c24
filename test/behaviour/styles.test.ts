import { expect, it } from "vitest";
import { isFinal, makeBot, nextEvent, startWorld, type World } from "../support/bot-world.js";
import { textOf } from "../support/message.js";

const INK = { title: "Ink", words: "ink of {prompt}, thin lines", without: "photo" };

async function enqueued(world: World, command: () => Promise<unknown>) {
  const event = nextEvent(world.events, "job.enqueued");
  await command();
  const { jobId } = await event;
  return (await world.queue.get(jobId))!;
}

it("a server's style is saved by who manages it, offered while typed, drawn with, and kept by its results", async () => {
  const world = await startWorld();
  const [admin, alice] = [world.local.member("admin"), world.local.member("alice")];
  const refused = await alice.slash("style save", INK);
  expect(refused.ephemeral).toBe(true);
  expect(refused.message?.content).toContain("Only people who manage this server");
  expect((await admin.slash("style save", INK)).message?.content).toBe(
    "The style `Ink` is saved. Choose it with `style:`.",
  );
  const choices = await alice.autocomplete("compare", { prompt: "A cat", style: "in" }, "style");
  expect(choices[0]).toEqual({ name: "Ink · ink of {prompt}, thin lines", value: "Ink" });
  expect(choices.map(({ value }) => value)).toContain("ink drawing");

  const event = nextEvent(world.events, "job.enqueued");
  const handle = await alice.slash("compare", { prompt: "A cat", seed: 7, negative: "dogs", style: "ink" });
  const { jobId } = await event;
  const job = (await world.queue.get(jobId))!;
  const style = { name: "Ink", prompt: INK.words, negative: INK.without };
  expect(job.image).toMatchObject({ negative: "dogs", style });
  expect(job.items[0]?.prompt).toBe("A cat");
  await world.loop.runNext();
  const result = await handle.waitFor(isFinal);
  expect(textOf(result)).toContain("**Style**```\nink of {prompt}, thin lines\n```");
  expect(textOf(result)).toContain("**Negative prompt**```\ndogs, photo\n```");
  expect(textOf(result)).toContain("style `Ink`");

  const list = await alice.slash("style list");
  expect(list.ephemeral).toBe(true);
  expect(textOf(list.message)).toMatch(/This server's\*\*\n`Ink` .* · without: photo[\s\S]*`watercolour`/);

  expect((await admin.slash("style remove", { title: "INK" })).message?.content).toContain("is removed");
  expect((await admin.slash("style remove", { title: "INK" })).message?.content).toContain("no style `INK`");
  // The job has its own copy, so a new seed draws in the same words.
  const again = await enqueued(world, () => alice.press(result, "New seed"));
  expect(again.image.style).toEqual(style);
  const unknown = await alice.slash("compare", { prompt: "A cat", style: "ink" });
  expect(unknown.ephemeral).toBe(true);
  expect(unknown.message?.content).toContain("The style `ink` is not there");
});

it("a rewrite in a style shows the whole text to copy, and the message menu takes the style along", async () => {
  const world = await startWorld();
  const alice = world.local.member("alice");
  const event = nextEvent(world.events, "job.enqueued");
  const handle = await alice.slash("optimize", { prompt: "A cat", style: "woodcut" });
  await event;
  await world.loop.runNext();
  const result = await handle.waitFor(isFinal);
  expect(textOf(result)).toContain(
    "**With the style**```\nwoodcut print of A cat, highly detailed, artstation, carved lines",
  );
  expect(textOf(result)).toContain("**Negative prompt**```\nphoto, gradients, gloss\n```");
  const drawn = await enqueued(world, () => alice.menu("Compare this", result!));
  expect(drawn).toMatchObject({ kind: "compare", image: { style: { name: "woodcut" } } });
  expect(drawn.items[0]?.prompt).toBe("A cat");
});

it("a channel may have a style by default, which a command turns off, and which may vanish", async () => {
  const world = await startWorld();
  const [admin, alice] = [world.local.member("admin"), world.local.member("alice")];
  await admin.slash("style save", INK);
  const wrong = await admin.slash("settings set", { name: "style", value: "inkk" });
  expect(wrong.message?.content).toContain("The style `inkk` is not there");
  const values = await admin.autocomplete("settings set", { name: "style", value: "ink" }, "value");
  expect(values[0]?.value).toBe("Ink");
  await admin.slash("settings set", { name: "style", value: "ink" });
  const compare = (options: Record<string, string> = {}) =>
    enqueued(world, () => alice.slash("compare", { prompt: "A cat", ...options }));
  expect((await compare()).image.style?.name).toBe("Ink");
  expect((await compare({ style: "photo" })).image.style?.name).toBe("photo");
  expect((await compare({ style: "none" })).image.style).toBeUndefined();
  // What was drawn without a style is drawn without it again.
  const event = nextEvent(world.events, "job.enqueued");
  const handle = await alice.slash("compare", { prompt: "A hen", style: "none" });
  const { jobId } = await event;
  while ((await world.queue.depth()).queued > 0) await world.loop.runNext();
  const result = await handle.waitFor(isFinal);
  expect((await world.queue.get(jobId))?.image.style).toBeUndefined();
  expect((await enqueued(world, () => alice.menu("Compare this", result))).image.style).toBeUndefined();
  const said = alice.say("A fox");
  expect((await enqueued(world, () => alice.menu("Compare this", said))).image.style?.name).toBe("Ink");
  const report = { name: "report.csv", data: "job,seed,original,optimized\na,7,A cat,a cat\n" };
  const draft = await alice.slash("batch", { file: report });
  const shown = await draft.waitFor((message) => message.components.length > 0);
  expect((await enqueued(world, () => alice.press(shown, "Start"))).image.style).toBeUndefined();
  await admin.slash("style remove", { title: "ink" });
  expect((await compare()).image.style).toBeUndefined();
});

it("styles.csv is imported, also after a restart, and refused words in it or in a style are refused", async () => {
  const world = await startWorld();
  const admin = world.local.member("admin");
  const csv = `\uFEFFname,prompt,negative_prompt\r\nInk,"ink of {prompt}, thin",photo\r\nWet,${"wet ".repeat(300)},\r\n---,,\r\n`;
  const imported = await admin.slash("style import", { styles: { name: "styles.csv", data: csv } });
  expect((await imported.done())?.content).toBe(
    "1 style added, 0 replaced.\nLeft out, because a text is too long: `Wet`.",
  );
  const wrong = await admin.slash("style import", { styles: { name: "styles.csv", data: "a,b\nc,d\n" } });
  expect((await wrong.done())?.content).toContain("no list of styles");
  await world.bot.stop();
  const bot = makeBot(world);
  await bot.start();
  const alice = world.local.member("alice");
  const job = await enqueued(world, () => alice.slash("compare", { prompt: "A cat", style: "Ink" }));
  expect(job.image.style?.prompt).toBe("ink of {prompt}, thin");
  await admin.slash("settings set", { name: "refusedWords", value: "thin" });
  const refused = await alice.slash("compare", { prompt: "A cat", style: "Ink" });
  expect(refused.message?.content).toContain("The word `thin` is not allowed here");
  const saved = await admin.slash("style save", { title: "Other", words: "thin lines" });
  expect(saved.message?.content).toContain("The word `thin` is not allowed here");
  await bot.stop();
});

it("rows of a file name their styles; an unknown one is told and drawn without", async () => {
  const world = await startWorld();
  const alice = world.local.member("alice");
  const data = "prompt,style,style_prompt\nA cat,comic,\nA dog,nothing,\nA hen,gone,old {prompt}\n";
  const draft = await alice.slash("batch", { file: { name: "prompts.csv", data } });
  const shown = await draft.waitFor((message) => message.embeds.length > 0);
  expect(textOf(shown)).toContain("there is no style `nothing` here, so it is drawn without");
  const job = await enqueued(world, () => alice.press(shown, "Start"));
  expect(job.items.map(({ image }) => image?.style?.name)).toEqual(["comic", undefined, "gone"]);
  expect(job.items[2]?.image?.style?.prompt).toBe("old {prompt}");
  await world.loop.runNext();
  const result = await draft.waitFor(isFinal);
  const report = result.attachments.find(({ filename }) => filename.endsWith(".csv"));
  const table = (await alice.download(report!)).toString();
  expect(table).toContain("style,style_prompt,style_negative");
  expect(table).toContain("gone,old {prompt},");
});

it("in a direct message one keeps styles of one's own, which an erasure deletes", async () => {
  const world = await startWorld();
  const alice = world.local.member("alice");
  await alice.slash("style save", INK, { channel: "dm" });
  expect(textOf((await alice.slash("style list", {}, { channel: "dm" })).message)).toMatch(
    /Yours\*\*\n`Ink`/,
  );
  expect(textOf((await alice.slash("style list")).message)).not.toContain("`Ink`");
  const owner = { scope: "user", id: alice.id } as const;
  expect(await world.styles.of(owner)).toHaveLength(1);
  const erased = await alice.slash("mydata erase", { confirm: true });
  await erased.waitFor(({ content }) => content.includes("messages deleted"));
  expect(await world.styles.of(owner)).toEqual([]);
});
