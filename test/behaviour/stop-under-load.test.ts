import type { InteractionHandle } from "local-discord/testing";
import { expect, onTestFinished, test } from "vitest";
import { makeBot, startWorld } from "../support/bot-world.js";
import { within } from "../support/within.js";

const COMMANDS = 250;
const WAVE = 50;
const ACCEPTED = 30;

test("stops promptly with statuses and refusals still to send, and the next start sends the refusals", {
  timeout: 60_000,
}, async () => {
  const limits = { maxPromptLength: 1000, maxBatch: 20, maxFileBytes: 10_000, maxSteps: 100, maxPairs: 4 };
  // Nothing but discord.js' own 50 requests a second is in the way.
  const world = await startWorld({
    local: { limits: { globalPerSecond: 0, identifyMs: 0, firstAnswerMs: 20_000 } },
    bot: { limits: { ...limits, open: { user: ACCEPTED } } },
  });
  const alice = world.local.member("alice");
  // Slow enough that many still wait to be told when the last command is in, however fast this machine is.
  world.local.faults.onRest("PATCH", /messages/, { delayMs: 500 }, COMMANDS * 10);
  world.local.faults.onRest("DELETE", /messages/, { delayMs: 500 }, COMMANDS * 10);
  const handles: InteractionHandle[] = [];
  for (let i = 0; i < COMMANDS; i += WAVE) {
    const wave = Array.from({ length: WAVE }, (_, j) =>
      alice.slash("compare", { prompt: `A cat, ${i + j}` }),
    );
    handles.push(...(await Promise.all(wave)));
  }
  const started = performance.now();
  await world.bot.stop();
  const took = performance.now() - started;
  const left = await world.queue.arrivals();
  expect(took).toBeLessThan(within(2_500));
  expect(left.length).toBeGreaterThan(0);
  expect((await world.queue.depth()).queued).toBe(ACCEPTED);

  world.local.faults.clearRest();
  const next = makeBot(world);
  onTestFinished(() => next.stop());
  await next.start();
  await expect.poll(async () => (await world.queue.arrivals()).length, { timeout: 30_000 }).toBe(0);
  // A refusal is private where it came in time, and in the reply where the next start tells it.
  const said = handles.map(({ message, followUps }) => JSON.stringify([message, ...followUps]));
  const told = said.filter((text) => /the most allowed here|stopped before/.test(text));
  expect(told).toHaveLength(COMMANDS - ACCEPTED);
});
