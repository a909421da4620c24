import type { ApiMessage } from "local-discord/testing";
import { describe, expect, it, onTestFinished } from "vitest";
import { OFFERED, wordsOf } from "../../src/bot/words/languages.js";
import type { Store } from "../../src/db/store.js";
import { isFinal, makeBot, nextEvent, startWorld, type World, withFailing } from "../support/bot-world.js";

/** All that people read of a message: its text, embeds, buttons, menus and alt texts. */
function read(message: ApiMessage | null): string {
  if (message === null) return "";
  const { content, embeds, components, attachments } = message;
  const labels: string[] = [];
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) for (const one of value) visit(one);
    else if (typeof value === "object" && value !== null)
      for (const [name, of] of Object.entries(value)) {
        if (["label", "placeholder"].includes(name) && typeof of === "string") labels.push(of);
        else visit(of);
      }
  };
  visit(components);
  const shown = embeds.map(({ title, description }) => `${title ?? ""}\n${description ?? ""}`);
  const alts = attachments.map(({ description }) => description ?? "");
  return [content, ...shown, ...labels, ...alts].join("\n");
}

const PROMPT = "Ein Zebra";
/** Sentences in English; prompts, rewrites and names are taken out before. */
const ENGLISH =
  /\b(?:the|and|your|you|is|are|of|to|rewrite|rewritten|queue|drawing|starting|picture|pictures|vote|seed of)\b/i;
