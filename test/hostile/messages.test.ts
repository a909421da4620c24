import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { APIEmbed, APIMessageTopLevelComponent } from "discord.js";
import fc from "fast-check";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it, test } from "vitest";
import { type Outgoing, plainMessage, toRequest } from "../../src/bot/discord/outgoing.js";
import { finalMessage } from "../../src/bot/messages/final-message.js";
import { infoMessage } from "../../src/bot/messages/info-message.js";
import { Presenter } from "../../src/bot/messages/parts/presentation.js";
import { statusMessage, summarize } from "../../src/bot/messages/status-message.js";
import { english } from "../../src/bot/words/english/english.js";
import { endSentence } from "../../src/bot/words/english/result.js";
import { OFFERED, wordsOf } from "../../src/bot/words/languages.js";
import type { Item, Job } from "../../src/core/job.js";
import { DEFAULT_TEXT_OPTIONS, type ImageOptions } from "../../src/core/options.js";
import { openDatabase } from "../../src/db/sqlite/open.js";
import { sqliteStore } from "../../src/db/sqlite/store.js";
import { PictureFolder } from "../../src/pictures/store.js";
import { cleanPrompt } from "../../src/prompt-files/clean-prompt.js";
import { isFinal, startWorld } from "../support/bot-world.js";
import { hostileText, parameters, report, Timings } from "./support.js";

