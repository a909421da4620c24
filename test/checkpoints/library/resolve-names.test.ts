import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeEach, expect, it } from "vitest";
import { resolveNames } from "../../../src/checkpoints/library/resolve-names.js";
import { CheckpointError } from "../../../src/core/errors.js";
import { kohyaLora, stableDiffusion, vaeOf, writeSparse } from "../../support/sparse-models.js";
import { temporaryFolder } from "../support.js";

let root: string;
let lora: string;
beforeEach(() => {
  root = temporaryFolder();
  const put = (path: string, shapes: Parameters<typeof writeSparse>[1]) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeSparse(join(root, path), shapes);
    return join(root, path);
  };
  lora = put("models/Lora/people/Add Detail_v2.safetensors", kohyaLora(4));
  put("models/Lora/a/style.safetensors", kohyaLora(4));
  put("models/Lora/b/style.safetensors", kohyaLora(8));
  put("models/Stable-diffusion/dreams_8.safetensors", stableDiffusion());
  put("models/VAE/sharp.safetensors", vaeOf(""));
});

const options = () => ({
  checkpointsDir: join(root, "none"),
  modelsDirs: [root],
  cacheDir: join(root, "cache"),
});
const resolved = async (file: string) =>
  (await resolveNames({ loras: [{ file, weight: 1 }] }, options())).loras[0]!.file;

it.each([
  "Add Detail_v2",
  "Add Detail_v2.safetensors",
  "people/Add Detail_v2",
  "people\\Add Detail_v2.safetensors",
  "add detail_V2",
  "Add Detail_v2 [0a1b2c3d4e]",
])("a LoRA may be named %s", async (name) => {
  expect(await resolved(name)).toBe(lora);
});

it("checkpoints and VAEs may be named, and paths stay", async () => {
  const named = await resolveNames({ diffusion: "dreams_8", vae: "sharp", promptist: undefined }, options());
  expect(named).toEqual({
    diffusion: join(root, "models/Stable-diffusion/dreams_8.safetensors"),
    vae: join(root, "models/VAE/sharp.safetensors"),
    promptist: undefined,
  });
  expect(await resolved(lora)).toBe(lora);
});

it("a name of two files is refused with their paths, until a folder tells them apart", async () => {
  const error = await resolved("style").then(String, (thrown: CheckpointError) => thrown);
  expect(error).toBeInstanceOf(CheckpointError);
  expect((error as CheckpointError).message.split("\n")).toEqual([
    '"style" is the name of 2 files, each a LoRA. Name one by its folder too, or by its path:',
    `  ${join(root, "models/Lora/a/style.safetensors")}`,
    `  ${join(root, "models/Lora/b/style.safetensors")}`,
  ]);
  expect(await resolved("b/style")).toBe(join(root, "models/Lora/b/style.safetensors"));
});

it("a name that resembles one asks whether that is meant; any other is left to the reader", async () => {
  await expect(resolved("Add Detial_v2")).rejects.toThrow(
    'There is no LoRA "Add Detial_v2". Did you mean Add Detail_v2?',
  );
  expect(await resolved("nothing of the kind")).toBe("nothing of the kind");
  // A checkpoint is no LoRA.
  expect(await resolved("dreams_8")).toBe("dreams_8");
});
