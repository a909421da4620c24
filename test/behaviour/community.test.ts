import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { coarse, etas } from "../../src/bot/messages/parts/eta.js";
import { parseSetting } from "../../src/bot/requests/setting-catalog.js";
import type { OpenWork } from "../../src/db/queue.js";
import type { Store } from "../../src/db/store.js";
import { hasButton, startBatch, toldPrivately } from "../support/batch.js";
import {
  isFinal,
  makeBot,
  nextEvent,
  noisePicture,
  PASSED,
  startWorld,
  type World,
} from "../support/bot-world.js";
import { textOf } from "../support/message.js";
import { oneDevice } from "../support/paces.js";

const MACHINE = {
  program: "Promptist 1",
  node: "v20",
  platform: "linux x64",
  checkpoints: { text: { name: "miniature", device: "cpu" }, image: { name: "sd", device: null } },
  memoryBytes: 2 ** 27,
};

async function compare(world: World, options: Record<string, string | number> = {}, name = "alice") {
  const enqueued = nextEvent(world.events, "job.enqueued");
  const handle = await world.local.member(name).slash("compare", { prompt: "A cat", seed: 7, ...options });
  return { handle, jobId: (await enqueued).jobId };
}

/** Whose commands made the messages that everybody sees. */
const shown = ({ local: { state } }: World): (string | undefined)[] =>
  [...state.messages.values()]
    .filter(({ visibleTo }) => visibleTo === null)
    .map(({ interactionId }) => state.interactions.get(interactionId ?? "")?.userId);

/** A part of a store that does something else before one of its methods. */
const before = <T extends object>(part: T, method: keyof T, first: () => Promise<void>): T =>
  new Proxy(part, {
    get(target, name: string & keyof T) {
      const own = target[name];
      if (typeof own !== "function") return own;
      return name === method
        ? async (...values: unknown[]) => {
            await first();
            return own.apply(target, values);
          }
        : own.bind(target);
    },
  });

/** How many messages about jobs the bot has noted besides their results and the replies to their commands. */
function noted({ databaseFile }: World): number {
  const database = new Database(databaseFile, { readonly: true });
  try {
    return database.prepare<[], number>("select count(*) from job_messages").pluck().get()!;
  } finally {
    database.close();
  }
}

