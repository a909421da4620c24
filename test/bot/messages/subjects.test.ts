import { expect, it } from "vitest";
import { Subjects } from "../../../src/bot/messages/parts/subjects.js";
import { isFinal, startWorld } from "../../support/bot-world.js";

const SUBJECTS = [["cat", "kitten"], ["face with sunglasses", "cool face"], ["butterfly"], ["toy"]];

it.each([
  ["A cat in the rain", true],
  ["two KITTENS", true],
  ["cat's eyes", true],
  ["a cool face", true],
  ["butterflies in spring", true],
  ["many toys", true],
  ["a butterfl", false],
  ["catalogue", false],
  ["a face", false],
  ["Eine Katze", false],
])("%s: %s", (prompt, known) => expect(new Subjects(SUBJECTS).knows(prompt)).toBe(known));

it("names what was meant first, then some of every kind, others for each prompt", () => {
  const many = Array.from({ length: 30 }, (_, i) => [`subject number ${i}`, `other ${i}`]);
  const subjects = new Subjects([...many, ["octopus", "squid"], ["rocket", "spaceship"]]);
  expect(subjects.near("an octopuss")[0]).toBe("octopus");
  expect(subjects.near("two space ships, spaceshp")[0]).toBe("rocket");
  const [first, second] = [subjects.near("eine Hexe"), subjects.near("eine Burg")];
  expect(new Set(first).size).toBe(3);
  expect(first).toEqual(subjects.near("eine Hexe"));
  expect(second).not.toEqual(first);
});

it.each([
  ["", ["hot dog", "dog"]],
  ["a hot d", ["a hot dog"]],
  ["two kit", ["two kitten"]],
  ["A CA", ["A cat"]],
  ["a zebra", []],
])("%j is completed to %j", (typed, completed) => {
  const subjects = new Subjects([["hot dog"], ["dog"], ["cat", "kitten"]]);
  expect(subjects.complete(typed, 2)).toEqual(completed);
});

it("offers what the model knows behind a person's own prompts", async () => {
  const world = await startWorld({ bot: { subjects: SUBJECTS } });
  const member = world.local.member("alice");
  const handle = await member.slash("compare", { prompt: "a kite" });
  await handle.done();
  const choices = await member.autocomplete("compare", { prompt: "a ki" }, "prompt");
  expect(choices.map(({ value }) => value)).toEqual(["a kite", "a kitten"]);
});

it.each([
  ["A witch on a bicycle", true],
  ["A cat", false],
])("the result of %j says that its subject is unknown: %s", async (prompt, told) => {
  const world = await startWorld({ bot: { subjects: SUBJECTS } });
  const handle = await world.local.member("alice").slash("compare", { prompt });
  await handle.done();
  await world.loop.runNext();
  const result = await handle.waitFor(isFinal);
  const sentence = "The small model here draws only 4 subjects";
  expect(result.embeds[0]?.description?.includes(sentence)).toBe(told);
});
