import { expect, test } from "vitest";
import { startWorld } from "../support/bot-world.js";

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
