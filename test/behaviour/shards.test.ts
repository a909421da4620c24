import { expect, onTestFinished, test } from "vitest";
import { makeBot, startWorld } from "../support/bot-world.js";

test("a bot with two connections answers in servers and in direct messages, each once", async () => {
  const { local, problems } = await startWorld({ local: { limits: { identifyMs: 0 } }, bot: { shards: 2 } });
  const identified = local.transcript.entries.flatMap((entry) =>
    entry.kind === "gateway" && entry.from === "bot" && entry.op === 2
      ? [(entry.data as { shard: readonly number[] }).shard]
      : [],
  );
  expect(identified).toEqual([
    [0, 2],
    [1, 2],
  ]);
  const alice = local.member("alice");
  for (const channel of ["general", "dm"]) {
    const { message } = await alice.slash("help", {}, { channel });
    expect(message?.embeds).not.toEqual([]);
  }
  expect(problems).toEqual([]);
});

test("a connection that is open hands its commands on while others still wait for their turn", async () => {
  const world = await startWorld({ local: { limits: { identifyMs: 0 } } });
  const { local, problems } = world;
  await world.bot.stop();
  const bot = makeBot(world, { shards: 2 });
  onTestFinished(() => bot.stop());
  let isStarted = false;
  const started = bot.start().then(() => {
    isStarted = true;
  });
  await local.botOnline();
  // Direct messages come over the first connection.
  const { message } = await local.member("alice").slash("help", {}, { channel: "dm" });
  expect(message?.embeds).not.toEqual([]);
  // discord.js lets 5 s pass between two.
  expect(isStarted).toBe(false);
  await started;
  const { message: later } = await local.member("alice").slash("help");
  expect(later?.embeds).not.toEqual([]);
  expect(problems).toEqual([]);
});
