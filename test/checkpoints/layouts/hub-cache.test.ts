import { mkdirSync, readdirSync, readlinkSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeEach, describe, expect, it } from "vitest";
import {
  findClipTokenizer,
  findDiffusion,
  findGpt2Tokenizer,
  findPromptist,
  inspectCheckpoint,
} from "../../../src/checkpoints/layouts/catalog.js";
import { findJudges } from "../../../src/checkpoints/layouts/find-judges.js";
import { cachedSnapshot } from "../../../src/checkpoints/layouts/hub-cache.js";
import { Gpt2Tokenizer } from "../../../src/inference/tokenizers/tokenizer.js";
import { cacheRepo, contentsOf } from "../../support/hub-cache.js";
import { golden, refusal, temporaryFolder } from "../support.js";

const MINIATURE = fileURLToPath(new URL("../../../checkpoints/miniature/", import.meta.url));
const SD = "stable-diffusion-v1-5/stable-diffusion-v1-5";
const diffusion = contentsOf(join(MINIATURE, "stable-diffusion"));
const {
  "vocab.json": vocabulary,
  "merges.txt": merges,
  ...promptist
} = contentsOf(join(MINIATURE, "promptist"));

let hubCacheDir: string;
let checkpointsDir: string;
beforeEach(() => {
  hubCacheDir = join(temporaryFolder(), "hub");
  checkpointsDir = temporaryFolder();
});
const places = () => ({ hubCacheDir, miniatureDir: MINIATURE });

/** Every name in a folder, with what shows a change. */
const state = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .sort()
    .map((path) => [path, statSync(join(folder, path)).mtimeMs, statSync(join(folder, path)).size]);

