import { expect, it } from "vitest";
import { createEvents } from "../../src/core/events.js";
import type { ImageOptions } from "../../src/core/options.js";
import { LoadedModels } from "../../src/metrics/loaded-models.js";
import { hasButton, startBatch } from "../support/batch.js";
import { isFinal, nextEvent, startWorld, type World } from "../support/bot-world.js";
import { textOf } from "../support/message.js";

const KNOWN = {
  own: "stable-diffusion-v1-5",
  models: ["stable-diffusion-v1-5", "Dreamy", "Midnight"],
  loras: ["pastel", "ink lines", "spicy"],
};
const start = (adult: readonly string[] = []) =>
  startWorld({ bot: { models: { known: async () => KNOWN, adult } } });

async function enqueued(world: World, command: () => Promise<unknown>) {
  const event = nextEvent(world.events, "job.enqueued");
  await command();
  const { jobId } = await event;
  return (await world.queue.get(jobId))!;
}

const modelsOf = ({ model, loras }: ImageOptions) => ({ model, loras });

it("a model and LoRAs are offered while typed, drawn with, told, and kept by the result's buttons", async () => {
  const world = await start();
  const alice = world.local.member("alice");
  const models = await alice.autocomplete("compare", { prompt: "A cat", model: "" }, "model");
  expect(models.map(({ value }) => value)).toEqual(KNOWN.models);
  const loras = await alice.autocomplete("compare", { prompt: "A cat", lora: "pastel:0.5, in" }, "lora");
  expect(loras).toEqual([{ name: "pastel:0.5, ink lines", value: "pastel:0.5, ink lines" }]);

  const event = nextEvent(world.events, "job.enqueued");
  const handle = await alice.slash("compare", {
    prompt: "A cat",
    model: "dreamy",
    lora: "pastel:0.5, ink lines",
    "lora-strength": 0.8,
  });
  const { jobId } = await event;
  const wanted = {
    model: "Dreamy",
    loras: [
      { name: "pastel", strength: 0.5 },
      { name: "ink lines", strength: 0.8 },
    ],
  };
  expect(modelsOf((await world.queue.get(jobId))!.image)).toEqual(wanted);
  await world.loop.runNext();
  const result = await handle.waitFor(isFinal);
  expect(textOf(result)).toContain("model `Dreamy` · LoRA `pastel` 0.5 · LoRA `ink lines` 0.8");
  // The model that somebody chose is not the miniature.
  expect(textOf(result)).not.toContain("Stable Diffusion");
  const again = await enqueued(world, () => alice.press(result, "New seed"));
  expect(modelsOf(again.image)).toEqual(wanted);
});

it("the configured model by its name is the one without a name", async () => {
  const world = await start();
  const alice = world.local.member("alice");
  const { image } = await enqueued(world, () =>
    alice.slash("compare", { prompt: "A cat", model: "Stable-Diffusion-v1-5" }),
  );
  expect(modelsOf(image)).toEqual({ model: undefined, loras: undefined });
});

it("LoRAs are named in prompts as in A1111, of one command, a rewrite alone and each row of a file", async () => {
  const world = await start();
  const alice = world.local.member("alice");
  const job = await enqueued(world, () =>
    alice.slash("compare", { prompt: "A cat, <lora:Pastel:0.8>, at night", lora: "ink lines" }),
  );
  expect(job.items[0]?.prompt).toBe("A cat, at night");
  expect(job.image.loras).toEqual([
    { name: "ink lines", strength: 1 },
    { name: "pastel", strength: 0.8 },
  ]);
  const rewrite = await enqueued(world, () => alice.slash("optimize", { prompt: "A cat <lora:pastel>" }));
  expect(rewrite.items[0]?.prompt).toBe("A cat");
  expect(rewrite.image.loras).toEqual([{ name: "pastel", strength: 1 }]);

  const nothing = await alice.slash("compare", { prompt: "<lora:pastel:1>" });
  expect(nothing.ephemeral).toBe(true);
  expect(nothing.message?.content).toContain("The prompt is empty.");
  const refused = await alice.slash("compare", { prompt: "A cat <lora:pastell:1>" });
  expect(refused.ephemeral).toBe(true);
  expect(refused.message?.content).toContain("There is no LoRA `pastell` here. Did you mean `pastel`?");

  const file = { name: "prompts.txt", data: Buffer.from("A cat <lora:pastel:0.5>\nA dog\n") };
  const drawn = await enqueued(world, () => startBatch(alice, file));
  expect(drawn.items.map(({ prompt, image }) => [prompt, image?.loras])).toEqual([
    ["A cat", [{ name: "pastel", strength: 0.5 }]],
    ["A dog", undefined],
  ]);
});

