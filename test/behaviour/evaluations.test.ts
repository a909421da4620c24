import { parse } from "csv-parse/sync";
import type { ApiMessage } from "local-discord/testing";
import { describe, expect, it } from "vitest";
import { hasButton, startBatch } from "../support/batch.js";
import { isFinal, type Judgements, startWorld, type World } from "../support/bot-world.js";
import { oneDevice } from "../support/paces.js";
import { unzip } from "../support/zip.js";

const jobOf = (message: ApiMessage) => /(?<=Job `)\w+/.exec(text(message))![0];
const text = (message: ApiMessage | null) => message?.embeds[0]?.description ?? "";
const file = (count: number) => ({
  name: "captions.txt",
  data: Array.from({ length: count }, (_, i) => `Caption ${i + 1}`).join("\n"),
});
const judged = (beauty: number, flagged = false) => ({
  relevance: 0.3,
  beauty,
  judge: "clip + aesthetic",
  safety: { flagged, concepts: flagged ? [4] : [] },
});

/** Draws four captions by two rewriters and two seeds, and answers the result. */
async function evaluated(world: World, judge?: (item: number) => Judgements) {
  const admin = world.local.member("admin");
  const options = { evaluate: true, rewriter: "promptist, magicprompt", seed: 5 };
  const handle = await startBatch(admin, file(4), options);
  await world.loop.runNext(undefined, judge);
  return { admin, result: await handle.waitFor(isFinal) };
}

describe("an evaluation", () => {
  it("is refused to whoever manages nothing, and open to who runs the bot", async () => {
    const adminIds: string[] = [];
    const world = await startWorld({ bot: { adminIds } });
    const refused = await world.local.member("bob").slash("batch", { file: file(2), evaluate: true });
    await refused.waitFor((m) => m.content.includes("Only people who manage this server"));
    expect(await world.drafts.nextDueAt()).toBeNull();
    adminIds.push(world.local.member("bob").id);
    const allowed = await world.local.member("bob").slash("batch", { file: file(2), evaluate: true });
    await allowed.waitFor((m) => hasButton(m, "Start"));
  });

  it("says its cost first, is drawn as in the paper, and ends with its report", async () => {
    const world = await startWorld({ bot: { paces: () => oneDevice(({ texts }) => texts * 1000) } });
    const admin = world.local.member("admin");
    const handle = await admin.slash("batch", {
      file: file(3),
      evaluate: true,
      rewriter: "none, promptist, magicprompt",
      seed: 5,
    });
    const draft = await handle.waitFor((m) => hasButton(m, "Start"));
    expect(text(draft)).toContain(
      "3 prompts, drawn with each of `none`, `promptist` and `magicprompt` from 2 seeds. That makes 18 pictures.",
    );
    // Two rewrites of three prompts, each shared by two seeds.
    expect(text(draft)).toContain("Takes about 6 s");
    expect(text(draft)).toContain("seed 5 · speed full · 20 steps");
    await admin.press(draft, "Start");
    await handle.waitFor((m) => !hasButton(m, "Start"));
    const [job] = await world.queue.open();
    expect(job).toMatchObject({
      kind: "evaluation",
      evaluation: { rewriters: ["none", "promptist", "magicprompt"], baseline: 0, seeds: 2 },
      image: { steps: 20, scheduler: "dpm++2m", seed: 5 },
    });
    expect(job!.items.map(({ seed }) => seed)).toEqual([
      5, 6, 5, 6, 5, 6, 7, 8, 7, 8, 7, 8, 9, 10, 9, 10, 9, 10,
    ]);
  });

  it("reports what each rewriter gained, without the pictures that may not be seen", async () => {
    const world = await startWorld();
    // Of each prompt two pictures by Promptist, then two by MagicPrompt.
    const { result, admin } = await evaluated(world, (item) => ({
      optimized: judged(item % 4 < 2 ? 7 : 5, item === 0),
    }));
    expect(text(result)).toContain(
      "`magicprompt` does worse than `promptist`: reward −2.00 (−2.00 to −2.00), n = 4. 0 % of its pictures win (0 % to 49 %).",
    );
    const entries = await unzip(await admin.download(result.attachments[0]!));
    const { prompts, seeds, baseline, rewriters } = JSON.parse(String(entries.get("report.json")));
    expect({ prompts, seeds, baseline }).toEqual({ prompts: 4, seeds: 2, baseline: "promptist" });
    expect(rewriters[1].against.gains.beauty.mean).toBeCloseTo(-2, 9);
    expect(parse(entries.get("pictures.csv")!, { columns: true })).toHaveLength(16);
    expect(String(entries.get("report.html"))).toContain("withheld: the safety checker flagged it");
  });

  it("says that there is no report where nothing was judged, and has the pictures all the same", async () => {
    const world = await startWorld();
    const { admin, result } = await evaluated(world);
    expect(text(result)).toContain("There is no report");
    expect(result.attachments).toEqual([]);
    const shown = await admin.slash("show", { id: jobOf(result), part: 1 });
    const zip = await shown.waitFor((m) => m.attachments.length === 1);
    const names = [...(await unzip(await admin.download(zip.attachments[0]!))).keys()];
    expect(names.filter((name) => name.endsWith(".png"))).toHaveLength(16);
  });

  it("is a draft again by /history, with all rewritten anew from other seeds", async () => {
    const world = await startWorld();
    const { admin, result } = await evaluated(world, () => ({ optimized: judged(6) }));
    const listed = await admin.slash("history");
    const menu = await listed.waitFor((m) => m.components.length > 0);
    const again = await admin.select(menu, "repeat:history", [jobOf(result)]);
    const draft = await again.waitFor((m) => hasButton(m, "Start"));
    await admin.press(draft, "Start");
    await again.waitFor((m) => !hasButton(m, "Start"));
    const [job] = await world.queue.open();
    expect(job).toMatchObject({ kind: "evaluation", evaluation: { seeds: 2, baseline: 0 } });
    expect(job!.items.every(({ rewrite }) => rewrite === null)).toBe(true);
    const seeds = job!.items.slice(0, 4).map(({ seed }) => seed);
    expect([seeds[0], seeds[1]]).toEqual([seeds[2], seeds[3]]);
  });

  it("names what may be compared, and what seeds are for", async () => {
    const world = await startWorld();
    const admin = world.local.member("admin");
    const ask = async (options: Record<string, string | number | boolean>) =>
      (await (await admin.slash("batch", { file: file(1), ...options })).done()).content;
    const sentence = "names what is compared: up to 5 different ones";
    expect(await ask({ evaluate: true, rewriter: "none" })).toContain(sentence);
    expect(await ask({ seeds: 2 })).toContain(sentence);
    expect(await ask({ evaluate: true, rewriter: "promptist, wizard" })).toContain("wizard");
  });
});
