import { parse } from "csv-parse/sync";
import type { ApiMessage } from "local-discord/testing";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { bootstrapMean } from "../../../src/core/statistics/bootstrap.js";
import { startBatch } from "../../support/batch.js";
import { isFinal, type Judgements, nextEvent, PASSED, startWorld } from "../../support/bot-world.js";

const text = (message: ApiMessage | null) => message?.embeds[0]?.description ?? "";

const scored = (
  relevance: readonly [number, number],
  beauty: readonly [number, number] | null,
): Judgements => ({
  baseline: { ...PASSED, relevance: relevance[0], beauty: beauty?.[0] ?? null, judge: "clip" },
  optimized: { ...PASSED, relevance: relevance[1], beauty: beauty?.[1] ?? null, judge: "clip" },
});

async function compare(judgements: Judgements, options: Record<string, string | boolean> = {}) {
  const world = await startWorld();
  const enqueued = nextEvent(world.events, "job.enqueued");
  const alice = world.local.member("alice");
  const handle = await alice.slash("compare", { prompt: "A cat", ...options });
  await enqueued;
  await world.loop.runNext(undefined, () => judgements);
  return { alice, handle, message: await handle.waitFor(isFinal) };
}

describe("the scores of a pair", () => {
  it("are words under the pair, and numbers with an explanation in Info", async () => {
    const { alice, message } = await compare(scored([0.213, 0.2412], [5.12, 5.864]));
    expect(text(message).split("\n")).toContain(
      "Judges: fits the prompt better · looks better (5.1 → 5.9 of 10)",
    );
    const info = await alice.press(message, "Info");
    await info.done();
    // 20 * 0.2412 - 5.6 = -0.776, and 5.864 - 5.12 = 0.744 make -0.032.
    expect(text(info.message).split("\n")).toContain(
      "Scores, as written → rewritten: relevance to the prompt 0.213 → 0.241 · beauty 5.12 → 5.86 · reward −0.03 (what Promptist was trained to raise)",
    );
  });

  it.each([
    [[0.3, 0.305], [5, 5.05], "fits the prompt as well · looks as good (5.0 of 10)"],
    [[0.3, 0.28], [6.24, 5.16], "fits the prompt less well · looks worse (6.2 → 5.2 of 10)"],
    [[0.2, 0.3], null, "fits the prompt better"],
  ] as const)("%j and %j are: %s", async (relevance, beauty, words) => {
    const { message } = await compare(scored(relevance, beauty));
    expect(text(message).split("\n")).toContain(`Judges: ${words}`);
  });

  it("leave out what was not judged", async () => {
    expect(text((await compare({ baseline: PASSED, optimized: PASSED })).message)).not.toContain("Judges");
  });

  it("wait for the end of a blind vote", async () => {
    const { alice, handle, message } = await compare(scored([0.2, 0.3], [5, 6]), { blind: true });
    expect(text(message)).not.toContain("Judges");
    await alice.press(message, "Reveal to all");
    expect(text(await handle.waitFor((m) => text(m).includes("Judges:")))).toContain("(5.0 → 6.0 of 10)");
  });
});

describe("the scores of a batch", () => {
  const RELEVANCE = [0.21, 0.24, 0.2, 0.27, 0.25, 0.23, 0.22];
  const judge = (item: number) =>
    scored([RELEVANCE[item]!, RELEVANCE[item]! + 0.01 * item], [5, 5.2 + 0.1 * item]);

  it("are means with intervals, a table, a plot and columns of the CSV", async () => {
    const world = await startWorld();
    const alice = world.local.member("alice");
    const prompts = RELEVANCE.map((_, i) => `prompt number ${i + 1}`).join("\n");
    const enqueued = nextEvent(world.events, "job.enqueued");
    const handle = await startBatch(alice, { name: "prompts.txt", data: prompts });
    await enqueued;
    await world.loop.runNext(undefined, judge);
    const message = await handle.waitFor(isFinal);

    const gains = RELEVANCE.map((_, i) => 0.2 + 0.1 * i);
    const { low, high } = bootstrapMean(gains)!;
    expect(text(message)).toContain(`Beauty change +0.50 (+${low.toFixed(2)} to +${high.toFixed(2)}), n = 7`);
    expect(text(message)).toMatch(/Relevance change \+0\.030 \(\+0\.0\d\d to \+0\.0\d\d\), n = 7/);
    expect(text(message)).toContain(" 7  0.220 → 0.280  5.00 → 5.80    +0.80  prompt number 7");

    const plot = message.attachments.find(({ filename }) => filename.endsWith("-scores.png"))!;
    expect(plot.description).toContain("n = 7");
    expect((await sharp(await alice.download(plot)).metadata()).width).toBe(760);

    const report = message.attachments.find(({ filename }) => filename === "report.csv")!;
    const rows = parse(await alice.download(report), { columns: true }) as Record<string, string>[];
    expect(rows).toHaveLength(7);
    expect(rows[1]).toMatchObject({
      original: "prompt number 2",
      baseline_relevance: "0.24",
      optimized_relevance: "0.25",
      relevance_term: "-0.6",
      baseline_beauty: "5",
      optimized_beauty: "5.3",
      beauty_gain: "0.3",
      reward: "-0.3",
      judge: "clip",
      optimized_safety: "passed",
    });
  });
});
