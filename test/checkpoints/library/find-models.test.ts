import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeEach, describe, expect, it } from "vitest";
import { findModels, type LibraryOptions } from "../../../src/checkpoints/library/find-models.js";
import { scanFolder } from "../../../src/checkpoints/library/scan.js";
import { cacheRepo, contentsOf } from "../../support/hub-cache.js";
import {
  kohyaLora,
  type Shapes,
  stableDiffusion,
  textEncoder,
  unetOf,
  vaeOf,
  writeSparse,
} from "../../support/sparse-models.js";
import { golden, randomIntegers, temporaryFolder } from "../support.js";

const MINIATURE = fileURLToPath(new URL("../../../checkpoints/miniature/", import.meta.url));
const library = (...path: string[]) => golden("..", "library", ...path);

let root: string;
let cacheDir: string;
beforeEach(() => {
  root = temporaryFolder();
  cacheDir = join(temporaryFolder(), "graphs");
});

const find = (options: Partial<LibraryOptions> = {}) =>
  findModels({
    checkpointsDir: join(root, "no-checkpoints"),
    modelsDirs: [root],
    miniatureDir: MINIATURE,
    cacheDir,
    ...options,
  });

/** Writes a file of full size that takes no room. */
function sparse(path: string, shapes: Shapes, metadata: Record<string, string> = {}): string {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeSparse(file, shapes, { metadata });
  return file;
}

function put(path: string, content: string | Buffer): string {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
  return file;
}

/** What is told of each model, by name. */
async function told(options: Partial<LibraryOptions> = {}) {
  const { models } = await find(options);
  return Object.fromEntries(
    models.map(({ name, kind, family, detail, misfit }) => [name, [kind, family, detail, misfit]]),
  );
}

const SD1 = "Stable Diffusion 1.x";
const SDXL = "Stable Diffusion XL";
const only = (family: string) => `for ${family}; only ${SD1} runs here`;

