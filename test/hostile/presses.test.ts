import fc from "fast-check";
import type { InteractionRecord } from "local-discord/testing";
import { ComponentType, Interactions, InteractionType } from "local-discord/testing";
import { describe, expect, it, test } from "vitest";
import { decodeCustomId, encodeCustomId } from "../../src/bot/messages/parts/components.js";
import { isFinal, nextEvent, startWorld, type World } from "../support/bot-world.js";
import { hostileText, parameters, report, Timings } from "./support.js";

const VERBS = [
  "cancel",
  "again",
  "edit",
  "tune",
  "beam",
  "change",
  "without",
  "pair",
  "raw",
  "info",
  "delete",
  "vote",
  "reveal",
];

test("a custom id is read as one of ours or rejected", () => {
  const timings = new Timings();
  const parts = fc
    .tuple(
      fc.oneof(
        { weight: 2, arbitrary: fc.constantFrom(...VERBS) },
        fc.constantFrom("__proto__", "constructor", "toString", "", "Cancel"),
        hostileText,
      ),
      fc.oneof(
        fc.stringMatching(/^[\w-]{1,64}$/),
        fc.constantFrom("abcdefghij", "../..", "a:b", "", "x".repeat(65)),
        hostileText,
      ),
      fc.option(fc.oneof(fc.constantFrom("left", "bad", "Left", "", "0", "x".repeat(17)), hostileText)),
    )
    .map(([verb, id, argument]) => [verb, id, ...(argument === null ? [] : [argument])].join(":"));
  let ours = 0;
  fc.assert(
    fc.property(fc.oneof(parts, hostileText, fc.string({ maxLength: 100 })), (customId) => {
      const action = timings.take(50, "a custom id", () => decodeCustomId(customId));
      if (action === null) return;
      ours += 1;
      expect(VERBS).toContain(action.verb);
      expect(action.jobId).toMatch(/^[\w-]{1,64}$/);
      expect(encodeCustomId(action.verb, action.jobId, action.argument ?? undefined)).toBe(customId);
      expect(customId.length).toBeLessThanOrEqual(100);
    }),
    parameters(2000),
  );
  expect(ours).toBeGreaterThan(10);
  report("custom ids", { ...timings.figures(), ours });
});

/** Sends interactions as Discord's gateway would, with data that no Discord client sends. */
class Forger {
  readonly #interactions: Interactions;

  constructor(readonly world: World) {
    this.#interactions = new Interactions(world.local.state);
  }

  /** Returns the private answer; throws if there is none, or one that others see. */
  async send(type: number, data: Record<string, unknown>, messageId: string | null = null): Promise<string> {
    const { local } = this.world;
    const guildId = local.guildId;
    let made: InteractionRecord | null = null;
    const answered = new Promise<InteractionRecord>((resolve, reject) => {
      const leave = local.state.subscribe((event) => {
        if (event.type !== "interaction.answered" && event.type !== "interaction.failed") return;
        if (event.interaction !== made) return;
        leave();
        if (event.type === "interaction.failed") reject(new Error("the bot did not answer"));
        else resolve(event.interaction);
      });
    });
    made = this.#interactions.create({
      type,
      userId: local.member("bob").id,
      channelId: local.channelId("general"),
      guildId,
      data,
      attachments: [],
      owners: { "0": guildId },
      targetId: null,
      commandName: typeof data.name === "string" ? data.name : null,
      sourceMessageId: messageId,
      triggeredBy: null,
    });
    const { originalMessageId } = await answered;
    const message = local.state.messages.get(originalMessageId ?? "");
    expect(message?.visibleTo, JSON.stringify(data)).toBe(local.member("bob").id);
    return message?.content ?? "";
  }
}

/** A finished comparison of alice's, its message, and presses on it that bob may not make. */
async function start() {
  const world = await startWorld();
  const enqueued = nextEvent(world.events, "job.enqueued");
  const handle = await world.local.member("alice").slash("compare", { prompt: "A cat", seed: 7 });
  const { jobId } = await enqueued;
  const delivered = nextEvent(world.events, "job.delivered");
  await world.loop.runNext();
  const message = await handle.waitFor(isFinal);
  await delivered;
  return { world, jobId, message, forger: new Forger(world) };
}

const press = (customId: string, values?: readonly string[]) => ({
  custom_id: customId,
  component_type: values === undefined ? ComponentType.button : ComponentType.stringSelect,
  id: 1,
  ...(values === undefined ? {} : { values }),
});
const form = (customId: string, components: readonly unknown[]) => ({ custom_id: customId, components });
const textInput = (customId: string, value: string) => ({
  type: ComponentType.label,
  id: 1,
  component: { type: ComponentType.textInput, id: 2, custom_id: customId, value },
});