const folder = mkdtempSync(join(tmpdir(), "promptist-hostile-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const ASKER = "100000000000000001";
const LIMIT = { perFile: 10 * 2 ** 20, total: 24 * 2 ** 20 };
const JOB_ID = "abcdefghij";
const BLOCKS_AT_MOST_MS = 100;

beforeAll(async () => {
  mkdirSync(join(folder, JOB_ID));
  const png = await sharp({ create: { width: 8, height: 8, channels: 3, background: "navy" } })
    .png()
    .toBuffer();
  for (const name of ["b.png", "d.png", "c.png", "s.png"]) writeFileSync(join(folder, JOB_ID, name), png);
});

const IMAGE: ImageOptions = {
  seed: 0,
  steps: 50,
  guidance: 7.5,
  negative: "",
  size: null,
  scheduler: "pndm",
};
const store = sqliteStore(openDatabase(join(folder, "queue.sqlite")));
afterAll(() => store.close());
const presenter = new Presenter({
  pictures: new PictureFolder(folder),
  miniature: ["text", "image"],
  image: IMAGE,
  settings: store.settings,
  votes: store.votes,
  audienceOf: async () => ({ ageRestricted: false, settings: {}, unchecked: "show" }),
});

/** A person's texts as stored: every input goes through `cleanPrompt`. */
const stored = hostileText.map((text) => cleanPrompt(text)).filter((text) => text !== "");
/** A model's text, decoded from bytes: anything but unpaired surrogates. */
const decoded = hostileText.map((text) => text.replace(/\p{Cs}/gu, "\ufffd"));
/**
 * A rewrite starts with its prompt or was written by a person; a model's may hold anything that bytes decode
 * to.
 */
const rewriteOf = (prompt: string) =>
  fc.oneof(
    decoded.map((more) => `${prompt}, ${more}`),
    stored,
    decoded.filter((text) => text !== ""),
    fc.constant(prompt),
    fc.constant(null),
  );

const job: fc.Arbitrary<Job> = stored
  .chain((prompt) =>
    fc.record({
      prompt: fc.constant(prompt),
      rewrite: rewriteOf(prompt),
      candidates: fc.array(rewriteOf(prompt), { maxLength: 10 }),
      negative: fc.oneof(fc.constant(""), stored),
      words: stored,
      detail: hostileText,
      kind: fc.constantFrom("optimize" as const, "compare" as const, "batch" as const),
      state: fc.constantFrom("done" as const, "failed" as const, "cancelled" as const),
      blind: fc.boolean(),
      drawn: fc.boolean(),
      items: fc.integer({ min: 1, max: 5 }),
      locale: fc.constantFrom("en-US", "de", "fr", "es-419", "pt-BR", "ru", "ja"),
      code: fc.constantFrom("INTERNAL", "WORKER_DIED", "CHECKPOINT_CORRUPT", "NOT_A_CODE", "__proto__"),
    }),
  )
  .map(({ prompt, rewrite, candidates, negative, words, detail, drawn, items, locale, code, ...rest }) => {
    const pictures = drawn && rewrite !== null;
    const item: Item = {
      index: 0,
      prompt,
      rewrite,
      candidates: candidates
        .filter((text) => text !== null && text !== "")
        .map((text) => ({ text: text!, tokens: 1, score: -1 })),
      seed: 7,
      rewriteMs: 10,
      pictures: {
        baseline: pictures ? { file: "b.png", ms: 5, judgement: null } : null,
        optimized: pictures ? { file: "d.png", ms: 5, judgement: null } : null,
      },
      comparison: pictures ? "c.png" : null,
      cancelled: false,
      notes: [{ code: "unchanged" }, { code: "truncated", side: "optimized", words }],
    };
    return {
      ...rest,
      id: JOB_ID,
      phase: "text",
      origin: {
        userId: ASKER,
        guildId: "200000000000000001",
        channelId: "300000000000000001",
        locale,
        applicationId: "400000000000000001",
        interactionId: "500000000000000001",
        interactionToken: "secret-token",
        tokenExpiresAt: 0,
      },
      text: DEFAULT_TEXT_OPTIONS,
      image: { ...IMAGE, negative },
      items: Array.from({ length: rest.kind === "batch" ? items : 1 }, (_, index) => ({ ...item, index })),
      parentId: null,
      attempt: 1,
      failures: [
        { code, detail: `${detail} at Object.<anonymous> (/home/owner/bot/dist/main.js:1:1)`, at: 0 },
      ],
      cancelRequested: false,
      createdAt: 0,
      startedAt: 1,
      finishedAt: 2,
      checkpoints: { promptist: "promptist", diffusion: "stable-diffusion" },
      hashes: { promptist: null, diffusion: null },
      sheets: pictures && rest.kind === "batch" ? [{ number: 1, file: "s.png", items: [0] }] : [],
      held: null,
      preview: false,
      picturesPrunedAt: null,
      delivery: { deliveredAt: null, messageId: null, attempts: 0, abandoned: null },
    } satisfies Job;
  });

/** What Discord does not read as Markdown, in its order: a fence, an escaped character, a run of code. */
const INERT = /```[\s\S]*?```|\\[^0-9A-Za-z\s]|(?<run>`+)[\s\S]*?[^`]\k<run>(?!`)/gu;

/** What Discord would still read as a mention, link or emoji: everything outside code that is not escaped. */
function live(text: string): string[] {
  const outside = text
    .replace(INERT, "")
    .replaceAll(`<@${ASKER}>`, "")
    .replace(/<t:\d+:[a-zA-Z]>/g, "");
  return outside.match(/@everyone|@here|<[@#:/a]|<id:|https?:|\]\(/g) ?? [];
}

interface Sent {
  readonly content?: string | undefined;
  readonly embeds?: readonly APIEmbed[] | undefined;
  readonly components?: readonly APIMessageTopLevelComponent[] | undefined;
  readonly attachments?: readonly { filename?: string; description?: string | null }[] | undefined;
}

/** All texts of a message; checks every string against Discord's limits. */
function expectFits({ content = "", embeds = [], components = [], attachments = [] }: Sent): void {
  expect(content.length).toBeLessThanOrEqual(2000);
  expect(embeds.length).toBeLessThanOrEqual(10);
  let total = 0;
  for (const { title = "", description = "" } of embeds) {
    expect(title.length).toBeLessThanOrEqual(256);
    expect(description.length).toBeLessThanOrEqual(4096);
    total += title.length + description.length;
  }
  expect(total).toBeLessThanOrEqual(6000);
  expect(components.length).toBeLessThanOrEqual(5);
  const ids: string[] = [];
  for (const row of components as unknown as { components: Record<string, never>[] }[]) {
    expect(row.components.length).toBeGreaterThan(0);
    expect(row.components.length).toBeLessThanOrEqual(5);
    for (const part of row.components as unknown as {
      custom_id: string;
      label?: string;
      placeholder?: string;
      options?: { label: string; value: string; description?: string }[];
    }[]) {
      ids.push(part.custom_id);
      expect(part.custom_id.length).toBeLessThanOrEqual(100);
      if (part.label !== undefined) expect(part.label.length).toBeLessThanOrEqual(80);
      if (part.options === undefined) continue;
      expect(part.options.length).toBeGreaterThan(0);
      expect(part.options.length).toBeLessThanOrEqual(25);
      expect(new Set(part.options.map(({ value }) => value)).size).toBe(part.options.length);
      for (const { label, description } of part.options) {
        expect(label.trim()).not.toBe("");
        expect(label.length).toBeLessThanOrEqual(100);
        if (description !== undefined) expect(description.trim()).not.toBe("");
        expect(description?.length ?? 0).toBeLessThanOrEqual(100);
      }
    }
  }
  expect(new Set(ids).size).toBe(ids.length);
  expect(attachments.length).toBeLessThanOrEqual(10);
  for (const { filename = "", description } of attachments) {
    expect(filename).toMatch(/^[\w.-]+$/);
    expect(description?.length ?? 0).toBeLessThanOrEqual(1024);
  }
}

function expectHarmless(message: Sent, secret: boolean): void {
  expectFits(message);
  const texts = [
    message.content ?? "",
    ...(message.embeds ?? []).flatMap(({ title = "", description = "" }) => [title, description]),
  ];
  for (const text of texts) expect(live(text)).toEqual([]);
  const all = JSON.stringify(message);
  // Discord rejects texts with unpaired surrogates.
  for (const text of strings(message)) expect(text).not.toMatch(/\p{Cs}/u);
  expect(all).not.toContain("secret-token");
  expect(all).not.toContain("/home/owner");
  expect(all).not.toContain(folder);
  if (secret)
    for (const words of [english, ...OFFERED.map(wordsOf)])
      expect(all).not.toContain(words.labels.rewriteBy("Promptist"));
}

function strings(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null || Buffer.isBuffer(value)) return [];
  return Object.values(value).flatMap(strings);
}

function expectSent(message: Outgoing, mention: string | null, secret = false): void {
  const { body } = toRequest(message, mention);
  expect(body.allowed_mentions).toEqual({ parse: [], ...(mention === null ? {} : { users: [mention] }) });
  expectHarmless(body as Sent, secret);
}

test("whatever a prompt contains, its messages ping nobody, reveal nothing and fit", {
  timeout: 3_600_000,
}, async () => {
  const timings = new Timings();
  let blind = 0;
  await fc.assert(
    fc.asyncProperty(job, async (one) => {
      const hidden =
        one.kind === "compare" &&
        one.blind &&
        one.state === "done" &&
        one.items[0]!.pictures.optimized !== null &&
        one.items.length === 1;
      if (hidden) blind += 1;
      const words = wordsOf(one.origin.locale);
      const summary = timings.take(BLOCKS_AT_MOST_MS, "a summary", () => summarize(one));
      expectSent(statusMessage(summary, { kind: "loading", phase: "text" }), null, one.blind);
      const info = timings.take(BLOCKS_AT_MOST_MS, "an info", () =>
        infoMessage(one, { size: null, isMiniature: false }, [], words),
      );
      expectHarmless({ embeds: info.embeds as APIEmbed[] }, false);
      if (hidden) await store.votes.open(one, null);
      const message = await finalMessage(one, await presenter.facts(one, one.origin), LIMIT);
      expectSent(message, null, hidden);
      const late = `${words.resultLines.ready(ASKER, one.kind)} ${message.content}`.trim();
      expectSent({ ...message, content: late }, ASKER, hidden);
      expectSent(plainMessage(endSentence(one, words)), null);
    }),
    parameters(250),
  );
  expect(blind).toBeGreaterThan(0);
  report("prompts in messages", timings.figures());
});

describe("through the real bot and the local Discord", () => {
  it("a prompt that tries everything is shown as text and pings only the requester", {
    timeout: 60_000,
  }, async () => {
    const { local, loop, problems, queue } = await startWorld({
      bot: { timing: { pingAfterMs: 0 } as never },
    });
    const prompts = [
      "@everyone @here <@100000000000000001> <@&1> **bold** ```js\nx``` ||spoiler|| https://example.com",
      "``` @everyone",
      "> quote\n# head\n[a](https://example.com) <:x:123> \u202eevil\u2066",
      `${"👨‍👩‍👧‍👦".repeat(80)} @here`,
      "\\`\\`\\` `a` ``b`` @everyone \\",
    ];
    const alice = local.member("alice");
    for (const prompt of prompts) {
      const handle = await alice.slash("compare", { prompt, seed: 1 });
      await handle.done();
      await loop.runNext();
      const message = await handle.waitFor(isFinal);
      expect(message.mention_everyone).toBe(false);
      expect(message.mentions).toEqual([]);
      expect(live(message.embeds[0]?.description ?? "")).toEqual([]);
    }
    for (const message of alice.messages()) {
      expect(message.mention_everyone).toBe(false);
      expect(message.mentions.map(({ id }) => id).filter((id) => id !== alice.id)).toEqual([]);
    }
    expect(problems).toEqual([]);
    expect((await queue.depth()).queued).toBe(0);
  });
});
