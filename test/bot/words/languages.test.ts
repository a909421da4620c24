import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { english, type Words } from "../../../src/bot/words/english/english.js";
import { errorSentence } from "../../../src/bot/words/english/errors.js";
import { missingIn } from "../../../src/bot/words/english/translated.js";
import { languageOf, OFFERED, SAID, whole, wordsOf } from "../../../src/bot/words/languages.js";
import { LANGUAGES, type Language, TRANSLATIONS } from "../../../src/bot/words/locale-files.js";
import { InputError } from "../../../src/core/errors.js";
import { samplesOf } from "./samples.js";

it.each(LANGUAGES)("%s says all that English says", (language) => {
  expect(missingIn(english, SAID[language])).toEqual([]);
});

it("names what a language lacks, and does not offer it", () => {
  const { late, ...statusLines } = SAID.de.statusLines!;
  const { helpText, ...others } = { ...SAID.de, statusLines };
  expect(late).toBeTruthy();
  expect(helpText).toBeTruthy();
  expect(missingIn(english, others)).toEqual(["statusLines.late", "helpText.title", "helpText.lines"]);
  expect([...whole({ ...SAID, de: others }).keys()]).toEqual(["fr", "es-ES", "pt-BR", "ru", "ja"]);
  expect(OFFERED).toEqual(LANGUAGES);
});

it("names a text that stands where a sentence with values belongs", () => {
  const jobLines = { ...english.jobLines, id: "Job" };
  expect(missingIn(english, { ...english, jobLines })).toEqual(["jobLines.id"]);
});

it.each([
  ["de", "de"],
  ["de-AT", "de"],
  ["DE", "de"],
  ["fr-CA", "fr"],
  ["es-ES", "es-ES"],
  ["es-419", "es-ES"],
  ["es", "es-ES"],
  ["pt", "pt-BR"],
  ["pt-PT", "pt-BR"],
  ["pt_BR", "pt-BR"],
  ["ru", "ru"],
  ["ja", "ja"],
  ["en-US", null],
  ["en-GB", null],
  ["it", null],
  ["den", null],
  ["", null],
])("answers the locale %j in %j", (locale, language) => {
  expect(languageOf(locale)).toBe(language);
  expect(wordsOf(locale)).toBe(language === null ? english : SAID[language as Language]);
});

/** A sentence as it is said with some values. */
interface Said {
  /** Such as `statusLines.position`. */
  readonly name: string;
  readonly english: string;
  readonly text: string;
}

const textsIn = (value: unknown): string[] => {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(textsIn) : [];
};

const SAMPLES: Readonly<Record<string, Readonly<Record<string, readonly (readonly unknown[])[]>>>> =
  samplesOf(english);

/** All that a language says, beside the same in English. */
function saidIn(words: Words): Said[] {
  const said = (name: string, of: unknown, as: unknown, samples: readonly (readonly unknown[])[]): Said[] =>
    samples.flatMap((values) => {
      const [from, to] = [of, as].map((it) => textsIn(typeof it === "function" ? it(...values) : it)) as [
        string[],
        string[],
      ];
      expect(to, name).toHaveLength(from.length);
      return to.map((text, i) => ({ name, english: from[i]!, text }));
    });
  return Object.entries(english).flatMap(([group, sentences]) => {
    const translated = words[group as keyof Words];
    if (typeof sentences !== "object") return [];
    return Object.entries(sentences).flatMap(([name, sentence]) => {
      const samples = typeof sentence === "function" ? SAMPLES[group]?.[name] : [[]];
      expect(samples, `${group}.${name} has no samples`).toBeDefined();
      return said(`${group}.${name}`, sentence, translated[name as keyof typeof translated], samples!);
    });
  });
}

/** What is made of other texts alone. */
const SAME =
  /^(?:settingLines\.(?:choice|entry)|resultLines\.(?:settings|footer)|pictureLines\.(?:vae|loras|embeddings|clipSkip))$/;
/** Words and names that languages share. */
const SHARED = /\b(?:bot|worker|prompts?|styles?|checkpoints?|promptist|info|reward|[abdnp])\b/gi;