describe("over the gateway, to the real bot", () => {
  it("impossible presses are refused privately, and nothing is created, changed or broken", async () => {
    const { world, jobId, message, forger } = await start();
    const { component, modalSubmit } = InteractionType;
    const before = JSON.stringify(await world.queue.get(jobId));
    for (const verb of [
      "cancel",
      "again",
      "pair",
      "raw",
      "delete",
      "reveal",
      "beam",
      "change",
      "without",
      "edit",
      "tune",
    ]) {
      // bob is not alice.
      expect(await forger.send(component, press(`${verb}:${jobId}`), message.id)).toMatch(/Only the person/);
      expect(await forger.send(component, press(`${verb}:nosuchjob1`), message.id)).toMatch(/no such job/);
    }
    // Alice's job among bob's last ones.
    const repeat = (value: string) => forger.send(component, press("repeat:history", [value]), message.id);
    expect(await repeat(jobId)).toMatch(/Only the person/);
    expect(await repeat("../x")).toMatch(/no such job/);
    expect(await forger.send(component, press("repeat:history"), message.id)).toMatch(/another version/);
    expect(await forger.send(component, press(`vote:${jobId}:left`), message.id)).toMatch(/no vote/);
    const unknown = [
      "",
      "x",
      "vote",
      `vote:${jobId}`,
      `vote:${jobId}:middle`,
      `again:${jobId}:x`,
      `AGAIN:${jobId}`,
    ];
    for (const customId of [
      ...unknown,
      "__proto__:a",
      `constructor:${jobId}`,
      "again:../../etc",
      "\u202eagain:x",
    ])
      expect(await forger.send(component, press(customId), message.id)).toMatch(/another version/);
    for (const customId of [`edit:${jobId}`, `tune:${jobId}`])
      expect(await forger.send(modalSubmit, form(customId, [textInput("text", "mine")]))).toMatch(
        /Only the person/,
      );
    expect(await forger.send(modalSubmit, form(`again:${jobId}`, []))).toMatch(/another version/);

    expect(JSON.stringify(await world.queue.get(jobId))).toBe(before);
    expect(await world.queue.open()).toEqual([]);
    expect(world.problems.filter((line) => line.startsWith("error"))).toEqual([]);
  });

  it("forms without their field and choices that no menu offers are refused, even for their owner", async () => {
    const { world, forger } = await start();
    // The job is bob's own; only the data he sends is wrong.
    const enqueued = nextEvent(world.events, "job.enqueued");
    const handle = await world.local.member("bob").slash("compare", { prompt: "A dog", seed: 1 });
    const { jobId } = await enqueued;
    await world.loop.runNext();
    const message = await handle.waitFor(isFinal);
    const { component, modalSubmit } = InteractionType;

    const fields: readonly unknown[][] = [
      [],
      [textInput("other", "A bird")],
      [textInput("text", "")],
      [textInput("text", "\u202e\u0000 \u2066")],
      [
        {
          type: ComponentType.label,
          id: 1,
          component: { type: 3, id: 2, custom_id: "text", values: ["A bird"] },
        },
      ],
    ];
    for (const components of fields) {
      for (const verb of ["edit", "tune"])
        expect(await forger.send(modalSubmit, form(`${verb}:${jobId}`, components))).toMatch(
          /prompt is empty/,
        );
    }
    const long = form(`edit:${jobId}`, [textInput("text", "x".repeat(6000))]);
    expect(await forger.send(modalSubmit, long)).toMatch(/longer than 1,000 characters/);

    for (const values of [
      ["99"],
      ["-1"],
      [""],
      ["1.5"],
      ["1e1"],
      ["0x1"],
      ["__proto__"],
      [" 1"],
      ["NaN"],
      ["٣"],
    ])
      expect(await forger.send(component, press(`beam:${jobId}`, values), message.id)).toMatch(
        /no such rewrite/,
      );
    expect(await forger.send(component, press(`without:${jobId}`, ["99"]), message.id)).toMatch(
      /no such words/,
    );
    // A button where a menu is expected.
    expect(await forger.send(component, press(`beam:${jobId}`), message.id)).toMatch(/no such rewrite/);
    expect(await forger.send(component, press(`without:${jobId}`), message.id)).toMatch(/no such words/);

    expect(await world.queue.open()).toEqual([]);
    expect(world.problems.filter((line) => line.startsWith("error"))).toEqual([]);
  });

  it("a command without its options gets a sentence, and the next one works", async () => {
    const { world, forger } = await start();
    for (const name of ["optimize", "compare", "batch", "show", "settings", "admin", "stats", "mydata"]) {
      const answer = await forger.send(InteractionType.command, { id: "1", name, type: 1 });
      expect(answer).toMatch(/\.$/);
      expect(answer).not.toMatch(/undefined|Error|\bat \//);
    }
    const handle = await world.local.member("bob").slash("optimize", { prompt: "A bird" });
    await handle.done();
    expect((await world.queue.depth()).queued).toBe(1);
  });
});