describe("kinds", () => {
  it("of checkpoints, with the reason why one does not run here", async () => {
    sparse("sd15.safetensors", stableDiffusion());
    sparse("inpainting.safetensors", { ...unetOf({ inputs: 9 }), ...vaeOf(), ...textEncoder() });
    sparse("unet only.safetensors", unetOf());
    sparse("no vae.safetensors", { ...unetOf(), ...textEncoder() });
    sparse("with sidecar.safetensors", { ...unetOf(), ...textEncoder() });
    sparse("with sidecar.vae.safetensors", vaeOf(""));
    sparse("sd21.safetensors", {
      ...unetOf({ text: 1024 }),
      ...vaeOf(),
      "cond_stage_model.model.positional_embedding": [77, 1024],
    });
    sparse("sdxl.safetensors", {
      ...unetOf({ text: 2048 }),
      ...vaeOf(),
      ...textEncoder("conditioner.embedders.0.transformer.text_model"),
      "model.diffusion_model.label_emb.0.0.weight": [1280, 2816],
    });
    sparse("flux.safetensors", { "model.diffusion_model.double_blocks.0.img_attn.qkv.weight": [9216, 3072] });
    sparse("flux-unet.safetensors", { "double_blocks.0.img_attn.qkv.weight": [9216, 3072] });
    sparse("sd3.safetensors", {
      "model.diffusion_model.joint_blocks.0.x_block.attn.qkv.weight": [4608, 1536],
    });
    // Sizes that no such model has: told by the reader of the configuration.
    sparse("odd.safetensors", { ...stableDiffusion(), "model.diffusion_model.out.2.weight": [4, 320, 1, 1] });
    const found = await told();
    expect(found.sd15).toEqual(["checkpoint", SD1, null, null]);
    expect(found.inpainting).toEqual([
      "checkpoint",
      SD1,
      "inpainting",
      "it needs a picture besides the prompt",
    ]);
    expect(found["unet only"]).toEqual(["checkpoint", SD1, null, "it has no text encoder"]);
    expect(found["no vae"]![3]).toMatch(/^it has no VAE, and none lies beside it/);
    expect(found["with sidecar"]).toEqual(["checkpoint", SD1, null, null]);
    expect(found["with sidecar.vae"]).toEqual(["vae", SD1, null, null]);
    expect(found.sd21).toEqual(["checkpoint", "Stable Diffusion 2.x", null, only("Stable Diffusion 2.x")]);
    expect(found.sdxl).toEqual(["checkpoint", SDXL, null, only(SDXL)]);
    for (const name of ["flux", "flux-unet"])
      expect(found[name]).toEqual(["checkpoint", "Flux", null, only("Flux")]);
    expect(found.sd3![1]).toBe("Stable Diffusion 3");
  });

  it("of adapters, with family and rank", async () => {
    sparse("mine.safetensors", kohyaLora(32));
    sparse("xl.safetensors", kohyaLora(8, 2048));
    sparse("text.safetensors", {
      "lora_te_text_model_encoder_layers_0_mlp_fc1.lora_down.weight": [4, 768],
      "lora_te_text_model_encoder_layers_0_mlp_fc1.lora_up.weight": [3072, 4],
    });
    sparse("flux.safetensors", {
      "transformer.single_transformer_blocks.0.attn.to_q.lora_A.weight": [16, 3072],
      "transformer.single_transformer_blocks.0.attn.to_q.lora_B.weight": [3072, 16],
    });
    for (const name of ["loha", "lokr", "dora", "ia3", "locon-mid"])
      cpSync(golden("..", "lora-families", `${name}.safetensors`), join(root, `${name}.safetensors`));
    cpSync(golden("..", "lora-families", "peft"), join(root, "peft"), { recursive: true });
    const found = await told();
    expect(found.mine).toEqual(["lora", SD1, "rank 32", null]);
    expect(found.xl).toEqual(["lora", SDXL, "rank 8", only(SDXL)]);
    expect(found.text).toEqual(["lora", SD1, "rank 4", null]);
    expect(found.flux).toEqual(["lora", "Flux", "rank 16", only("Flux")]);
    for (const [name, method] of [
      ["loha", "LoHa"],
      ["lokr", "LoKr"],
      ["dora", "DoRA"],
      ["ia3", "(IA)^3"],
      ["locon-mid", "LoCon"],
      ["peft", "rank"],
    ] as const) {
      expect(found[name]![0], name).toBe("lora");
      expect(found[name]![2], name).toContain(method);
      expect(found[name]![3], name).toBeNull();
    }
  });

  it("of checkpoints whose tensors' names another program wrapped", async () => {
    const files = ["data-parallel.safetensors", "ckpt-data-parallel.ckpt", "ckpt-under-module.ckpt"];
    for (const name of [...files, "text_encoder", "unet", "vae"])
      cpSync(golden("..", "field", "single", name), join(root, name), { recursive: true });
    const { models } = await find();
    expect(models.map(({ kind, misfit }) => [kind, misfit])).toEqual(Array(3).fill(["checkpoint", null]));
  });

  it("of VAEs, embeddings, upscalers and folders", async () => {
    sparse("anime.vae.safetensors", vaeOf("first_stage_model."));
    sparse("flux-ae.safetensors", vaeOf("", 16));
    for (const name of readdirSync(library())) cpSync(library(name), join(root, name));
    sparse("control.safetensors", { "control_model.input_hint_block.0.weight": [16, 3, 3, 3] });
    sparse("what.safetensors", { "some.other.weight": [4, 4] });
    for (const name of ["stable-diffusion", "promptist", "clip"])
      cpSync(join(MINIATURE, name), join(root, name), { recursive: true });
    expect(await told()).toMatchObject({
      "anime.vae": ["vae", SD1, null, null],
      "flux-ae": ["vae", null, "16 latent channels", "for latents of 16 channels, not 4"],
      nested: ["embedding", SD1, "3 vectors", null],
      token: ["embedding", SD1, "1 vector", null],
      second: ["embedding", "Stable Diffusion 2.x", "2 vectors", only("Stable Diffusion 2.x")],
      xl: ["embedding", SDXL, "2 vectors", only(SDXL)],
      upscaler: ["upscaler", null, null, "a part of an ESRGAN: it has no last layer"],
      control: ["controlnet", null, null, "a ControlNet, which is not used here"],
      what: ["unknown", null, null, "its kind is not known here"],
      "stable-diffusion": ["checkpoint", SD1, "folder", null],
      promptist: ["rewriter", null, "GPT-2", null],
      clip: ["clip", null, null, null],
    });
  });
});

