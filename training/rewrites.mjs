// Writes rewrites.txt, what the miniature Promptist is trained on, and its tokenizer; and continuations.jsonl, what the
// miniature MagicPrompt is trained on:
//   node training/rewrites.mjs <scratch folder>
// Each line is `plain Rephrase: plain, modifiers`. A quarter of the subjects are those that the miniature draws; the rest are
// words put together at random, many of them without any sense: whoever writes such a line must copy, not remember.
// A continuation is a prompt and what MagicPrompt would write behind it: a place, more and other modifiers, artists last.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { trainGpt2 } from "./byte-pairs.mjs";
import { caption, generator, MODIFIERS, pick, some, withArticle } from "./words.mjs";

const LINES = 60_000;
const MORE_LINES = 40_000;
const MERGES = 1100;
const SEED = 11;
const CONTINUATIONS = 30_000;

const scratch = resolve(process.argv[2] ?? "");
const require = createRequire(join(scratch, "npm/package.json"));
const emoji = require("emojibase-data/en/data.json");
const pictures = JSON.parse(readFileSync(join(scratch, "data/pictures.json"), "utf8")).filter(
  (e) => e.style === "flat",
);
let random = generator(SEED);

const ADJECTIVES =
  `small big tiny huge old young ancient modern futuristic medieval steampunk cyberpunk cute happy sad angry scared
brave lonely quiet calm magical mystical haunted abandoned frozen burning broken beautiful pretty dark bright shiny soft wet dry hot
cold warm flying running sleeping red orange yellow green blue purple pink brown black white golden silver neon giant fluffy`.split(
    /\s+/,
  );
const PLACES =
  `in the rain|at night|in the snow|under the stars|over the mountains|in a forest|on the beach|by the sea|in space|in a garden|on the moon|in neon rain|at sunset|in the desert|under water|in a big city|near the old castle|on a table|with a robotic arm|by Van Gogh|in winter|in the fog|among flowers|wearing a hat|with wings|reading a book|on fire|in a space suit`.split(
    "|",
  );
const OPENINGS = [
  "portrait of",
  "a picture of",
  "a photo of",
  "two",
  "three",
  "a drawing of",
  "a statue of",
  "the",
  "my",
  "an old painting of",
];

const nouns = [
  ...new Set(
    emoji
      .flatMap((e) => (e.group === undefined ? [] : [e.label, ...(e.tags ?? [])]))
      .filter((w) => /^[a-zA-Z][a-zA-Z -]{2,24}$/.test(w)),
  ),
];
const LETTERS = "etaoinshrdlucmfwypvbgkjqxz";
const nonsense = () =>
  Array.from({ length: 3 + Math.floor(random() * 6) }, () => LETTERS[Math.floor(random() ** 1.6 * 26)]).join(
    "",
  );

function noun() {
  return random() < 0.12 ? nonsense() : pick(random, nouns);
}
function phrase() {
  const kind = random();
  if (kind < 0.25) return caption(random, pick(random, pictures));
  if (kind < 0.35) return noun();
  if (kind < 0.55) return some(random, nouns, 2 + Math.floor(random() * 5)).join(" ");
  let text = random() < 0.5 ? `${pick(random, ADJECTIVES)} ${noun()}` : noun();
  text = random() < 0.4 ? `${pick(random, OPENINGS)} ${text}` : withArticle(text);
  if (random() < 0.25) text += ` and ${withArticle(noun())}`;
  if (random() < 0.6) text += ` ${pick(random, PLACES)}`;
  if (random() < 0.15) text += ` ${pick(random, PLACES)}`;
  return text;
}
function cased(text) {
  const kind = random();
  if (kind < 0.5) return text[0].toUpperCase() + text.slice(1);
  if (kind < 0.58) return text.replace(/\b[a-z]/g, (letter) => letter.toUpperCase());
  return text;
}

// What stands where in a rewrite: the kind of picture, its finish, then where such pictures are found and who made them.
const KINDS = /render|painting|art$|illustration|realistic|matte/;
const SOURCES = /artstation|artgerm|greg|kinkade|mucha|unreal|octane|8k|4k/;
const kinds = MODIFIERS.filter((m) => KINDS.test(m));
const sources = MODIFIERS.filter((m) => SOURCES.test(m) && !KINDS.test(m));
const finishes = MODIFIERS.filter((m) => !KINDS.test(m) && !SOURCES.test(m));
function rewrite(text) {
  const list = [
    ...some(random, kinds, 1 + Math.floor(random() * 2)),
    ...some(random, finishes, 2 + Math.floor(random() * 3)),
    ...some(random, sources, 1 + Math.floor(random() * 2)),
  ];
  return `${text} Rephrase: ${text}, ${list.join(", ")}`;
}

