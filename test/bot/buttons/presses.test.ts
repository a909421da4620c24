import { existsSync } from "node:fs";
import { join } from "node:path";
import type { ApiComponent, ApiMessage } from "local-discord/testing";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Job } from "../../../src/core/job.js";
import {
  isFinal,
  makeBot,
  nextEvent,
  startWorld,
  type World,
  type WorldOptions,
} from "../../support/bot-world.js";

const text = (message: ApiMessage | null) => message?.embeds[0]?.description ?? "";
const components = (message: ApiMessage): ApiComponent[] =>
  message.components.flatMap((row) => row.components ?? []);
const labels = (message: ApiMessage) =>
  components(message).map(({ label, placeholder }) => label ?? placeholder);

async function result(world: World, command: "optimize" | "compare" = "compare", seed = 7) {
  const enqueued = nextEvent(world.events, "job.enqueued");
  const handle = await world.local
    .member("alice")
    .slash(command, command === "compare" ? { prompt: "A cat", seed } : { prompt: "A cat" });
  const { jobId } = await enqueued;
  await world.loop.runNext();
  const message = await handle.waitFor(isFinal);
  return { handle, message, job: (await world.queue.get(jobId))! };
}

async function start(command: "optimize" | "compare" = "compare", options: WorldOptions = {}) {
  const world = await startWorld(options);
  return { world, alice: world.local.member("alice"), ...(await result(world, command)) };
}

/** The job that a press makes; it must be the only one that waits. */
async function childOf(world: World): Promise<Job> {
  const open = await world.queue.open();
  expect(open).toHaveLength(1);
  return open[0]!;
}

/** A press that no button of ours offers, as a changed client could send it. */
async function forge(world: World, message: ApiMessage, customId: string) {
  const record = world.local.state.messages.get(message.id)!;
  const button = record.components[0]!.components![0]!;
  const real = button.custom_id;
  Object.assign(button, { custom_id: customId });
  try {
    return await world.local.member("bob").press(message, customId);
  } finally {
    Object.assign(button, { custom_id: real });
  }
}

