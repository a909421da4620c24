import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findRefused } from "../../src/bot/requests/refused-words.js";
import { ClipTokenizer, Gpt2Tokenizer } from "../../src/inference/tokenizers/tokenizer.js";
import { votesPlot } from "../../src/pictures/plots.js";
import { readPrompts } from "../../src/prompt-files/read-prompts.js";
import { hasButton } from "../support/batch.js";
import { startWorld } from "../support/bot-world.js";
import { within } from "../support/within.js";
import { BLOCKED_AT_MOST_MS, blocked, hostileText, parameters, report, Timings } from "./support.js";

const MIB = 2 ** 20;
/** What one server may do to all others. */
const WORDS_BLOCK_AT_MOST_MS = 50;
const LIMITS = { maxBytes: MIB, maxPrompts: 100, maxPromptLength: 1000 };

const FILES: readonly (readonly [string, string])[] = [
  ["a.csv", ",".repeat(MIB)],
  ["a.csv", `prompt${",".repeat(MIB - 6)}`],
  ["a.csv", '"'.repeat(MIB)],
  ["a.csv", "\t".repeat(MIB)],
  ["a.json", "[".repeat(MIB)],
  ["a.json", "[".repeat(MIB / 2) + "]".repeat(MIB / 2)],
  ["a.jsonl", "\n".repeat(MIB)],
  ["a.txt", " \n".repeat(MIB / 2)],
  ["a.txt", "x".repeat(MIB)],
  ["a.txt", `${"x".repeat(999)}\n`.repeat(100)],
];

test("the largest allowed file does not block the event loop, whatever its content", async () => {
  const delays: number[] = [];
  for (const [name, text] of FILES) {
    const bytes = Buffer.from(text);
    const ms = await blocked(() => readPrompts(bytes, name, LIMITS).catch(() => {}));
    delays.push(ms);
    expect(ms, `${name} of ${JSON.stringify(text.slice(0, 8))}`).toBeLessThan(within(BLOCKED_AT_MOST_MS));
  }
  report("event loop, files of 1 MiB", { files: FILES.length, max: Math.max(...delays) });
});

test("a file that takes too long or too much memory is refused with a sentence, and the next one is read", async () => {
  const roomy = { ...LIMITS, maxBytes: 16 * MIB };
  await expect(readPrompts(Buffer.from(",".repeat(8 * MIB)), "a.csv", roomy, 50)).rejects.toMatchObject({
    code: "FILE_SHAPE",
    context: { problem: "takes too long to read" },
  });
  const lines = Buffer.from(`${"x".repeat(999)}\n`.repeat(50));
  expect((await readPrompts(lines, "a.txt", LIMITS)).pairs).toHaveLength(50);
});

test("such files pass through the real intake, end in a sentence, and nothing is stored", async () => {
  const limits = { maxPromptLength: 1000, maxBatch: 100, maxFileBytes: MIB, maxSteps: 100, maxPairs: 4 };
  const { local, queue, problems } = await startWorld({ bot: { limits } });
  const alice = local.member("alice");
  for (const [name, data] of [FILES[0]!, FILES[4]!, FILES[7]!]) {
    const ms = await blocked(async () => {
      const handle = await alice.slash("batch", { file: { name, data } });
      const message = await handle.waitFor((m) => m.content !== "", { timeoutMs: 20_000 });
      expect(message.content).toMatch(/The file|holds no prompt/);
    });
    expect(ms, name).toBeLessThan(within(BLOCKED_AT_MOST_MS));
  }
  expect((await queue.depth()).queued).toBe(0);
  expect(problems).toEqual([]);
});

describe("refused words against a batch", () => {
  /** As long as /settings takes them, alike for as long as they can be. */
  const LISTS: readonly (readonly [string, readonly string[]])[] = [
    ["that begin alike", Array.from({ length: 165 }, (_, i) => `a a b${i}`)],
    ["in one entry", [`${"a ".repeat(495)}b`]],
    ["in plurals", Array.from({ length: 100 }, (_, i) => `boxes boxe b${i}`)],
    ["in Chinese", Array.from({ length: 200 }, () => "猫猫犬")],
  ];
  const word = (list: string) => ({ "in plurals": "boxes ", "in Chinese": "猫" })[list] ?? "a ";
  const rows = (list: string, rewrite: number) =>
    Array.from({ length: 100 }, () => ({
      original: word(list).repeat(1_000).slice(0, 1_000),
      optimized: word(list).repeat(rewrite).slice(0, rewrite),
    }));

  test.each(LISTS)("%s hold the event loop for some milliseconds only", async (list, refused) => {
    const texts = rows(list, 2_000).flatMap(({ original, optimized }) => [original, optimized]);
    const started = performance.now();
    const ms = await blocked(() => findRefused(refused, texts));
    expect(ms).toBeLessThan(within(WORDS_BLOCK_AT_MOST_MS));
    report(`event loop, refused words ${list}`, { max: ms, all: performance.now() - started });
  });

  test("hold up nobody else, from the command to the draft", async () => {
    const limits = { maxPromptLength: 1000, maxBatch: 100, maxFileBytes: MIB, maxSteps: 100, maxPairs: 4 };
    const { local, drafts, settings, problems } = await startWorld({ bot: { limits } });
    const [list, refused] = LISTS[0]!;
    await settings.set("server", local.guildId, "refusedWords", refused, "admin");
    const file = { name: "a.json", data: JSON.stringify(rows(list, 2_000)) };
    const alice = local.member("alice");
    let sent = 0;
    const ms = await blocked(async () => {
      const handle = await alice.slash("batch", { file });
      await handle.waitFor((message) => hasButton(message, "Start"), { timeoutMs: 20_000 });
      sent++;
    });
    expect(ms).toBeLessThan(within(WORDS_BLOCK_AT_MOST_MS));
    report("event loop, a batch against refused words", { max: ms });
    expect(await drafts.idsOfUser(alice.id)).toHaveLength(sent);
    expect(problems).toEqual([]);
  });
});

test("the plot of /stats does not block the event loop", async () => {
  const rows = Array.from({ length: 25 }, (_, i) => ({
    label: `Voter ${i} ${"<b>&".repeat(20)}`,
    rate: i / 25,
    interval: { low: i / 30, high: i / 25 },
    note: `${i * 4} %, n = ${i}`,
  }));
  const ms = await blocked(() => votesPlot("How often the rewrite wins", rows));
  expect(ms).toBeLessThan(within(BLOCKED_AT_MOST_MS));
  report("event loop, plot of 25 rows", { max: ms });
});

test("both tokenizers handle any text in time, within the vocabulary, and decode to the same words", () => {
  const checkpoints = fileURLToPath(new URL("../../checkpoints/miniature/", import.meta.url));
  const gpt2 = Gpt2Tokenizer.open(`${checkpoints}promptist`);
  const clip = ClipTokenizer.open(`${checkpoints}stable-diffusion/tokenizer`);
  const timings = new Timings();
  fc.assert(
    fc.property(hostileText, (text) => {
      const ids = timings.take(2_000, `${text.length} characters`, () => gpt2.encode(text));
      expect(ids.every((id) => id >= 0 && id < gpt2.size)).toBe(true);
      expect(typeof gpt2.decode(ids)).toBe("string");
      const { ids: clipIds, truncated } = clip.encode(text);
      expect(clipIds).toHaveLength(clip.length);
      if (truncated !== null) expect(text).toContain(truncated.slice(0, 1));
    }),
    parameters(100),
  );
  report("prompts in the tokenizers", timings.figures());
});