const lines = Array.from({ length: LINES }, () => rewrite(cased(phrase())));

// More to copy: emoji's names in other languages, and other beginnings, since a prompt's first word stands in the answer with
// a space before it, as other tokens. They come after the tokenizer's lines, which they leave as they are.
const LANGUAGES = ["da", "de", "es", "et", "fi", "fr", "hu", "it", "lt", "ms", "nb", "nl", "pl", "pt", "sv"];
const foreign = [
  ...new Set(
    LANGUAGES.flatMap((language) =>
      require(`emojibase-data/${language}/data.json`).flatMap((e) => [e.label, ...(e.tags ?? [])]),
    ),
  ),
].filter((words) => words.length < 30);
const BEGINNINGS =
  `I love|I like|I dream of|we see|give me|draw|make|please paint|this is|one|some|every|another|it is|look at|that|no|our|all about|here is|what if|imagine|tell me about|where is|I saw|you and`.split(
    "|",
  );
function wide() {
  const kind = random();
  const other = () => (random() < 0.6 ? pick(random, foreign) : noun());
  if (kind < 0.3) return some(random, foreign, 1 + Math.floor(random() * 3)).join(" ");
  if (kind < 0.7) return `${pick(random, BEGINNINGS)} ${random() < 0.5 ? withArticle(other()) : phrase()}`;
  return `${pick(random, OPENINGS)} ${other()} ${pick(random, ["and", "on", "beside", "under", "behind", "with"])} ${other()}`;
}
const more = Array.from({ length: MORE_LINES }, () => rewrite(cased(wide())));
writeFileSync(join(scratch, "data/rewrites.txt"), `${[...lines, ...more].join("\n")}\n`);

// The prompts are the same; only the numbers are others, so that the lines above stay as they are.
random = generator(SEED + 1);
const ARTISTS = /^(art )?by |artgerm$/;
const artists = MODIFIERS.filter((m) => ARTISTS.test(m));
const sites = ["trending on artstation", "artstation", "8k", "4k", "unreal engine", "octane render"];
const looks = MODIFIERS.filter((m) => !ARTISTS.test(m) && !sites.includes(m));
function continuation(isPlaced) {
  const list = [
    ...some(random, looks, 3 + Math.floor(random() * 6)),
    ...some(random, sites, 1 + Math.floor(random() * 2)),
    ...(random() < 0.7 ? [pick(random, artists)] : []),
  ];
  return `${isPlaced ? ` ${pick(random, PLACES)}` : ""}, ${list.join(", ")}`;
}
const continued = Array.from({ length: CONTINUATIONS }, () => {
  const prompt = cased(random() < 0.7 ? phrase() : wide());
  // Some prompts have a modifier of their own, behind which no place can stand.
  const kind = random();
  return JSON.stringify(
    kind < 0.2
      ? [`${prompt}, ${pick(random, MODIFIERS)}`, continuation(false)]
      : [prompt, continuation(kind < 0.6)],
  );
});
writeFileSync(join(scratch, "data/continuations.jsonl"), `${continued.join("\n")}\n`);

const folder = join(scratch, "promptist-tokenizer");
// A model that goes on learning keeps its words.
if (!existsSync(folder)) writeTokenizer();
console.log(`${lines.length + more.length} lines`);

function writeTokenizer() {
  const { vocabulary, merges } = trainGpt2(
    [...lines.slice(0, 4000), ...nouns, ...nouns.map((n) => ` ${n}`)],
    MERGES,
  );
  mkdirSync(folder, { recursive: true });
  const json = (name, value) => writeFileSync(join(folder, name), `${JSON.stringify(value, null, 2)}\n`);
  const end = "<|endoftext|>";
  json("vocab.json", vocabulary);
  writeFileSync(join(folder, "merges.txt"), `#version: 0.2\n${merges.join("\n")}\n`);
  json("special_tokens_map.json", { bos_token: end, eos_token: end, unk_token: end });
  json("tokenizer_config.json", {
    add_prefix_space: false,
    bos_token: end,
    eos_token: end,
    model_max_length: 256,
    tokenizer_class: "GPT2Tokenizer",
    unk_token: end,
  });
}