describe("the buttons of a result", () => {
  it("are those of its kind, and live on after a restart", async () => {
    const { world, message } = await start();
    expect(labels(message)).toEqual([
      ...["New seed", "Edit prompt", "Reword", "Info", "Delete"],
      ...["Vary (small)", "Vary (large)", "Use left", "Use right", "Enlarge"],
    ]);
    await world.bot.stop();
    const bot = makeBot(world);
    onTestFinished(() => bot.stop());
    await bot.start();
    const handle = await world.local.member("alice").press(message, "New seed");
    await handle.done();
    expect((await childOf(world)).kind).toBe("compare");
  });

  it("New seed: the same prompt and rewrite from another seed, linked to its parent", async () => {
    const { world, alice, message, job } = await start();
    const handle = await alice.press(message, "New seed");
    await handle.done();
    const child = await childOf(world);
    expect(child).toMatchObject({ parentId: job.id, phase: "image" });
    expect(child.items[0]).toMatchObject({
      prompt: "A cat",
      rewrite: job.items[0]?.rewrite,
      candidates: job.items[0]?.candidates,
    });
    expect(child.items[0]?.seed).not.toBe(7);
    await world.loop.runNext();
    expect(text(await handle.waitFor(isFinal))).toContain(`made from \`${job.id}\``);
    expect(text(message)).toContain("seed 7");
  });

  it("Edit prompt: a form with the prompt in it; the seed stays, the rewrite is made anew", async () => {
    const { world, alice, message, job } = await start();
    const opened = await alice.press(message, "Edit prompt");
    expect(opened.modal?.title).toBe("Edit the prompt; the seed stays");
    expect(opened.modal?.components[0]?.component).toMatchObject({ value: "A cat" });
    await (await alice.submitModal(opened, { text: "  A dog " })).done();
    const child = await childOf(world);
    expect(child).toMatchObject({ parentId: job.id, phase: "text" });
    expect(child.items[0]).toMatchObject({ prompt: "A dog", rewrite: null, seed: 7 });
  });

  it("Edit prompt without a change, or emptied, is refused privately", async () => {
    const { world, alice, message } = await start();
    const opened = await alice.press(message, "Edit prompt");
    const same = await alice.submitModal(opened, { text: "A cat" });
    expect(same.ephemeral).toBe(true);
    expect(same.message?.content).toContain("Nothing was changed");
    const empty = await alice.submitModal(opened, { text: "   " });
    expect(empty.message?.content).toContain("The prompt is empty");
    expect(await world.queue.open()).toEqual([]);
  });

  it("Reword: the chosen beam beside the same prompt from the same seed", async () => {
    const { world, alice, message, job } = await start();
    const { message: menus, ephemeral } = await alice.press(message, "Reword");
    expect(ephemeral).toBe(true);
    const drawn = await alice.select(menus, "Draw another rewrite", ["2"]);
    await drawn.done();
    expect(drawn.ephemeral).toBe(false);
    expect((await childOf(world)).items[0]).toMatchObject({
      prompt: "A cat",
      rewrite: job.items[0]?.candidates[2]?.text,
      seed: 7,
    });
  });

  it("Reword, leave out added words: draws without them, the seed stays", async () => {
    const { world, alice, message } = await start();
    const { message: menus } = await alice.press(message, "Reword");
    const menu = components(menus!).find((it) => it.placeholder === "Leave out added words");
    // With nothing chosen, a menu shows its title.
    expect(menu?.options?.map(({ label, default: on }) => [label, on ?? false])).toEqual([
      ["highly detailed", false],
      ["artstation", false],
    ]);
    await (await alice.select(menus, "Leave out added words", ["0"])).done();
    expect((await childOf(world)).items[0]).toMatchObject({ rewrite: "A cat, artstation", seed: 7 });
  });

  it("Info: everything about the job, to the one who asks", async () => {
    const { world, message, job } = await start();
    const info = await world.local.member("bob").press(message, "Info");
    expect(info.ephemeral).toBe(true);
    await info.done();
    for (const part of [
      "```\nA cat, highly detailed, artstation\n```",
      "Seed 7 · 50 steps",
      job.id,
      "8 beams",
    ]) {
      expect(text(info.message)).toContain(part);
    }
    expect(info.message?.attachments.map(({ filename }) => filename)).toEqual([`${job.id}-7-comparison.png`]);
    // The pictures' own size, and each checkpoint once.
    expect(text(info.message)).toContain("pndm · 64x64\n");
    expect(text(info.message)).toContain("Checkpoints: promptist, stable-diffusion\n");
  });

  it("Delete: the message, the pictures and the stored job are gone", async () => {
    const { world, alice, handle, message, job } = await start();
    expect(existsSync(join(world.picturesDir, job.id))).toBe(true);
    await alice.press(message, "Delete");
    await expect.poll(() => handle.message).toBeNull();
    expect(await world.queue.get(job.id)).toBeUndefined();
    expect(existsSync(join(world.picturesDir, job.id))).toBe(false);
    expect(world.problems).toEqual([]);
  });
});

describe("the buttons of a rewrite", () => {
  it("draw the pair, edit it first, or draw the prompt as written", async () => {
    const { world, alice, message, job } = await start("optimize");
    expect(labels(message).slice(0, 3)).toEqual(["Draw the pair", "Edit first", "Draw as written"]);
    const { rewrite, seed } = job.items[0]!;

    const pair = await alice.press(message, "Draw the pair");
    await pair.done();
    expect(await childOf(world)).toMatchObject({ kind: "compare", phase: "image", parentId: job.id });
    await world.loop.runNext();
    const drawn = await pair.waitFor(isFinal);
    expect(drawn.attachments).toHaveLength(2);

    const opened = await alice.press(message, "Edit first");
    await (await alice.submitModal(opened, { text: "A cat, in oil" })).done();
    expect((await childOf(world)).items[0]).toMatchObject({
      prompt: "A cat",
      rewrite: "A cat, in oil",
      seed,
    });
    await world.loop.runNext();

    const raw = await alice.press(message, "Draw as written");
    await raw.done();
    expect((await childOf(world)).items[0]).toMatchObject({ prompt: "A cat", rewrite: "A cat", seed });
    await world.loop.runNext();
    const picture = await raw.waitFor(isFinal);
    expect(picture.attachments.map(({ filename }) => filename)).toEqual([
      expect.stringMatching(/-baseline\.png$/),
    ]);
    expect(picture.embeds[0]?.title).toBe("As written");
    expect(text(picture)).not.toContain("Rewritten");
    expect(rewrite).not.toBeNull();
  });
});