describe("/settings", () => {
  it("set: a channel's value wins over its server's, only managers may set it, and results name what differs", async () => {
    const world = await startWorld();
    const admin = world.local.member("admin");
    const set = (options: Record<string, string>, name = "admin") =>
      world.local.member(name).slash("settings set", options);
    const refused = await set({ name: "steps", value: "20" }, "bob");
    expect(refused.ephemeral).toBe(true);
    expect(refused.message?.content).toContain("Only people who manage this server or channel can do that");

    const answer = await set({ name: "steps", value: "20", scope: "server" });
    expect(answer.message?.content).toBe("`steps` is now 20 for this server.");
    await set({ name: "steps", value: "30" });
    await set({ name: "alwaysNegative", value: "watermark", scope: "server" });
    const { handle, jobId } = await compare(world, { negative: "blurry" });
    expect((await world.queue.get(jobId))?.image).toMatchObject({ steps: 30, negative: "blurry, watermark" });
    await world.loop.runNext();
    expect(textOf(await handle.waitFor(isFinal))).not.toContain("30 steps");

    const shown = await admin.slash("settings show");
    expect(shown.ephemeral).toBe(true);
    expect(textOf(shown.message)).toMatch(/This channel\*\*\n`steps`: 30 \(<@\d+>/);
    expect(textOf(shown.message)).toContain("`alwaysNegative`: watermark");
    // What is set fits a phone; the rest comes when asked for.
    expect(textOf(shown.message).split("\n").length).toBeLessThanOrEqual(8);
    expect(textOf(shown.message)).toMatch(/`all:True` tells what the 44 settings mean\.$/);
    const all = await admin.slash("settings show", { all: true });
    for (const name of ["steps", "useRoles", "serverCap"])
      expect(textOf(all.message)).toContain(`\`${name}\` `);
    const members = await world.local.member("bob").slash("settings show");
    expect(textOf(members.message)).not.toContain("all:True");

    await admin.slash("settings reset", { name: "steps" });
    const other = await compare(world, {}, "bob");
    expect((await world.queue.get(other.jobId))?.image.steps).toBe(20);
  });

  it("refuses a value that the setting does not take, and says what it takes", async () => {
    const world = await startWorld();
    const press = await world.local
      .member("admin")
      .slash("settings set", { name: "maxSteps", value: "many" });
    expect(press.message?.content).toContain("The option `maxSteps` takes a whole number from 1 to 1,000");
  });

  it.each([
    ["size", "512x768", { width: 512, height: 768 }],
    ["strangers", "On", true],
    ["refusedWords", "gore, very bad ,", ["gore", "very bad"]],
    ["useRoles", "<@&123456789012345678>", ["123456789012345678"]],
  ] as const)("%s %s", (name, value, expected) => expect(parseSetting(name, value)).toEqual(expected));

  it.each([
    ["size", "500x500"],
    ["blind", "perhaps"],
    ["scheduler", "fast"],
    ["revealMinutes", "0"],
  ] as const)("%s %s is not taken", (name, value) => expect(() => parseSetting(name, value)).toThrow());

  it("caps steps and open jobs, and refuses words as words, not as parts of others", async () => {
    const world = await startWorld();
    const { settings, local } = world;
    const alice = local.member("alice");
    await settings.set("server", local.guildId, "maxSteps", 20, "admin");
    await settings.set("server", local.guildId, "refusedWords", ["ass", "blood bath"], "admin");
    await settings.set("server", local.guildId, "userCap", 2, "admin");
    const steps = await alice.slash("optimize", { prompt: "A glass classroom" });
    await steps.done();
    for (const prompt of ["An ASS", "a Blood-Bath"]) {
      const refused = await alice.slash("optimize", { prompt });
      expect(refused.ephemeral).toBe(true);
      expect(refused.message?.content).toContain("is not allowed here");
    }
    const { jobId } = await compare(world);
    expect((await world.queue.get(jobId))?.image.steps).toBe(20);
    const over = await alice.slash("optimize", { prompt: "one more" });
    expect((await toldPrivately(over)).content).toContain("You have 2 open jobs, the most allowed here");
    expect((await world.queue.depth()).queued).toBe(2);
  });

  it("lets only some roles use the bot, but the server's managers always", async () => {
    const world = await startWorld();
    const painters = [...world.local.state.guilds.values()][0]!.roles;
    const role = [...painters.values()].find(({ name }) => name === "Painters")!;
    await world.settings.set("server", world.local.guildId, "useRoles", [role.id], "admin");
    const bob = await world.local.member("bob").slash("optimize", { prompt: "x" });
    expect(bob.ephemeral).toBe(true);
    expect(bob.message?.content).toContain("You need a certain role");
    for (const name of ["alice", "admin"]) {
      await (await world.local.member(name).slash("optimize", { prompt: "x" })).done();
    }
    expect((await world.queue.depth()).queued).toBe(2);
  });

  it("hides pictures behind a click where the channel says so", async () => {
    const world = await startWorld();
    await world.settings.set("channel", world.local.channelId("general"), "spoiler", true, "admin");
    const { handle } = await compare(world);
    await world.loop.runNext();
    const message = await handle.waitFor(isFinal);
    expect(message.attachments).toHaveLength(2);
    expect(message.attachments.every(({ filename }) => filename.startsWith("SPOILER_"))).toBe(true);
  });

  it("ping off: a person's own choice is kept", async () => {
    const world = await startWorld();
    const alice = world.local.member("alice");
    const answer = await alice.slash("settings ping", { on: false });
    expect(answer.message?.content).toContain("no more pings");
    expect(await (await world.settings.of("user", alice.id)).ping).toBe(false);
  });
});

describe("/admin", () => {
  it("pauses and resumes the queue, also over a restart", async () => {
    const world = await startWorld({ bot: { machine: () => MACHINE } });
    const admin = world.local.member("admin");
    await compare(world);
    await admin.slash("admin pause");
    expect(await world.queue.claim("text", "x")).toBeUndefined();
    expect(await world.queue.hasWork("text")).toBe(false);
    const status = await admin.slash("admin status");
    expect(status.message?.content).toContain("**Paused.** 0 running, 1 waiting");
    expect(status.message?.content).toContain("Promptist: miniature on cpu\nStable Diffusion: sd\nMemory");
    const resumed = nextEvent(world.events, "queue.resumed");
    await admin.slash("admin resume");
    await resumed;
    expect(await world.queue.hasWork("text")).toBe(true);
  });

  it("lists what was set aside, retries it, drops it", async () => {
    const world = await startWorld();
    const admin = world.local.member("admin");
    const { handle, jobId } = await compare(world);
    await world.loop.fail(await world.loop.claim("text"), "OUT_OF_MEMORY");
    await handle.waitFor(isFinal);
    const list = await admin.slash("admin failed");
    expect(list.message?.content).toContain(`\`${jobId}\` Compare by`);
    expect(list.message?.content).toContain("OUT_OF_MEMORY");
    expect(list.message?.content).toMatch(/<t:\d+:R> · \[Open\]\(https:\/\/\S+\/\d+\/\d+\/\d+\)\n> A cat$/);
    await expect.poll(async () => (await world.store.deliveries.undelivered()).length).toBe(0);
    await admin.slash("admin retry", { job: jobId });
    expect(await world.queue.get(jobId)).toMatchObject({ state: "queued", failures: [], phase: "text" });
    await world.loop.runNext();
    await handle.waitFor((m) => textOf(m).includes("highly detailed"));
    const gone = await admin.slash("admin drop", { job: jobId });
    expect(gone.message?.content).toContain("There is no failed job");
  });

  it("lists as many failed jobs as a message holds whole, and how many more there are", async () => {
    const { local, loop } = await startWorld();
    for (let i = 0; i < 10; i++) {
      await (await local.member("alice").slash("optimize", { prompt: `${"`*x ".repeat(100)}${i}` })).done();
      await loop.fail(await loop.claim("text"), "OUT_OF_MEMORY");
    }
    const { message } = await local.member("admin").slash("admin failed");
    const lines = message!.content.split("\n");
    const more = Number(/^and (\d+) more$/.exec(lines.at(-1)!)?.[1]);
    expect(lines).toHaveLength(2 * (10 - more) + 1);
    expect(lines.filter((line) => line.startsWith("> "))).toHaveLength(10 - more);
  });

  it("is for the owner of the Discord application, not for managers of a server", async () => {
    const world = await startWorld();
    const { local } = world;
    const [guild] = [...local.state.guilds.values()];
    const admins = [...guild!.roles.values()].find(({ name }) => name === "Admins")!;
    guild!.members.get(local.member("bob").id)!.roleIds.push(admins.id);
    const refused = await local.member("bob").slash("admin pause");
    expect(refused.ephemeral).toBe(true);
    expect(refused.message?.content).toContain("Only the people who run this bot");
    expect(await world.queue.paused()).toBe(false);
    const owner = await local.member("admin").slash("admin pause", {}, { channel: "dm" });
    expect(owner.message?.content).toContain("Paused");
    expect(await world.queue.paused()).toBe(true);
  });

  it("is for the people that the configuration names, if it names any", async () => {
    const world = await startWorld({ bot: { adminIds: ["12345678901234567"] } });
    const answer = await world.local.member("admin").slash("admin pause");
    expect(answer.message?.content).toContain("Only the people who run this bot");
    expect(await world.queue.paused()).toBe(false);
  });
});

describe("/queue", () => {
  it("shows running and waiting with places and times, and nothing of other servers", async () => {
    const estimateMs = ({ texts, pictures, steps }: { texts: number; pictures: number; steps: number }) =>
      texts * 1000 + pictures * 500 + steps * 100;
    const world = await startWorld({ bot: { paces: () => oneDevice(estimateMs) } });
    const first = await compare(world);
    const { handle } = await compare(world, {}, "bob");
    await handle.waitFor(
      (m) => /next\. Done in about \d+/.test(textOf(m)) || /place 2\. Done in about/.test(textOf(m)),
    );
    await world.loop.claim("text");
    const answer = await world.local.member("bob").slash("queue");
    expect(answer.ephemeral).toBe(true);
    expect(textOf(answer.message)).toContain("1 running, 1 waiting.");
    expect(textOf(answer.message)).toContain(
      `**running**: Compare by <@${world.local.member("alice").id}> \`${first.jobId}\`, done in about 15.0 s`.replace(
        "15.0",
        "15",
      ),
    );
    expect(textOf(answer.message)).toMatch(/1\. for rewriting: Compare by <@\d+> `\w+`, done in about 25 s/);
    const dm = await world.local.member("bob").slash("queue", {}, { channel: "dm" });
    expect(textOf(dm.message)).toContain("**running**: a job from elsewhere");
  });
});

describe("times", () => {
  const job = (id: string, over: Partial<OpenWork>): OpenWork => ({
    id,
    state: "queued",
    phase: "text",
    kind: "compare",
    userId: "u",
    guildId: null,
    held: null,
    limit: null,
    texts: 1,
    pictures: 2,
    steps: 50,
    ...over,
  });
  it("add up what is served before a job; a rewrite does not wait for pictures", () => {
    const open = [
      job("runs", { state: "running", phase: "image", texts: 0, pictures: 1 }),
      job("first", {}),
      job("rewrite", { kind: "optimize", pictures: 0 }),
      job("drawing", { phase: "image", texts: 0 }),
    ];
    const ms = etas(
      open,
      oneDevice(({ texts, pictures }) => texts * 1000 + pictures),
    );
    expect(Object.fromEntries(ms)).toEqual({ runs: 1, drawing: 3, first: 1005, rewrite: 2000 });
    expect(
      etas(
        open,
        oneDevice(() => null),
      ).size,
    ).toBe(0);
  });
  it.each([
    [1, 1_000],
    [2_400, 3_000],
    [10_001, 15_000],
    [59_000, 60_000],
    [61_000, 75_000],
    [119_999, 120_000],
    [130_000, 180_000],
  ])("%d ms is shown as %d", (ms, shown) => expect(coarse(ms)).toBe(shown));
});

describe("/show", () => {
  it("shows a stored result to the person who asked for it, with buttons that work", async () => {
    const world = await startWorld();
    const { handle, jobId } = await compare(world);
    const early = await world.local.member("alice").slash("show", { id: jobId });
    expect(early.message?.content).toContain("not finished yet");
    await world.loop.runNext();
    await handle.waitFor(isFinal);
    const alice = world.local.member("alice");
    const again = await alice.slash("show", { id: jobId });
    const message = await again.waitFor(isFinal);
    expect(message.attachments).toHaveLength(2);
    await (await alice.press(message, "New seed")).done();
    expect((await world.queue.open())[0]?.parentId).toBe(jobId);
    const bob = await world.local.member("bob").slash("show", { id: jobId });
    expect(bob.ephemeral).toBe(true);
    const unknown = await alice.slash("show", { id: "nothing" });
    expect(unknown.message?.content).toContain("no such job");
  });
});

describe("/mydata", () => {
  it("exports all that is stored about a person, and erases it with the pictures", async () => {
    const world = await startWorld();
    const alice = world.local.member("alice");
    const { handle, jobId } = await compare(world);
    await world.loop.runNext();
    await handle.waitFor(isFinal);
    await compare(world, {}, "bob");
    await world.settings.set("user", alice.id, "ping", false, alice.id);
    const handleExport = await alice.slash("mydata export");
    const answer = await handleExport.waitFor((m) => m.attachments.length === 1);
    const data = JSON.parse((await alice.download(answer.attachments[0]!)).toString("utf8"));
    expect(data.jobs.map(({ id }: { id: string }) => id)).toEqual([jobId]);
    expect(JSON.stringify(data)).not.toContain("interactionToken");

    const unsure = await alice.slash("mydata erase", { confirm: false });
    expect(unsure.message?.content).toContain("Nothing was deleted");
    const erased = await alice.slash("mydata erase", { confirm: true });
    await erased.waitFor((m) => m.content.includes("Deleted: 1 job with its pictures"));
    expect(await world.queue.get(jobId)).toBeUndefined();
    expect(existsSync(join(world.picturesDir, jobId))).toBe(false);
    expect(await world.settings.of("user", alice.id)).toEqual({});
    expect((await world.queue.depth()).queued).toBe(1);
  });

  it("erases the messages, too: of finished jobs and of those that wait", async () => {
    const world = await startWorld();
    const alice = world.local.member("alice");
    const { handle } = await compare(world);
    await world.loop.runNext();
    await handle.waitFor(isFinal);
    await alice.slash("optimize", { prompt: "A dog" });
    await compare(world, {}, "bob");
    expect(shown(world)).toEqual([alice.id, alice.id, world.local.member("bob").id]);
    const erased = await alice.slash("mydata erase", { confirm: true });
    await erased.waitFor((m) => m.content.endsWith("2 messages deleted."));
    expect(shown(world)).toEqual([world.local.member("bob").id]);
    expect(await world.records.erasedMessages(0, 10)).toEqual([]);
    expect(world.problems).toEqual([]);
  });

  it("deletes after a restart what it had not deleted before", async () => {
    const world = await startWorld();
    const { handle } = await compare(world);
    await world.loop.runNext();
    const delivered = nextEvent(world.events, "job.delivered");
    await handle.waitFor(isFinal);
    await delivered;
    await world.bot.stop();
    await world.records.eraseUser(world.local.member("alice").id, true);
    expect(shown(world)).toHaveLength(1);
    const next = makeBot(world);
    onTestFinished(() => next.stop());
    await next.start();
    await vi.waitFor(async () => expect(await world.records.erasedMessages(0, 10)).toEqual([]), 20_000);
    expect(shown(world)).toEqual([]);
  });

  describe("of a job that runs", () => {
    const PAIRS = JSON.stringify([
      { original: "one", optimized: "one, fine" },
      { original: "two", optimized: "two, fine" },
    ]);

    /** Starts a batch, draws its first pair with a contact sheet as the loop does, and waits for the sheet. */
    async function runningBatch(world: World) {
      await startBatch(world.local.member("alice"), { name: "pairs.json", data: PAIRS });
      const claim = await world.loop.claim("image");
      const folder = join(world.picturesDir, claim.job.id);
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, "sheet.png"), await noisePicture(8));
      const baseline = { file: "sheet.png", ms: 1, judgement: PASSED };
      await world.queue.savePictures(claim, 0, { pictures: { baseline } });
      await world.queue.saveSheet(claim, { number: 1, file: "sheet.png", items: [0] });
      await expect.poll(() => world.store.deliveries.unsettledSheets()).toEqual([]);
      return { claim, folder };
    }

    /** Nothing is left of a job, in the database, on disk and in Discord. */
    async function expectGone(world: World, jobId: string): Promise<void> {
      await expect.poll(() => shown(world), { timeout: 20_000 }).toEqual([]);
      await expect.poll(() => world.records.erasedMessages(0, 10)).toEqual([]);
      expect(await world.queue.get(jobId)).toBeUndefined();
      expect(existsSync(join(world.picturesDir, jobId))).toBe(false);
    }

    it("erases it once it has stopped, with its message and the contact sheets so far", async () => {
      const world = await startWorld();
      const alice = world.local.member("alice");
      const { claim } = await runningBatch(world);
      expect(shown(world)).toHaveLength(2);
      const erased = await alice.slash("mydata erase", { confirm: true });
      await erased.waitFor((m) =>
        m.content.includes("1 running job is being stopped and deleted afterwards."),
      );
      expect((await world.queue.get(claim.job.id))?.cancelRequested).toBe(true);
      await world.loop.cancelled(claim);
      await expectGone(world, claim.job.id);
      expect(world.problems).toEqual([]);
    });

    it("erases it after a restart in between", async () => {
      const world = await startWorld();
      const alice = world.local.member("alice");
      const { claim } = await runningBatch(world);
      const erased = await alice.slash("mydata erase", { confirm: true });
      await erased.waitFor((m) => m.content.endsWith("0 messages deleted."));
      await world.bot.stop();
      // What the program does at its start, before its bot is there.
      await world.queue.recover("all");
      const next = makeBot(world);
      onTestFinished(() => next.stop());
      await next.start();
      await expectGone(world, claim.job.id);
    });

    it("erases it as well where it is done before it is stopped, and its command's token is over", async () => {
      const clock = { ahead: 0 };
      const world = await startWorld({ bot: { now: () => Date.now() + clock.ahead } });
      const alice = world.local.member("alice");
      const { claim } = await runningBatch(world);
      clock.ahead = 16 * 60_000;
      const erased = await alice.slash("mydata erase", { confirm: true });
      await erased.waitFor((m) => m.content.includes("1 running job"));
      await world.loop.draw(claim);
      await expectGone(world, claim.job.id);
    });

    it("keeps its message where messages are kept, and says there what happened", async () => {
      const world = await startWorld();
      const alice = world.local.member("alice");
      const { handle, jobId } = await compare(world);
      const claim = await world.loop.claim("text");
      const asked = nextEvent(world.events, "job.cancel-requested");
      await alice.slash("mydata erase", { confirm: true, messages: false });
      await asked;
      await world.loop.cancelled(claim);
      const message = await handle.waitFor(isFinal);
      expect(textOf(message)).toBe("This was cancelled and deleted, with everything stored about you.");
      expect(await world.queue.get(jobId)).toBeUndefined();
    });
  });

  it("erases what a batch posted besides its result: contact sheets, the ping, the first reply, copies", async () => {
    const clock = { ahead: 0 };
    const now = () => Date.now() + clock.ahead;
    const world = await startWorld({ bot: { now, timing: { pingAfterMs: 0 } } });
    const alice = world.local.member("alice");
    const early = await compare(world);
    await world.loop.runNext();
    await early.handle.waitFor(isFinal);
    // Its result and the ping.
    await expect.poll(() => shown(world)).toHaveLength(2);
    const late = await compare(world);
    await late.handle.waitFor((m) => hasButton(m, "Cancel"));
    clock.ahead = 16 * 60_000;
    await world.loop.runNext();
    await expect.poll(async () => (await world.queue.get(late.jobId))?.delivery.deliveredAt).not.toBeNull();
    await (await alice.slash("show", { id: early.jobId })).waitFor(isFinal);
    await vi.waitFor(() => expect(noted(world)).toBe(3), 20_000);
    // The reply that could no longer be edited, the result below it, and the copy.
    await expect.poll(() => shown(world)).toHaveLength(5);
    const erased = await alice.slash("mydata erase", { confirm: true });
    await erased.waitFor((m) => m.content.endsWith("5 messages deleted."));
    expect(shown(world)).toEqual([]);
  });

  it("erases the drafts of batches with their messages", async () => {
    const world = await startWorld();
    const alice = world.local.member("alice");
    const draft = await alice.slash("batch", { file: { name: "p.txt", data: "A cat\nA dog" } });
    const message = await draft.waitFor((m) => hasButton(m, "Start"));
    const kept = await alice.slash("mydata erase", { confirm: true, messages: false });
    await kept.waitFor((m) => m.content.includes("The messages stay"));
    const gone = await alice.press(message, "Start");
    expect(gone.message?.content).toContain("no longer");
    expect(shown(world)).toHaveLength(1);

    const next = await alice.slash("batch", { file: { name: "p.txt", data: "A cat\nA dog" } });
    await next.waitFor((m) => hasButton(m, "Start"));
    const erased = await alice.slash("mydata erase", { confirm: true });
    await erased.waitFor((m) => m.content.endsWith("1 message deleted."));
    expect(shown(world)).toHaveLength(1);
    expect(world.problems).toEqual([]);
  });

  it("takes away a result and a preview that were being posted when their user was erased", async () => {
    const clock = { ahead: 0 };
    const erase = async ({ records, drafts }: Store) => {
      const { id } = world.local.member("alice");
      await records.eraseUser(id, true);
      await drafts.erase(id, true);
    };
    const wrapStore = (store: Store): Store => ({
      ...store,
      deliveries: before(store.deliveries, "posted", () => erase(store)),
      drafts: before(store.drafts, "shown", () => erase(store)),
    });
    const world: World = await startWorld({ wrapStore, bot: { now: () => Date.now() + clock.ahead } });
    const alice = world.local.member("alice");
    await alice.slash("batch", { file: { name: "p.txt", data: "A cat" } });
    await expect.poll(() => shown(world), { timeout: 20_000 }).toEqual([]);

    const { handle, jobId } = await compare(world);
    await handle.waitFor((m) => hasButton(m, "Cancel"));
    clock.ahead = 16 * 60_000;
    await world.loop.runNext();
    // Left is the first reply, which the list of messages to delete names.
    await expect.poll(() => world.queue.get(jobId), { timeout: 20_000 }).toBeUndefined();
    await expect.poll(() => shown(world), { timeout: 20_000 }).toHaveLength(1);
    const left = await world.records.erasedMessages(0, 10);
    expect(left.map(({ messageId }) => messageId)).toContain(handle.message?.id);
    expect(world.problems).toEqual([]);
  });

  it("says how many messages it could not delete", async () => {
    const world = await startWorld();
    const alice = world.local.member("alice");
    const { jobId } = await compare(world);
    await world.loop.runNext();
    await nextEvent(world.events, "job.delivered");
    const database = new Database(world.databaseFile);
    database.prepare("update jobs set channel_id = '1', token_expires_at = 1 where id = ?").run(jobId);
    database.close();
    const erased = await alice.slash("mydata erase", { confirm: true });
    await erased.waitFor((m) =>
      m.content.endsWith("0 messages deleted. 1 message could not be deleted: press Delete under it."),
    );
    expect(await world.records.erasedMessages(0, 10)).toEqual([]);
  });

  it("lets only the person who asked delete a message whose job was erased", async () => {
    const world = await startWorld();
    const alice = world.local.member("alice");
    const { handle, jobId } = await compare(world);
    await world.loop.runNext();
    const message = await handle.waitFor(isFinal);
    const erased = await alice.slash("mydata erase", { confirm: true, messages: false });
    await erased.waitFor((m) => m.content.includes("Press Delete"));
    expect(await world.queue.get(jobId)).toBeUndefined();
    const refused = await world.local.member("bob").press(message, "Delete");
    expect(refused.message?.content).toContain("no such job");
    expect(shown(world)).toHaveLength(1);
    await alice.press(message, "Delete");
    await vi.waitFor(() => expect(shown(world)).toEqual([]), 20_000);
  });

  it("ends the message of a job that was erased while it waited", async () => {
    const world = await startWorld();
    const alice = world.local.member("alice");
    const waiting = await alice.slash("optimize", { prompt: "A cat" });
    const shown = await waiting.waitFor((m) => hasButton(m, "Cancel"));
    expect(textOf(shown)).toContain("Starting…");
    const [job] = await world.queue.open();

    const ended = nextEvent(world.events, "job.finished");
    await alice.slash("mydata erase", { confirm: true, messages: false });
    expect(await ended).toEqual({ jobId: job!.id, state: "cancelled", erased: true });
    const message = await waiting.waitFor(isFinal);
    expect(textOf(message)).toBe("This was cancelled and deleted, with everything stored about you.");
    expect(message.components).toEqual([]);
    expect(world.problems).toEqual([]);
  });
});

describe("/help", () => {
  it("names the commands", async () => {
    const world = await startWorld();
    const answer = await world.local.member("bob").slash("help");
    expect(answer.ephemeral).toBe(true);
    for (const command of ["/optimize", "/compare", "/batch", "/stats", "/mydata"]) {
      expect(textOf(answer.message)).toContain(command);
    }
  });
});
