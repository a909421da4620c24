import { expect, it } from "vitest";
import { imageOf } from "../../src/core/job.js";
import { NO_MODELS, type TurboLora } from "../../src/core/known-models.js";
import { DEFAULT_TEXT_OPTIONS } from "../../src/core/options.js";
import { isFinal, makeBot, nextEvent, startWorld, type World } from "../support/bot-world.js";
import { textOf } from "../support/message.js";

const LCM: TurboLora = { name: "lcm-lora-sdv1-5", kind: "lcm", fits: true };
const TURBO = {
  speed: "turbo",
  steps: 4,
  guidance: 1,
  scheduler: "lcm",
  loras: [{ name: LCM.name, strength: 1 }],
};
const FAST = { speed: "fast", steps: 20, guidance: 7.5, scheduler: "dpm++2m-karras" };
const FULL = { speed: "full", steps: 50, guidance: 7.5, scheduler: "pndm" };
type Options = Record<string, string | number | { name: string; data: string }>;

async function enqueued(world: World, command: () => Promise<unknown>) {
  const event = nextEvent(world.events, "job.enqueued");
  await command();
  const { jobId } = await event;
  return (await world.queue.get(jobId))!;
}

/** A world whose LoRA may change. */
async function startTurbo(lora: TurboLora | null = LCM, speed: "full" | "turbo" = "full") {
  const files = { lora };
  const world = await startWorld({
    bot: {
      models: { known: async () => ({ ...NO_MODELS, turbo: files.lora }), adult: [] },
      defaults: {
        text: DEFAULT_TEXT_OPTIONS,
        image: { seed: 0, steps: 50, guidance: 7.5, negative: "", size: null, scheduler: "pndm" },
        miniature: [],
        speed,
      },
    },
  });
  const alice = world.local.member("alice");
  const compare = (options: Options = {}) =>
    enqueued(world, () => alice.slash("compare", { prompt: "A cat", ...options }));
  return { world, files, alice, admin: world.local.member("admin"), compare };
}

it("a speed is offered with what it stands for, drawn with, said, and kept by what comes of the result", async () => {
  const { world, files, alice, compare } = await startTurbo();
  const choices = await alice.autocomplete("compare", { prompt: "A cat", speed: "" }, "speed");
  expect(choices).toEqual([
    { name: "full · 50 steps · pndm", value: "full" },
    { name: "fast · 20 steps · dpm++2m-karras", value: "fast" },
    { name: "turbo · 4 steps · lcm · lcm-lora-sdv1-5", value: "turbo" },
  ]);
  expect((await compare()).image).toMatchObject(FULL);
  expect((await compare({ speed: "fast" })).image).toMatchObject(FAST);
  expect((await compare({ speed: "turbo", steps: 6, scheduler: "euler" })).image).toMatchObject({
    ...TURBO,
    steps: 6,
    scheduler: "euler",
  });
  while ((await world.queue.depth()).queued > 0) await world.loop.runNext();

  const event = nextEvent(world.events, "job.enqueued");
  const handle = await alice.slash("compare", { prompt: "A hen", seed: 7, speed: "turbo" });
  const { jobId } = await event;
  expect((await world.queue.get(jobId))?.image).toMatchObject(TURBO);
  await world.loop.runNext();
  const result = await handle.waitFor(isFinal);
  expect(textOf(result)).toContain(
    "seed 7 · speed turbo · 4 steps · guidance 1 · lcm · LoRA `lcm-lora-sdv1-5` 1",
  );
  const info = await alice.press(result, "Info");
  expect(textOf(await info.done())).toMatch(/speed turbo\nLoRA `lcm-lora-sdv1-5`/);
  // The job has its own copy: neither the button nor the menu of a message needs the presets.
  expect((await enqueued(world, () => alice.press(result, "New seed"))).image).toMatchObject(TURBO);
  expect((await enqueued(world, () => alice.menu("Compare this", result))).image).toMatchObject(TURBO);
  files.lora = null;
  const missing = await alice.press(result, "New seed");
  expect(missing.message?.content).toContain("lcm-lora-sdv1-5");
  const gone = await alice.menu("Compare this", result);
  expect(gone.message?.content).toContain("promptist checkpoints pull lcm-lora");
});

it("a negative prompt at turbo is said to have no effect, and at full speed is not", async () => {
  const { world, alice } = await startTurbo();
  for (const [speed, isSaid] of [
    ["turbo", true],
    ["full", false],
  ] as const) {
    const stored = nextEvent(world.events, "job.enqueued");
    const handle = await alice.slash("compare", { prompt: "A hen", speed, negative: "blurry" });
    await stored;
    while ((await world.queue.depth()).queued > 0) await world.loop.runNext();
    const said = textOf(await handle.waitFor(isFinal)).includes("a negative prompt has no effect");
    expect(said, speed).toBe(isSaid);
  }
});

it("turbo is refused before anything is stored where its LoRA is missing or another model's", async () => {
  const { world, files, alice, admin } = await startTurbo(null);
  const refused = async (options: Options, command = "compare") => {
    const handle = await alice.slash(command, { prompt: "A cat", ...options });
    expect(handle.ephemeral).toBe(true);
    return handle.message?.content;
  };
  expect(await refused({ speed: "turbo" })).toContain("`promptist checkpoints pull lcm-lora`");
  expect(await refused({ x: "speed=full,turbo" }, "grid")).toContain("checkpoints pull lcm-lora");
  expect(await refused({ speed: "warp" })).toContain("speed");
  files.lora = { ...LCM, fits: false };
  expect(await refused({ speed: "turbo" })).toContain("`lcm-lora-sdv1-5` is made for another model");
  expect((await world.queue.depth()).queued).toBe(0);
  const offered = async (command: string, options: Record<string, string>, option: string) =>
    (await alice.autocomplete(command, options, option)).map(({ value }) => value);
  expect(await offered("compare", { prompt: "A cat", speed: "" }, "speed")).toEqual(["full", "fast"]);
  expect(await offered("grid", { prompt: "A cat", x: "speed=" }, "x")).not.toContain("speed=turbo");
  const set = await admin.slash("settings set", { name: "speed", value: "turbo" });
  expect(set.message?.content).toContain("made for another model");
});