/** Words of no language but English; code, links and the samples' own words are taken out before. */
const ENGLISH_WORDS =
  /(?<![\p{L}_])(?:the|and|are|with|your|you|this|that|these|picture|pictures|drawn|drawing|rewriting|waiting|queue|of|to|from|by|not|its|again|job|jobs)(?![\p{L}_])/iu;
const SAMPLE_WORDS =
  /fits the prompt better|rewriting 2 s|drawing 3 s|the prompt is empty|the picture of the rewrite/g;

const bare = (text: string): string =>
  text.replaceAll(SAMPLE_WORDS, "").replace(/`[^`]*`|<[^>]*>|https?:\S+|\{[^}]*\}/g, "");

/** The numbers in a text, without the marks between their thousands. */
const numbersIn = (text: string): string[] =>
  text
    .replace(/(\d)[.,\s](?=\d{3}(?!\d))/g, "$1")
    .match(/\d+(?:[.,]\d+)?/g)
    ?.map((it) => it.replace(",", ".")) ?? [];

const codeIn = (text: string): string[] => (text.match(/`\/[^`]*`|<[@t][^>]*>|https?:\S+/g) ?? []).sort();

/** Where a language says a number in words, or an amount in another way. */
const NUMBERS_IN_WORDS = new Set(["0", "1"]);

