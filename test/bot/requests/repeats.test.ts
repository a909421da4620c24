import { describe, expect, it } from "vitest";
import type { Asking } from "../../../src/bot/discord/interactions.js";
import { Repeats } from "../../../src/bot/requests/repeats.js";

/** A press of New seed at a time; `changes` make it another's, or another press. */
const press = (
  createdTimestamp: number,
  changes: Partial<Record<"customId" | "channelId" | "user" | "message", unknown>> = {},
) =>
  ({
    createdTimestamp,
    user: { id: "1" },
    channelId: "2",
    customId: "again:abc",
    message: { id: "3" },
    isChatInputCommand: () => false,
    isMessageContextMenuCommand: () => false,
    isModalSubmit: () => false,
    isStringSelectMenu: () => false,
    ...changes,
  }) as unknown as Asking;

const answers = (times: readonly number[], repeats = new Repeats(1000)) =>
  times.map((at) => repeats.isRepeat(press(at)));

describe("the same press", () => {
  it("is a repeat within the time, wherever a second begins", () => {
    expect(answers([0, 999])).toEqual([false, true]);
    expect(answers([1_999, 2_001])).toEqual([false, true]);
    expect(answers([0, 1000])).toEqual([false, false]);
  });

  it("is a repeat of the one before it: six quick ones are one", () => {
    expect(answers([0, 300, 600, 900, 1_200, 1_500])).toEqual([false, true, true, true, true, true]);
    expect(answers([0, 900, 1_899, 2_900])).toEqual([false, true, true, false]);
  });

  it("is a repeat where the second one arrives first", () => {
    expect(answers([200, 0, 1_100])).toEqual([false, true, true]);
  });

  it("is not a repeat if the first one failed, or if the time is 0", () => {
    const repeats = new Repeats(1000);
    expect(repeats.isRepeat(press(0))).toBe(false);
    repeats.forget(press(0));
    expect(repeats.isRepeat(press(10))).toBe(false);
    expect(answers([5, 5, 6], new Repeats(0))).toEqual([false, false, false]);
  });
});

it.each([
  ["of another person", { user: { id: "9" } }],
  ["in another channel", { channelId: "9" }],
  ["of another button", { customId: "pair:abc" }],
  ["of another message", { message: { id: "9" } }],
])("a press %s is no repeat", (_, changes) => {
  const repeats = new Repeats(1000);
  expect(repeats.isRepeat(press(0))).toBe(false);
  expect(repeats.isRepeat(press(1, changes))).toBe(false);
});
