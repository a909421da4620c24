import type { Command } from "commander";
import { describe, expect, it } from "vitest";
import { adminLines } from "../../../src/bot/words/english/admin.js";
import {
  draftLines,
  fileLines,
  fileSummary,
  itemLines,
  wholeRemarks,
} from "../../../src/bot/words/english/batch.js";
import { commandTexts, directLine, helpText, menuNames } from "../../../src/bot/words/english/commands.js";
import { english } from "../../../src/bot/words/english/english.js";
import { errorSentence, expectations } from "../../../src/bot/words/english/errors.js";
import {
  choiceDetail,
  historyChoice,
  historyEntry,
  historyLines,
  jobCompletion,
} from "../../../src/bot/words/english/history.js";
import { labels } from "../../../src/bot/words/english/labels.js";
import { dataLines } from "../../../src/bot/words/english/mydata.js";
import { pictureLines, pictureProblems } from "../../../src/bot/words/english/pictures.js";
import { refusals } from "../../../src/bot/words/english/refusals.js";
import * as result from "../../../src/bot/words/english/result.js";
import { safetyLines } from "../../../src/bot/words/english/safety.js";
import {
  meanWords,
  plotTitle,
  scoreLines,
  scoresOfPair,
  verdictOfJudges,
} from "../../../src/bot/words/english/scores.js";
import { settingLines, settingTexts } from "../../../src/bot/words/english/settings.js";
import { queueLines, statusLines } from "../../../src/bot/words/english/status.js";
import { blindLines, statsLines, verdictOf } from "../../../src/bot/words/english/votes.js";
import { EXPLANATIONS } from "../../../src/cli/parts/explanations.js";
import { buildProgram } from "../../../src/cli/program.js";
import { loadConfig, VARIABLES } from "../../../src/config.js";
import type { Job } from "../../../src/core/job.js";
import type { PairScores } from "../../../src/core/judgement.js";
import { AT, ID, SAMPLES, type Samples } from "./samples.js";

const failed = (failures: Job["failures"]) =>
  ({
    id: ID,
    kind: "compare",
    state: "failed",
    origin: { userId: "1", guildId: "2", channelId: "3" },
    delivery: { messageId: "4" },
    failures,
    parentId: "p1",
    createdAt: AT,
    items: [
      {
        prompt: "A cat",
        seed: 7,
        candidates: ["a"],
        rewriteMs: 900,
        pictures: { baseline: { ms: 61_000 }, optimized: null },
      },
    ],
    text: { mode: "beam", beams: 8, maxNewTokens: 75 },
    image: { seed: 7, steps: 1, guidance: 7.5, scheduler: "pndm", size: null },
    checkpoints: { promptist: "miniature", diffusion: null },
  }) as unknown as Job;
const failure = { code: "INTERNAL", detail: "", at: AT };
const scores: PairScores = {
  relevance: { baseline: 0.67, optimized: 0.75 },
  beauty: { baseline: 4.05, optimized: 5.47 },
  relevanceTerm: 0,
  beautyGain: 1.42,
  reward: 1.42,
  judge: null,
};
const remark = { problem: "the prompt is empty", unit: "line", numbers: [2, 3], count: 2 } as const;
const fileNotes = {
  encoding: "windows-1252",
  ignored: ["id"],
  leftOut: [remark, { ...remark, numbers: [9], count: 1 }],
  unread: [{ ...remark, problem: "`--chaos` is not understood" }],
  more: 20,
  comments: 2,
  isReport: false,
};
const entry = { kind: "compare", state: "done", prompt: "A cat", createdAt: AT } as const;

/** A subject with its samples, as texts by the name of the sentence. */
function read<Subject extends object>(subject: Subject, samples: Samples<Subject>): [string, string][] {
  return Object.entries(subject).flatMap(([name, sentence]): [string, string][] => {
    if (typeof sentence !== "function") return textsIn(sentence).map((text) => [name, text]);
    const values: readonly (readonly unknown[])[] | undefined = samples[name as keyof Samples<Subject>];
    expect(values, `${name} has no samples`).not.toBeUndefined();
    return values!.flatMap((one) => textsIn(sentence(...one)).map((text): [string, string] => [name, text]));
  });
}

function textsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

const { endSentence, jobReference, noteLine, miniatureLine, miniatureNote, infoLines } = result;
const SENTENCES: Readonly<Record<string, [string, string][]>> = {
  admin: read(adminLines, {
    depth: [
      [{ queued: 1, running: 1, undelivered: 1 }, true],
      [{ queued: 0, running: 0, undelivered: 2 }, false],
    ],
    machine: [
      [
        {
          program: "promptist 1.0.0",
          node: "24",
          platform: "linux",
          checkpoints: { text: { name: "p", device: null }, image: { name: "d", device: "cpu" } },
          memoryBytes: 1024,
        },
      ],
    ],
    failed: [[failed([failure])], [failed([failure, failure])]],
    notFailed: [[ID]],
    moreFailed: [[1], [1234]],
    failedAt: [[failed([failure])]],
    retried: [[ID]],
    dropped: [[ID]],
  }),
  drafts: read(draftLines, SAMPLES.draftLines),
  files: [
    ...read(fileLines, SAMPLES.fileLines),
    ...read(
      { fileSummary, wholeRemarks },
      {
        fileSummary: [
          [fileNotes, 1],
          [fileNotes, 100],
          [{ ...fileNotes, more: 1, comments: 1, encoding: null }, 1],
        ],
        wholeRemarks: [[fileNotes]],
      },
    ),
  ],
  items: read(itemLines, SAMPLES.itemLines),
  history: [
    ...read(historyLines, SAMPLES.historyLines),
    ...read(
      { historyEntry, historyChoice, choiceDetail, jobCompletion },
      {
        historyEntry: [[entry, "https://discord.com/channels/1/2/3", english]],
        historyChoice: [[entry, 100]],
        choiceDetail: [[entry, AT + 60_000, english]],
        jobCompletion: [[entry, AT + 3_600_000, 100, english]],
      },
    ),
  ],
  commands: read({ ...commandTexts, ...menuNames, ...helpText, directLine }, {}),
  errors: Object.keys(EXPLANATIONS).map((code) => [code, errorSentence(code, { limit: 1 })]),
  explanations: Object.entries(EXPLANATIONS).flatMap(([code, { means, todo }]): [string, string][] => [
    [code, means],
    [code, todo],
  ]),
  expectations: read(expectations, SAMPLES.expectations),
  labels: read(labels, SAMPLES.labels),
  mydata: read(dataLines, SAMPLES.dataLines),
  pictures: [
    ...read(pictureLines, SAMPLES.pictureLines),
    ...read(pictureProblems, { steps: [[150, 100]], size: [["832x1216", "704x1024"]], guidance: [[99]] }),
  ],
  refusals: read(refusals, SAMPLES.refusals),
  results: read(result.resultLines, SAMPLES.resultLines),
  result: read(
    { endSentence, jobReference, noteLine, miniatureLine, miniatureNote, infoLines },
    {
      endSentence: [
        [failed([failure])],
        [failed([failure, failure])],
        [{ ...failed([]), state: "cancelled" } as Job],
      ],
      jobReference: [[ID], [ID, "p1"]],
      noteLine: [
        [{ code: "unchanged" }],
        [{ code: "truncated", side: "negative", words: "x" }],
        [{ code: "embedding", side: "baseline", name: "x", sha256: "0123456789abcdef" }],
        [{ code: "left-out", problems: ["`--weird 5` is not read"] }],
        [{ code: "left-out", problems: ["`--weird 5` is not read", "`steps` is for pictures only"] }],
        [{ code: "unread", words: "x" }],
        [{ code: "truncated", side: "baseline", words: "x" }],
        [{ code: "truncated", side: "optimized", words: "x" }],
        [{ code: "redone", side: "baseline" }],
        [{ code: "plain", side: "optimized" }],
      ],
      miniatureLine: [[["text"]], [["text", "image"]]],
      miniatureNote: [[["text"]], [["text", "image"]]],
      infoLines: [
        [failed([]), { size: "64x64", isMiniature: true }],
        [failed([]), { size: null, isMiniature: false }],
      ],
    },
  ),
  safety: read(safetyLines, SAMPLES.safetyLines),
  scores: [
    ...read(scoreLines, SAMPLES.scoreLines),
    ...read(
      { verdictOfJudges, scoresOfPair, meanWords, plotTitle },
      {
        verdictOfJudges: [
          [scores.relevance, scores.beauty],
          [
            { baseline: 0.7, optimized: 0.7 },
            { baseline: 5, optimized: 5 },
          ],
        ],
        scoresOfPair: [[scores]],
        meanWords: [[{ mean: 0.1, low: -0.2, high: 1, n: 3 }]],
        plotTitle: [[1], [2]],
      },
    ),
  ],
  settings: [...read(settingTexts, {}), ...read(settingLines, SAMPLES.settingLines)],
  status: read(statusLines, SAMPLES.statusLines),
  queue: read(queueLines, SAMPLES.queueLines),
  votes: [
    ...read(blindLines, SAMPLES.blindLines),
    ...read(statsLines, SAMPLES.statsLines),
    ...[
      { optimized: 0, baseline: 0, tie: 0, bad: 0 },
      { optimized: 1, baseline: 0, tie: 1, bad: 1 },
      { optimized: 0, baseline: 1, tie: 2, bad: 0 },
      { optimized: 8, baseline: 4, tie: 0, bad: 1 },
    ].flatMap((tally): [string, string][] => {
      const { sentence, note } = verdictOf(tally);
      return [
        ["verdict", sentence],
        ["note", note],
      ];
    }),
  ],
  configuration: Object.entries(VARIABLES).map(([name, { help }]) => [name, help]),
  "command line": textsOfProgram(buildProgram(loadConfig({}, "/"))),
};

