import type { ApiMessage } from "local-discord/testing";
import { expect, it } from "vitest";
import { startWorld } from "../../support/bot-world.js";

const HOUR = 60 * 60_000;

it("a direct message in words gets one line of help, once per person and hour", async () => {
  let time = Date.now();
  const { local, problems } = await startWorld({ bot: { now: () => time } });
  const alice = local.member("alice");
  const bob = local.member("bob");
  const answers = (who: typeof alice): ApiMessage[] =>
    who.messages("dm").filter(({ author }) => author.id === local.applicationId);
  alice.say("draw me a cat please", { channel: "dm" });
  await expect.poll(() => answers(alice).length).toBe(1);
  expect(answers(alice)[0]?.content).toMatch(/<\/compare:\d+>.*<\/help:\d+>/);

  alice.say("hello?", { channel: "dm" });
  local.member("alice").say("in a channel", { channel: "general" });
  // Events come in order: bob's answer comes after what alice said was heard.
  bob.say("hello", { channel: "dm" });
  await expect.poll(() => answers(bob).length).toBe(1);
  expect(answers(alice)).toHaveLength(1);
  expect(alice.messages("general")).toHaveLength(1);

  time += HOUR;
  alice.say("are you there?", { channel: "dm" });
  await expect.poll(() => answers(alice).length).toBe(2);
  expect(problems).toEqual([]);
});
