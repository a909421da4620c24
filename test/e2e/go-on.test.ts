import { createHash } from "node:crypto";
import { cpSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startApp, type TestApp, temporaryFolder } from "../support/app.js";
import { hasResult, jobOf, textOf } from "../support/message.js";
import { ownText } from "../support/own-text.js";

/** Going on from pictures with the real loop, workers and (miniature) models. */

const UPSCALERS = fileURLToPath(new URL("../golden/upscalers", import.meta.url));
const WAIT = { timeoutMs: 120_000 };

let folder: ReturnType<typeof temporaryFolder>;
let app: TestApp;
beforeAll(async () => {
  folder = temporaryFolder();
  const models = join(folder.path, "models");
  for (const name of ["old-x2.pth", "compact-x2.safetensors"])
    cpSync(join(UPSCALERS, name), join(models, "upscale_models", name));
  app = await startApp(folder.path, { IMAGE_STEPS: "4", MODELS_DIRS: models });
});
afterAll(async () => {
  await app?.stop();
  folder?.remove();
});

const fileOf = (id: string, name: string) => join(app.config.picturesDir, id, name);

test("a result's picture is enlarged by a button, and varied, each in a job of its own", async () => {
  const alice = app.local.member("alice");
  const handle = await alice.slash("compare", { prompt: "a red apple", seed: 5 });
  const message = await handle.waitFor(hasResult, WAIT);
  const parent = (await app.queue.get(jobOf(message)))!;
  const drawn = readFileSync(fileOf(parent.id, parent.items[0]!.pictures.baseline!.file));
  const sha256 = createHash("sha256").update(drawn).digest("hex");

  const menu = await alice.press(message, "Enlarge");
  const [row] = menu.message!.components as {
    components: { custom_id: string; options: { label: string; description: string; value: string }[] }[];
  }[];
  const { custom_id, options } = row!.components[0]!;
  const double = options.find(({ label }) => label === "Left, 2 times: 128x128")!;
  expect(double.description).toMatch(/^Takes about .+ on this machine\.$/);
  await alice.select(menu.message, custom_id, [double.value]);
  const large = await alice.waitFor((m) => hasResult(m) && textOf(m).includes("2 times as large"), WAIT);
  const enlarged = (await app.queue.get(jobOf(large)))!;
  const file = fileOf(enlarged.id, enlarged.items[0]!.pictures.baseline!.file);
  expect(await sharp(file).metadata()).toMatchObject({ width: 128, height: 128 });
  expect(ownText(file)).toMatchObject({
    seed: 5,
    from: { strength: 0.35, sha256, enlarged: { times: 2, upscaler: "Lanczos" } },
  });
  // What the harmless miniature draws from its own pictures needs no safety checker.
  expect(enlarged.items[0]!.pictures.baseline!.judgement?.safety).toBe("harmless");

  // With several upscalers here, a manager says which one it is.
  expect(textOf(large)).toContain("2 times as large · enlarged by `lanczos`");
  const admin = app.local.member("admin");
  const value = { name: "upscaler", value: "" };
  expect((await admin.autocomplete("settings set", value, "value")).map((choice) => choice.value)).toEqual(
    expect.arrayContaining(["compact-x2", "old-x2", "lanczos"]),
  );
  const unknown = await admin.slash("settings set", { ...value, value: "old-x3" });
  expect(unknown.message?.content).toContain("`old-x3`");
  await admin.slash("settings set", { ...value, value: "old-x2" });
  const asked = await alice.press(message, "Enlarge");
  expect(asked.message?.content).toContain("enlarged by `old-x2`");
  await alice.select(asked.message, custom_id, [double.value]);
  const sharper = await alice.waitFor(
    (m) => hasResult(m) && textOf(m).includes("enlarged by `old-x2`"),
    WAIT,
  );
  const other = (await app.queue.get(jobOf(sharper)))!;
  expect(ownText(fileOf(other.id, other.items[0]!.pictures.baseline!.file))).toMatchObject({
    from: { enlarged: { times: 2, upscaler: "old-x2" } },
  });

  await alice.press(message, "Vary (large)");
  const varied = await alice.waitFor((m) => hasResult(m) && textOf(m).includes("strength 0.7"), WAIT);
  const job = (await app.queue.get(jobOf(varied)))!;
  expect(ownText(fileOf(job.id, job.items[0]!.pictures.baseline!.file))).toMatchObject({
    from: { strength: 0.7, sha256 },
  });
}, 300_000);

test("an attached picture waits through a restart, and is drawn from behind a click", async () => {
  await app.queue.setPaused(true);
  const image = {
    name: "photo.jpg",
    data: await sharp({ create: { width: 90, height: 60, channels: 3, background: "#246" } })
      .jpeg()
      .toBuffer(),
  };
  await app.local.member("alice").slash("compare", { prompt: "a pizza", image, strength: 0.5 });
  await expect.poll(async () => (await app.queue.open()).length, { timeout: 20_000 }).toBe(1);
  const { id } = (await app.queue.open())[0]!;
  await app.stop();
  app = await startApp(folder.path, { IMAGE_STEPS: "4" });
  await app.queue.setPaused(false);
  const message = await app.local.member("alice").waitFor((m) => hasResult(m) && jobOf(m) === id, WAIT);
  // Nobody knows what a person attached, and the miniature has no safety checker.
  expect(message.attachments.filter(({ filename }) => !filename.startsWith("SPOILER_"))).toEqual([]);
  const job = (await app.queue.get(id))!;
  const own = ownText(fileOf(id, job.items[0]!.pictures.optimized!.file));
  const sha256 = createHash("sha256").update(image.data).digest("hex");
  expect(own).toMatchObject({ size: "64x64", from: { strength: 0.5, sha256 } });
}, 300_000);