const expectGerman = (text: string) =>
  expect(
    text.replaceAll(/highly detailed|sharp focus|octane render|artstation|baseline|<[^>]*>|`[^`]*`/g, ""),
  ).not.toMatch(ENGLISH);

/** A member whose Discord is in this language. */
function speaker(world: World, name: string, locale: string) {
  const member = world.local.member(name);
  world.local.state.users.get(member.id)!.locale = locale;
  return member;
}

/** Sends a command, and waits until its job is stored. */
async function ask(
  world: World,
  member: ReturnType<typeof speaker>,
  ...command: Parameters<(typeof member)["slash"]>
): ReturnType<(typeof member)["slash"]> {
  const enqueued = nextEvent(world.events, "job.enqueued");
  const handle = await member.slash(...command);
  await enqueued;
  return handle;
}

/** Stops the bot and starts another one on the same database. */
async function restart(world: World): Promise<void> {
  await world.bot.stop();
  const bot = makeBot(world);
  onTestFinished(() => bot.stop());
  await bot.start();
}

describe("a job of a German member", () => {
  it("speaks German from the first status to the vote, whoever presses, also after a restart", async () => {
    const world = await startWorld();
    const alice = speaker(world, "alice", "de");
    const bob = speaker(world, "bob", "fr");
    const seen: string[] = [];
    const handle = await alice.slash("compare", { prompt: PROMPT, seed: 7, blind: true });
    const note = (message: ApiMessage) => void seen.push(read(message));
    note(await handle.waitFor((m) => read(m).includes("Es geht los …")));

    const claim = await world.loop.claim("text");
    note(await handle.waitFor((m) => read(m).includes("Umschreiben: Promptist wird geladen …")));
    world.loop.progress(claim, "rewrite", 3, 12);
    note(await handle.waitFor((m) => read(m).includes("wird umgeschrieben, Token 3 von 12")));
    await world.loop.rewrite(claim);

    await restart(world);
    const image = await world.loop.claim("image");
    note(await handle.waitFor((m) => read(m).includes("Erzeugen: Stable Diffusion wird geladen …")));
    world.loop.progress(image, "optimized", 10, 50);
    note(await handle.waitFor((m) => read(m).includes("Umschreibung wird erzeugt, Schritt 10 von 50")));
    const delivered = nextEvent(world.events, "job.delivered");
    await world.loop.draw(image);
    const result = await handle.waitFor(isFinal);
    await delivered;
    note(result);
    expect(read(result)).toContain("Welches Bild ist besser, A oder B?");
    expect(read(result)).toContain("Für alle auflösen");

    const french = await bob.press(result, "A");
    expect(french.message?.content).toMatch(/^Votre vote compte : A, /);
    expect(french.message?.content).toContain("Gardez-le pour vous jusqu'à la fin du vote.");
    const german = await alice.press(result, "Gleich gut");
    expect(german.message?.content).toMatch(/^Deine Stimme zählt: beide gleich gut\. /);
    note(german.message!);
    const refused = await bob.press(result, "Löschen");
    expect(refused.message?.content).toBe(wordsOf("fr").refusals.notYours);

    await restart(world);
    await alice.press(result, "Für alle auflösen");
    const revealed = await handle.waitFor((m) => read(m).includes("**Stimmen** Umschreibung"));
    note(revealed);
    expect(read(revealed)).toContain("**Links** wie geschrieben · **rechts** von Promptist umgeschrieben:");
    for (const text of seen) expectGerman(text);
    expect(world.problems).toEqual([]);
  });

  it("has buttons and forms in the language of who presses, and the next job is theirs", async () => {
    const world = await startWorld();
    const alice = speaker(world, "alice", "de");
    const bob = speaker(world, "bob", "pt-PT");
    await world.settings.set("channel", world.local.channelId("general"), "strangers", true, "admin");
    const handle = await ask(world, alice, "compare", { prompt: PROMPT, seed: 7 });
    await world.loop.runNext();
    const result = await handle.waitFor(isFinal);
    expect(read(result)).toMatch(/Neuer Seed\nPrompt bearbeiten\nUmformulieren\nInfo\nLöschen/);

    const form = await bob.press(result, "Prompt bearbeiten");
    expect(form.modal?.title).toBe("Editar o prompt; a semente continua");
    const next = await bob.submitModal(form, { Prompt: "Uma zebra" });
    await next.waitFor((m) => read(m).includes("Começando…"));

    const info = await bob.press(result, "Info");
    await info.done();
    expect(read(info.message)).toContain("Semente 7 · 50 passos · orientação 7,5 · pndm");
    const changes = await bob.press(result, "Umformulieren");
    expect(read(changes.message)).toContain("Gerar outra reescrita");
    expectGerman(read(handle.message));
  });

  it("ends in German where it fails or is cancelled, and calls in German", async () => {
    const world = await startWorld({ bot: { timing: { pingAfterMs: 0 } } });
    const alice = speaker(world, "alice", "de");
    const failed = await ask(world, alice, "compare", { prompt: PROMPT });
    await world.loop.fail(await world.loop.claim("text"), "INPUT_TOO_LONG", { limit: 20 });
    const end = await failed.waitFor(isFinal);
    expect(read(end)).toMatch(/^\nVergleichen\nDer Prompt ist länger als 20 Zeichen\./);
    expect(read(end)).toContain("Noch einmal versuchen");
    expectGerman(read(end));
    await expect
      .poll(() => failed.followUps.map(read))
      .toEqual([expect.stringContaining("dein Vergleich hat kein Ergebnis")]);

    const cancelled = await alice.slash("optimize", { prompt: PROMPT });
    await cancelled.waitFor((m) => read(m).includes("Abbrechen"));
    await alice.press(cancelled.message, "Abbrechen");
    expect(read(await cancelled.waitFor(isFinal))).toMatch(
      /^\nOptimieren\nOptimieren wurde abgebrochen\. Auftrag `/,
    );
  });
});

it("a batch is previewed and drawn in its member's language", async () => {
  const world = await startWorld();
  const alice = speaker(world, "alice", "ru");
  const file = { name: "prompts.txt", data: "Зебра\nЛев\nКит" };
  const handle = await alice.slash("batch", { file });
  const preview = await handle.waitFor((m) => read(m).includes("Начать"));
  expect(read(preview)).toContain("3 запроса. Всего 6 картинок.");
  await alice.press(preview, "Начать");
  await handle.waitFor((m) => read(m).includes("Убрать запросы"));
  await world.loop.runNext();
  const result = await handle.waitFor(isFinal);
  expect(read(result)).toContain("3 запроса, 6 картинок.");
});

it("a batch whose file is wrong in parts is previewed in English as a whole", async () => {
  const world = await startWorld();
  const alice = speaker(world, "alice", "de");
  const data = "prompt,seed\nEin Zebra,1\n,2\n";
  const handle = await alice.slash("batch", { file: { name: "prompts.csv", data } });
  const preview = await handle.waitFor((m) => read(m).includes("Start"));
  expect(read(preview)).toMatch(/line 3: the prompt is empty/);
  expect(read(preview)).not.toContain("Starten");
  await alice.press(preview, "Start");
  await handle.waitFor((m) => read(m).includes("Es geht los …"));
});

