import { cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startApp, temporaryFolder } from "../support/app.js";

const MINIATURE = fileURLToPath(new URL("../../checkpoints/miniature/", import.meta.url));

let folder: { path: string; remove(): void };
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());

test("the bot draws with a model of another program that its configuration names", async () => {
  const models = join(folder.path, "ComfyUI", "models");
  cpSync(join(MINIATURE, "stable-diffusion"), join(models, "checkpoints", "My Model"), { recursive: true });
  mkdirSync(join(models, "loras"));
  const app = await startApp(join(folder.path, "data"), {
    MODELS_DIRS: join(folder.path, "ComfyUI"),
    DIFFUSION_CHECKPOINT: "my model",
  });
  try {
    expect(app.choice.diffusion).toMatchObject({
      name: "My Model",
      directory: join(models, "checkpoints", "My Model"),
    });
  } finally {
    await app.stop();
  }
  await expect(
    startApp(join(folder.path, "data"), {
      MODELS_DIRS: join(folder.path, "ComfyUI"),
      DIFFUSION_CHECKPOINT: "my modl",
    }),
  ).rejects.toThrow("Did you mean My Model?");
});
