import { execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openWeightFile } from "../../src/checkpoints/files/open.js";
import { type NewTensor, writeSafetensors } from "../../src/checkpoints/files/safetensors.js";
import { readPngText } from "../../src/pictures/png.js";
import { readLikeA1111 } from "../support/a1111.js";
import { TestHub } from "../support/hub.js";
import { cacheRepo } from "../support/hub-cache.js";
import { ownText } from "../support/own-text.js";
import { stableDiffusion, writeSparse } from "../support/sparse-models.js";

/** The compiled program as people run it; `npm test` compiles first. */

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const MINIATURE = join(ROOT, "checkpoints", "miniature");
const SINGLE_FILE = join(ROOT, "test", "golden", "checkpoints-single-file");

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "promptist-cli-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The result, if --json was given. */
  readonly json: Record<string, unknown>;
}

function promptist(args: readonly string[], settings: Readonly<Record<string, string>> = {}): Promise<Run> {
  const env = {
    ...process.env,
    DATA_DIR: join(folder, "data"),
    CHECKPOINTS_DIR: join(folder, "checkpoints"),
    DEVICE: "cpu",
    ...settings,
  };
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [join(ROOT, "bin", "promptist.js"), ...args],
      { env, cwd: folder },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : Number(error.code);
        resolve({ code, stdout, stderr, json: stdout.startsWith("{") ? JSON.parse(stdout) : {} });
      },
    );
  });
}

const filesOf = (directory: string): Record<string, Buffer> =>
  Object.fromEntries(
    readdirSync(directory, { recursive: true, encoding: "utf8" })
      .filter((path) => statSync(join(directory, path)).isFile())
      .map((path) => [path.replaceAll("\\", "/"), readFileSync(join(directory, path))]),
  );

/** Rewrites a checkpoint's file with other tensors. */
function change(path: string, edit: (tensors: NewTensor[]) => NewTensor[]): void {
  const weights = openWeightFile(path);
  const tensors = weights.names.map((name): NewTensor => {
    const { type, shape } = weights.get(name)!;
    return { name, type, shape, data: weights.read(name) };
  });
  writeSafetensors(path, edit(tensors));
}

const copyOf = (checkpoint: string): string => {
  const directory = mkdtempSync(join(folder, "copy-"));
  cpSync(join(MINIATURE, checkpoint), directory, { recursive: true });
  return directory;
};