it.each(OFFERED)("help and refusals are in %s", async (language) => {
  const world = await startWorld();
  const alice = speaker(world, "alice", language);
  const { helpText, refusals, errorSentences } = wordsOf(language);
  expect(Object.keys(errorSentences).length).toBeGreaterThan(40);
  const help = await alice.slash("help");
  const shown = read(help.message);
  for (const command of ["compare", "optimize", "batch", "queue", "history", "stats show", "mydata erase"])
    expect(shown).toMatch(new RegExp(`</${command}:\\d+>`));
  expect(shown.split("\n").filter((line) => !line.includes("</"))).toEqual(
    expect.arrayContaining(helpText.lines.filter((line) => !line.includes("`/"))),
  );
  const unknown = await alice.slash("show", { id: "none" });
  expect(unknown.message?.content).toBe(refusals.unknownJob);
  await world.settings.set("channel", world.local.channelId("general"), "refusedWords", ["zebra"], "admin");
  const refused = await alice.slash("compare", { prompt: "a zebra" });
  expect(refused.message?.content).toContain("`zebra`");
  expect(refused.message?.content).not.toContain("not allowed");
});

it("the scoreboard is in German, and its alt text mentions nobody", async () => {
  const world = await startWorld();
  const alice = speaker(world, "alice", "de");
  const none = await alice.slash("stats show");
  await none.waitFor((m) => read(m).includes("Noch keine Stimmen."));
  const handle = await ask(world, alice, "compare", { prompt: PROMPT, blind: true });
  await world.loop.runNext();
  await alice.press(await handle.waitFor(isFinal), "A");
  const shown = await (await alice.slash("stats show", { by: "user" })).waitFor((m) =>
    read(m).includes("Alle Stimmen"),
  );
  expect(read(shown)).toMatch(/\*\*Person 1 <@\d+>\*\*: [01] von 1 Stimme für die Umschreibung\. Zu wenige/);
  const sent = JSON.stringify(world.local.transcript.rest("PATCH", /original/).at(-1)?.request);
  expect(sent).toMatch(/Alle Stimmen: [^"]*Person 1: /);
  expect(sent).not.toMatch(/"description":"Alle Stimmen: [^"]*<@/);
});

it.each(["en-GB", "it", "ko"])("someone whose Discord is in %s reads English", async (locale) => {
  const world = await startWorld();
  const alice = speaker(world, "alice", locale);
  const handle = await alice.slash("compare", { prompt: "A cat" });
  await handle.waitFor((m) => read(m).includes("Starting…"));
});

it.each(OFFERED)("a result in %s gives its prompt and settings to the message's menu", async (language) => {
  const world = await startWorld();
  const alice = speaker(world, "alice", language);
  const options = {
    prompt: "A cat",
    seed: 1234,
    steps: 12,
    guidance: 6.5,
    negative: "dogs",
    scheduler: "ddim",
  };
  const handle = await ask(world, alice, "compare", options);
  await world.loop.runNext();
  const result = await handle.waitFor(isFinal);
  const enqueued = nextEvent(world.events, "job.enqueued");
  await alice.menu("Compare this", result);
  await enqueued;
  const [job] = await world.queue.open();
  expect(job?.items[0]?.prompt).toBe("A cat");
  expect(job?.image).toMatchObject({
    seed: 1234,
    steps: 12,
    guidance: 6.5,
    negative: "dogs",
    scheduler: "ddim",
  });
});

it("a command that a stop interrupts is answered in its member's language", async () => {
  const wrapStore = (store: Store) =>
    withFailing(store, "queue", "settleArrival", new Error("the disk is gone"));
  const world = await startWorld({ wrapStore });
  const alice = speaker(world, "alice", "ja");
  const handle = await alice.slash("batch", { file: { name: "a.json", data: "{}" } });
  await handle.done();
  expect((await world.queue.arrivals()).map(({ locale }) => locale)).toEqual(["ja"]);
  await restart(world);
  await handle.waitFor((m) => m.content === wordsOf("ja").refusals.interrupted);
});
