import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startLocalDiscord, VirtualClock } from "../src/testing/index.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "local-discord-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("a restart with the same folder restores people, channels, messages and files", async () => {
  const first = await startLocalDiscord({ folder });
  const said = await first.member("alice").say("hello", { files: [{ name: "note.txt", data: "kept" }] });
  const channel = first.channelId("general");
  await first.close();

  const second = await startLocalDiscord({ folder });
  try {
    expect(second.applicationId).toBe(first.applicationId);
    expect(second.guildId).toBe(first.guildId);
    expect(second.channelId("general")).toBe(channel);
    const [message] = second.member("bob").messages();
    expect(message).toMatchObject({ id: said.id, content: "hello" });
    const file = await second.member("bob").download(message!.attachments[0]!);
    expect(file.toString()).toBe("kept");
    const next = await second.member("bob").say("and again");
    expect(BigInt(next.id)).toBeGreaterThan(BigInt(said.id));
  } finally {
    await second.close();
  }
});

test("without a folder nothing is kept, and ids are new", async () => {
  // Ids tell the time, and a fast machine can start twice in a millisecond.
  const clock = new VirtualClock();
  const first = await startLocalDiscord({ clock });
  await first.close();
  clock.advance(1);
  const second = await startLocalDiscord({ clock });
  await second.close();
  expect(second.guildId).not.toBe(first.guildId);
});

test("a truncated archive is set aside, and the local Discord starts fresh", async () => {
  const first = await startLocalDiscord({ folder });
  await first.member("alice").say("hello");
  await first.close();
  const file = join(folder, "world");
  writeFileSync(file, readFileSync(file).subarray(0, 100));

  const second = await startLocalDiscord({ folder });
  expect(second.member("alice").messages()).toEqual([]);
  await second.close();
  expect(readdirSync(folder)).toContain("world.unreadable");
});

test("a folder that is deleted meanwhile is made again with what is said since", async () => {
  const first = await startLocalDiscord({ folder });
  rmSync(folder, { recursive: true });
  await first.member("alice").say("hello", { files: [{ name: "note.txt", data: "kept" }] });
  await first.close();

  const second = await startLocalDiscord({ folder });
  const [message] = second.member("bob").messages();
  expect(message?.content).toBe("hello");
  expect((await second.member("bob").download(message!.attachments[0]!)).toString()).toBe("kept");
  await second.close();
});
