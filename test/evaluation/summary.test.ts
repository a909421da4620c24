import { describe, expect, test } from "vitest";
import { reportPage } from "../../src/evaluation/page.js";
import { Scores } from "../../src/evaluation/scores.js";
import { summarize } from "../../src/evaluation/summary.js";

/** Twelve prompts; the rewriter adds one phrase to all and another to half of them, which is what helps. */
const prompts = Array.from({ length: 12 }, (_, i) =>
  i < 6
    ? `A cat in the rain ${i}`
    : `Portrait of an old man with a <b>hat</b> & a dog beside him, number ${i}`,
);
const helps = (prompt: number) => prompt % 2 === 0;
const rewriteOf = (prompt: number) =>
  prompt === 11
    ? prompts[11]!
    : `${prompts[prompt]}, ${helps(prompt) ? "Soft Lighting, artstation" : "artstation"}`;

async function found(count = prompts.length) {
  const scores = new Scores(count, 2, 1, 1);
  const some = prompts.slice(0, count);
  for (const prompt of some.keys()) {
    const beauty = prompt === 3 ? 2 : prompt === 11 ? 5 : helps(prompt) ? 7 : 5.1;
    scores.set({ prompt, rewriter: 0, seed: 0 }, { relevance: 0.3, beauty });
    scores.set({ prompt, rewriter: 1, seed: 0 }, { relevance: 0.3, beauty: 5 });
  }
  return summarize({
    prompts: some,
    rewriters: ["promptist", "none"],
    baseline: 1,
    scores,
    rewrites: async function* () {
      for (const prompt of some.keys()) {
        yield { prompt, rewriter: 0, text: rewriteOf(prompt) };
        yield { prompt, rewriter: 1, text: prompts[prompt]! };
      }
    },
  });
}

describe("a summary", () => {
  test("says what was added most, and what prompts with it gained over the others", async () => {
    const { against } = (await found()).rewriters[0]!;
    expect(against!.phrases.map(({ label, prompts }) => [label, prompts])).toEqual([
      ["artstation", 11],
      ["soft lighting", 6],
    ]);
    const [artstation, soft] = against!.phrases;
    // 6 gain 2; of the others 4 gain 0.1, one loses 3 and one is unchanged.
    expect(soft!.gain!.mean).toBeCloseTo(2);
    expect(soft!.difference!.mean).toBeCloseTo(2 - (4 * 0.1 - 3) / 6);
    expect(artstation!.difference!.mean).toBeCloseTo((12 + 0.4 - 3) / 11);
    expect(against!.unchanged).toBe(1);
  });

  test("groups prompts by their length and by what they name", async () => {
    const { against } = (await found()).rewriters[0]!;
    expect(against!.lengths.map(({ label, prompts }) => [label, prompts])).toEqual([
      ["5 to 8 words", 6],
      ["9 to 16 words", 6],
    ]);
    expect(against!.topics.map(({ label }) => label)).toEqual(
      expect.arrayContaining(["cat", "rain", "dog", "man"]),
    );
    expect(against!.lengths[0]!.gain!.mean).toBeCloseTo((3 * 2 + 2 * 0.1 - 3) / 6);
  });

  test("shows where it hurt, where it helped, and some prompts that nobody chose, with their rewrites", async () => {
    const { rewriters, sample } = await found();
    const { worst, best } = rewriters[0]!.against!;
    expect(worst).toEqual([
      {
        prompt: 3,
        text: prompts[3],
        gain: expect.closeTo(-3, 9),
        rewrites: { promptist: "A cat in the rain 3, artstation" },
      },
    ]);
    expect(best).toHaveLength(4);
    expect(best.every(({ prompt }) => helps(prompt))).toBe(true);
    expect(sample.map(({ prompt }) => prompt)).toEqual([1, 4, 7, 10]);
    expect(sample[0]!.rewrites).toEqual({ promptist: rewriteOf(1), none: prompts[1] });
  });

  test("counts every prompt once in its histogram", async () => {
    const { from, step, counts } = (await found()).rewriters[0]!.against!.histogram;
    expect(counts.reduce((a, b) => a + b)).toBe(12);
    expect(from).toBeLessThanOrEqual(-3);
    expect(from + step * counts.length).toBeGreaterThan(2);
    expect(Math.abs(from / step - Math.round(from / step))).toBeLessThan(1e-9);
  });
});

describe("the page", () => {
  const page = async (count?: number, more = {}) =>
    reportPage({
      summary: { ...(await found(count)), ...more },
      facts: [["Model", `<img src="x" onerror="alert(1)">`]],
      picture: async (prompt, rewriter) =>
        prompt === 3 && rewriter === "none" ? "withheld" : prompt === 4 ? null : Buffer.from("webp"),
    });

  test("loads nothing, runs nothing, and shows texts as they are", async () => {
    const html = await page();
    expect(html).not.toMatch(/<script|<link|@import|url\(|\bon\w+="|https?:/i);
    expect(
      [...html.matchAll(/\bsrc="([^"]{0,23})/g)].every(([, src]) => src === "data:image/webp;base64,"),
    ).toBe(true);
    expect(html).toContain("&lt;img src=&quot;x&quot; onerror=&quot;alert(1)&quot;&gt;");
    expect(html).toContain("an old man with a &lt;b&gt;hat&lt;/b&gt; &amp; a dog");
    expect(html).not.toContain("<b>hat</b>");
  });

  test("says first whether it helps, and withholds what was flagged", async () => {
    const html = await page();
    expect(html).toMatch(
      /<strong>promptist<\/strong> (does better than|can't be told from) none: reward \+0\.7/,
    );
    expect(html).toContain("withheld: the safety checker flagged it, or did not see it");
    expect(html).toContain("the picture is gone");
    expect(html).toContain("1 of 12 prompts were left as they are.");
  });

  test("gives a group of one prompt no interval, and says where prompts are few", async () => {
    const html = await page(7);
    // The seventh prompt is the only long one, and gained 2.
    expect(html).toMatch(/9 to 16 words \(1\)<\/span>(?:(?!<\/div>).)*class="open"/);
    expect(html).toMatch(/9 to 16 words \(1\)<\/span>(?:(?!<\/div>).)*<span class="words">\+2\.00<\/span>/);
    expect(html).toMatch(/5 to 8 words \(6\)<\/span>(?:(?!<\/div>).)*<span class="words">\+[\d.]+ \(/);
    expect(html).toContain("Few prompts:");
    expect(await page(12, { prompts: 20 })).not.toContain("Few prompts:");
  });

  test("has the baseline's picture first, also of the prompts that nobody chose", async () => {
    const sampled = (await page()).split("chosen by their place in the file")[1]!;
    expect([...sampled.matchAll(/<figcaption>(\w+)/g)].slice(0, 4).map(([, name]) => name)).toEqual([
      "none",
      "promptist",
      "none",
      "promptist",
    ]);
  });
});
