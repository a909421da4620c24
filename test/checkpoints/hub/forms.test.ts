import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { PUBLISHED, partialDownloads, pull } from "../../../src/checkpoints/hub/hub.js";
import { findDiffusion, findPromptist } from "../../../src/checkpoints/layouts/catalog.js";
import { findModels } from "../../../src/checkpoints/library/find-models.js";
import { CheckpointError } from "../../../src/core/errors.js";
import { TestHub } from "../../support/hub.js";
import { cacheRepo, contentsOf } from "../../support/hub-cache.js";
import { kohyaLora, writeSparse } from "../../support/sparse-models.js";
import { golden, temporaryFolder } from "../support.js";

const MINIATURE = fileURLToPath(new URL("../../../checkpoints/miniature/", import.meta.url));
const LORA = readFileSync(golden("..", "lora", "kohya.safetensors"));
const SINGLE = readFileSync(golden("..", "checkpoints-single-file", "model.safetensors"));
const diffusion = contentsOf(join(MINIATURE, "stable-diffusion"));
const vae = contentsOf(join(MINIATURE, "stable-diffusion", "vae"));
const SD = "stable-diffusion-v1-5/stable-diffusion-v1-5";

let hub: TestHub;
let folder: string;
let hubCacheDir: string;
beforeEach(async () => {
  hub = await TestHub.start();
  folder = temporaryFolder();
  hubCacheDir = join(temporaryFolder(), "hub");
});
afterEach(() => hub.stop());

const notices: string[] = [];
beforeEach(() => {
  notices.length = 0;
});
const options = () => ({
  endpoint: hub.url,
  checkpointsDir: folder,
  hubCacheDir,
  patience: { attempts: 3, delayMs: 1, idleMs: 5_000, longestWaitMs: 5_000 },
  onNotice: (sentence: string) => notices.push(sentence),
});

/** Where a model was put, below the folder of checkpoints. */
const pulled = async (name: string, more: Partial<Parameters<typeof pull>[1]> = {}) =>
  relative(folder, (await pull(name, { ...options(), ...more })).directory).replaceAll("\\", "/");

async function refused(
  name: string,
  more: Partial<Parameters<typeof pull>[1]> = {},
): Promise<CheckpointError> {
  const error = await pull(name, { ...options(), ...more }).then(
    () => new Error("it was accepted"),
    (thrown) => thrown,
  );
  if (!(error instanceof CheckpointError)) throw error;
  return error;
}

const resolveRequests = () => hub.seen.filter(({ url }) => url.includes("/resolve/"));

