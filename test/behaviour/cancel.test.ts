import type { ApiMessage } from "local-discord/testing";
import { describe, expect, it } from "vitest";
import { isFinal, makeBot, nextEvent, startWorld, type World } from "../support/bot-world.js";
import { textOf } from "../support/message.js";

async function waitingJob(world: World) {
  const handle = await world.local.member("alice").slash("optimize", { prompt: "A cat" });
  await handle.done();
  const [job] = await world.queue.open();
  return { handle, job: job! };
}

describe("the Cancel button", () => {
  it("ends a waiting job at once", async () => {
    const world = await startWorld();
    const { handle, job } = await waitingJob(world);
    const press = await world.local.member("alice").press(handle.message, "Cancel");
    const message = await handle.waitFor(isFinal);
    expect(textOf(message)).toBe(`Optimize was cancelled. Job \`${job.id}\`.\`\`\`\nA cat\n\`\`\``);
    expect(press.followUps).toEqual([]);
    expect((await world.queue.get(job.id))?.state).toBe("cancelled");
  });

  it("asks the loop to stop a running job, and says so until it has", async () => {
    const world = await startWorld();
    const { handle, job } = await waitingJob(world);
    const claim = await world.loop.claim("text");
    const requested = nextEvent(world.events, "job.cancel-requested");
    await world.local.member("alice").press(handle.message, "Cancel");
    expect((await requested).jobId).toBe(job.id);
    const stopping = await handle.waitFor((m) => textOf(m).includes("Stopping."));
    expect(stopping.components[0]?.components?.[0]).toMatchObject({ disabled: true });
    world.loop.progress(claim, "rewrite", 9, 10);
    await world.loop.cancelled(claim);
    const ended = await handle.waitFor(isFinal);
    expect(textOf(ended)).toContain("was cancelled");
    const lines = world.local.transcript
      .rest("PATCH", /messages\/%40original$/)
      .map(({ request }) => JSON.stringify(request));
    expect(lines.filter((line) => line.includes("token 9"))).toEqual([]);
  });

  it("is refused to a stranger, privately, and the job goes on", async () => {
    const world = await startWorld();
    const { handle, job } = await waitingJob(world);
    const press = await world.local.member("bob").press(handle.message, "Cancel");
    expect(press.ephemeral).toBe(true);
    expect(press.message?.content).toContain("Only the person who asked");
    expect((await world.queue.get(job.id))?.state).toBe("queued");
    await world.loop.runNext();
    await handle.waitFor((m) => isFinal(m) && textOf(m).includes("highly detailed"));
  });

  it("obeys who may manage messages there", async () => {
    const world = await startWorld();
    const { handle } = await waitingJob(world);
    await world.local.member("admin").press(handle.message, "Cancel");
    await handle.waitFor((m) => textOf(m).includes("was cancelled"));
  });

  it("does not let a moderator of one channel cancel what runs in another", async () => {
    const world = await startWorld();
    const { job } = await waitingJob(world);
    const admin = world.local.member("admin");
    const other = await admin.slash("optimize", { prompt: "mine" }, { channel: "gallery" });
    const message = await other.done();
    forge(world, message, `cancel:${job.id}`);
    const press = await admin.press(message, "Cancel");
    expect(press.message?.content).toContain("This belongs to another channel");
    expect((await world.queue.get(job.id))?.state).toBe("queued");
  });

  it.each([
    ["erase:everything", "belongs to another version"],
    ["cancel:", "belongs to another version"],
    ["cancel:nosuchjob", "no such job"],
  ])("with the forged id %s is refused politely", async (customId, sentence) => {
    const world = await startWorld();
    const { handle, job } = await waitingJob(world);
    forge(world, handle.message!, customId);
    const press = await world.local.member("alice").press(handle.message, "Cancel");
    expect(press.ephemeral).toBe(true);
    expect(press.message?.content).toContain(sentence);
    expect((await world.queue.get(job.id))?.state).toBe("queued");
    expect(world.problems).toEqual([]);
  });

  it("says so when the job is already finished", async () => {
    const world = await startWorld();
    const { handle, job } = await waitingJob(world);
    const before = handle.message!;
    await world.loop.runNext();
    const result = await handle.waitFor(isFinal);
    // As from a client that has not seen the edit yet.
    world.local.state.messages.get(result.id)!.components = before.components as never;
    forge(world, before, `cancel:${job.id}`);
    const press = await world.local.member("alice").press(before, "Cancel");
    expect(press.message?.content).toBe("This is already finished.");
  });

  it("works after a restart", async () => {
    const world = await startWorld();
    const { handle } = await waitingJob(world);
    await world.bot.stop();
    const bot = makeBot(world);
    await bot.start();
    await world.local.member("alice").press(handle.message, "Cancel");
    await handle.waitFor((m) => textOf(m).includes("was cancelled"));
    await bot.stop();
  });
});

/** Puts another custom id under a message, as a modified client would send it. */
function forge({ local }: World, message: ApiMessage, customId: string): void {
  const button = local.state.messages.get(message.id)?.components[0]?.components?.[0];
  if (button === undefined) throw new Error("The message has no button");
  button.custom_id = customId;
}