describe("a job that made no result", () => {
  it("keeps its prompt to copy, and Try again asks for the same, as blind as it was", async () => {
    const world = await startWorld();
    const alice = world.local.member("alice");
    const handle = await alice.slash("compare", { prompt: "A cat", seed: 7, steps: 9, blind: true });
    await handle.done();
    const claim = await world.loop.claim("text");
    await world.loop.fail(claim, "WORKER_STALLED");
    const message = await handle.waitFor(isFinal);
    expect(text(message)).toContain("```\nA cat\n```");
    expect(labels(message)).toEqual(["Try again", "Edit prompt", "Info", "Delete"]);
    await (await alice.press(message, "Try again")).done();
    const child = await childOf(world);
    expect(child).toMatchObject({ kind: "compare", blind: true, parentId: claim.job.id, phase: "text" });
    expect(child.image).toMatchObject({ seed: 7, steps: 9 });
    expect(child.items[0]).toMatchObject({ prompt: "A cat", rewrite: null, seed: 7 });
  });

  it("keeps what is done of it, and each of its prompts, also when someone cancelled it", async () => {
    const world = await startWorld();
    const alice = world.local.member("alice");
    const handle = await alice.slash("optimize", { prompt: "A dog" });
    await handle.done();
    await alice.press(handle.message, "Cancel");
    const message = await handle.waitFor(isFinal);
    expect(text(message)).toContain("Optimize was cancelled.");
    expect(text(message)).toContain("```\nA dog\n```");
    const opened = await alice.press(message, "Edit prompt");
    await (await alice.submitModal(opened, { text: "A dog in a hat" })).done();
    expect(await childOf(world)).toMatchObject({ kind: "optimize", items: [{ prompt: "A dog in a hat" }] });
  });
});