describe("upscalers", () => {
  const upscalers = (...path: string[]) => golden("..", "upscalers", ...path);

  it("of ESRGAN's family fit, with their factor, in every form in which they are published", async () => {
    for (const name of readdirSync(upscalers()).filter((it) => !it.startsWith("cases.")))
      cpSync(upscalers(name), join(root, name));
    const found = await told();
    for (const [name, traits] of Object.entries(found)) {
      const family = name.startsWith("compact") ? "compact Real-ESRGAN" : "ESRGAN";
      expect([name, ...traits]).toEqual([name, "upscaler", family, `${name.at(-1)}x`, null]);
    }
    expect(Object.keys(found)).toHaveLength(11);
  });

  it.each([
    ["an ESRGAN+", { "model.0.weight": [8, 3, 3, 3], "model.1.sub.0.RDB1.conv1x1.weight": [4, 8, 1, 1] }],
    ["a SwinIR", { "conv_first.weight": [8, 3, 3, 3], "layers.0.residual_group.blocks.0.norm1.weight": [8] }],
    [
      "an SRResNet",
      {
        "conv_first.weight": [8, 3, 3, 3],
        "body.0.conv1.weight": [8, 8, 3, 3],
        "upconv1.weight": [32, 8, 3, 3],
      },
    ],
  ])("that are %s are refused by that name", async (name, tensors) => {
    sparse("other.safetensors", tensors);
    expect((await told()).other).toEqual([
      "upscaler",
      null,
      null,
      `${name}, an upscaler that is not built here`,
    ]);
  });

  it("of grey pictures are refused", async () => {
    sparse("grey.safetensors", {
      "conv_first.weight": [8, 1, 3, 3],
      "body.0.rdb1.conv1.weight": [4, 8, 3, 3],
      "conv_last.weight": [1, 8, 3, 3],
    });
    expect((await told()).grey![3]).toContain("not for RGB pictures");
  });
});