function textsOfProgram(command: Command): [string, string][] {
  return [
    [command.name(), command.description()],
    ...command.options.map(({ flags, description }): [string, string] => [flags, description]),
    ...command.commands.flatMap(textsOfProgram),
  ];
}

/** What sounds translated, or is broken. */
const WRONG: readonly (readonly [what: string, pattern: RegExp])[] = [
  ["a hole", /NaN|undefined|\bnull\b|\[object|Infinity|``/],
  ["two spaces, or one before a mark", /\S {2,}\S| [.,;:](?=\s|$)/],
  [
    "one of several, or several of one",
    /(?<![\d.,-])1 (?:\w+ )?(?:votes|ties|times|jobs|prompts|pairs|pictures|steps|messages|zips|drafts|attempts|results|seconds)\b|(?:\b0|\b[2-9]|\d\d) (?:vote|tie|time|job|prompt|pair|picture|message|zip|draft|attempt|result)\b/,
  ],
  ["an amount of times for nothing", /\b[01] times?\b/],
  ["an unfinished end", /(?:…|\.\.\.)$/],
  [
    "a word of another language's order",
    /comes to\b|for whom|\bits person\b|\bshall\b|\bthe wider\b|best known|taken away|where a command names none|at once here|who manage this (?:may|can)|\bcalled? (?:you|people|when)\b|be called\b|at the call|the call at|of yours\b|\bstands? behind\b|lies beyond|\bholds here\b|\bis told\b|\bjust now\b|Hand out|\bset aside after|names none|(?:^|\. )This ends\b|(?:^|[.,:] )Only who\b|\bmeanwhile\b|waits? (?:again|already)\b|\bforgotten\b|take the safetensors/i,
  ],
  ["a semicolon before a verb in the imperative", /^Nothing; /],
];

/** Sentences that may have what others may not: cells of a table in code, and what is going on just then. */
const EXCEPT: Readonly<Record<string, readonly string[]>> = {
  "two spaces, or one before a mark": ["tableHead", "tableRow"],
  "an unfinished end": ["starts", "loading"],
};

describe.each(Object.entries(SENTENCES))("%s", (_subject, sentences) => {
  it.each(WRONG)("has no sentence with %s", (what, pattern) => {
    expect(sentences.length).toBeGreaterThan(0);
    const found = sentences.filter(
      ([name, sentence]) => pattern.test(sentence) && !EXCEPT[what]?.includes(name),
    );
    expect(found).toEqual([]);
  });
});