describe("a single file", () => {
  beforeEach(() => {
    hub.add("org/mixed", {
      "style.safetensors": LORA,
      "single/tuned.safetensors": SINGLE,
      "embeddings/nested.pt": readFileSync(golden("..", "library", "nested.pt")),
      "vae.safetensors": readFileSync(golden("vae", "diffusion_pytorch_model.safetensors")),
      "up.pth": readFileSync(golden("..", "library", "upscaler.pth")),
      "evil.ckpt": readFileSync(golden("refused", "reduce-os-system.bin")),
      "old-x2.pth": readFileSync(golden("..", "upscalers", "old-x2.pth")),
      "README.md": "a card",
    });
    const upscaler = readFileSync(golden("..", "upscalers", "repackaged-x4.safetensors"));
    hub.add("Comfy-Org/Real-ESRGAN_repackaged", {
      "RealESRGAN_x4plus.safetensors": upscaler,
      "another.safetensors": upscaler,
    });
  });

  it.each([
    ["org/mixed/style.safetensors", "loras/style.safetensors"],
    ["org/mixed@v2:style.safetensors", "loras/style.safetensors"],
    ["org/mixed/single/tuned.safetensors", "checkpoints/tuned.safetensors"],
    ["org/mixed:embeddings/nested.pt", "embeddings/nested.pt"],
    ["org/mixed:embeddings", "embeddings/nested.pt"],
    ["https://huggingface.co/org/mixed/blob/main/vae.safetensors", "vae/vae.safetensors"],
    ["org/mixed/old-x2.pth", "upscale_models/old-x2.pth"],
    ["realesrgan-x4", "upscale_models/RealESRGAN_x4plus.safetensors"],
  ])("%s goes to %s", async (name, place) => {
    expect(await pulled(name)).toBe(place);
    expect(readdirSync(folder)).toEqual([place.split("/")[0]]);
    const { models } = await findModels({
      checkpointsDir: folder,
      modelsDirs: [],
      cacheDir: join(folder, "cache"),
    });
    expect(models.map(({ path }) => path)).toEqual([join(folder, place)]);
    hub.seen.length = 0;
    expect((await pull(name, options())).downloadedBytes).toBe(0);
    expect(resolveRequests()).toEqual([]);
  });

  it.each([
    ["lcm-lora", "latent-consistency/lcm-lora-sdv1-5", "loras/lcm-lora-sdv1-5.safetensors"],
    ["hyper-sd", "ByteDance/Hyper-SD", "loras/Hyper-SD15-8steps-lora.safetensors"],
  ])("%s is one LoRA of its repository", async (name, repo, place) => {
    const { path } = PUBLISHED[name]!;
    hub.add(repo, { [path!]: LORA, "Hyper-SD15-1step-lora.safetensors": LORA, "README.md": "a card" });
    expect(await pulled(name)).toBe(place);
    expect(PUBLISHED[name]!.folder).toBe(place);
  });

  it("goes to --out, if that is given", async () => {
    const out = join(folder, "elsewhere");
    expect(await pulled("org/mixed/style.safetensors", { directory: out })).toBe(
      "elsewhere/style.safetensors",
    );
  });

  it("under a name that many have is called as its repository, and replaces nothing", async () => {
    hub.add("ann/style", { "pytorch_lora_weights.safetensors": LORA });
    hub.add("bob/style", {
      "pytorch_lora_weights.safetensors": readFileSync(golden("..", "lora", "peft.safetensors")),
    });
    expect(await pulled("ann/style")).toBe("loras/style.safetensors");
    expect(await pulled("bob/style")).toBe("loras/bob--style.safetensors");
    expect(await pulled("bob/style")).toBe("loras/bob--style.safetensors");
    writeFileSync(join(folder, "loras", "style.safetensors"), "my own");
    expect(await pulled("org/mixed/style.safetensors")).toBe("loras/org--mixed--style.safetensors");
    expect(readFileSync(join(folder, "loras", "style.safetensors"), "utf8")).toBe("my own");
  });

  it("that is not used here is not kept, and of a large one only the header is fetched", async () => {
    expect((await refused("org/mixed/up.pth")).message).toBe(
      "up.pth of org/mixed is not kept, since it cannot be used here: a part of an ESRGAN: it has no last layer.",
    );
    const evil = await refused("org/mixed/evil.ckpt");
    expect(evil.code).toBe("CHECKPOINT_UNSAFE");
    expect(evil.message).toMatch(
      /^evil\.ckpt of org\/mixed is refused: its pickle asks for (posix|nt)\.system/,
    );
    const large = join(folder, "large");
    writeSparse(large, kohyaLora(16, 2048));
    hub.add("org/xl", { "xl.safetensors": readFileSync(large) });
    rmSync(large);
    const error = await refused("org/xl/xl.safetensors");
    expect(error.code).toBe("CHECKPOINT_ARCHITECTURE");
    expect(error.message).toContain("a LoRA for Stable Diffusion XL");
    expect(hub.downloads("xl.safetensors").map(({ range }) => range)).toEqual(["bytes=0-2097151"]);
    expect(readdirSync(folder)).toEqual([]);
  });

  it("goes on after an interruption", async () => {
    const large = join(folder, "large");
    writeSparse(large, kohyaLora(16));
    hub.add("org/big", { "big.safetensors": readFileSync(large) });
    rmSync(large);
    // The first request is for the header.
    hub.fail("big.safetensors", { ignoreRange: true }, { cutAfter: 3_000_000 }, { status: 404 });
    expect((await refused("org/big/big.safetensors")).code).toBe("HUB_NOT_FOUND");
    const [partial] = await partialDownloads(folder);
    expect(partial!.bytes).toBeGreaterThan(0);
    hub.seen.length = 0;
    expect(await pulled("org/big/big.safetensors")).toBe("loras/big.safetensors");
    expect(hub.downloads("big.safetensors").map(({ range }) => range)).toEqual([`bytes=${partial!.bytes}-`]);
    expect(await partialDownloads(folder)).toEqual([]);
  });

  it("among several must be named, and they are listed", async () => {
    hub.add("org/many", { "a.safetensors": LORA, "b.safetensors": LORA, "b.ckpt": LORA });
    expect((await refused("org/many")).message).toBe(
      'org/many holds 2 files of weights. Name one of them.\n  promptist checkpoints pull "org/many/a.safetensors"\n  promptist checkpoints pull "org/many/b.safetensors"',
    );
    expect((await refused("org/many/c.safetensors")).message).toMatch(
      /^org\/many has no file or folder c\.safetensors\.\n {2}promptist/,
    );
    expect((await refused("org/mixed/README.md")).message).toContain(
      "README.md of org/mixed is no file of weights",
    );
  });
});