describe("checkpoints pull", () => {
  it("downloads what optimize and generate need despite an interruption, and they run offline", async () => {
    const hub = await TestHub.start();
    try {
      const {
        "vocab.json": vocabulary,
        "merges.txt": merges,
        ...rest
      } = filesOf(join(MINIATURE, "promptist"));
      hub.add("microsoft/Promptist", rest);
      hub.add("openai-community/gpt2", { "vocab.json": vocabulary!, "merges.txt": merges! });
      hub.add("stable-diffusion-v1-5/stable-diffusion-v1-5", filesOf(join(MINIATURE, "stable-diffusion")));
      hub.tokens.set("microsoft/Promptist", "hf_secret");
      const settings = { HF_ENDPOINT: hub.url, HF_TOKEN: "hf_secret" };

      const without = await promptist(["checkpoints", "pull", "promptist", "--json"], {
        HF_ENDPOINT: hub.url,
      });
      expect(without.code).toBe(1);
      expect(without.json).toMatchObject({ error: { code: "HUB_REFUSED" } });
      const pulled = await promptist(["checkpoints", "pull", "promptist", "--json"], settings);
      expect(pulled.stderr).toContain(`from ${hub.url}`);
      expect(pulled).toMatchObject({ code: 0, json: { repo: "microsoft/Promptist" } });
      expect(pulled.stdout + pulled.stderr).not.toContain("hf_secret");

      hub.fail("unet/diffusion_pytorch_model.fp16.safetensors", { cutAfter: 200_000 }, { status: 404 });
      const broken = await promptist(["checkpoints", "pull", "stable-diffusion-v1-5", "--json"], settings);
      expect(broken).toMatchObject({ code: 1, json: { error: { code: "HUB_NOT_FOUND" } } });
      expect(broken.stderr).toContain("the connection broke; trying again");
      const known = async () =>
        (await promptist(["checkpoints", "list", "--json"], settings)).json.known as {
          name: string;
          state: string;
        }[];
      expect((await known()).slice(0, 3)).toMatchObject([
        { state: "here" },
        { state: "partial" },
        { state: "absent" },
      ]);
      const resumed = await promptist(["checkpoints", "pull", "stable-diffusion-v1-5", "--json"], settings);
      expect(resumed.code).toBe(0);
      const all = await known();
      expect(all.slice(0, 3)).toMatchObject([
        { state: "here" },
        { state: "here", precision: "F16" },
        { state: "absent" },
      ]);
      expect(all).toContainEqual(expect.objectContaining({ name: "realesrgan-x4", state: "absent" }));
    } finally {
      await hub.stop();
    }

    const cut = {
      NODE_OPTIONS: `--import ${pathToFileURL(join(ROOT, "test", "support", "no-network.mjs"))}`,
    };
    const isCut = await promptist(["checkpoints", "pull", "promptist", "--json"], {
      ...cut,
      HF_ENDPOINT: "http://127.0.0.1:9",
    });
    expect(isCut.code).toBe(1);
    const rewritten = await promptist(["optimize", "A cat", "--max-new-tokens", "8", "--json"], cut);
    expect(rewritten).toMatchObject({ code: 0, json: { checkpoint: "promptist", miniature: false } });
    const out = join(folder, "cut.png");
    const drawn = await promptist(
      ["generate", "A cat", "--steps", "2", "--seed", "1", "--out", out, "--json"],
      cut,
    );
    expect(drawn).toMatchObject({ code: 0, json: { checkpoint: "stable-diffusion-v1-5", miniature: false } });
    expect((await sharp(out).stats()).entropy).toBeGreaterThan(1);
  }, 180_000);
});

describe("the Hugging Face cache", () => {
  it("is read in place by every command, offline too", async () => {
    const hubCacheDir = mkdtempSync(join(folder, "hub-"));
    const { "vocab.json": vocabulary, "merges.txt": merges, ...rest } = filesOf(join(MINIATURE, "promptist"));
    cacheRepo(hubCacheDir, "microsoft/Promptist", rest);
    const diffusion = filesOf(join(MINIATURE, "stable-diffusion"));
    const snapshot = cacheRepo(hubCacheDir, "stable-diffusion-v1-5/stable-diffusion-v1-5", diffusion);
    const settings = {
      HF_HUB_CACHE: hubCacheDir,
      HF_HUB_OFFLINE: "1",
      CHECKPOINTS_DIR: join(folder, "none"),
    };
    const known = async () =>
      (await promptist(["checkpoints", "list", "--json"], settings)).json.known as object[];
    expect((await known()).slice(0, 2)).toMatchObject([
      { state: "absent" },
      { state: "cached", directory: snapshot },
    ]);
    const doctor = await promptist(["doctor"], settings);
    expect(doctor.stdout).toMatch(/The Hugging Face cache has a part of them: .*lacks vocab\.json/);
    const refused = await promptist(["checkpoints", "pull", "promptist", "--json"], settings);
    expect(refused).toMatchObject({ code: 1, json: { error: { code: "HUB_UNREACHABLE" } } });
    expect(refused.stderr).toContain("The Hugging Face cache has a part of microsoft/Promptist");

    cacheRepo(hubCacheDir, "openai-community/gpt2", { "vocab.json": vocabulary!, "merges.txt": merges! });
    const pulled = await promptist(["checkpoints", "pull", "promptist"], settings);
    expect(pulled.stdout).toMatch(
      /the Hugging Face cache has all of it \(revision aaaaaaaa\), \d+ files, .* nothing was/,
    );
    expect((await known()).slice(0, 2)).toMatchObject([{ state: "cached" }, { state: "cached" }]);
    const rewritten = await promptist(["optimize", "A cat", "--max-new-tokens", "8", "--json"], settings);
    expect(rewritten).toMatchObject({ code: 0, json: { checkpoint: "Promptist", miniature: false } });
    const out = join(folder, "cached.png");
    const drawn = await promptist(
      ["generate", "A cat", "--steps", "2", "--seed", "1", "--out", out, "--json"],
      settings,
    );
    expect(drawn).toMatchObject({ code: 0, json: { checkpoint: "stable-diffusion-v1-5", miniature: false } });
  }, 180_000);
});