describe("folders", () => {
  it.each([
    [
      "A1111",
      ["models/Stable-diffusion/a", "models/VAE/b", "models/Lora/sub/c", "models/LyCORIS/d", "embeddings/e"],
    ],
    [
      "ComfyUI",
      ["models/checkpoints/a", "models/vae/b", "models/loras/c", "models/loras/d", "models/embeddings/e"],
    ],
    ["a folder of models", ["checkpoints/a", "vae/b", "loras/c", "Lora/d", "embeddings/e"]],
    ["a plain folder", ["a", "b", "c", "d", "deep/er/e"]],
  ])("as %s has them", async (program, paths) => {
    for (const path of paths) sparse(`${path}.safetensors`, kohyaLora(4));
    // Of a program's own folder, nothing else is looked at.
    if (program === "A1111" || program === "ComfyUI")
      sparse("extensions/tagger/models/tagger.safetensors", kohyaLora(4));
    sparse("venv/lib/x.safetensors", kohyaLora(4));
    sparse("models/.hidden/x.safetensors", kohyaLora(4));
    put("models/notes.txt", "not a model");
    const { models, notes } = await find();
    expect(models.map(({ name }) => name)).toEqual(["a", "b", "c", "d", "e"]);
    expect(notes).toEqual([]);
  });

  it("as ComfyUI's extra_model_paths.yaml names them", async () => {
    for (const path of [
      "web/models/Lora/a",
      "web/models/LyCORIS/b",
      "web/embeddings/c",
      "web/other/x",
      "mine/d",
    ])
      sparse(`${path}.safetensors`, kohyaLora(4));
    const list = put(
      "comfy/extra_model_paths.yaml",
      [
        "a111:",
        `  base_path: ${join(root, "web")}`,
        "  is_default: true",
        "  checkpoints: models/Stable-diffusion",
        "  loras: |",
        "    models/Lora",
        "    models/LyCORIS",
        "  embeddings: embeddings",
        "# comfyui:",
        "own:",
        "  base_path: ..",
        "  loras: [mine]",
      ].join("\n"),
    );
    const { models, notes } = await find({ modelsDirs: [list] });
    expect(models.map(({ name }) => name)).toEqual(["a", "b", "c", "d"]);
    expect(notes).toEqual([]);
    const broken = put("broken.yaml", "a: [");
    expect((await find({ modelsDirs: [broken] })).notes).toEqual([expect.stringContaining("it is not YAML")]);
    const empty = put("empty.yaml", "a: 1");
    expect((await find({ modelsDirs: [empty] })).notes).toEqual([`${empty} names no folders of models.`]);
  });

  it("are followed through links once, without end or double", async () => {
    sparse("real/a.safetensors", kohyaLora(4));
    symlinkSync(join(root, "real"), join(root, "again"), "dir");
    symlinkSync(root, join(root, "real", "loop"), "dir");
    symlinkSync(join(root, "real", "a.safetensors"), join(root, "same.safetensors"));
    symlinkSync(join(root, "nowhere"), join(root, "dangling.safetensors"));
    symlinkSync("itself.safetensors", join(root, "itself.safetensors"));
    put("round/model_index.json", "{}");
    symlinkSync("itself", join(root, "round", "itself"));
    const elsewhere = temporaryFolder();
    writeSparse(join(elsewhere, "linked.safetensors"), kohyaLora(4));
    symlinkSync(elsewhere, join(root, "elsewhere"), "dir");
    const { models, notes } = await find();
    expect(models).toHaveLength(3);
    expect(models.find(({ name }) => name === "round")!.misfit).toMatch(/^cannot be read: .*ELOOP/);
    expect(models.map(({ realPath }) => realPath)).toContain(join(elsewhere, "linked.safetensors"));
    expect(notes.filter((note) => /dangling|itself/.test(note))).toHaveLength(2);
  });

  it("that do not exist are told, and the others are read", async () => {
    sparse("a.safetensors", kohyaLora(4));
    const { models, notes } = await find({ modelsDirs: [join(root, "absent"), root] });
    expect(models).toHaveLength(1);
    expect(notes).toEqual([`${join(root, "absent")} cannot be read (ENOENT).`]);
  });

  it.skipIf(process.platform === "win32" || process.getuid?.() === 0)(
    "that may not be read are told",
    async () => {
      sparse("closed/a.safetensors", kohyaLora(4));
      chmodSync(join(root, "closed"), 0);
      const { notes } = await find();
      chmodSync(join(root, "closed"), 0o700);
      expect(notes).toEqual([`${join(root, "closed")} cannot be read (EACCES).`]);
    },
  );

  it("with too much in them are read up to a bound, and it is told", async () => {
    for (let i = 0; i < 40; i++) put(`many/${i}.safetensors`, "");
    for (let i = 0; i < 30; i++) put(`more/${i}.safetensors`, "");
    const few = await scanFolder(root, new Set(), { depth: 8, entries: 1000, models: 50 });
    expect(few.candidates).toHaveLength(50);
    expect(few.notes).toEqual([
      expect.stringMatching(/^There are more than 50 models; those from .*more.* on/),
    ]);
    const small = await scanFolder(root, new Set(), { depth: 8, entries: 45, models: 50 });
    expect(small.candidates.length).toBeLessThanOrEqual(45);
    expect(small.notes).toHaveLength(1);
    const flat = await scanFolder(root, new Set(), { depth: 0, entries: 1000, models: 50 });
    expect(flat).toMatchObject({
      candidates: [],
      notes: [expect.stringContaining("0 folders deep"), expect.anything()],
    });
  });

  it("are not written", async () => {
    sparse("models/Lora/a.safetensors", kohyaLora(4));
    const state = () =>
      readdirSync(root, { recursive: true, encoding: "utf8" }).map((path) => [
        path,
        statSync(join(root, path)).mtimeMs,
      ]);
    const before = state();
    await find();
    expect(state()).toEqual(before);
  });

  it("include those of the hub's cache, without what is no model of ours", async () => {
    const hubCacheDir = join(root, "hub");
    cacheRepo(hubCacheDir, "org/tuned", contentsOf(join(MINIATURE, "stable-diffusion")));
    cacheRepo(hubCacheDir, "org/style", {
      "style.safetensors": readFileSync(golden("..", "lora", "kohya.safetensors")),
    });
    cacheRepo(hubCacheDir, "meta/llama", {
      "config.json": JSON.stringify({ model_type: "llama" }),
      "model.safetensors": readFileSync(golden("views.safetensors")),
    });
    const { models } = await find({ modelsDirs: [], hubCacheDir });
    expect(models.map(({ name, kind, source }) => [name, kind, source])).toEqual([
      ["org/tuned", "checkpoint", "hub-cache"],
      ["style", "lora", "hub-cache"],
    ]);
  });

  it("may hold one name twice, which then carries its folder", async () => {
    sparse("Lora/anime/style.safetensors", kohyaLora(4));
    sparse("Lora/photo/style.safetensors", kohyaLora(4));
    const names = (await find()).models.map(({ name }) => name);
    expect(new Set(names).size).toBe(2);
    expect(names.every((name) => /Lora\/(anime|photo)\/style$/.test(name))).toBe(true);
  });
});

