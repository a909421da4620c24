import { expect, it } from "vitest";
import { hasButton } from "../support/batch.js";
import { isFinal, startWorld } from "../support/bot-world.js";

/** Long enough for a slow machine; what counts as a moment is tested with the clock (bot/requests/repeats). */
const SLOW = { bot: { timing: { repeatMs: 60_000 } } };
const ONCE = "You sent this twice within a second, so it runs only once.";

const jobs = async (world: Awaited<ReturnType<typeof startWorld>>) => (await world.queue.open()).length;
const sixTimes = <T>(act: () => Promise<T>) => Promise.all(Array.from({ length: 6 }, act));

it("the same command six times at once makes one job, and the others are told privately", async () => {
  const world = await startWorld(SLOW);
  const alice = world.local.member("alice");
  const handles = await sixTimes(() => alice.slash("optimize", { prompt: "A cat" }));
  await expect.poll(() => handles.filter(({ message }) => message?.content === ONCE).length).toBe(5);
  expect(handles.filter(({ ephemeral }) => ephemeral)).toHaveLength(5);
  expect(await jobs(world)).toBe(1);
});

it("other options, another person and another channel are other commands", async () => {
  const world = await startWorld(SLOW);
  const [alice, bob] = [world.local.member("alice"), world.local.member("bob")];
  const handles = await Promise.all([
    alice.slash("compare", { prompt: "A cat" }),
    alice.slash("compare", { prompt: "A cat", seed: 1 }),
    alice.slash("compare", { prompt: "A cat", seed: 2 }),
    alice.slash("compare", { prompt: "A dog" }),
    alice.slash("optimize", { prompt: "A cat" }),
    bob.slash("compare", { prompt: "A cat" }),
  ]);
  await Promise.all(handles.map((handle) => handle.done()));
  expect(await jobs(world)).toBe(6);
});

it("a command that was refused may be given again at once", async () => {
  const world = await startWorld({ ...SLOW, maxWaiting: 1 });
  const alice = world.local.member("alice");
  const bob = world.local.member("bob");
  await (await bob.slash("optimize", { prompt: "first" })).done();
  const full = await alice.slash("optimize", { prompt: "A cat" });
  await full.waitFor((m) => m.content.includes("The queue is full"));
  await world.loop.runNext();
  const again = await alice.slash("optimize", { prompt: "A cat" });
  await again.waitFor((m) => m.embeds.length > 0);
  expect(await jobs(world)).toBe(1);
});

it("a double click on a button that draws makes one job, without a word", async () => {
  const world = await startWorld(SLOW);
  const alice = world.local.member("alice");
  const handle = await alice.slash("optimize", { prompt: "A cat" });
  await handle.done();
  await world.loop.runNext();
  const result = await handle.waitFor(isFinal);
  const presses = await Promise.all(["Draw the pair", "Draw the pair"].map((it) => alice.press(result, it)));
  await expect.poll(() => jobs(world)).toBe(1);
  expect(presses.flatMap(({ followUps }) => followUps)).toEqual([]);
  // Another button of the same message is another press.
  await (await alice.press(result, "Draw as written")).done();
  expect(await jobs(world)).toBe(2);
});

it("a double click on Start starts the batch, without a word", async () => {
  const world = await startWorld(SLOW);
  const alice = world.local.member("alice");
  const handle = await alice.slash("batch", { file: { name: "a.txt", data: "A cat\nA dog" } });
  const preview = await handle.waitFor((m) => hasButton(m, "Start"));
  const presses = await Promise.all(["Start", "Start"].map((it) => alice.press(preview, it)));
  await handle.waitFor((m) => hasButton(m, "Cancel"));
  expect(await jobs(world)).toBe(1);
  expect(presses.flatMap(({ followUps }) => followUps)).toEqual([]);
});

it("the same file attached six times at once makes one draft", async () => {
  const world = await startWorld(SLOW);
  const alice = world.local.member("alice");
  const file = { name: "a.txt", data: "A cat\nA dog" };
  const handles = await sixTimes(() => alice.slash("batch", { file }));
  await expect.poll(() => handles.filter(({ message }) => message?.content === ONCE).length).toBe(5);
  await expect.poll(() => handles.some(({ message }) => hasButton(message!, "Start"))).toBe(true);
  expect(await world.drafts.idsOfUser(alice.id)).toHaveLength(1);
});