describe("models of other programs", () => {
  it("are listed, and may be named", async () => {
    const a1111 = mkdtempSync(join(folder, "a1111-"));
    const at = (path: string) => join(a1111, "models", path);
    mkdirSync(at("Stable-diffusion"), { recursive: true });
    writeSparse(at("Stable-diffusion/my one.safetensors"), stableDiffusion());
    cpSync(join(ROOT, "test", "golden", "lora", "kohya.safetensors"), at("Lora/style.safetensors"), {
      recursive: true,
    });
    cpSync(join(ROOT, "test", "golden", "checkpoints", "refused", "reduce-eval.bin"), at("Lora/evil.pt"));
    const settings = { MODELS_DIRS: a1111, CHECKPOINTS_DIR: mkdtempSync(join(folder, "own-")) };
    const { json } = await promptist(["checkpoints", "list", "--json"], settings);
    expect(json.found).toMatchObject([
      {
        name: "my one",
        kind: "checkpoint",
        misfit: null,
        path: at("Stable-diffusion/my one.safetensors"),
      },
      { name: "style", kind: "lora", detail: expect.stringContaining("rank"), misfit: null },
      { name: "evil", kind: "unknown", broken: true },
    ]);
    const { stdout } = await promptist(["checkpoints", "list"], settings);
    expect(stdout).toMatch(/^LoRA, ranks .* yes {3}\S.*style\.safetensors$/m);
    expect(stdout).toMatch(/^unreadable .* no .*evil\.pt {2}\(cannot be read: its pickle asks for .*eval/m);
    const doctor = await promptist(["doctor", "--json"], settings);
    expect(doctor.json.findings).toContainEqual({
      subject: "models",
      state: "ok",
      found: "1 checkpoint (fits), 1 LoRA (fits), 1 file that cannot be read",
      todo: null,
    });
    expect(doctor.json.findings).toContainEqual(
      expect.objectContaining({
        subject: "Stable Diffusion",
        todo: expect.stringMatching(/ Or use one that is here: DIFFUSION_CHECKPOINT=my one$/),
      }),
    );
    const checked = await promptist(["checkpoints", "check", "my one", "--json"], settings);
    expect(checked).toMatchObject({ code: 0, json: { fit: true } });
    const absent = await promptist(["checkpoints", "check", "my onne", "--json"], settings);
    expect(absent.json).toMatchObject({
      error: { message: expect.stringContaining("Did you mean my one?") },
    });
  });
});

it("checkpoints pull takes a LoRA by a pasted address, and says how to use it", async () => {
  const hub = await TestHub.start();
  try {
    hub.add("org/style", {
      "my style.safetensors": readFileSync(join(ROOT, "test", "golden", "lora", "kohya.safetensors")),
    });
    const settings = { HF_ENDPOINT: hub.url, CHECKPOINTS_DIR: mkdtempSync(join(folder, "own-")) };
    const address = "https://huggingface.co/org/style/blob/main/my%20style.safetensors";
    const pulled = await promptist(["checkpoints", "pull", address], settings);
    expect(pulled.stdout).toMatch(/my style\.safetensors: 1 file, .* Use it: --lora "my style"$/m);
    const { json } = await promptist(["checkpoints", "list", "--json"], settings);
    expect(json.found).toMatchObject([{ name: "my style", kind: "lora", source: "own" }]);
    const civitai = await promptist(["checkpoints", "pull", "civitai.com/models/1"], settings);
    expect(civitai.code).toBe(2);
    expect(civitai.stderr).toContain("is on Civitai");
  } finally {
    await hub.stop();
  }
});

/** On Windows a process cannot ask another to stop by a signal. */
it.skipIf(process.platform === "win32")(
  "checkpoints pull, stopped by Ctrl+C, keeps what it has downloaded and says how to resume",
  async () => {
    const SIZE = 300_000;
    const hub = await TestHub.start();
    try {
      hub.add("org/large", { "config.json": "{}", "vocab.json": "{}", "merges.txt": "#version: 0.2\n" });
      hub.add("org/large", { "model.safetensors": Buffer.alloc(SIZE, 1) });
      hub.fail("model.safetensors", { stallAfter: SIZE / 2 });
      const checkpoints = mkdtempSync(join(folder, "stopped-"));
      const args = [join(ROOT, "bin", "promptist.js"), "checkpoints", "pull", "org/large"];
      const env = { ...process.env, HF_ENDPOINT: hub.url, CHECKPOINTS_DIR: checkpoints };
      const child = spawn(process.execPath, args, { env, cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
      let said = "";
      child.stderr.setEncoding("utf8").on("data", (text: string) => {
        said += text;
      });
      const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
      const partBytes = () =>
        Object.entries(filesOf(checkpoints)).find(([path]) => path.endsWith(".part"))?.[1].length;
      await expect.poll(partBytes, { timeout: 30_000 }).toBe(SIZE / 2);
      child.kill("SIGINT");
      expect(await ended).toBe(1);
      expect(said).toContain("The download was stopped. What has come is kept: run the same again to go on.");
      expect(partBytes()).toBe(SIZE / 2);
    } finally {
      await hub.stop();
    }
  },
);

const readConfig = (directory: string) => JSON.parse(readFileSync(join(directory, "config.json"), "utf8"));

describe("checkpoints check", () => {
  it("names every tensor that is missing, extra or misshapen, and exits with 1", async () => {
    const directory = copyOf("stable-diffusion");
    const width = readConfig(join(directory, "unet")).block_out_channels[0];
    const latents = readConfig(join(directory, "unet")).out_channels;
    const deepest = readConfig(join(directory, "vae")).block_out_channels.at(-1);
    change(join(directory, "unet", "diffusion_pytorch_model.fp16.safetensors"), (tensors) => [
      ...tensors.filter(({ name }) => name !== "conv_in.bias" && name !== "conv_out.weight"),
      { name: "conv_in.biass", type: "F16", shape: [32], data: new Uint8Array(64) },
      {
        name: "conv_out.weight",
        type: "F16",
        shape: [latents, width, 1, 1],
        data: new Uint8Array(2 * latents * width),
      },
    ]);
    change(join(directory, "vae", "diffusion_pytorch_model.fp16.safetensors"), (tensors) =>
      tensors.filter(({ name }) => name !== "decoder.conv_in.weight"),
    );
    const { code, stdout } = await promptist(["checkpoints", "check", directory]);
    expect(code).toBe(1);
    expect(stdout.trimEnd().split("\n").sort()).toEqual([
      `${directory} does not fit (4 tensors).`,
      `unet: missing: conv_in.bias [${width}]`,
      "unet: not part of the model: conv_in.biass [32]",
      `unet: wrong shape: conv_out.weight is [${latents},${width},1,1], expected [${latents},${width},3,3]`,
      `vae: missing: decoder.conv_in.weight [${deepest},${latents},3,3]`,
    ]);
    const { json } = await promptist(["checkpoints", "check", directory, "--json"]);
    expect(json).toMatchObject({
      fit: false,
      parts: [{ differences: [] }, {}, { differences: [{ kind: "missing" }] }],
    });
  });

  it.each([
    ["promptist", 40],
    ["stable-diffusion", 286],
  ])("finds the miniature %s right", async (name, tensors) => {
    const { code, json } = await promptist(["checkpoints", "check", join(MINIATURE, name), "--json"]);
    expect({ code, json }).toMatchObject({
      code: 0,
      json: { fit: true, parts: expect.arrayContaining([expect.objectContaining({ tensors })]) },
    });
  });

  it("refuses what is not a model with a sentence", async () => {
    const run = await promptist(["checkpoints", "check", join(folder, "absent"), "--json"]);
    expect(run).toMatchObject({ code: 1, json: { error: { code: "CHECKPOINT_MISSING" } } });
  });
});

describe("checkpoints compile", () => {
  it("compiles all graphs once, and reads the weights from their own file", async () => {
    const args = [
      "checkpoints",
      "compile",
      join(MINIATURE, "stable-diffusion"),
      "--precision",
      "fp16",
      "--json",
    ];
    const first = await promptist(args);
    // The decoder's offsets are misaligned, behind a bias of three numbers, so it is copied; the large part
    // is not.
    expect(first).toMatchObject({
      code: 0,
      json: { reused: false, graphs: { unet: { convertedBytes: 0 } } },
    });
    expect(first.json.weightBytes).toBeGreaterThan(1_000_000);
    expect(await promptist(args)).toMatchObject({ code: 0, json: { reused: true } });
    const text = await promptist(["checkpoints", "compile", join(MINIATURE, "promptist"), "--json"]);
    expect(text.json).toMatchObject({ reused: false, graphs: { promptist: {} } });
  });
});

describe("an embedding", () => {
  let embeddings: string;
  beforeAll(() => {
    embeddings = mkdtempSync(join(folder, "embeddings-"));
  });
  const width: number = readConfig(join(MINIATURE, "stable-diffusion", "text_encoder")).hidden_size;
  const write = (name: string, C = width) => {
    const file = join(embeddings, name);
    const values = Float32Array.from({ length: 2 * C }, (_, i) => Math.sin(i) / 2);
    const data = new Uint8Array(values.buffer);
    writeSafetensors(file, [{ name: "emb_params", type: "F32", shape: [2, C], data }]);
    return file;
  };
  const draw = async (name: string, prompt: string, ...flags: string[]) => {
    const out = join(folder, `${name}.png`);
    const fixed = ["--diffusion", join(MINIATURE, "stable-diffusion"), "--steps", "2", "--seed", "1"];
    const run = await promptist(["generate", prompt, ...fixed, "--out", out, ...flags, "--json"]);
    return { ...run, out };
  };
  const pixels = (path: string) => sharp(path).raw().toBuffer();

  it("changes pictures whose prompt has its name, and is named in them with its hash", async () => {
    const file = write("zorb.safetensors");
    const sha256 = createHash("sha256").update(readFileSync(file)).digest("hex");
    const plain = await draw("without", "a pizza");
    const unused = await draw("unused", "a pizza", "--embedding", file);
    const used = await draw("used", "a pizza", "--negative", "a Zorb", "--embedding", file);
    const called = await draw("called", "a <hat> pizza", "--embedding", `${file}:<hat>`);
    expect([plain, unused, used, called].map(({ code }) => code)).toEqual([0, 0, 0, 0]);
    expect(await pixels(unused.out)).toEqual(await pixels(plain.out));
    expect(await pixels(used.out)).not.toEqual(await pixels(plain.out));
    const byName = await promptist(
      [
        "generate",
        "a Zorb",
        "--steps",
        "1",
        "--embedding",
        "zorb",
        "--out",
        join(folder, "by-name.png"),
        "--json",
      ],
      { MODELS_DIRS: embeddings },
    );
    expect(byName.json.embeddings).toEqual([{ name: "zorb", sha256 }]);
    const absent = await draw("absent", "a pizza", "--embedding", "nothing-of-that-name");
    expect(absent).toMatchObject({ code: 2, json: { error: { code: "INPUT_OPTION" } } });
    expect(unused.json.embeddings).toEqual([]);
    expect(used.json.embeddings).toEqual([{ name: "zorb", sha256 }]);
    expect(called.json.embeddings).toEqual([{ name: "<hat>", sha256 }]);
    const { parameters } = readPngText(readFileSync(used.out));
    expect(parameters).toContain(`TI hashes: "zorb: ${sha256.slice(0, 12)}"`);
    expect(ownText(used.out)).toMatchObject({ embeddings: [{ name: "zorb", hash: sha256 }] });
    expect(readPngText(readFileSync(unused.out)).parameters).not.toContain("TI hashes");
    expect(ownText(unused.out)).toMatchObject({ embeddings: [] });
  });

  it("of another width is refused with a sentence, and left out with a note where a folder has it", async () => {
    const wide = write("wide.safetensors", 768);
    const refused = await draw("wide", "a wide pizza", "--embedding", wide);
    expect(refused).toMatchObject({ code: 1, json: { error: { code: "CHECKPOINT_TENSORS" } } });
    expect((refused.json.error as Error).message).toContain(
      `is an embedding of Stable Diffusion 1.x: its vectors have 768 values, and the text encoder of this checkpoint reads ${width}.`,
    );
    const { code, json } = await promptist(["doctor", "--json"], { EMBEDDINGS: embeddings });
    expect(code).toBe(0);
    const findings = json.findings as { subject: string; todo: string }[];
    const found = findings.find(({ subject }) => subject === "embeddings");
    expect(found).toMatchObject({ state: "note", found: "1 usable: zorb" });
    expect(found!.todo).toContain("wide.safetensors is an embedding of Stable Diffusion 1.x");
  });
});

describe("weighted prompts", () => {
  it("are drawn, named in the picture, and said to be plain text elsewhere", async () => {
    const draw = async (name: string, prompt: string, ...flags: string[]) => {
      const out = join(folder, `${name}.png`);
      const fixed = ["--diffusion", join(MINIATURE, "stable-diffusion"), "--steps", "2", "--seed", "1"];
      const run = await promptist(["generate", prompt, ...fixed, "--out", out, ...flags, "--json"]);
      const { parameters } = readPngText(readFileSync(out));
      return { ...run, prompts: ownText(out).prompts, parameters, pixels: await sharp(out).raw().toBuffer() };
    };
    const plain = await draw("plain-mode", "a (pizza:1.4)");
    const weighted = await draw("weighted", "a (pizza:1.4)", "--prompts", "weighted");
    const bare = await draw("bare", "a pizza");
    const same = await draw("same", "a pizza", "--prompts", "weighted");
    expect(plain).toMatchObject({ code: 0, prompts: "diffusers" });
    expect(plain.stderr).toContain("are read as plain text. To give them their meaning: --prompts weighted");
    expect(weighted).toMatchObject({ code: 0, prompts: "weighted" });
    expect(weighted.parameters).toContain("Prompt mode: weighted");
    expect(weighted.stderr).not.toContain("plain text");
    expect(weighted.pixels).not.toEqual(bare.pixels);
    expect(weighted.pixels).not.toEqual(plain.pixels);
    expect(same.pixels).toEqual(bare.pixels);
  });
});

describe("a LoRA", () => {
  const KEY = "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_v";
  const width: number = readConfig(join(MINIATURE, "stable-diffusion", "unet")).block_out_channels.at(-1);
  const write = (path: string, key: string) => {
    const halves = Uint16Array.from({ length: 2 * width }, (_, i) => 0x3800 + ((i * 577) & 0x3ff)); // 0.5 to 1
    const data = new Uint8Array(halves.buffer);
    writeSafetensors(path, [
      { name: `${key}.lora_down.weight`, type: "F16", shape: [2, width], data },
      { name: `${key}.lora_up.weight`, type: "F16", shape: [width, 2], data },
    ]);
  };
  const draw = async (name: string, ...flags: string[]) => {
    const out = join(folder, `${name}.png`);
    const checkpoint = join(MINIATURE, "stable-diffusion");
    const run = await promptist([
      "generate",
      "A cat",
      "--diffusion",
      checkpoint,
      "--steps",
      "2",
      "--seed",
      "1",
      "--out",
      out,
      ...flags,
      "--json",
    ]);
    return { ...run, out };
  };

  it("changes the picture as strongly as asked, and is named in it", async () => {
    const file = join(folder, "style.safetensors");
    write(file, KEY);
    const plain = await draw("plain");
    const styled = await draw("styled", "--lora", `${file}:0.8`);
    const none = await draw("none", "--lora", `${file}:0.8`, "--lora", `${file}:-0.8`);
    expect([plain.code, styled.code, none.code]).toEqual([0, 0, 0]);
    const pixels = (path: string) => sharp(path).raw().toBuffer();
    const [a, b, c] = await Promise.all([plain, styled, none].map(({ out }) => pixels(out)));
    const distance = (x: Buffer, y: Buffer) =>
      x.reduce((sum, value, i) => sum + Math.abs(value - y[i]!), 0) / x.length;
    expect(distance(a!, b!)).toBeGreaterThan(0.5);
    expect(distance(a!, c!)).toBeLessThan(0.1);
    expect(ownText(styled.out).checkpoint).toContain("style:0.8");
  });

  it("is known to A1111 by its hash, as the model is", async () => {
    const file = join(folder, "known, style.safetensors");
    write(file, KEY);
    const read = async () => {
      const { out } = await draw("known", "--lora", `${file}:0.8`, "--clip-skip", "1");
      return readLikeA1111(readPngText(readFileSync(out)).parameters!);
    };
    const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
    const bytes = readFileSync(file);
    const unet = readFileSync(
      join(MINIATURE, "stable-diffusion", "unet", "diffusion_pytorch_model.fp16.safetensors"),
    );
    const found = await read();
    expect(found).toMatchObject({
      Prompt: "A cat <lora:known style:0.8>",
      "Model hash": sha256(unet).slice(0, 10),
      Model: "miniature",
      "Clip skip": "2",
      // Without the header: 8 bytes of its length, and as many more.
      "Lora hashes": `known style: ${sha256(bytes.subarray(8 + Number(bytes.readBigUInt64LE()))).slice(0, 12)}`,
    });
    const weights = openWeightFile(file);
    const tensors = weights.names.map((name): NewTensor => {
      const { type, shape } = weights.get(name)!;
      return { name, type, shape, data: weights.read(name) };
    });
    writeSafetensors(file, tensors, { sshs_model_hash: "0123456789ABCDEF".repeat(4) });
    expect((await read())["Lora hashes"]).toBe("known style: 0123456789ab");
  });

  it("for another model is refused, with its keys", async () => {
    const file = join(folder, "xl.safetensors");
    write(file, "lora_unet_input_blocks_4_1_proj_in");
    const run = await draw("refused", "--lora", file);
    expect(run).toMatchObject({ code: 1, json: { error: { code: "CHECKPOINT_TENSORS" } } });
    expect(run.stderr).toContain(
      "no such part of the model: lora_unet_input_blocks_4_1_proj_in.lora_down.weight",
    );
  });

  it("with a weight out of range is refused as a wrong command", async () => {
    const run = await draw("mistake", "--lora", "style.safetensors:99");
    expect(run.code).toBe(2);
    expect(run.stderr).toContain("expected FILE or FILE:WEIGHT");
  });

  it("with weights of blocks is drawn and named with them, and refused with a wrong number of them", async () => {
    const file = join(folder, "blocks.safetensors");
    write(file, KEY);
    const weights = Array.from({ length: 17 }, (_, i) => (i === 7 ? 0.5 : 0)).join();
    const run = await draw("blocks", "--lora", `${file}:1:${weights}`);
    expect(run.code).toBe(0);
    expect(ownText(run.out).checkpoint).toContain(`blocks:1:${weights}`);
    const wrong = await draw("wrong", "--lora", `${file}:1:1,0,0.5`);
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain("expected 17 or 26 weights of blocks after FILE:WEIGHT:, not 3");
  });

  it("with a stray key is merged, and the key is told", async () => {
    const file = join(folder, "stray.safetensors");
    const data = new Uint8Array(4 * width);
    writeSafetensors(file, [
      { name: `${KEY}.lora_down.weight`, type: "F16", shape: [2, width], data },
      { name: `${KEY}.lora_up.weight`, type: "F16", shape: [width, 2], data },
      { name: "lora_te_text_model_final.alpha", type: "F16", shape: [], data: new Uint8Array(2) },
    ]);
    const run = await draw("stray", "--lora", file);
    expect(run.code).toBe(0);
    expect(run.stderr).toContain("Note: stray.safetensors is merged without 1 of its 3 tensors");
  });
});

describe("a single-file checkpoint", () => {
  const settings = { IMAGE_STEPS: "6" };
  const args = (file: string, out: string) => [
    ...[
      "generate",
      "A cat in the rain",
      "--diffusion",
      file,
      "--guidance",
      "5",
      "--seed",
      "3",
      "--out",
      out,
      "--json",
    ],
  ];

  it.each(["model.safetensors", "model.ckpt"])(
    "%s draws what diffusers' from_single_file draws",
    async (name) => {
      const directory = mkdtempSync(join(folder, "single-"));
      cpSync(SINGLE_FILE, directory, { recursive: true });
      cpSync(`${SINGLE_FILE}-tokenizer`, join(directory, "tokenizer"), { recursive: true });
      const out = join(directory, "drawn.png");
      const run = await promptist(args(join(directory, name), out), settings);
      expect(run).toMatchObject({ code: 0, json: { checkpoint: "model", miniature: false } });
      const [ours, theirs] = await Promise.all(
        [out, join(SINGLE_FILE, "picture.png")].map((path) => sharp(path).raw().toBuffer()),
      );
      const differences = ours!.map((value, i) => Math.abs(value - theirs![i]!));
      expect(ours!.length).toBe(theirs!.length);
      expect(Math.max(...differences)).toBeLessThanOrEqual(3);
      expect(differences.reduce((sum, value) => sum + value, 0) / differences.length).toBeLessThan(0.5);
    },
  );

  it("without any tokenizer says how to get one", async () => {
    const run = await promptist(args(join(SINGLE_FILE, "model.safetensors"), join(folder, "never.png")), {
      ...settings,
      CHECKPOINTS_DIR: join(folder, "empty"),
    });
    expect(run).toMatchObject({ code: 1, json: { error: { code: "CHECKPOINT_MISSING" } } });
    expect(run.stderr).toContain("promptist checkpoints pull clip");
  });
});

it("checkpoints synthesize refuses an unknown name and a folder that is not empty", async () => {
  const unknown = await promptist(["checkpoints", "synthesize", "nonsense", join(folder, "new"), "--json"]);
  expect(unknown).toMatchObject({ code: 2, json: { error: { code: "INPUT_OPTION" } } });
  const full = await promptist(["checkpoints", "synthesize", "promptist", MINIATURE, "--json"]);
  expect(full.stderr).toContain("is not empty");
});