describe("a file that cannot be read", () => {
  it("is listed with the reason, and nothing of it runs", async () => {
    const cut = sparse("cut.safetensors", kohyaLora(4));
    truncateSync(cut, statSync(cut).size - 10);
    const lying = put("lying.safetensors", Buffer.alloc(64));
    const prefix = Buffer.alloc(8);
    prefix.writeBigUInt64LE(2n ** 62n);
    writeFileSync(lying, Buffer.concat([prefix, Buffer.from('{"a":1}')]));
    put("empty.ckpt", "");
    put("page.pt", "<!DOCTYPE html><html>not found</html>");
    put("pointer.safetensors", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n");
    put("quantized.gguf", "GGUF");
    cpSync(golden("refused", "reduce-os-system.bin"), join(root, "evil.ckpt"));
    cpSync(golden("refused", "stack-global.bin"), join(root, "evil2.pt"));
    put("huge-config/config.json", "");
    truncateSync(join(root, "huge-config", "config.json"), 2 ** 33);
    put("huge-config/model.safetensors", "");
    const { models } = await find();
    expect(models.every(({ broken, kind }) => broken && kind === "unknown")).toBe(true);
    const reasons = Object.fromEntries(models.map(({ name, misfit }) => [name, misfit]));
    expect(Object.keys(reasons)).toHaveLength(9);
    expect(reasons.cut).toMatch(/^cannot be read: .*10 bytes are missing/);
    expect(reasons.lying).toMatch(/header claims/);
    expect(reasons.page).toMatch(/web page/);
    expect(reasons.pointer).toMatch(/Git LFS pointer/);
    expect(reasons.quantized).toMatch(/GGUF/);
    expect(reasons.evil).toMatch(/(posix|nt)\.system/);
    expect(reasons["huge-config"]).toMatch(/8589934592 bytes/);
    for (const reason of Object.values(reasons)) expect(reason!.length).toBeLessThan(200);
  });
});

describe("files that were damaged at random", () => {
  it("are all listed, and none stops the others", async () => {
    const random = randomIntegers(7);
    const sources = [
      golden("..", "lora", "kohya.safetensors"),
      golden("..", "lora-families", "loha.safetensors"),
      golden("..", "checkpoints-single-file", "model.safetensors"),
      golden("training.ckpt"),
      golden("..", "checkpoints-training", "legacy.ckpt"),
      ...["nested.pt", "token.bin", "xl.safetensors", "upscaler.pth"].map((name) => library(name)),
    ];
    const count = 300;
    for (let i = 0; i < count; i++) {
      const source = sources[i % sources.length]!;
      const bytes = readFileSync(source);
      // Mostly in the header, where names, sizes and the pickle's instructions are.
      for (let n = 1 + random(4); n > 0; n--) bytes[random(Math.min(bytes.length, 4000))] = random(256);
      const cut = random(4) === 0 ? bytes.subarray(0, random(bytes.length)) : bytes;
      put(`${i}${source.slice(source.lastIndexOf("."))}`, cut);
    }
    put("whole.safetensors", readFileSync(sources[0]!));
    const { models, notes } = await find();
    expect(models).toHaveLength(count + 1);
    expect(notes).toEqual([]);
    expect(models.find(({ name }) => name === "whole")).toMatchObject({ kind: "lora", misfit: null });
    for (const { misfit, broken } of models) if (broken) expect(misfit).toMatch(/^cannot be read: \S/);
  });
});

describe("the index", () => {
  const indexFile = () => join(cacheDir, "models-index.json");

  it("is asked instead of a file of the same size and time", async () => {
    const file = sparse("a.safetensors", kohyaLora(4));
    utimesSync(file, 1_000_000, 1_000_000);
    expect((await told()).a![2]).toBe("rank 4");
    // Same size and time, other content: only who reads the file could tell.
    const text = readFileSync(file);
    writeFileSync(file, Buffer.alloc(text.length));
    utimesSync(file, 1_000_000, 1_000_000);
    expect((await told()).a![2]).toBe("rank 4");
    utimesSync(file, 1_000_000, 1_000_005);
    expect((await told()).a![0]).toBe("unknown");
    appendFileSync(file, "x");
    writeSparse(file, kohyaLora(16));
    expect((await told()).a![2]).toBe("rank 16");
  });

  it.each(["", "{", "[]", '{"version":1,"entries":{"a":{"bytes":"1"}}}', '{"version":0,"entries":{}}'])(
    "that is damaged (%s) is made again",
    async (content) => {
      sparse("a.safetensors", kohyaLora(4));
      mkdirSync(cacheDir, { recursive: true });
      writeFileSync(indexFile(), content);
      expect((await told()).a![0]).toBe("lora");
      expect(JSON.parse(readFileSync(indexFile(), "utf8")).entries).toHaveProperty([
        join(root, "a.safetensors"),
      ]);
    },
  );

  it("is whole whatever writes it at once", async () => {
    for (let i = 0; i < 20; i++) sparse(`${i}.safetensors`, kohyaLora(i + 1));
    const all = await Promise.all(Array.from({ length: 6 }, () => find()));
    for (const { models, notes } of all) expect([models.length, notes]).toEqual([20, []]);
    expect(Object.keys(JSON.parse(readFileSync(indexFile(), "utf8")).entries)).toHaveLength(20);
    expect(readdirSync(cacheDir)).toEqual(["models-index.json"]);
  });

  it("that cannot be written is told, and the models are found", async () => {
    sparse("a.safetensors", kohyaLora(4));
    writeFileSync(cacheDir, "a file where the folder should be");
    const { models, notes } = await find();
    expect(models).toHaveLength(1);
    expect(notes).toEqual([expect.stringMatching(/^What was found could not be kept/)]);
  });

  it("lets the next call go on where the time was up", async () => {
    for (let i = 0; i < 5; i++) sparse(`${i}.safetensors`, kohyaLora(i + 1));
    const { models, notes } = await find({ patienceMs: -1 });
    expect(models).toEqual([]);
    expect(notes).toEqual([expect.stringMatching(/^5 more files were not read yet/)]);
    expect(existsSync(indexFile())).toBe(false);
    expect((await find()).models).toHaveLength(5);
    expect((await find({ patienceMs: -1 })).models).toHaveLength(5);
  });

  it("keeps nothing of what a folder lacks, since that may lie elsewhere", async () => {
    const hubCacheDir = join(root, "hub");
    const {
      "vocab.json": vocabulary,
      "merges.txt": merges,
      ...rest
    } = contentsOf(join(MINIATURE, "promptist"));
    cacheRepo(hubCacheDir, "microsoft/Promptist", rest);
    const promptist = async () =>
      (await find({ modelsDirs: [], hubCacheDir })).models.find(({ name }) => name === "microsoft/Promptist");
    expect((await promptist())!.misfit).toMatch(/lacks vocab\.json/);
    cacheRepo(hubCacheDir, "gpt2", { "vocab.json": vocabulary!, "merges.txt": merges! });
    expect((await promptist())!.misfit).toBeNull();
  });

  it("knows files with a sidecar of their own, which come and go", async () => {
    sparse("a.safetensors", { ...unetOf(), ...textEncoder() });
    expect((await told()).a![3]).toMatch(/no VAE/);
    sparse("a.vae.safetensors", vaeOf(""));
    expect((await told()).a![3]).toBeNull();
  });
});
