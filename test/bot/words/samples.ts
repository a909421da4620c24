import type { english } from "../../../src/bot/words/english/english.js";
import { Values } from "../../../src/bot/words/english/errors.js";
import { settingTexts } from "../../../src/bot/words/english/settings.js";
import type { ErrorCode } from "../../../src/core/errors.js";
import { DEFAULT_TEXT_OPTIONS } from "../../../src/core/options.js";

/** The values with which each sentence of a subject is read; the compiler names a sentence without any. */
export type Samples<Subject> = {
  readonly [Name in keyof Subject as Subject[Name] extends (...values: infer _) => unknown
    ? Name
    : never]: Subject[Name] extends (...values: infer Values) => unknown
    ? readonly Readonly<Values>[]
    : never;
};

export const AT = 1_700_000_000_000;
export const ID = "abc123";
const waiting = { id: ID, kind: "compare", userId: "1" } as const;
const image = { seed: 7, steps: 50, guidance: 7.5, negative: "", size: null, scheduler: "pndm" } as const;
const text = { ...DEFAULT_TEXT_OPTIONS, mode: "beam" } as const;
const writers = { baseline: "MagicPrompt", optimized: "Promptist" } as const;
const amounts = [[0], [1], [2], [1234]] as const;
const people = [
  ["1", "optimize"],
  ["1", "compare"],
  ["1", "batch"],
  ["1", "grid"],
  ["1", "evaluation"],
] as const;
const tallies = [
  { optimized: 1, baseline: 1, tie: 1, bad: 1 },
  { optimized: 8, baseline: 5, tie: 0, bad: 2 },
] as const;

/** What the sentences of errors are made from: nothing, all, and what each kind of option takes. */
const errors: readonly (readonly [Values])[] = [
  {},
  { limit: 1000, unit: "line", number: 12, option: "steps", size: "512x768", max: 640, word: "blood" },
  { size: "1024x1024", largest: "768x768" },
  { limit: 1, scope: "channel", problem: "json", unit: "entry", number: 3 },
  { limit: 5_242_880, scope: "server", problem: "not a list" },
  { limit: 21, scope: "user" },
  { scope: "server", minutes: 30, at: 1_700_000_000 },
  { option: "seed", takes: "integer", min: 5, max: 9000 },
  { option: "guidance", takes: "number", min: 2, max: 7.5 },
  { option: "maxSteps", takes: "oneOf", words: "show spoiler withhold" },
  { option: "size", takes: "size", size: "512x768", multiple: 8, min: 64, max: 1024 },
  { option: "useRoles", takes: "roles", max: 20 },
  { option: "refusedWords", takes: "words", max: 200 },
  { option: "ping", takes: "yesNo" },
  { option: "gallery", takes: "channel" },
  { option: "reaction", takes: "emoji" },
  { option: "negative", takes: "text", limit: 1000 },
  { option: "x", axis: "colour", example: "steps=10,20,30", words: "steps guidance" },
  { option: "y", axis: "steps", value: "many", takes: "integer", min: 1, max: 100 },
  { cells: 36, max: 25 },
  { times: 3 },
  { kind: "LoRA", model: "pastel" },
  { kind: "model", model: "dreamy" },
].map((context) => [new Values(context as Readonly<Record<string, string | number>>)] as const);

const codes = (sentences: Readonly<Record<ErrorCode, unknown>>) =>
  Object.fromEntries(Object.keys(sentences).map((code) => [code, errors])) as unknown as Samples<
    (typeof english)["errorSentences"]
  >;

/** Of all that the bot says to people. */
export const samplesOf = (said: typeof english) => ({
  ...SAMPLES,
  errorSentences: codes(said.errorSentences),
});