describe("a comparison of several pairs", () => {
  it("is a comparison with its buttons: one sheet, the rewrite, no files; a new one has as many pairs", async () => {
    const world = await startWorld();
    const alice = world.local.member("alice");
    const handle = await alice.slash("compare", { prompt: "A cat", seed: 7, pairs: 3 });
    await handle.done();
    await world.loop.runNext();
    const message = await handle.waitFor(isFinal);
    expect(message.embeds[0]?.title).toBe("Compare");
    expect(text(message)).toMatch(
      /^3 pairs, each \*\*left\*\* as written · \*\*right\*\* rewritten by Promptist:```\n/,
    );
    expect(text(message)).toContain("-# seeds 7 to 9 · ");
    expect(message.embeds[0]?.image?.url).toContain("contact-sheet-1.png");
    expect(message.attachments).toEqual([]);
    expect(labels(message)).toEqual([
      ...["New seed", "Edit prompt", "Reword", "Info", "Delete"],
      ...["Vary (small)", "Vary (large)", "Use left", "Use right", "Enlarge"],
    ]);

    const info = await alice.press(message, "Info");
    await info.done();
    expect(info.message?.attachments).toHaveLength(6);

    await (await alice.press(message, "New seed")).done();
    const again = await childOf(world);
    expect(again.items.map(({ prompt, rewrite }) => [prompt, rewrite])).toEqual(
      Array(3).fill(["A cat", "A cat, highly detailed, artstation"]),
    );
    expect(new Set(again.items.map(({ seed }) => seed)).size).toBe(3);
    await world.loop.runNext();
    const opened = await alice.press(message, "Edit prompt");
    await (await alice.submitModal(opened, { text: "A dog" })).done();
    const edited = await childOf(world);
    expect(edited.items.map(({ prompt, rewrite, seed }) => [prompt, rewrite, seed])).toEqual([
      ["A dog", null, 7],
      ["A dog", null, 8],
      ["A dog", null, 9],
    ]);
  });
});

describe("a stranger's press", () => {
  it("is refused privately with the reason, and nothing is made", async () => {
    const { world, message, job } = await start();
    const bob = world.local.member("bob");
    for (const label of ["New seed", "Edit prompt", "Reword"]) {
      const press = await bob.press(message, label);
      expect(press.ephemeral).toBe(true);
      expect(press.message?.content).toContain("Only the person who asked for this can do this here");
    }
    const beam = await forge(world, message, `beam:${job.id}`);
    expect(beam.message?.content).toContain("Only the person who asked for this can do this here");
    const remove = await bob.press(message, "Delete");
    expect(remove.message?.content).toContain("Only the person who asked for this, or a moderator");
    expect(await world.queue.open()).toEqual([]);
    expect(await world.queue.get(job.id)).toBeDefined();
  });

  it("makes a job of their own where the server allows it, but deletes nothing", async () => {
    const { world, message } = await start();
    const bob = world.local.member("bob");
    await world.settings.set("server", world.local.guildId, "strangers", true, "admin");
    await (await bob.press(message, "New seed")).done();
    expect((await childOf(world)).origin.userId).toBe(bob.id);
    const remove = await bob.press(message, "Delete");
    expect(remove.ephemeral).toBe(true);
  });

  it("lets a moderator delete", async () => {
    const { world, handle, message } = await start();
    await world.local.member("admin").press(message, "Delete");
    await expect.poll(() => handle.message).toBeNull();
  });
});

describe("what is forged or old", () => {
  it.each(["again:nosuchjob", "erase:x", "again:x:y", "vote:x:nobody", "edit:../x"])(
    "%s is refused privately",
    async (customId) => {
      const { world, message } = await start();
      const press = await forge(world, message, customId);
      expect(press.ephemeral).toBe(true);
      expect(press.message?.content).toMatch(/no such job|another version/);
      expect(await world.queue.open()).toEqual([]);
    },
  );

  it("shows nobody a job of another channel", async () => {
    const { world, job } = await start();
    const there = await world.local
      .member("bob")
      .slash("optimize", { prompt: "mine" }, { channel: "gallery" });
    await there.done();
    const press = await forge(world, there.message!, `info:${job.id}`);
    expect(press.ephemeral).toBe(true);
    expect(press.message?.content).toBe("This belongs to another channel.");
  });

  it("a choice that the menu does not have is refused", async () => {
    const { world, alice, message } = await start("optimize");
    const record = world.local.state.messages.get(message.id)!;
    const menu = record.components.flatMap((row) => row.components ?? []).find((it) => it.options)!;
    Object.assign(menu, { options: [...menu.options!, { label: "x", value: "99" }] });
    const press = await alice.select(message, "Draw another rewrite", ["99"]);
    expect(press.message?.content).toContain("no such rewrite");
  });
});

describe("a side that is ready first", () => {
  it("is shown first: the rewrite, then the baseline, then the pair", async () => {
    const { local, loop, queue } = await startWorld();
    const handle = await local.member("alice").slash("compare", { prompt: "A cat", seed: 1 });
    await handle.done();
    await loop.rewrite(await loop.claim("text"));
    const rewritten = await handle.waitFor((m) => text(m).includes("A cat**, highly detailed"));
    expect(rewritten.attachments).toEqual([]);
    const claim = await loop.claim("image");
    await loop.drawBaseline(claim);
    const half = await handle.waitFor((m) => m.attachments.length === 1);
    expect(half.attachments[0]).toMatchObject({ description: "Drawn from the prompt as written: A cat" });
    loop.progress(claim, "optimized", 3, 51);
    const later = await handle.waitFor((m) => text(m).includes("drawing the rewrite, step 3 of 51"));
    expect(later.attachments).toHaveLength(1);
    await loop.draw(claim);
    const final = await handle.waitFor(isFinal);
    expect(final.attachments).toHaveLength(2);
    expect(await queue.open()).toEqual([]);
  });
});

describe("the mention at the end", () => {
  const called = (message: ApiMessage) => message.content.includes("your comparison is ready: https://");

  it("comes for a result that was waited for", async () => {
    const { world, alice, handle, message } = await start("compare", { bot: { timing: { pingAfterMs: 0 } } });
    const call = await alice.waitFor(called);
    expect(call.mentions.map(({ id }) => id)).toEqual([alice.id]);
    expect(call.content).toContain(`/${message.id}`);
    expect(handle.followUps).toHaveLength(1);
    expect(world.problems).toEqual([]);
  });

  it("is left out for people who switched it off, and for results that came at once", async () => {
    const world = await startWorld({ bot: { timing: { pingAfterMs: 0 } } });
    const alice = world.local.member("alice");
    await world.settings.set("user", alice.id, "ping", false, alice.id);
    const delivered = nextEvent(world.events, "job.delivered");
    await result(world);
    await delivered;
    await world.bot.stop();
    expect(alice.messages().filter(called)).toEqual([]);

    const quick = await start();
    await quick.world.bot.stop();
    expect(quick.alice.messages().filter(called)).toEqual([]);
  });
});

describe("a warning", () => {
  it("names the nouns that the rewrite lost", async () => {
    const { local, loop, queue } = await startWorld();
    const handle = await local.member("alice").slash("optimize", { prompt: "A fox wearing boots" });
    await handle.done();
    const claim = await loop.claim("text");
    await queue.saveText(claim, 0, { rewrite: "A fox, sharp focus", candidates: [], notes: [] });
    await loop.complete(claim);
    expect(text(await handle.waitFor(isFinal))).toContain("The rewrite no longer has *boots*");
  });
});
