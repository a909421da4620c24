import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { STYLE_MAX, type Style } from "../../../src/core/styles.js";
import type { Styles } from "../../../src/db/styles.js";
import { ENGINES, type Engine } from "./engines.js";

const START = Date.UTC(2026, 0, 1);
const GUILD = { scope: "server", id: "1" } as const;
const styleOf = (name: string, words = "ink of {prompt}"): Style => ({
  name,
  prompt: words,
  negative: "photo",
});

describe.each(ENGINES)("$name", ({ create }) => {
  let engine: Engine;
  let styles: Styles;
  let time: number;

  beforeEach(async () => {
    time = START;
    engine = create();
    ({ styles } = await engine.connect(() => time));
  });
  afterEach(() => engine.destroy());

  test("styles come back in the order of their names, also to the next start, with who saved them last", async () => {
    expect(await styles.save(GUILD, [styleOf("Zinc"), styleOf(" ink ")], "ada")).toEqual(["added", "added"]);
    time += 1_000;
    expect(await styles.save(GUILD, [styleOf("INK", "thin {prompt}")], "bob")).toEqual(["replaced"]);
    const { styles: after } = await engine.connect(() => time);
    expect(await after.of(GUILD)).toEqual([
      { ...styleOf("INK", "thin {prompt}"), savedBy: "bob", savedAt: START + 1_000 },
      { ...styleOf("Zinc"), savedBy: "ada", savedAt: START },
    ]);
  });

  test("servers and people have separate styles, also under one id", async () => {
    await styles.save(GUILD, [styleOf("ours")], "ada");
    await styles.save({ scope: "user", id: "1" }, [styleOf("mine")], "1");
    const names = async (owner: Parameters<Styles["of"]>[0]) =>
      (await styles.of(owner)).map(({ name }) => name);
    expect(await names(GUILD)).toEqual(["ours"]);
    expect(await names({ scope: "user", id: "1" })).toEqual(["mine"]);
    expect(await names({ scope: "server", id: "2" })).toEqual([]);
  });

  test("a style is removed by its name in any case, once", async () => {
    await styles.save(GUILD, [styleOf("Ink")], "ada");
    expect(await styles.remove({ scope: "server", id: "2" }, "ink")).toBe(false);
    expect(await styles.remove(GUILD, " iNK")).toBe(true);
    expect(await styles.remove(GUILD, "ink")).toBe(false);
    expect(await styles.of(GUILD)).toEqual([]);
  });

  test("beyond the most that are kept, known ones are replaced and new ones are not added", async () => {
    const all = Array.from({ length: STYLE_MAX.styles + 1 }, (_, i) => styleOf(`style ${i}`));
    const became = await styles.save(GUILD, all, "ada");
    expect(became.filter((it) => it === "added")).toHaveLength(STYLE_MAX.styles);
    expect(became.at(-1)).toBe("full");
    expect(await styles.save(GUILD, [styleOf("Style 7", "new"), styleOf("other")], "ada")).toEqual([
      "replaced",
      "full",
    ]);
    expect(await styles.of(GUILD)).toHaveLength(STYLE_MAX.styles);
  });

  test("erasing a person deletes their own styles, and their name from a server's", async () => {
    await styles.save(GUILD, [styleOf("ours")], "ada");
    await styles.save(GUILD, [styleOf("theirs")], "bob");
    await styles.save({ scope: "user", id: "ada" }, [styleOf("mine")], "ada");
    await styles.erase("ada");
    expect(await styles.of({ scope: "user", id: "ada" })).toEqual([]);
    expect((await styles.of(GUILD)).map(({ name, savedBy }) => [name, savedBy])).toEqual([
      ["ours", null],
      ["theirs", "bob"],
    ]);
  });
});