/** Of each group; sentences of errors all have the same ones. */
export const SAMPLES: {
  readonly [Group in Exclude<
    keyof typeof english,
    "locale" | "duration" | "miniatureNote" | "errorSentences"
  >]: Samples<(typeof english)[Group]>;
} = {
  statusLines: {
    position: [
      ["text", 1, null],
      ["image", 2, 15_000],
    ],
    held: [
      ["user", 1],
      ["channel", 2],
      ["server", 1234],
    ],
    loading: [["text"], ["image"]],
    starts: [["text"], ["image"]],
    left: [[1000], [60_000]],
    rewriting: [[1, 75]],
    drawing: [
      ["baseline", 1, 50],
      ["optimized", 50, 50],
    ],
    item: [
      ["prompt", 0, 2],
      ["picture", 1, 9],
    ],
    pairs: [[1], [4]],
    takenOut: [
      ["batch", 1, 2],
      ["compare", 0, 1],
      ["grid", 1, 9],
    ],
    batch: [
      [1, 0],
      [1, 1],
      [2, 1],
      [4, 2],
    ],
  },
  queueLines: {
    loaded: [[["`Dreamy`"]], [["`Dreamy`", "`Dusk`"]]],
    swaps: [[1], [4]],
    counts: [
      [0, 0],
      [1, 1],
    ],
    entry: [
      [waiting, "text", 0, null, null],
      [waiting, "image", 2, 15_000, null],
      [null, "text", 1, null, null],
      [waiting, "text", 1, null, "user"],
      [waiting, "text", 1, null, "channel"],
      [waiting, "text", 1, null, "server"],
    ],
  },
  resultLines: {
    chosen: amounts,
    from: [[0.6], [1]],
    prompts: [["weighted"]],
    speed: [["turbo"]],
    marks: [[], [[1, 2]]],
    foreign: [[], [[1, 2]]],
    model: [["`Dreamy`"]],
    lora: [["`pastel`", 0.8]],
    cutPrompts: [[[1]], [[1, 2]]],
    upscaler: [["`real-x4`"]],
    enlarged: [[4]],
    larger: [[1.5], [2]],
    unknownSubject: [[100, ["`owl`", "`red apple`"]]],
    settings: [[["seed 7", "1 step"]]],
    footer: [[["seed 7"]]],
    sides: [["rewritten"]],
    left: [["rewritten"]],
    right: [["rewritten"]],
    sidesOfEach: [[2, "rewritten"]],
    onlySide: [["baseline"], ["optimized"]],
    seed: [[7]],
    seeds: [
      [7, 7],
      [7, 9],
    ],
    steps: [[1], [50]],
    guidance: [[7.5]],
    overview: [
      ["batch", 1, 2],
      ["compare", 2, 4],
      ["grid", 9, 9],
    ],
    takenOut: [
      ["batch", 1],
      ["compare", 2],
      ["grid", 3],
    ],
    sheet: [[1, 8, 24]],
    earlierSheets: [[1], [2]],
    zipped: [[1], [2]],
    zips: [
      [48, 0, 2, ID],
      [48, 1, 2, ID],
      [48, 2, 3, ID],
    ],
    pruned: [[AT]],
    lost: [[["cat"]], [["cat", "hat"]]],
    unread: [[[1]], [[1, 2]]],
    ready: people,
    readyAt: people.map(([user, kind]) => [user, kind, "https://example.org"]),
    endedAt: people.map(([user, kind]) => [user, kind, "https://example.org"]),
    ended: people,
  },
  hostLines: {
    heard: [[1_000], [185_000]],
    silent: [[40_000]],
    stopped: [[1_700_000_000]],
    otherVersion: [["promptist 0.1.0"]],
    text: [["`abc123`"]],
    image: [["`abc123`"]],
    loaded: [
      [["`miniature`"], 30_000_000],
      [["`a`", "`b`"], 0],
    ],
    setAside: [["CUDA failure 719"]],
    offers: [
      [["`promptist`"], 0],
      [["`a`", "`b`"], 3],
    ],
    more: amounts,
    hostPaused: [["`card-1f2e`"]],
    hostResumed: [["`card-1f2e`"]],
    unknown: [["`card`"]],
  },
  galleryLines: {
    by: [["<@1>", "https://example.org"]],
    added: [["https://example.org"]],
    there: [["https://example.org"]],
    later: [["<#1>"]],
    withheld: [["<#1>"]],
    forbidden: [["<#1>"]],
  },
  quotaLines: {
    user: [[12, 30, 18, 1_700_000_000]],
    server: [[12, 30, 18, 1_700_000_000]],
  },
  styleLines: {
    without: [["`x`"]],
    more: amounts,
    saved: [["`ink`"]],
    replaced: [["`ink`"]],
    full: [[200]],
    removed: [["`ink`"]],
    notRemoved: [["`ink`"]],
    imported: [
      [1, 0],
      [2, 1],
    ],
    importedTooLong: [
      [["`ink`"], 0],
      [["`ink`"], 3],
    ],
    importedMore: [[1], [1234]],
    option: [["`ink`"]],
  },
  safetyLines: {
    picture: [["baseline"], ["optimized"]],
    pictureOf: [
      [1, "baseline"],
      [2, "optimized"],
    ],
    more: [[2]],
    withheld: [
      [["the picture of the rewrite"], "flagged", "buttons"],
      [["a", "b"], "flagged-by-choice", "command"],
      [["a"], "unchecked", "buttons"],
    ],
    behindClick: [[true], [false]],
  },
  scoreLines: {
    decimal: [[1.5, 2]],
    judges: [
      [["fits the prompt better"], null],
      [["fits the prompt better"], "Promptist"],
    ],
    looksSame: [[5]],
    looks: [
      [true, 4, 5],
      [false, 5, 4],
    ],
    relevance: [["0.670 → 0.750"]],
    beauty: [["4.05 → 5.47"]],
    rewardOf: [["+1.42"]],
    pair: [
      [["reward 1"], null],
      [["reward 1"], writers],
    ],
    mean: [["+0.10", "−0.20", "+1.00", 3]],
    plotAlt: [[["reward 1"]]],
  },
  blindLines: {
    closes: [[AT]],
    tileAlt: [["A"]],
    voted: (["left", "right", "tie", "bad"] as const).flatMap(
      (choice): [typeof choice, "baseline", boolean, typeof writers | null][] => [
        [choice, "baseline", true, null],
        [choice, "baseline", false, writers],
      ],
    ),
    questionBetween: [["Promptist", "MagicPrompt"]],
    tally: [
      [{ optimized: 1, baseline: 1, tie: 1, bad: 1 }, null],
      [{ optimized: 1, baseline: 1, tie: 1, bad: 1 }, writers],
    ],
  },
  statsLines: {
    voter: [[1]],
    rated: [[0.62, { low: 0.5, high: 0.72 }, 14]],
    reference: [[14]],
  },
  tasteLines: {
    shares: [
      [
        { share: 0.58, low: 0.5, high: 0.66, n: 41 },
        { share: 0.5, low: 0.3, high: 0.7, n: 4 },
      ],
      [{ share: 0.58, low: 0.5, high: 0.66, n: 41 }, null],
    ],
    learned: amounts,
    phrase: [["soft lighting", 0.58, { low: 0.5, high: 0.66 }, 41]],
    exported: [
      [1, 1],
      [120, 1234],
    ],
  },
  draftLines: {
    amount: [
      [1, 0, 2],
      [2, 1, 4],
      [2, 2, 4],
      [2, 0, 4],
    ],
    time: [[1000], [60_000]],
    ahead: [
      [1, null],
      [1, 15_000],
      [2, 15_000],
    ],
    first: [
      [["a", "b"], 2],
      [["a"], 1234],
    ],
    tooLong: [[[1]], [[1, 2]]],
    own: [[[1]], [[1, 2]]],
    ends: [[AT]],
  },
  fileLines: {
    onlyFirst: [
      [1, 1, true],
      [2, 1234, false],
    ],
    encoding: [["windows-1252"]],
    ignored: [[["`id`"], 2]],
    comments: [[1], [2]],
    remark: [["entry", [1], 0, "the prompt is empty"]],
    more: [[1], [2]],
  },
  itemLines: {
    choose: [["prompt"], ["pair"], ["picture"]],
    more: [[25, 1234]],
    taken: [
      ["prompt", 1, 0],
      ["pair", 2, 1],
      ["picture", 1, 3],
    ],
  },
  evaluationLines: {
    amount: [
      [1, ["`promptist`", "`none`"], 1, 2],
      [20, ["`promptist`", "`magicprompt`", "`none`"], 2, 120],
    ],
    better: [["`promptist`", "`none`", "R", "+0.91", { mean: 0.9, low: 0.8, high: 1, n: 40 }]],
    worse: [["`promptist`", "`none`", "R", "+0.91", { mean: 0.9, low: 0.8, high: 1, n: 40 }]],
    open: [["`promptist`", "`none`", "R", "+0.91", { mean: 0.9, low: 0.8, high: 1, n: 40 }]],
    pictures: [[ID]],
  },
  gridLines: {
    amount: [
      [1, 1, null],
      [6, 3, 2],
    ],
    alt: [["a cat", "steps, guidance"]],
  },
  refusals: { noPart: amounts.slice(0, 3).map(([amount]) => [amount]) },
  historyLines: {},
  dataLines: {
    exported: [
      [1, 1],
      [0, 2],
    ],
    part: [
      [1, false],
      [2, true],
    ],
    erased: [
      [1, 0],
      [2, 1],
      [0, 2],
    ],
    messagesDeleted: [
      [1, 1, 1],
      [2, 2, 2],
      [0, 0, 0],
    ],
  },
  pictureLines: {
    drawn: [
      ["A1111", null],
      ["A1111", "x"],
    ],
    model: [["`a` `0123456789`"]],
    vae: [["`a`"]],
    loras: [[["a", "b"]]],
    embeddings: [[["a", "b"]]],
    clipSkip: [[2]],
    pairs: [[1], [4]],
  },
  settingLines: {
    more: [[27]],
    choice: Object.entries(settingTexts),
    none: [["to the server"], ["to the bot"]],
    entry: [["steps", "20", "1", AT]],
    defaults: [[image, "beam", 100]],
    set: [["steps", "20", "channel"]],
    serverWide: [["serverCap"]],
    needsAgeRestriction: [["unchecked", "show"]],
    resetAll: [
      [[], "server"],
      [["steps", "guidance"], "channel"],
    ],
    reset: [
      ["steps", "channel", true],
      ["steps", "server", true],
      ["steps", "server", false],
    ],
  },
  labels: {
    takeOut: [["prompt"], ["pair"], ["picture"]],
    larger: [
      ["baseline", 1.5, "768x768"],
      ["optimized", 2, "1024x1024"],
      ["only", 2, "1024x1024"],
    ],
    pair: [[1, 7]],
    choosePrompts: [
      ["prompt", 1, 25],
      ["pair", 2, 4],
      ["picture", 1, 9],
    ],
    rewriteBy: [["MagicPrompt"]],
    against: [["MagicPrompt"]],
    baselineAlt: [["a cat"]],
    optimizedAlt: [["a cat"]],
    comparisonAlt: [["a cat", "a cat, art"]],
    contactSheetAlt: [[["a"]], [["a", "b"]]],
  },
  expectations: {
    integer: [[1, 1000]],
    number: [[1, 50]],
    oneOf: [[["a", "b"]]],
    size: [["512x768", 8, 64, 1024]],
    roles: [[20]],
    words: [[200]],
    text: [[1000]],
  },
  jobLines: { id: [[ID]], made: [[ID, "p1"]] },
  endLines: { cancelled: people.map(([, kind]) => [kind]), tried: [[2], [5]] },
  noteWords: {
    taste: [[[]], [["soft lighting +", "greg rutkowski -"]]],
    unread: [["`x`"]],
    embedding: [["`cat`", "0123456789"]],
    models: [[["`Dreamy` (0123456789)"]], [["`Dreamy`", "`pastel` (0123456789)"]]],
    redone: [["baseline"], ["optimized"]],
    plain: [["baseline"], ["optimized"]],
    truncated: [
      ["baseline", "`x`"],
      ["optimized", "`x`"],
      ["negative", "`x`"],
    ],
  },
  infoWords: {
    rewriting: [
      [text, 1],
      [{ ...text, mode: "sample" }, 8],
    ],
    drawing: [
      [image, null],
      [{ ...image, steps: 1 }, "64x64"],
    ],
    source: [
      [0.6, ["`0123456789`"]],
      [1, ["`a`", "`b`"]],
    ],
    rewritingTook: [[900], [61_000]],
    drawingTook: [
      ["baseline", 900],
      ["optimized", 185_000],
    ],
    took: [[["rewriting 2 s", "drawing 3 s"]]],
    checkpoints: [[[]], [["p", "d"]]],
    askedBy: [["1", AT]],
  },
  verdictLines: {
    tooFew: tallies.map((tally) => [tally, 10]),
    rate: tallies.map((tally) => [0.62, { low: 0.35, high: 0.82 }, 13, tally]),
  },
  helpText: {},
};