it("server and channel have a speed each, with steps of their own, which a command changes", async () => {
  const { world, files, alice, admin, compare } = await startTurbo();
  const set = (name: string, value: string, scope = "channel") =>
    admin.slash("settings set", { name, value, scope });
  expect(await admin.autocomplete("settings set", { name: "speed", value: "tu" }, "value")).toEqual([
    { name: "turbo · 4 steps · lcm · lcm-lora-sdv1-5", value: "turbo" },
  ]);
  await set("steps", "30", "server");
  expect((await compare()).image).toMatchObject({ ...FULL, steps: 30 });
  // The server's steps are those of its speed.
  expect((await compare({ speed: "turbo" })).image).toMatchObject(TURBO);
  await set("speed", "turbo");
  expect((await compare()).image).toMatchObject(TURBO);
  await set("steps", "6");
  expect((await compare()).image).toMatchObject({ ...TURBO, steps: 6 });
  const full = await compare({ speed: "full" });
  expect(full.image).toMatchObject(FULL);
  expect(full.image).not.toHaveProperty("loras");
  while ((await world.queue.depth()).queued > 0) await world.loop.runNext();

  // What differs from the channel's own speed says so, and is drawn so again.
  const event = nextEvent(world.events, "job.enqueued");
  const handle = await alice.slash("compare", { prompt: "A hen", speed: "full" });
  await event;
  await world.loop.runNext();
  const result = await handle.waitFor(isFinal);
  expect(textOf(result)).toContain("speed full · 50 steps · guidance 7.5 · pndm");
  expect((await enqueued(world, () => alice.menu("Compare this", result))).image).toMatchObject(FULL);

  // Settings of another program are those of a picture without our LoRA.
  const foreign = alice.say(
    "A fox\nNegative prompt: rain\nSteps: 28, Sampler: Euler a, CFG scale: 7, Seed: 3",
  );
  const drawn = await enqueued(world, () => alice.menu("Compare this", foreign));
  expect(drawn.image).toMatchObject({ speed: "full", steps: 28, scheduler: "euler-ancestral" });
  expect(drawn.image).not.toHaveProperty("loras");

  files.lora = null;
  const refused = await alice.slash("compare", { prompt: "A cat" });
  expect(refused.message?.content).toContain("checkpoints pull lcm-lora");
  // A rewrite draws nothing, so it needs no LoRA.
  expect(await enqueued(world, () => alice.slash("optimize", { prompt: "A cat" }))).toMatchObject({
    kind: "optimize",
    image: FULL,
  });
});

it("the program's own speed is what commands draw at, also after a restart", async () => {
  const { world, compare } = await startTurbo(LCM, "turbo");
  const job = await compare();
  expect(job.image).toMatchObject(TURBO);
  await world.bot.stop();
  const bot = makeBot(world);
  await bot.start();
  expect((await world.queue.get(job.id))?.image).toEqual(job.image);
  await bot.stop();
});

it("each row of a file may have its own speed, and the command's decides for all", async () => {
  const { world, alice } = await startTurbo();
  const data = "prompt,speed,steps\nA cat,turbo,\nA hen,turbo,7\nA fox,fast,\nAn owl,,\nA bat,warp,\n";
  const start = async (options: Options) => {
    const draft = await alice.slash("batch", options);
    const shown = await draft.waitFor((message) => message.components.length > 0);
    return { shown, job: await enqueued(world, () => alice.press(shown, "Start")) };
  };
  const { shown, job } = await start({ file: { name: "cats.csv", data } });
  expect(textOf(shown)).toContain("`warp` is no speed here");
  const drawn = job.items.map((item) => imageOf(job, item));
  expect(drawn).toMatchObject([TURBO, { ...TURBO, steps: 7 }, FAST, FULL, FULL]);
  expect(drawn[2]?.loras ?? []).toEqual([]);
  const { job: turbo } = await start({ file: { name: "cats.csv", data }, speed: "turbo" });
  for (const item of turbo.items) expect(imageOf(turbo, item)).toMatchObject(TURBO);
  // An older report says its scheduler, and was drawn without a LoRA.
  const report = "job,seed,original,optimized,steps,guidance,scheduler\na,7,A cat,a cat,12,5,ddim\n";
  const again = await start({ file: { name: "report.csv", data: report } });
  expect(again.job.image).toMatchObject({ speed: "full", steps: 12, guidance: 5, scheduler: "ddim" });
});

it("a grid shows one prompt at each speed, and its draft counts their steps", async () => {
  const { world, alice } = await startTurbo();
  const choices = await alice.autocomplete("grid", { prompt: "A cat", x: "speed=full," }, "x");
  expect(choices.map(({ value }) => value)).toContain("speed=full,turbo");
  const job = await enqueued(world, () =>
    alice.slash("grid", { prompt: "A cat", x: "speed=full,fast,turbo", seed: 3 }),
  );
  expect(job.items.map((item) => imageOf(job, item))).toMatchObject([FULL, FAST, TURBO]);
  const [work] = await world.queue.work();
  expect(work).toMatchObject({ id: job.id, pictures: 3, steps: (50 + 20 + 4 / 2) / 3 });
});
