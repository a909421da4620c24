import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { partialDownloads, pull } from "../../../src/checkpoints/hub/hub.js";
import { findDiffusion, findPromptist } from "../../../src/checkpoints/layouts/catalog.js";
import { findJudges } from "../../../src/checkpoints/layouts/find-judges.js";
import { CheckpointError } from "../../../src/core/errors.js";
import { COMMIT, TestHub } from "../../support/hub.js";
import { temporaryFolder } from "../support.js";

const MINIATURE = fileURLToPath(new URL("../../../checkpoints/miniature/", import.meta.url));

/** Maps each path in the folder to its content. */
const filesOf = (folder: string): Record<string, Buffer> =>
  Object.fromEntries(
    readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((path) => statSync(join(folder, path)).isFile())
      .map((path) => [path.replaceAll("\\", "/"), readFileSync(join(folder, path))]),
  );

const WEIGHTS = "model.safetensors";

let hub: TestHub;
beforeEach(async () => {
  hub = await TestHub.start();
});
afterEach(() => hub.stop());

const PATIENCE = { attempts: 3, delayMs: 1, idleMs: 5_000, longestWaitMs: 5_000 };
const options = (checkpointsDir: string) => ({ endpoint: hub.url, checkpointsDir, patience: PATIENCE });

/** Publishes Promptist as it really is: its tokenizer in another repository, and files that nobody needs. */
function publishPromptist() {
  const files = filesOf(join(MINIATURE, "promptist"));
  const { "vocab.json": vocabulary, "merges.txt": merges, ...rest } = files;
  hub.add("microsoft/Promptist", { ...rest, "README.md": "a card", "tf_model.h5": Buffer.alloc(9_000) });
  hub.add("openai-community/gpt2", { "vocab.json": vocabulary!, "merges.txt": merges!, "config.json": "{}" });
  return files;
}

/** Larger than a connection's buffers, so part of it is on disk when the connection ends. */
const LARGE = Buffer.alloc(2_000_000, "weights");

function publishLargePromptist() {
  publishPromptist();
  hub.add("microsoft/Promptist", { [WEIGHTS]: LARGE });
}

/** The first byte of each request for the file. */
const startsOf = (path: string) =>
  hub.downloads(path).map(({ range }) => Number(/^bytes=(\d+)-$/.exec(range ?? "bytes=0-")![1]));

function publishDiffusion(repo = "stable-diffusion-v1-5/stable-diffusion-v1-5") {
  const files = filesOf(join(MINIATURE, "stable-diffusion"));
  const extra = Object.keys(files)
    .filter((path) => path.endsWith(".fp16.safetensors"))
    .flatMap((path) => [path.replace(".fp16", ""), path.replace(/\.fp16\.safetensors$/, ".bin")]);
  hub.add(repo, {
    ...files,
    ...Object.fromEntries(extra.map((path) => [path, Buffer.alloc(8_000)])),
    "v1-5-pruned.ckpt": Buffer.alloc(9_000),
    "safety_checker/model.fp16.safetensors": Buffer.alloc(8_000),
    "vae/diffusion_flax_model.msgpack": Buffer.alloc(8_000),
  });
  return files;
}

async function refused(action: Promise<unknown>): Promise<CheckpointError> {
  const error = await action.then(
    () => new Error("it was accepted"),
    (thrown) => thrown,
  );
  if (!(error instanceof CheckpointError)) throw error;
  return error;
}