it("a listing with paths that lead away writes nothing there", async () => {
  hub.add("org/away", {
    "config.json": "{}",
    "../../out.safetensors": LORA,
    "..\\..\\out.safetensors": LORA,
    "sub/../../out.safetensors": LORA,
    "/out.safetensors": LORA,
  });
  expect((await refused("org/away")).message).toContain("lacks model.safetensors");
  hub.add("org/away", { "a:b?.safetensors": LORA });
  expect(await pulled("org/away")).toBe("loras/a_b_.safetensors");
  expect(readdirSync(folder)).toEqual(["loras"]);
});

describe("a folder", () => {
  it("of a repository is a pipeline of its own", async () => {
    hub.add(
      "org/two",
      Object.fromEntries(Object.entries(diffusion).map(([path, content]) => [`small/v1/${path}`, content])),
    );
    expect(await pulled("https://huggingface.co/org/two/tree/main/small/v1")).toBe("org--two--small--v1");
    expect(findDiffusion(join(folder, "org--two--small--v1"), folder).isMiniature).toBe(false);
  });

  it("of a VAE or a PEFT adapter goes to its kind", async () => {
    hub.add("madebyollin/taesd", { ...contentsOf(golden("..", "taesd")), "README.md": "" });
    hub.add("org/vae", { ...vae, "README.md": "" });
    hub.add("org/peft", { ...contentsOf(golden("..", "lora-families", "peft")), "README.md": "" });
    hub.add("org/all", diffusion);
    expect(await pulled("org/vae")).toBe("vae/org--vae");
    expect(await pulled("taesd")).toBe("taesd");
    expect(readdirSync(join(folder, "taesd")).sort()).toEqual([
      ".hub.json",
      "config.json",
      "diffusion_pytorch_model.safetensors",
    ]);
    expect(await pulled("madebyollin/taesd:taesd_decoder.safetensors")).toBe(
      "vae_approx/taesd_decoder.safetensors",
    );
    expect(await pulled("org/peft")).toBe("loras/org--peft");
    expect(await pulled("org/peft/adapter_model.safetensors")).toBe(
      "loras/org--peft--adapter_model.safetensors",
    );
    expect(await pulled("org/all:vae")).toBe("vae/org--all--vae");
    const { models } = await findModels({
      checkpointsDir: folder,
      modelsDirs: [],
      cacheDir: join(folder, "cache"),
    });
    expect(models.map(({ kind }) => kind)).toEqual([
      "lora",
      "lora",
      "vae",
      "vae",
      "tiny-decoder",
      "tiny-decoder",
    ]);
  });
});

