import { copyFileSync, mkdirSync, truncateSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { writeSafetensors } from "../../../src/checkpoints/files/safetensors.js";
import { findAtStart } from "../../../src/checkpoints/library/find-models.js";
import { embeddingsAmong } from "../../../src/checkpoints/library/found-embeddings.js";
import { temporaryFolder } from "../../support/app.js";

const GOLDEN = fileURLToPath(new URL("../../golden/embeddings/", import.meta.url));

let folder: ReturnType<typeof temporaryFolder>;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());

const put = (path: string, golden: string): string => {
  const file = join(folder.path, path);
  mkdirSync(dirname(file), { recursive: true });
  copyFileSync(join(GOLDEN, golden), file);
  return file;
};
const found = async (...modelsDirs: string[]): Promise<string[]> => {
  const models = await findAtStart({
    checkpointsDir: join(folder.path, "own"),
    modelsDirs: modelsDirs.map((it) => join(folder.path, it)),
    cacheDir: join(folder.path, "cache"),
  });
  const choices = embeddingsAmong(models);
  expect(choices.every(({ isFound, isRequired }) => isFound && !isRequired)).toBe(true);
  return choices.map(({ file }) => relative(folder.path, file));
};

describe("embeddingsAmong", () => {
  it("finds those of A1111, of ComfyUI and of the folder of checkpoints", async () => {
    put("web/embeddings/sub/one.pt", "mycat.pt");
    mkdirSync(join(folder.path, "web/models/Stable-diffusion"), { recursive: true });
    put("comfy/models/embeddings/two.safetensors", "badhands7.safetensors");
    mkdirSync(join(folder.path, "comfy/models/checkpoints"));
    put("own/embeddings/three.pt", "mycat.pt");
    expect((await found("web", "comfy")).sort()).toEqual([
      "comfy/models/embeddings/two.safetensors",
      "own/embeddings/three.pt",
      "web/embeddings/sub/one.pt",
    ]);
  });

  it("leaves out other models, damaged files and files far larger than an embedding", async () => {
    put("web/embeddings/fits.pt", "mycat.pt");
    writeSafetensors(join(folder.path, "web/embeddings/xl.safetensors"), [
      { name: "clip_l", type: "F32", shape: [1, 768], data: new Uint8Array(4 * 768) },
      { name: "clip_g", type: "F32", shape: [1, 1280], data: new Uint8Array(4 * 1280) },
    ]);
    put("web/embeddings/cut.pt", "refused/cut.pt");
    truncateSync(put("web/embeddings/large.safetensors", "badhands7.safetensors"), 2 ** 21);
    writeFileSync(join(folder.path, "web/embeddings/notes.txt"), "no embedding");
    expect(await found("web")).toEqual(["web/embeddings/fits.pt"]);
  });
});
