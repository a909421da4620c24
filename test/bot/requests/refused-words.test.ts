import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findRefused, wordsOf as foldedWords } from "../../../src/bot/requests/refused-words.js";
import { within } from "../../support/within.js";

const wordsOf = (text: string): string[] => [...foldedWords(text)];
const refuses = async (word: string, text: string): Promise<boolean> =>
  (await findRefused([word], [text])) === word;

describe("a refused word is found", () => {
  it.each([
    ["as it stands", "ass", "a fat ass, oil painting"],
    ["in capitals", "nude", "NUDE portrait"],
    ["in fullwidth letters", "nude", "ｎｕｄｅ portrait"],
    ["in mathematical letters", "nude", "𝓷𝓾𝓭𝓮 portrait"],
    ["with accents", "nude", "a nüdé"],
    ["with combining accents", "nude", "a nu\u0308de\u0301"],
    ["listed with accents, written without", "café", "a cafe"],
    ["with a zero-width space inside", "nude", "a nu\u200bde"],
    ["with a soft hyphen and a joiner inside", "nude", "a n\u00adud\u200de"],
    ["with an invisible Hangul filler inside", "nude", "a nu\u3164de"],
    ["with a variation selector inside", "nude", "a nu\ufe0fde"],
    ["between punctuation", "nude", "portrait:nude/studio_light"],
    ["before an apostrophe", "nude", "the nude's hand"],
    ["with a dot instead of a space", "nude", "soft.nude.light"],
    ["in the plural", "breast", "two breasts"],
    ["in the plural with -es", "ass", "two asses"],
    ["in the plural with -ies", "body", "dead bodies"],
    ["in the singular of a listed plural", "corpses", "a corpse"],
    ["as two words in a row", "blood bath", "a Blood-Bath"],
    ["as two words, the second in the plural", "dead body", "dead bodies"],
    ["with a German sharp s", "strasse", "die STRAẞE und die straße"],
    ["with a final sigma", "σεξοσ", "ΣΕΞΟΣ σεξος"],
    ["in Cyrillic", "кровь", "КРОВЬ на снегу"],
    ["in Chinese, without spaces", "裸体", "一张裸体照片"],
    ["in Thai, without spaces", "เปลือย", "ภาพเปลือย"],
  ])("%s", async (_, word, text) => expect(await refuses(word, text)).toBe(true));
});

describe("a part of another word is not", () => {
  it.each([
    ["ass", "class of brass grass, a glass assassin, classes"],
    ["ass", "as a bass"],
    ["nude", "denuded, nuded, nudge"],
    ["tit", "title, titan, a great titmouse"],
    ["cum", "document, cucumber, circumference"],
    ["bus", "business, robust"],
    ["thi", "this"],
    ["cat", "category, concatenate, scat"],
    ["blood bath", "blood in a bath; bath blood"],
    ["sex", "Essex, sextant, unisex, Sussex"],
    ["hell", "hello shell"],
    ["女", "女性の肖像"],
  ])("%s in: %s", async (word, text) => expect(await refuses(word, text)).toBe(false));

  it("nor is a look-alike of another alphabet or a digit for a letter, a limit that the docs name", async () => {
    expect(await refuses("nude", "a nud\u0435")).toBe(false);
    expect(await refuses("nude", "a nud3")).toBe(false);
  });
});

it("says which of the listed entries it was, of any of the texts", async () => {
  expect(await findRefused(["gore", "Blood Bath"], ["a cat", null, "the blood   baths"])).toBe("Blood Bath");
  expect(await findRefused(["", " - "], ["a cat - "])).toBeUndefined();
  expect(await findRefused([], ["a cat"])).toBeUndefined();
});

it("keeps the vowel signs of scripts whose words need them", async () => {
  expect(wordsOf("कमल, किताब")).toEqual(["कमल", "किताब"]);
  expect(await refuses("कमल", "किमील")).toBe(false);
});

describe("a long list and a long text", () => {
  const SINGULARS = /(?:ss|us|is)$/;
  /** What a word may be the plural of, by the rule as it is told. */
  const forms = (word: string): string[] => {
    if (!/^[a-z]{4,}$/.test(word) || !word.endsWith("s") || SINGULARS.test(word)) return [word];
    return [
      word,
      word.slice(0, -1),
      ...(/(?:s|x|z|ch|sh)es$/.test(word) ? [word.slice(0, -2)] : []),
      ...(/..ies$/.test(word) && word.length > 4 ? [`${word.slice(0, -3)}y`] : []),
    ];
  };
  const same = (a: string, b: string) => forms(a).some((form) => forms(b).includes(form));
  /** Each entry against each word of each text: slow, and plainly right. */
  const plainly = (refused: readonly string[], texts: readonly (string | null)[]): string | undefined =>
    refused.find((entry) => {
      const wanted = wordsOf(entry);
      const found = (words: string[]) =>
        words.some((_, at) => wanted.every((word, i) => same(words[at + i] ?? "", word)));
      return wanted.length > 0 && texts.some((text) => found(wordsOf(text ?? "")));
    });

  const piece = fc.constantFrom(
    ..."sky,skies,body,bodies,bodie,ass,asses,glass,bus,buses,boxes,box,ies,nude,NUDES,cries,cry,cloches".split(
      ",",
    ),
    ..."裸,体,裸体,女性,の,猫,照片,เปลือย,ภาพ,ក,кровь,ｎｕｄｅ,nu\u00adde,nüde,ﷺ,ß".split(","),
  );
  const text = (pieces: number) =>
    fc
      .array(fc.tuple(piece, fc.constantFrom("", " ", "-", ", ")), { maxLength: pieces })
      .map((parts) => parts.flat().join(""));

  it("find the same as each entry against each word does", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(text(3), { maxLength: 8 }),
        fc.array(fc.option(text(12)), { maxLength: 3 }),
        async (refused, texts) => {
          expect(await findRefused(refused, texts)).toBe(plainly(refused, texts));
        },
      ),
      { numRuns: 3_000, seed: 20_261_125 },
    );
  });

  it("find the same in long texts of few different words, where entries share beginnings and overlap", async () => {
    const word = fc.constantFrom("a", "b", "boxe", "box", "boxes");
    const words = (max: number) =>
      fc.array(word, { minLength: 1, maxLength: max }).map((all) => all.join(" "));
    await fc.assert(
      fc.asyncProperty(
        fc.array(words(6), { maxLength: 12 }),
        fc.array(words(30), { minLength: 1, maxLength: 3 }),
        async (refused, texts) => {
          expect(await findRefused(refused, texts)).toBe(plainly(refused, texts));
        },
      ),
      { numRuns: 3_000, seed: 20_261_128 },
    );
  });

  it.each([
    ["Chinese without a refused word", "猫".repeat(6_000), undefined],
    [
      "Chinese with parts of all",
      Array.from({ length: 1_200 }, (_, i) => `猫x${i % 100}word`).join(""),
      undefined,
    ],
    ["Japanese, the last entry at its end", `${"カ".repeat(5_990)} x99 words`, "x99 word"],
    ["English, the first words of all", "x1 x2 x3 ".repeat(600), undefined],
  ])("take few milliseconds: %s", async (_, long, expected) => {
    const refused = Array.from({ length: 100 }, (_, i) => `x${i} word`);
    let best = Number.POSITIVE_INFINITY;
    for (let tries = 0; tries < 10; tries++) {
      const { user } = process.cpuUsage();
      const found = await findRefused(refused, [long]);
      best = Math.min(best, (process.cpuUsage().user - user) / 1000);
      expect(found).toBe(expected);
    }
    expect(best).toBeLessThan(within(30));
  });
});
