import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { startBatch } from "../support/batch.js";
import { isFinal, nextEvent, noisePicture, PASSED, startWorld, type World } from "../support/bot-world.js";

/** In the lounge of another server the bot is no member: alice has it by her own account, and it may only answer her. */
const LOUNGE = { channel: "lounge" };
const MINUTE = 60_000;

async function asked(world: World) {
  const alice = world.local.member("alice");
  const handle = await alice.slash("compare", { prompt: "A cat", seed: 1 }, LOUNGE);
  await handle.done();
  const [job] = await world.queue.open();
  return { alice, handle, jobId: job!.id };
}

describe("where only the person has installed the bot", () => {
  it("a result that comes in time is the reply, with buttons that work", async () => {
    const world = await startWorld();
    const { alice, handle, jobId } = await asked(world);
    await world.loop.runNext();
    const result = await handle.waitFor(isFinal);
    expect(result.attachments).toHaveLength(2);
    await (await alice.press(result, "New seed")).done();
    expect((await world.queue.open())[0]?.parentId).toBe(jobId);
    expect(world.problems).toEqual([]);
  });

  it("a late result comes as a direct message that says why", async () => {
    let late = false;
    const world = await startWorld({ bot: { now: () => Date.now() + (late ? 16 * MINUTE : 0) } });
    const { alice } = await asked(world);
    late = true;
    await world.loop.runNext();
    const message = await alice.waitFor(isFinal, { channel: "dm" });
    expect(message.content).toContain("I could not post where you asked for this, so here it is.");
    expect(message.attachments).toHaveLength(2);
  });

  it("a result that Discord refuses stays stored, and /show shows it there", async () => {
    let late = false;
    const world = await startWorld({ bot: { now: () => Date.now() + (late ? 16 * MINUTE : 0) } });
    const { alice, jobId } = await asked(world);
    world.local.state.users.get(alice.id)!.acceptsDirectMessages = false;
    late = true;
    const stored = nextEvent(world.events, "log", ({ message }) => message.includes("stays stored"));
    await world.loop.runNext();
    await stored;
    late = false;
    const shown = await alice.slash("show", { id: jobId }, LOUNGE);
    expect((await shown.waitFor(isFinal)).attachments).toHaveLength(2);
  });

  it("contact sheets answer where the bot may not post, as many as Discord takes; the rest comes with the report", async () => {
    const world = await startWorld();
    const alice = world.local.member("alice");
    const data = JSON.stringify(
      Array.from({ length: 8 }, (_, i) => ({ original: `${i}`, optimized: `${i}!` })),
    );
    const handle = await startBatch(alice, { name: "p.json", data }, {}, "lounge");
    const claim = await world.loop.claim("image");
    const folder = join(world.picturesDir, claim.job.id);
    await mkdir(folder, { recursive: true });
    for (let number = 1; number <= 6; number++) {
      await world.queue.savePictures(claim, number - 1, {
        pictures: { baseline: { file: "a.png", ms: 1, judgement: PASSED } },
      });
      const file = `contact-sheet-${number}.png`;
      await writeFile(join(folder, file), await noisePicture(8));
      await world.queue.saveSheet(claim, { number, file, items: [number - 1] });
    }
    await expect.poll(() => world.store.deliveries.unsettledSheets(), { timeout: 20_000 }).toEqual([]);
    const sheets = alice.messages("lounge").filter((m) => m.embeds[0]?.description?.startsWith("Prompts "));
    expect(sheets).toHaveLength(5);
    await world.loop.complete(claim);
    const report = await handle.waitFor(isFinal);
    expect(report.embeds[0]?.description).toContain("Contact sheets 1 to 5 came while it was drawn");
  });

  it("the commands of a server's managers are not on offer, and those for people are", async () => {
    const world = await startWorld();
    const names = world.local.member("alice").commands("lounge");
    expect(names).toEqual(expect.arrayContaining(["compare", "optimize", "batch", "show", "mydata"]));
    expect(names).not.toContain("admin");
  });
});