describe.each(OFFERED)("%s", (language) => {
  const words = wordsOf(language);
  const all = saidIn(words);

  it("is read whole", () => {
    expect(all.length).toBeGreaterThan(500);
  });

  it("has no sentence with a hole", () => {
    const hole =
      /NaN|undefined|\bnull\b|\[object|Infinity|``|\S {2,}\S|(?:^|[^.])\.\.$| [.,](?=\s|$)|^\s|\s$/;
    const found = all.filter(
      ({ name, text }) =>
        name !== "scoreLines.tableHead" && (text === "" ? name !== "helpText.lines" : hole.test(text)),
    );
    expect(found).toEqual([]);
  });

  it("has no English left", () => {
    const same = all.filter(
      ({ name, text, english }) =>
        text === english && !SAME.test(name) && /\p{L}/u.test(bare(text).replace(SHARED, "")),
    );
    expect(same).toEqual([]);
    const names = new RegExp([...Object.values(words.labels.commands), "Apps"].join("|"), "g");
    const mixed = all.filter(
      ({ text, name }) => name !== "settingLines.choice" && ENGLISH_WORDS.test(bare(text).replace(names, "")),
    );
    expect(mixed).toEqual([]);
  });

  it("has every value, mention and command of the English sentence", () => {
    const lost = all.filter(({ english: from, text }) => {
      const numbers = new Set(numbersIn(text));
      const missing = numbersIn(from).filter((it) => !numbers.has(it) && !NUMBERS_IN_WORDS.has(it));
      return missing.length > 0 || String(codeIn(from)) !== String(codeIn(text));
    });
    expect(lost).toEqual([]);
  });

  it("ends what English ends", () => {
    const ends = /[.。!?…]$/;
    expect(all.filter((it) => ends.test(it.english) && !ends.test(it.text))).toEqual([]);
  });

  it("keeps Discord's limits", () => {
    const { labels, historyLines, refusals } = words;
    const buttons = Object.values(labels)
      .flatMap((it) => (typeof it === "function" ? [] : textsIn(it)))
      .concat(labels.takeOut("prompt"), labels.takeOut("pair"));
    for (const label of buttons) expect(label.length, label).toBeLessThanOrEqual(45);
    for (const title of [labels.editPromptTitle, labels.editRewriteTitle])
      expect(title.length, title).toBeLessThanOrEqual(45);
    for (const placeholder of [
      historyLines.again,
      labels.chooseBeam,
      labels.chooseWords,
      labels.choosePrompts("prompt", 1001, 1025),
    ])
      expect(placeholder.length, placeholder).toBeLessThanOrEqual(100);
    for (const sentence of textsIn(refusals)) expect(sentence.length, sentence).toBeLessThanOrEqual(300);
    for (const { name, text } of all) expect(text.length, name).toBeLessThanOrEqual(600);
    expect(words.helpText.lines.join("\n").length).toBeLessThanOrEqual(1200);
  });

  it("names the buttons and the menus as they are called", () => {
    const { labels, draftLines, resultLines, dataLines, helpText } = words;
    expect(draftLines.ends(0)).toContain(labels.start);
    expect(draftLines.expired).toContain(labels.start);
    expect(resultLines.pruned(0)).toContain(labels.redraw);
    expect(dataLines.messagesKept).toContain(labels.delete);
    for (const menu of Object.values(TRANSLATIONS[language].menus))
      expect(helpText.lines.join("\n")).toContain(`**${menu}**`);
  });

  it("names an option as the person sees it", () => {
    const sentence = errorSentence(
      "INPUT_OPTION",
      { option: "steps", takes: "integer", min: 1, max: 99 },
      words,
    );
    expect(sentence).toContain(`\`${TRANSLATIONS[language].options.steps![0]}\``);
    const setting = errorSentence("INPUT_OPTION", { option: "maxSteps", takes: "yesNo" }, words);
    expect(setting).toContain("`maxSteps`");
  });
});

it("stays English as a whole where it quotes the English of the file's reader", () => {
  const { code, context } = new InputError("FILE_SHAPE", "", { problem: "neither a text nor an object" });
  expect(errorSentence(code, context, wordsOf("de"))).toBe(errorSentence(code, context));
  expect(errorSentence(code, { problem: "json" }, wordsOf("de"))).toMatch(
    /^Die Datei ist kein gültiges JSON/,
  );
});

it.each([
  [1, "1 картинка", "1 запрос"],
  [2, "2 картинки", "2 запроса"],
  [5, "5 картинок", "5 запросов"],
  [11, "11 картинок", "11 запросов"],
  [21, "21 картинка", "21 запрос"],
  [104, "104 картинки", "104 запроса"],
  [1112, "1\u00a0112 картинок", "1\u00a0112 запросов"],
])("counts in Russian: %d", (amount, pictures, prompts) => {
  expect(wordsOf("ru").resultLines.overview("batch", amount, amount)).toBe(`${prompts}, ${pictures}.`);
});

it.each([
  ["de", 12_345, "noch etwa 12,3 Sekunden"],
  ["de", 60_000, "noch etwa 1 Minute"],
  ["fr", 185_000, "encore 3\u00a0min 5\u00a0s environ"],
  ["es-ES", 15_000, "faltan aprox. 15\u00a0s"],
  ["ru", 120_000, "осталось примерно 2\u00a0мин"],
  ["ja", 90_000, "残り約1 分 30 秒"],
  ["en-US", 90_000, "about 1 min 30 s left"],
])("writes durations as %s does: %d ms", (locale, ms, text) => {
  const { statusLines } = wordsOf(locale);
  expect(statusLines.left(ms).replace(/\s/g, " ")).toBe(text.replace(/\s/g, " "));
});

it.each([
  ["de", "sieht besser aus (3,8 → 5,6 von 10)"],
  ["ru", "выглядит лучше (3,8 → 5,6 из 10)"],
  ["ja", "見た目は良くなった（10点中 3.8 → 5.6）"],
])("writes scores as %s does", (locale, text) => {
  expect(wordsOf(locale).scoreLines.looks(true, 3.8, 5.6)).toBe(text);
});

/** Where English words are taken whoever reads: the texts in plots, the log, and messages that quote English. */
const ALWAYS_ENGLISH = new Set([
  "commands/stats.ts statsLines",
  "messages/draft-message.ts english",
  "messages/own-result.ts english",
  "messages/picture-message.ts english",
  "messages/parts/scores.ts scoreLines",
  "requests/request.ts expectations",
]);

it("has no message that takes English words past the reader's language", () => {
  const folder = new URL("../../../src/bot/", import.meta.url);
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((file) => file.replaceAll("\\", "/"))
    .filter((file) => file.endsWith(".ts") && !file.startsWith("words/"));
  const taken = files.flatMap((file) => {
    const imports = readFileSync(new URL(file, folder), "utf8").matchAll(
      /^import \{([^}]*)\} from "[./]+\/words\/(?:english\/)?[\w-]+\.js";$/gm,
    );
    return [...imports].flatMap(([, names]) =>
      names!
        .split(",")
        .map((name) => name.trim().split(" as ")[0]!)
        .filter((name) => name === "english" || Object.hasOwn(english, name))
        .map((name) => `${file} ${name}`),
    );
  });
  expect(new Set(taken)).toEqual(ALWAYS_ENGLISH);
});