describe("the Hugging Face cache", () => {
  it("is used in place of a download, without asking the hub", async () => {
    const snapshot = cacheRepo(hubCacheDir, SD, diffusion);
    const result = await pull("stable-diffusion-v1-5", options());
    expect(result).toMatchObject({ directory: snapshot, cached: true, downloadedBytes: 0, repo: SD });
    expect(hub.seen).toEqual([]);
    expect(readdirSync(folder)).toEqual([]);
    // The blobs have the hub's hashes, and of copies at least the headers fit.
    const copies = cacheRepo(hubCacheDir, "org/copies", diffusion, { copies: true });
    expect((await pull("org/copies", options())).directory).toBe(copies);
    const file = cacheRepo(hubCacheDir, "org/lora", { "sub/style.safetensors": LORA });
    expect((await pull("org/lora/sub/style.safetensors", options())).directory).toBe(
      join(file, "sub", "style.safetensors"),
    );
    expect(hub.seen).toEqual([]);
  });

  it("has Promptist whole only together with GPT-2's tokenizer", async () => {
    const {
      "vocab.json": vocabulary,
      "merges.txt": merges,
      ...rest
    } = contentsOf(join(MINIATURE, "promptist"));
    const tokenizer = { "vocab.json": vocabulary!, "merges.txt": merges! };
    cacheRepo(hubCacheDir, "microsoft/Promptist", rest);
    expect((await refused("promptist", { isOffline: true })).message).toContain("HF_HUB_OFFLINE");
    expect(notices).toEqual([
      expect.stringMatching(/has a part of microsoft\/Promptist .*lacks vocab.json, merges.txt\.$/),
    ]);
    cacheRepo(hubCacheDir, "openai-community/gpt2", tokenizer);
    expect((await pull("promptist", { ...options(), isOffline: true })).cached).toBe(true);
    expect(findPromptist(undefined, folder, { hubCacheDir, miniatureDir: MINIATURE }).isMiniature).toBe(
      false,
    );
  });

  it("that has a part is told, and the rest alone is downloaded, into our own folder", async () => {
    hub.add(SD, diffusion);
    const unet = "unet/diffusion_pytorch_model.fp16.safetensors";
    const { [unet]: weights, ...rest } = diffusion;
    const snapshot = cacheRepo(hubCacheDir, SD, rest);
    const times = () =>
      readdirSync(snapshot, { recursive: true, encoding: "utf8" }).map((path) => [
        path,
        statSync(join(snapshot, path)).mtimeMs,
      ]);
    const before = times();
    const result = await pull("stable-diffusion-v1-5", options());
    expect(result).toMatchObject({ directory: join(folder, "stable-diffusion-v1-5"), cached: false });
    expect(result.downloadedBytes).toBe(weights!.length);
    expect(notices[0]).toMatch(
      /has a part of .*: .*it lacks unet\/model\.safetensors.* The rest is downloaded\.$/,
    );
    expect(resolveRequests().every(({ url }) => url.endsWith(unet))).toBe(true);
    expect(times()).toEqual(before);
    expect(findDiffusion(undefined, folder, { hubCacheDir }).directory).toBe(result.directory);
  });

  it("with a damaged file is not used, and that file is downloaded", async () => {
    hub.add(SD, diffusion);
    const snapshot = cacheRepo(hubCacheDir, SD, diffusion);
    const unet = join(snapshot, "unet", "diffusion_pytorch_model.fp16.safetensors");
    const bytes = readFileSync(unet);
    bytes[bytes.length - 1]! ^= 0xff;
    writeFileSync(unet, bytes);
    const result = await pull("stable-diffusion-v1-5", options());
    expect(result).toMatchObject({ cached: false, downloadedBytes: bytes.length });
    expect(notices[0]).toContain("diffusion_pytorch_model.fp16.safetensors is damaged.");
  });

  it("is left alone where a folder to fill is given", async () => {
    hub.add(SD, diffusion);
    cacheRepo(hubCacheDir, SD, diffusion);
    const out = join(folder, "mine");
    const result = await pull("stable-diffusion-v1-5", { ...options(), directory: out });
    // What is there is copied, not downloaded again.
    expect(result).toMatchObject({ directory: out, cached: false, downloadedBytes: 0 });
    expect(statSync(join(out, "model_index.json")).isFile()).toBe(true);
    expect(resolveRequests()).toEqual([]);
  });

  it("of another kind is refused as the hub's would be", async () => {
    const index = String(diffusion["model_index.json"]).replace(
      '"StableDiffusionPipeline"',
      '"StableDiffusionXLPipeline"',
    );
    cacheRepo(hubCacheDir, "org/xl", { ...diffusion, "model_index.json": index });
    expect((await refused("org/xl")).code).toBe("CHECKPOINT_ARCHITECTURE");
  });
});

describe("offline", () => {
  it("nothing is asked of the hub, and the sentence says why", async () => {
    hub.add("org/mixed", { "style.safetensors": LORA });
    const error = await refused("org/mixed/style.safetensors", { isOffline: true });
    expect(error.code).toBe("HUB_UNREACHABLE");
    expect(error.message).toMatch(
      /^HF_HUB_OFFLINE \(or TRANSFORMERS_OFFLINE\) is set, so nothing is downloaded/,
    );
    expect(hub.seen).toEqual([]);
    mkdirSync(hubCacheDir, { recursive: true });
    const snapshot = cacheRepo(hubCacheDir, "org/mixed", { "style.safetensors": LORA });
    expect((await pull("org/mixed", { ...options(), isOffline: true })).directory).toBe(
      join(snapshot, "style.safetensors"),
    );
    expect(hub.seen).toEqual([]);
  });
});