describe("a model in the Hugging Face cache", () => {
  it.each([false, true])("is used in place and not written (copies: %s)", (copies) => {
    const snapshot = cacheRepo(hubCacheDir, SD, diffusion, { copies });
    const before = state(hubCacheDir);
    const found = findDiffusion(undefined, checkpointsDir, places());
    expect(found).toMatchObject({ directory: snapshot, name: "stable-diffusion-v1-5", isMiniature: false });
    expect(inspectCheckpoint("diffusion", undefined, checkpointsDir, places())).toMatchObject({
      checkpoint: { directory: snapshot },
      problems: [],
    });
    expect(state(hubCacheDir)).toEqual(before);
    expect(readdirSync(checkpointsDir)).toEqual([]);
  });

  it("comes after the folder of checkpoints and before the miniature", () => {
    expect(findDiffusion(undefined, checkpointsDir, places()).isMiniature).toBe(true);
    cacheRepo(hubCacheDir, "runwayml/stable-diffusion-v1-5", diffusion);
    expect(findDiffusion(undefined, checkpointsDir, places()).isMiniature).toBe(false);
    const own = join(checkpointsDir, "stable-diffusion-v1-5");
    for (const [path, content] of Object.entries(diffusion)) {
      mkdirSync(join(own, path, ".."), { recursive: true });
      writeFileSync(join(own, path), content);
    }
    expect(findDiffusion(undefined, checkpointsDir, places()).directory).toBe(own);
  });

  it("is the revision that main names, or the one that is asked for", () => {
    const [old, now] = ["b".repeat(40), "c".repeat(40)];
    cacheRepo(hubCacheDir, "org/tuned", diffusion, { commit: old, ref: "v1" });
    cacheRepo(hubCacheDir, "org/tuned", diffusion, { commit: now });
    const commitOf = (name: string) => findDiffusion(name, checkpointsDir, places()).directory.slice(-40);
    expect(commitOf("org/tuned")).toBe(now);
    expect(commitOf("org/tuned@v1")).toBe(old);
    expect(commitOf(`org/tuned@${old}`)).toBe(old);
    expect(findDiffusion("org/tuned", checkpointsDir, places()).name).toBe("tuned");
  });

  it.each(["unet/diffusion_pytorch_model.fp16.safetensors", "vae/config.json", "tokenizer/vocab.json"])(
    "that lacks %s is not used, and a name says what to do",
    (path) => {
      const snapshot = cacheRepo(hubCacheDir, SD, diffusion);
      // The link stays and leads nowhere, as after a broken download or a cleaned cache.
      rmSync(resolve(snapshot, path, "..", readlinkSync(join(snapshot, path))));
      expect(findDiffusion(undefined, checkpointsDir, places()).isMiniature).toBe(true);
      const error = refusal(() => findDiffusion(SD, checkpointsDir, places()));
      expect(error.code).toBe("CHECKPOINT_MISSING");
      expect(error.message).toMatch(
        /is not whole in the Hugging Face cache: .* Run: promptist checkpoints pull/s,
      );
    },
  );

  it("of another kind is refused as such", () => {
    const index = JSON.stringify({ _class_name: "StableDiffusionXLPipeline" });
    cacheRepo(hubCacheDir, "org/xl", { "model_index.json": index });
    const error = refusal(() => findDiffusion("org/xl", checkpointsDir, places()));
    expect(error).toMatchObject({ code: "CHECKPOINT_ARCHITECTURE" });
    expect(error.message).toContain("StableDiffusionXLPipeline");
  });

  it("is Promptist with GPT-2's tokenizer, since it is published without one", () => {
    cacheRepo(hubCacheDir, "microsoft/Promptist", promptist);
    expect(findPromptist(undefined, checkpointsDir, places()).isMiniature).toBe(true);
    const gpt2 = cacheRepo(hubCacheDir, "gpt2", { "vocab.json": vocabulary!, "merges.txt": merges! });
    const found = findPromptist(undefined, checkpointsDir, places());
    expect(found).toMatchObject({ name: "Promptist", isMiniature: false });
    expect(findGpt2Tokenizer(found.directory, hubCacheDir)).toBe(gpt2);
    expect(Gpt2Tokenizer.open(gpt2).size).toBeGreaterThan(0);
    expect(inspectCheckpoint("promptist", undefined, checkpointsDir, places()).problems).toEqual([]);
  });

  it("gives single files a tokenizer, and pictures their judges", () => {
    const snapshot = cacheRepo(hubCacheDir, SD, {
      ...diffusion,
      ...Object.fromEntries(
        Object.entries(contentsOf(golden("..", "safety", "plain", "safety_checker"))).map(
          ([path, content]) => [`safety_checker/${path}`, content],
        ),
      ),
    });
    const clip = cacheRepo(hubCacheDir, "openai/clip-vit-large-patch14", contentsOf(join(MINIATURE, "clip")));
    const single = {
      directory: golden("..", "checkpoints-single-file", "model.safetensors"),
      isMiniature: false,
    };
    const described = findDiffusion(single.directory, checkpointsDir, places());
    expect(findClipTokenizer(described, checkpointsDir, hubCacheDir)).toBe(join(snapshot, "tokenizer"));
    expect(findJudges(single, checkpointsDir, undefined, places())).toMatchObject({
      clip,
      clipName: "clip",
      safety: join(snapshot, "safety_checker"),
    });
    expect(findJudges(single, checkpointsDir).clip).toBeNull();
  });

  it("is none where a reference or name leads out of the cache", () => {
    cacheRepo(hubCacheDir, "org/name", diffusion);
    const refs = join(hubCacheDir, "models--org--name", "refs");
    writeFileSync(join(refs, "main"), "../../../../etc");
    expect(cachedSnapshot(hubCacheDir, "org/name")).toBeNull();
    writeFileSync(join(refs, "main"), "x".repeat(5000));
    expect(cachedSnapshot(hubCacheDir, "org/name")).toBeNull();
    for (const name of ["..", "../org", "org/name/more", ""])
      expect(cachedSnapshot(hubCacheDir, name), name).toBeNull();
    expect(cachedSnapshot(hubCacheDir, "org/name", "../snapshots")).toBeNull();
    expect(cachedSnapshot(join(hubCacheDir, "absent"), "org/name")).toBeNull();
  });
});