describe("pull", () => {
  it("downloads the files of Promptist, and the tokenizer from GPT-2", async () => {
    const files = publishPromptist();
    const folder = temporaryFolder();
    const progress: [number, number][] = [];
    const pulled = await pull("promptist", {
      ...options(folder),
      onProgress: (done, of) => progress.push([done, of]),
    });
    const got = filesOf(join(folder, "promptist"));
    expect(Object.keys(got).sort()).toEqual([...Object.keys(files), ".hub.json"].sort());
    for (const [path, content] of Object.entries(files)) expect(got[path]!.equals(content), path).toBe(true);
    expect(pulled).toMatchObject({ commit: COMMIT, directory: join(folder, "promptist") });
    expect(pulled.downloadedBytes).toBe(pulled.bytes);
    expect(progress.at(-1)).toEqual([pulled.bytes, pulled.bytes]);
    expect(findPromptist(undefined, folder).isMiniature).toBe(false);
    expect(existsSync(join(folder, "promptist.partial"))).toBe(false);
  });

  it("prefers a pipeline's fp16 safetensors and leaves the rest", async () => {
    const files = publishDiffusion();
    const folder = temporaryFolder();
    await pull("stable-diffusion-v1-5", options(folder));
    const { ".hub.json": source, ...got } = filesOf(join(folder, "stable-diffusion-v1-5"));
    expect(Object.keys(got).sort()).toEqual(Object.keys(files).sort());
    expect(JSON.parse(String(source))["unet/config.json"]).toMatchObject({ commit: COMMIT });
    expect(findDiffusion(undefined, folder).name).toBe("stable-diffusion-v1-5");
  });

  it("downloads a pipeline's safety checker with the configuration of its pictures", async () => {
    publishDiffusion();
    hub.add("stable-diffusion-v1-5/stable-diffusion-v1-5", {
      "safety_checker/config.json": "{}",
      "safety_checker/model.safetensors": Buffer.alloc(8_000),
      "safety_checker/model.fp16.safetensors": Buffer.alloc(4_000),
      "safety_checker/pytorch_model.bin": Buffer.alloc(8_000),
      "feature_extractor/preprocessor_config.json": "{}",
    });
    const folder = temporaryFolder();
    await pull("stable-diffusion-v1-5", options(folder));
    const got = Object.keys(filesOf(join(folder, "stable-diffusion-v1-5")));
    expect(got.filter((path) => /safety|feature/.test(path)).sort()).toEqual([
      "feature_extractor/preprocessor_config.json",
      "safety_checker/config.json",
      "safety_checker/model.fp16.safetensors",
    ]);
    const found = findDiffusion(undefined, folder);
    expect(findJudges(found, folder).safety).toBe(join(found.directory, "safety_checker"));
  });

  it("takes .bin if there is nothing else, shards by their index, and any revision of a model", async () => {
    const folder = temporaryFolder();
    const small = { "config.json": "{}", "vocab.json": "{}", "merges.txt": "" };
    hub.add("org/bin", { ...small, "pytorch_model.bin": Buffer.alloc(3_000, 1) });
    const index = JSON.stringify({
      weight_map: { a: "model-00001-of-00002.safetensors", b: "model-00002-of-00002.safetensors" },
    });
    hub.add("org/shards", {
      ...small,
      "model.safetensors.index.json": index,
      "model-00001-of-00002.safetensors": Buffer.alloc(3_000, 1),
      "model-00002-of-00002.safetensors": Buffer.alloc(100, 2),
      "pytorch_model.bin": Buffer.alloc(3_000, 1),
    });
    const names = (pulled: { files: readonly { path: string }[] }) => pulled.files.map(({ path }) => path);
    expect(names(await pull("org/bin@v2", options(folder)))).toContain("pytorch_model.bin");
    const shards = names(await pull("org/shards", options(folder)));
    expect(shards).toEqual(
      expect.arrayContaining(["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]),
    );
    expect(shards).not.toContain("pytorch_model.bin");
    expect(readdirSync(folder).sort()).toEqual(["org--bin", "org--shards"]);
  });

  it("requests nothing that exists locally", async () => {
    publishPromptist();
    const folder = temporaryFolder();
    await pull("promptist", options(folder));
    hub.seen.length = 0;
    expect((await pull("promptist", options(folder))).downloadedBytes).toBe(0);
    expect(hub.seen.filter(({ url }) => url.includes("/resolve/"))).toEqual([]);
  });

  it("adds missing files to a folder, and overwrites nothing", async () => {
    const files = publishPromptist();
    const folder = temporaryFolder();
    const directory = join(folder, "promptist");
    mkdirSync(directory);
    writeFileSync(join(directory, "mine.txt"), "mine");
    writeFileSync(join(directory, WEIGHTS), files[WEIGHTS]!);
    const pulled = await pull("promptist", options(folder));
    expect(pulled.downloadedBytes).toBe(pulled.bytes - files[WEIGHTS]!.length);
    expect(readdirSync(directory)).toContain("mine.txt");
    expect(readdirSync(folder)).toEqual(["promptist"]);

    writeFileSync(join(directory, WEIGHTS), "my own weights");
    const error = await refused(pull("promptist", options(folder)));
    expect(error.message).toContain(`other contents than the hub has in ${WEIGHTS}`);
    expect(readFileSync(join(directory, WEIGHTS), "utf8")).toBe("my own weights");
  });
});

describe("an interruption", () => {
  it("in the middle of a file is fixed by requesting the rest", async () => {
    publishLargePromptist();
    hub.fail(WEIGHTS, { cutAfter: 900_000 }, { cutAfter: 800_000 });
    const folder = temporaryFolder();
    const notices: string[] = [];
    await pull("promptist", { ...options(folder), onNotice: (sentence) => notices.push(sentence) });
    const [first, second, third, ...more] = startsOf(WEIGHTS);
    expect(first).toBe(0);
    expect(second).toBeGreaterThan(0);
    expect(third).toBeGreaterThan(second!);
    expect(more).toEqual([]);
    expect(readFileSync(join(folder, "promptist", WEIGHTS)).equals(LARGE)).toBe(true);
    expect(notices[0]).toMatch(/model.safetensors: the connection broke; trying again/);
  });

  it("that lasts leaves a partial folder, which the next pull completes", async () => {
    publishLargePromptist();
    hub.fail(WEIGHTS, { cutAfter: 900_000 }, { cutAfter: 0 }, { cutAfter: 0 });
    const folder = temporaryFolder();
    const error = await refused(pull("promptist", options(folder)));
    expect(error).toMatchObject({ code: "HUB_UNREACHABLE" });
    expect(error.message).toContain("run the same again to go on");
    expect(readdirSync(folder)).toEqual(["promptist.partial"]);
    expect(() => findPromptist(undefined, folder)).toThrow("There is no Promptist");
    const kept = startsOf(WEIGHTS).at(-1)!;
    expect(kept).toBeGreaterThan(0);
    expect((await partialDownloads(folder))[0]!.bytes).toBeGreaterThan(kept);

    hub.seen.length = 0;
    const progress: number[] = [];
    const pulled = await pull("promptist", { ...options(folder), onProgress: (done) => progress.push(done) });
    expect(progress[0]).toBeGreaterThanOrEqual(kept);
    expect(progress).toEqual(progress.toSorted((a, b) => a - b));
    expect(startsOf(WEIGHTS)).toEqual([kept]);
    expect(hub.downloads("config.json")).toEqual([]);
    expect(pulled.downloadedBytes).toBe(LARGE.length - kept);
    expect(readdirSync(folder)).toEqual(["promptist"]);
    expect(readFileSync(join(folder, "promptist", WEIGHTS)).equals(LARGE)).toBe(true);
  });

  it("by the user keeps what was downloaded", async () => {
    publishPromptist();
    hub.fail(WEIGHTS, { stallAfter: 40_000 });
    const folder = temporaryFolder();
    const stop = new AbortController();
    const error = await refused(
      pull("promptist", {
        ...options(folder),
        signal: stop.signal,
        onProgress: () => {
          const part = existsSync(join(folder, "promptist.partial"))
            ? readdirSync(join(folder, "promptist.partial")).find((name) => name.endsWith(".part"))
            : undefined;
          if (part && statSync(join(folder, "promptist.partial", part)).size === 40_000) stop.abort();
        },
      }),
    );
    expect(error.code).toBe("CANCELLED");
    await pull("promptist", options(folder));
    expect(hub.downloads(WEIGHTS).at(-1)!.range).toBe("bytes=40000-");
  });

  it("also counts if the connection only goes silent", async () => {
    publishPromptist();
    hub.fail(WEIGHTS, { stallAfter: 10_000 });
    const folder = temporaryFolder();
    await pull("promptist", { ...options(folder), patience: { ...PATIENCE, idleMs: 300 } });
    expect(hub.downloads(WEIGHTS).at(-1)!.range).toBe("bytes=10000-");
  });

  it("is fixed even if the hub supports no ranges", async () => {
    publishLargePromptist();
    hub.fail(WEIGHTS, { cutAfter: 900_000 }, { ignoreRange: true });
    const folder = temporaryFolder();
    await pull("promptist", options(folder));
    expect(startsOf(WEIGHTS)[1]).toBeGreaterThan(0);
    expect(readFileSync(join(folder, "promptist", WEIGHTS)).equals(LARGE)).toBe(true);
  });
});

describe("a wrong hash", () => {
  it.each([
    [WEIGHTS, "SHA-256"],
    ["config.json", "git hash"],
  ])("of %s deletes the file and names it", async (path, kind) => {
    publishPromptist();
    hub.fail(`/${path}`, { corrupt: true });
    const folder = temporaryFolder();
    const error = await refused(pull("promptist", options(folder)));
    expect(error.code).toBe("HUB_HASH");
    expect(error.message).toContain(`${path} of microsoft/Promptist arrived with another ${kind}`);
    expect(readdirSync(join(folder, "promptist.partial")).filter((name) => name.startsWith(path))).toEqual(
      [],
    );
    await pull("promptist", options(folder));
    expect(existsSync(join(folder, "promptist", path))).toBe(true);
  });
});

describe("more bytes than are listed", () => {
  it.each([WEIGHTS, "config.json"])("in %s end the download at once", async (path) => {
    const files = publishPromptist();
    hub.claimedBytes.set(path, files[path]!.length - 1);
    const folder = temporaryFolder();
    const error = await refused(pull("promptist", options(folder)));
    expect(error.code).toBe("HUB_HASH");
    expect(error.message).toContain(`${path} of microsoft/Promptist is longer than`);
    expect(hub.downloads(`/${path}`)).toHaveLength(1);
    expect(readdirSync(join(folder, "promptist.partial")).filter((name) => name.startsWith(path))).toEqual(
      [],
    );
    hub.claimedBytes.clear();
    await pull("promptist", options(folder));
  });

  it("are not read on, in a file without end", async () => {
    publishPromptist();
    hub.fail(WEIGHTS, { endless: true });
    expect(await refused(pull("promptist", options(temporaryFolder())))).toMatchObject({ code: "HUB_HASH" });
  });

  it.each([undefined, 2 ** 40])(
    "in an index without end, listed with %s bytes, are refused",
    async (bytes) => {
      const index = "model.safetensors.index.json";
      hub.add("org/endless", { "config.json": "{}", [index]: "{}" });
      if (bytes !== undefined) hub.claimedBytes.set(index, bytes);
      hub.fail(index, { endless: true });
      const error = await refused(pull("org/endless", options(temporaryFolder())));
      expect(error.code).toBe("HUB_HASH");
      expect(error.message).toContain(index);
    },
  );
});

describe("a listing without end", () => {
  it("in one page is refused", async () => {
    publishPromptist();
    hub.fail(`tree/${COMMIT}`, { endless: true });
    const error = await refused(pull("promptist", options(temporaryFolder())));
    expect(error.code).toBe("HUB_UNREACHABLE");
    expect(error.message).toMatch(/list of files of microsoft\/Promptist: .* sends more than/);
  });

  it("in ever more pages is refused", async () => {
    publishPromptist();
    hub.endlessListings.add("microsoft/Promptist");
    const error = await refused(pull("promptist", options(temporaryFolder())));
    expect(error.code).toBe("HUB_UNREACHABLE");
    expect(hub.seen.length).toBeLessThan(300);
  });
});

describe("a refusal of the hub", () => {
  it.each([
    ["org/nothing", "HUB_NOT_FOUND", /There is no model org\/nothing .* or it is private/],
    ["microsoft/Promptist@gone", "HUB_NOT_FOUND", /revision gone does not exist/],
  ])("for %s", async (name, code, says) => {
    publishPromptist();
    const error = await refused(pull(name, options(temporaryFolder())));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(says);
  });

  it("404 for a listed file is reported", async () => {
    publishPromptist();
    hub.fail(WEIGHTS, { status: 404, headers: { "x-error-code": "EntryNotFound" } });
    const error = await refused(pull("promptist", options(temporaryFolder())));
    expect(error).toMatchObject({ code: "HUB_NOT_FOUND" });
    expect(error.message).toContain(WEIGHTS);
  });

  it("401 asks for a token or a different one; the right one is sent to the hub, never to its CDN", async () => {
    publishPromptist();
    hub.tokens.set("microsoft/Promptist", "hf_right");
    const folder = temporaryFolder();
    const none = await refused(pull("promptist", options(folder)));
    expect(none.code).toBe("HUB_REFUSED");
    expect(none.message).toMatch(/asks for a token.*HF_TOKEN=hf_/);
    const wrong = await refused(pull("promptist", { ...options(folder), token: "hf_wrong" }));
    expect(wrong.message).toContain("does not accept the token in HF_TOKEN");

    hub.seen.length = 0;
    await pull("promptist", { ...options(folder), token: "hf_right" });
    const by = (server: string) =>
      new Set(hub.seen.filter((seen) => seen.server === server).map(({ authorization }) => authorization));
    expect(by("hub")).toEqual(new Set(["Bearer hf_right"]));
    expect(by("cdn")).toEqual(new Set([undefined]));
  });

  it("to a gated model says how to get access", async () => {
    publishDiffusion("org/gated");
    hub.gated.add("org/gated");
    const error = await refused(pull("org/gated", options(temporaryFolder())));
    expect(error.code).toBe("HUB_REFUSED");
    expect(error.message).toContain(`Open ${hub.url}/org/gated in a browser, log in, accept the terms`);
  });

  it("429 is waited out as long as it says", async () => {
    publishPromptist();
    hub.fail(WEIGHTS, { status: 429, headers: { "retry-after": "1" } });
    hub.fail(`tree/${COMMIT}`, {
      status: 429,
      headers: { "retry-after": new Date(Date.now() + 1_000).toUTCString() },
    });
    const notices: string[] = [];
    const started = performance.now();
    await pull("promptist", {
      ...options(temporaryFolder()),
      onNotice: (sentence) => notices.push(sentence),
    });
    expect(performance.now() - started).toBeGreaterThanOrEqual(1_000);
    expect(notices).toContain(`${hub.url} answers 429; trying again in 1 s.`);
  });

  it("429 that lasts, or demands too long a wait, is reported", async () => {
    publishPromptist();
    const busy = { status: 429, headers: { "retry-after": "0" } };
    hub.fail("revision/main", busy, busy, busy);
    expect((await refused(pull("promptist", options(temporaryFolder())))).code).toBe("HUB_BUSY");
    hub.fail("revision/main", { status: 429, headers: { "retry-after": "7200" } });
    const error = await refused(pull("promptist", options(temporaryFolder())));
    expect(error.message).toContain("It asks to wait 7200 s.");
  });

  it("5xx is retried, and reported if it lasts", async () => {
    publishPromptist();
    hub.fail(WEIGHTS, { status: 503 }, { status: 500 });
    await pull("promptist", options(temporaryFolder()));
    hub.fail(WEIGHTS, { status: 503 }, { status: 503 }, { status: 503 });
    const error = await refused(pull("promptist", options(temporaryFolder())));
    expect(error.code).toBe("HUB_UNREACHABLE");
    expect(error.message).toContain("answers 503");
  });

  it("is not needed to refuse a password in its address, which no message repeats", async () => {
    const endpoint = hub.url.replace("://", "://ada:pass@");
    const error = await refused(pull("promptist", { ...options(temporaryFolder()), endpoint }));
    expect(error.code).toBe("HUB_REFUSED");
    expect(error.message).toContain("HF_ENDPOINT holds a name or password");
    expect(error.message).not.toContain("pass@");
    expect(hub.seen).toEqual([]);
  });

  it("to connect is reported with its address", async () => {
    const { url } = hub;
    await hub.stop();
    const error = await refused(pull("promptist", { ...options(temporaryFolder()), endpoint: url }));
    expect(error.code).toBe("HUB_UNREACHABLE");
    expect(error.message).toContain(`${url} cannot be reached (connect ECONNREFUSED`);
    hub = await TestHub.start();
  });
});

describe("before anything large is fetched", () => {
  it("a disk without enough space is refused", async () => {
    publishPromptist();
    hub.claimedBytes.set(WEIGHTS, 2 ** 50);
    const folder = temporaryFolder();
    const error = await refused(pull("promptist", options(folder)));
    expect(error.code).toBe("DISK_FULL");
    expect(error.message).toMatch(/needs 1048576\.\d GiB and .* has [\d.]+ GiB free; nothing was fetched/);
    expect(hub.seen.filter(({ url }) => url.includes("/resolve/"))).toEqual([]);
  });

  it("a model of another kind is refused", async () => {
    publishDiffusion("org/xl");
    const index = String(hub.repos.get("org/xl")!.get("model_index.json"));
    hub.add("org/xl", {
      "model_index.json": index.replace('"StableDiffusionPipeline"', '"StableDiffusionXLPipeline"'),
    });
    const error = await refused(pull("org/xl", options(temporaryFolder())));
    expect(error.code).toBe("CHECKPOINT_ARCHITECTURE");
    expect(error.message).toContain("StableDiffusionXLPipeline");
    expect(hub.downloads("unet/diffusion_pytorch_model.fp16.safetensors")).toEqual([]);
  });

  it("a repository without a model is refused, saying what it lacks", async () => {
    hub.add("org/data", { "README.md": "nothing here" });
    const error = await refused(pull("org/data", options(temporaryFolder())));
    expect(error.message).toMatch(/lacks config.json, model.safetensors, vocab.json/);
  });

  it.each(["nonsense", "../../etc", "a/../b", "org/name@"])("refuses the name %s", async (name) => {
    await expect(pull(name, options(temporaryFolder()))).rejects.toMatchObject({ code: "INPUT_OPTION" });
    expect(hub.seen).toEqual([]);
  });

  it("an index that names files outside the repository is refused", async () => {
    hub.add("org/evil", {
      "config.json": "{}",
      "model.safetensors.index.json": JSON.stringify({ weight_map: { a: "../../evil.safetensors" } }),
    });
    const error = await refused(pull("org/evil", options(temporaryFolder())));
    expect(error.message).toContain("is no file name");
  });
});

it("only the command line imports the hub", () => {
  const source = fileURLToPath(new URL("../../../src/", import.meta.url));
  const importers = readdirSync(source, { recursive: true, encoding: "utf8" }).filter(
    (path) => path.endsWith(".ts") && /["/]hub\.js"/.test(readFileSync(join(source, path), "utf8")),
  );
  expect(importers).toEqual([join("cli", "checkpoints.ts")]);
});