it("unknown names are refused privately, with the nearest one", async () => {
  const world = await start();
  const alice = world.local.member("alice");
  const unknown = await alice.slash("compare", { prompt: "A cat", model: "Dreamyy" });
  expect(unknown.ephemeral).toBe(true);
  expect(unknown.message?.content).toContain("There is no model `Dreamyy` here. Did you mean `Dreamy`?");
  const strong = await alice.slash("compare", { prompt: "A cat", lora: "pastel:99" });
  expect(strong.message?.content).toContain("from -10 to 10");
});

it("admins say what is offered in a channel and by default; only that is completed and taken", async () => {
  const world = await start();
  const [admin, alice] = [world.local.member("admin"), world.local.member("alice")];
  const values = await admin.autocomplete("settings set", { name: "models", value: "Dreamy, mid" }, "value");
  expect(values.map(({ value }) => value)).toEqual(["Dreamy, Midnight"]);
  const wrong = await admin.slash("settings set", { name: "models", value: "Dreamz" });
  expect(wrong.message?.content).toContain("Did you mean `Dreamy`?");
  await admin.slash("settings set", { name: "models", value: "dreamy" });
  await admin.slash("settings set", { name: "loras", value: "pastel" });
  await admin.slash("settings set", { name: "model", value: "dreamy" });
  const offered = await alice.autocomplete("compare", { prompt: "A cat", model: "" }, "model");
  expect(offered.map(({ value }) => value)).toEqual(["stable-diffusion-v1-5", "Dreamy"]);
  const refused = await alice.slash("compare", { prompt: "A cat", model: "Midnight" });
  expect(refused.message?.content).toContain("There is no model `Midnight` here.");
  const usual = await enqueued(world, () => alice.slash("compare", { prompt: "A cat" }));
  expect(usual.image.model).toBe("Dreamy");
  const own = await enqueued(world, () =>
    alice.slash("compare", { prompt: "A cat", model: "stable-diffusion-v1-5" }),
  );
  expect(own.image.model).toBeUndefined();
});

it("models with an 18+ mark are offered and taken in age-restricted channels alone", async () => {
  const world = await start(["Midnight"]);
  const [admin, alice] = [world.local.member("admin"), world.local.member("alice")];
  await admin.slash("settings set", { name: "adultModels", value: "spicy", scope: "server" });
  const models = await alice.autocomplete("compare", { prompt: "A cat", model: "" }, "model");
  expect(models.map(({ value }) => value)).not.toContain("Midnight");
  const refused = await alice.slash("compare", { prompt: "A cat", model: "midnight" });
  expect(refused.ephemeral).toBe(true);
  expect(refused.message?.content).toContain("The model `midnight` is for age-restricted channels only");
  const lora = await alice.slash("compare", { prompt: "A cat", lora: "spicy" });
  expect(lora.message?.content).toContain("The LoRA `spicy` is for age-restricted channels only");

  const event = nextEvent(world.events, "job.enqueued");
  await alice.slash(
    "compare",
    { prompt: "A cat", model: "midnight", lora: "spicy" },
    { channel: "after-dark" },
  );
  const { jobId } = await event;
  expect((await world.queue.get(jobId))?.image).toMatchObject({ model: "Midnight" });
});

