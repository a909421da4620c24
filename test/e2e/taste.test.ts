import { afterAll, beforeAll, expect, test } from "vitest";
import { startApp, type TestApp, temporaryFolder } from "../support/app.js";

/** The whole program with TASTE=on: the loop asks the taste which of the rewrites that Promptist found to take. */

const folder = temporaryFolder();
let app: TestApp;
beforeAll(async () => {
  app = await startApp(folder.path, { TASTE: "on" });
});
afterAll(async () => {
  await app.stop();
  folder.remove();
});

const rewritten = async (channel = "general") => {
  const bob = app.local.member("bob");
  const handle = await bob.slash("optimize", { prompt: "a red circle" }, { channel });
  const message = await handle.waitFor(({ components }) => JSON.stringify(components).includes("pair:"), {
    timeoutMs: 60_000,
  });
  const id = /pair:([\w-]+)/.exec(JSON.stringify(message.components))![1]!;
  return { message, item: (await app.queue.get(id))!.items[0]! };
};

test("takes one of the rewrites for the server, and none where the channel turned it off", async () => {
  const { message, item } = await rewritten();
  const note = item.notes.find(({ code }) => code === "taste")!;
  expect(note).toMatchObject({ code: "taste", propensity: expect.any(Number) });
  expect(item.candidates.length).toBeGreaterThan(1);
  expect(item.candidates.map(({ text }) => text)).toContain(item.rewrite);
  expect(message.embeds[0]!.description).toMatch(/Chosen for this server|one rewrite in ten/);

  await app.store.settings.set("channel", app.local.channelId("gallery"), "taste", false, "admin");
  const off = await rewritten("gallery");
  expect(off.item.notes.map(({ code }) => code)).not.toContain("taste");
  expect(off.item.rewrite).toBe(off.item.candidates[0]!.text);
});