it("rows of a file name models and LoRAs, as a report does; what is not there is told before anything is drawn", async () => {
  const world = await start();
  const alice = world.local.member("alice");
  const rows = [
    "prompt,model,loras",
    'A cat,dreamy,"pastel:0.5, ink lines:1"',
    "A dog,stable-diffusion-v1-5,",
    "A fox,Gone,",
  ];
  const file = { name: "prompts.csv", data: Buffer.from(rows.join("\n")) };
  const handle = await alice.slash("batch", { file });
  const draft = await handle.waitFor((message) => hasButton(message, "Start"));
  expect(textOf(draft)).toContain("`model: Gone` can't be used here, so it is drawn without");
  const job = await enqueued(world, () => alice.press(draft, "Start"));
  expect(job.items.map(({ image }) => modelsOf({ ...job.image, ...image }))).toEqual([
    {
      model: "Dreamy",
      loras: [
        { name: "pastel", strength: 0.5 },
        { name: "ink lines", strength: 1 },
      ],
    },
    { model: "", loras: undefined },
    { model: undefined, loras: undefined },
  ]);
});

it("/queue tells which models are loaded and how often they changed, once they take turns", async () => {
  const events = createEvents();
  const loaded = new LoadedModels(events);
  const world = await startWorld({ bot: { models: { known: async () => KNOWN, adult: [], loaded } } });
  const alice = world.local.member("alice");
  const told = async () => textOf((await alice.slash("queue")).message);
  const open = (checkpoint: string, replaced?: string) =>
    events.emit("phase.started", {
      phase: "image",
      pid: 1,
      checkpoint,
      device: "cpu",
      loadMs: 1,
      ...(replaced === undefined ? {} : { replaced }),
    });
  open("stable-diffusion-v1-5");
  expect(await told()).toBe("Nothing is running or waiting.");
  open("Dreamy", "stable-diffusion-v1-5");
  expect(await told()).toContain("Loaded: `Dreamy`. Changes of model since the bot started: 1.");
  events.emit("phase.finished", { phase: "image", device: "cpu", jobs: 1, items: 1, ms: 1, peakBytes: 0 });
  expect(await told()).not.toContain("Loaded");
});

it("a grid has models and LoRAs along its axes, completed with those that are offered", async () => {
  const world = await start();
  const alice = world.local.member("alice");
  const x = await alice.autocomplete("grid", { prompt: "A cat", x: "model" }, "x");
  expect(x[0]?.value).toBe("model=stable-diffusion-v1-5,Dreamy,Midnight");
  const next = await alice.autocomplete("grid", { prompt: "A cat", x: "lora=none,pa" }, "x");
  expect(next[0]?.value).toBe("lora=none,pastel");
  const refused = await alice.slash("grid", { prompt: "A cat", x: "model=Dreamy,Gone" });
  expect(refused.message?.content).toContain("The value `Gone` can't be used for `model`");
  const job = await enqueued(world, () =>
    alice.slash("grid", {
      prompt: "A cat",
      x: "model=dreamy,stable-diffusion-v1-5",
      y: "lora=none,pastel:0.4",
      model: "Midnight",
    }),
  );
  expect(job.grid).toEqual({
    x: { name: "model", values: ["Dreamy", "stable-diffusion-v1-5"] },
    y: { name: "lora", values: ["none", "pastel:0.4"] },
  });
  const pastel = [{ name: "pastel", strength: 0.4 }];
  expect(job.items.map(({ image }) => modelsOf({ ...job.image, ...image }))).toEqual([
    { model: "Dreamy", loras: undefined },
    { model: undefined, loras: undefined },
    { model: "Dreamy", loras: pastel },
    { model: undefined, loras: pastel },
  ]);
});
