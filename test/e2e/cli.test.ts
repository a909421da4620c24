import { execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { cpSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "csv-parse/sync";
import { startLocalDiscord } from "local-discord/testing";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { inviteUrl } from "../../src/bot/discord/application.js";
import { readPngText } from "../../src/pictures/png.js";
import { temporaryFolder } from "../support/app.js";
import { smallLora } from "../support/models.js";
import { ownText } from "../support/own-text.js";

/** The command line as a shell runs it: the compiled program in its own process. */

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const MINIATURE = join(ROOT, "checkpoints", "miniature");
let folder: ReturnType<typeof temporaryFolder>;
beforeAll(() => {
  folder = temporaryFolder();
});
afterAll(() => folder.remove());

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function promptist(args: readonly string[], environment: Record<string, string> = {}): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [join(ROOT, "bin", "promptist.js"), ...args],
      {
        cwd: folder.path,
        env: {
          ...process.env,
          CHECKPOINTS_DIR: join(ROOT, "checkpoints"),
          DATA_DIR: join(folder.path, "data"),
          DEVICE: "cpu",
          ...environment,
        },
      },
      (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr }),
    );
  });
}

async function json(args: readonly string[]) {
  const { code, stdout, stderr } = await promptist([...args, "--json"]);
  expect(stderr).not.toMatch(/\n {4}at /);
  return { code, result: JSON.parse(stdout) };
}

describe("each verb", () => {
  test("optimize prints the rewrite and its distinct candidates, best first", async () => {
    const { code, result } = await json(["optimize", "A cat in the rain", "--max-new-tokens", "12"]);
    expect(code).toBe(0);
    expect(result).toMatchObject({ prompt: "A cat in the rain", miniature: true, weights: "int8" });
    const texts = result.candidates.map((candidate: { text: string }) => candidate.text);
    expect(result.optimized).toBe(texts[0]);
    expect(new Set(texts).size).toBe(texts.length);
    const scores = result.candidates.map((candidate: { score: number }) => candidate.score);
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
    // The miniature is held to the prompt unless somebody says otherwise.
    expect(result.kept).toBe(true);
    for (const text of texts) expect(text).toMatch(/^A cat in the rain, /);
    const free = await json(["optimize", "แมวในสายฝน", "--keep-prompt", "never", "--max-new-tokens", "12"]);
    expect(free.result.kept).toBe(false);
    expect(free.result.optimized).not.toContain("แมวในสายฝน");
    const held = await json(["optimize", "แมวในสายฝน", "--keep-prompt", "always", "--max-new-tokens", "12"]);
    expect(held.result.optimized).toMatch(/^แมวในสายฝน, /);
  });

  test("optimize --mode sample gives the same rewrite for the same seed, and a different one for another", async () => {
    const sample = async (seed: string) =>
      (await json(["optimize", "Fear", "--mode", "sample", "--seed", seed, "--max-new-tokens", "16"])).result
        .optimized;
    const first = await sample("5");
    expect(await sample("5")).toBe(first);
    expect(await sample("6")).not.toBe(first);
  });

  test("a random seed is reported, and nothing is said of graphics cards", async () => {
    const sample = ["optimize", "Fear", "--mode", "sample", "--max-new-tokens", "8"];
    const first = await promptist(sample, { DEVICE: "auto" });
    expect(first.stderr).toMatch(/^Note: .*\n$/);
    const [, seed] = /\nSeed (\d+)\.\n$/.exec(first.stdout)!;
    expect((await promptist([...sample, "--seed", seed!])).stdout).toBe(first.stdout);
    const out = join(folder.path, "seeded");
    const pair = await promptist(["compare", "A cat", "--out", out, "--steps", "1", "--max-new-tokens", "2"]);
    const drawn = ownText(join(out, "baseline.png")).seed;
    expect(pair.stdout).toContain(`\nSeed ${drawn}.\n`);
  });

  test("--rewriter goes on from the prompt, leaves it as it is, or says how to get its files", async () => {
    const checkpoints = join(folder.path, "with-magicprompt");
    cpSync(join(MINIATURE, "promptist"), join(checkpoints, "magicprompt"), { recursive: true });
    const run = (...args: string[]) => promptist([...args, "--json"], { CHECKPOINTS_DIR: checkpoints });
    const optimize = ["optimize", "A cat in the rain", "--max-new-tokens", "8", "--seed", "4", "--rewriter"];
    const made = JSON.parse((await run(...optimize, "magicprompt")).stdout);
    expect(made).toMatchObject({
      settings: { rewriter: "magicprompt", mode: "sample", temperature: 0.7, seed: 4, maxNewTokens: 8 },
      checkpoint: "magicprompt",
      miniature: false,
    });
    expect(made.optimized).toMatch(/^A cat in the rain.+/);
    expect(made.candidates).toHaveLength(1);
    const greedy = JSON.parse((await run(...optimize, "magicprompt", "--mode", "greedy")).stdout);
    expect(greedy.settings).toMatchObject({ mode: "greedy", temperature: 0.7 });
    const plain = JSON.parse((await run(...optimize, "none")).stdout);
    expect(plain).toMatchObject({ optimized: "A cat in the rain", candidates: [], checkpoint: null });
    const missing = JSON.parse((await run(...optimize, "magicprompt-small")).stdout);
    expect(missing.error).toMatchObject({
      code: "CHECKPOINT_MISSING",
      message: expect.stringContaining("promptist checkpoints pull magicprompt-small"),
    });
    const out = join(folder.path, "magic");
    const pair = await run("compare", "A cat", "--rewriter", "magicprompt", "--out", out, "--steps", "1");
    const { optimized, checkpoints: used } = JSON.parse(pair.stdout);
    expect(used).toMatchObject({ promptist: "magicprompt", diffusion: "miniature" });
    expect(ownText(join(out, "optimized.png")).rewrite).toBe(optimized);
    const same = await run("compare", "A cat", "--rewriter", "none", "--out", out);
    expect(JSON.parse(same.stdout).error.code).toBe("INPUT_REWRITER");
    const against = ["--rewriter", "promptist", "--against", "magicprompt", "--max-new-tokens", "4"];
    const duel = await run("compare", "A cat", ...against, "--out", out, "--steps", "1");
    const both = JSON.parse(duel.stdout);
    expect(both).toMatchObject({ rewriter: "promptist", against: { rewriter: "magicprompt" } });
    expect(both.scores.reward).toBeNull();
    expect(ownText(join(out, "baseline.png"))).toMatchObject({
      prompt: both.against.text,
      original: "A cat",
      against: { rewriter: "magicprompt", rewrite: both.against.text },
    });
    const one = await run("compare", "A cat", "--against", "promptist", "--out", out);
    expect(JSON.parse(one.stdout).error.code).toBe("INPUT_AGAINST");
  });

  test("rows of a batch name their own rewriters, models, LoRAs and speeds, and models take turns", async () => {
    const checkpoints = join(folder.path, "of-rows");
    cpSync(join(MINIATURE, "promptist"), join(checkpoints, "magicprompt"), { recursive: true });
    smallLora(join(checkpoints, "pastel.safetensors"));
    const rows = [
      "prompt,rewriter,against,lora,speed,style",
      "a red apple,magicprompt,,pastel:0.5,,",
      "a blue fish,style:woodcut,promptist,,fast,photo",
      "a rose <lora:pastel:0.5>,promptist,none,,,",
    ];
    writeFileSync(join(folder.path, "rows.csv"), rows.join("\n"));
    const out = join(folder.path, "rows");
    const args = ["batch", "rows.csv", "--out", out, "--steps", "2", "--max-new-tokens", "4", "--json"];
    const { stdout, stderr, code } = await promptist(args, { CHECKPOINTS_DIR: checkpoints });
    expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.not.stringContaining("left out") });
    const { pairs, reportFile } = JSON.parse(stdout);
    expect(pairs[1]).toMatchObject({ against: { rewriter: "promptist" } });
    expect(pairs[1].optimized).toMatch(/^woodcut print of a blue fish/);
    const report = parse(readFileSync(reportFile, "utf8"), { columns: true }) as Record<string, string>[];
    expect(report.map(({ rewriter, against, loras, speed }) => [rewriter, against, loras, speed])).toEqual([
      ["magicprompt", "", "pastel:0.5", "full"],
      ["style:woodcut", "promptist", "", "fast"],
      ["promptist", "", "pastel:0.5", "full"],
    ]);
    expect(report[1]).toMatchObject({ against_text: pairs[1].against.text, scheduler: "dpm++2m-karras" });
    const file = (n: number) => join(out, `prompt${n}_original.png`);
    expect(ownText(file(1))).toMatchObject({ loras: [{ name: "pastel" }] });
    expect(ownText(file(3))).toMatchObject({ prompt: "a rose", loras: [{ name: "pastel" }] });
    expect(ownText(file(2)).prompt).toContain(pairs[1].against.text);
  });

  test("score prints how well pictures show a prompt, and their scores as a pair", async () => {
    const file = (name: string) => join(folder.path, "scored", `${name}.png`);
    for (const [name, prompt] of [
      ["baseline", "a pizza"],
      ["other", "a penguin"],
    ] as const)
      await promptist(["generate", prompt, "--steps", "8", "--seed", "3", "--out", file(name)]);
    const args = ["score", file("baseline"), file("other"), "--prompt", "a pizza"];
    const { code, result } = await json(args);
    expect(code).toBe(0);
    expect(result).toMatchObject({ miniature: true, device: "cpu", precision: "fp32" });
    const [pizza, penguin] = result.pictures;
    expect(pizza).toMatchObject({ file: file("baseline"), judge: "miniature + style", relevanceTerm: 0 });
    expect(pizza.relevance).toBeGreaterThan(penguin.relevance + 0.2);
    expect(result.pair.reward).toBeCloseTo(penguin.relevanceTerm + penguin.beauty - pizza.beauty, 10);
    const { stdout, stderr } = await promptist(args);
    expect(stdout).toMatch(/RELEVANCE +BEAUTY +SAFETY +PICTURE\n0\.\d{4} .*baseline\.png\n[\s\S]*reward/);
    expect(stderr).toMatch(/miniature CLIP/);
  });

  test("score refuses files that are not pictures, and says what to do without judges", async () => {
    const text = join(folder.path, "no-picture.png");
    writeFileSync(text, "words");
    const refused = await json(["score", text, "--prompt", "a fox"]);
    expect([refused.code, refused.result.error.code]).toEqual([1, "FILE_UNREACHABLE"]);
    const judged = await promptist(["score", text, "--prompt", "a fox", "--clip", "none"]);
    expect([judged.code, judged.stderr]).toEqual([1, expect.stringMatching(/checkpoints pull clip/)]);
    const absent = await json(["score", text, "--prompt", "a fox", "--clip", join(folder.path, "nowhere")]);
    expect(absent.result.error).toMatchObject({
      code: "CHECKPOINT_MISSING",
      message: expect.stringMatching(/openai\/clip-vit-large-patch14/),
    });
  });

  test("generate writes a PNG with everything needed to draw it again", async () => {
    const file = join(folder.path, "one", "cat.png");
    const args = [
      "generate",
      "A cat in the rain",
      "--out",
      file,
      "--seed",
      "7",
      "--steps",
      "3",
      "--size",
      "96x64",
    ];
    const { code, result } = await json([...args, "--negative", "dog", "--scheduler", "euler"]);
    expect(code).toBe(0);
    expect(result).toMatchObject({ file, width: 96, height: 64 });
    expect(ownText(file)).toMatchObject({
      prompt: "A cat in the rain",
      seed: 7,
      steps: 3,
      negative: "dog",
      side: null,
      scheduler: "euler",
    });
    expect(await sharp(file).metadata()).toMatchObject({ format: "png", width: 96, height: 64 });
  });

  test("generate goes on from a picture: in its size, with the share of the steps", async () => {
    const file = (name: string) => join(folder.path, "from", `${name}.png`);
    const size = ["--size", "96x64"];
    await promptist(["generate", "a pizza", "--out", file("start"), "--seed", "3", "--steps", "8", ...size]);
    const args = ["generate", "a pizza", "--seed", "5", "--steps", "10", "--image", file("start")];
    const { code, result } = await json([
      ...args,
      ...["--strength", "0.4", "--scheduler", "ddim", "--out", file("again")],
    ]);
    expect(code).toBe(0);
    const from = { file: file("start"), strength: 0.4 };
    expect(result).toMatchObject({ width: 96, height: 64, calls: 4, from });
    const sized = await json([...args, "--size", "64x64", "--out", file("sized")]);
    expect(sized.result).toMatchObject({ width: 64, height: 64, from: { strength: 0.8 } });

    const words = join(folder.path, "words.png");
    writeFileSync(words, "words");
    const refused = await promptist(["generate", "x", "--image", words, "--out", file("none")]);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("can't be read as a picture") });
    const noImage = await promptist(["generate", "a fox", "--strength", "0.5", "--out", file("none")]);
    expect(noImage).toMatchObject({ code: 2, stderr: expect.stringContaining("--strength needs --image") });
  });

  test("compare goes on from a picture with both sides, and says so", async () => {
    const folderOf = (name: string) => join(folder.path, "compared", name);
    const start = join(folder.path, "compared", "start.png");
    const short = ["--steps", "8", "--max-new-tokens", "8"];
    await promptist(["generate", "a red apple", "--out", start, "--seed", "3", "--steps", "8"]);
    const args = ["compare", "a pizza", "--seed", "5", ...short];
    const { code, result } = await json([
      ...[...args, "--image", start, "--strength", "0.25", "--scheduler", "ddim"],
      ...["--out", folderOf("near")],
    ]);
    expect(code).toBe(0);
    const sha256 = createHash("sha256").update(readFileSync(start)).digest("hex");
    for (const side of ["baseline", "optimized"] as const)
      expect(ownText(result.files[side])).toMatchObject({ from: { strength: 0.25, sha256 }, seed: 5 });
    expect(result.from).toEqual({ file: start, strength: 0.25 });
    await promptist([...args, "--scheduler", "ddim", "--out", folderOf("far")]);
    const pixels = (file: string) => sharp(file).raw().toBuffer();
    const first = await pixels(start);
    const distance = async (name: string) => {
      const drawn = await pixels(join(folderOf(name), "baseline.png"));
      return drawn.reduce((sum, value, i) => sum + Math.abs(value - first[i]!), 0) / drawn.length;
    };
    expect(await distance("near")).toBeLessThan(0.75 * (await distance("far")));
    const noImage = await promptist([...args, "--strength", "0.5", "--out", folderOf("none")]);
    expect(noImage).toMatchObject({ code: 2, stderr: expect.stringContaining("--strength needs --image") });
  });

  test("generate draws over its picture, or another, made larger by Lanczos or an upscaler", async () => {
    const file = (name: string) => join(folder.path, "enlarged", name);
    const args = ["generate", "a pizza", "--seed", "3", "--steps", "10", "--scheduler", "ddim"];
    const { code, result } = await json([...args, "--enlarge", "2", "--out", file("large.png")]);
    expect(code).toBe(0);
    expect(result).toMatchObject({ width: 128, height: 128, calls: 3 });
    expect(ownText(file("large.png"))).toMatchObject({
      size: "128x128",
      from: { strength: 0.35, enlarged: { times: 2, upscaler: "Lanczos" } },
    });
    expect(readPngText(readFileSync(file("large.png"))).parameters).toContain(
      "Denoising strength: 0.35, Hires upscale: 2, Hires upscaler: Lanczos",
    );
    const small = await sharp(file("large.png")).resize(48, 64, { fit: "fill" }).png().toBuffer();
    writeFileSync(file("small.png"), small);
    const upscaler = join(ROOT, "test", "golden", "upscalers", "old-x4.pth");
    const over = ["--image", file("small.png"), "--enlarge", "1.5", "--strength", "0.5"];
    const drawn = await json([...args, ...over, "--upscaler", upscaler, "--out", file("over.png")]);
    expect(drawn.result).toMatchObject({ width: 72, height: 96, calls: 5 });
    expect(ownText(file("over.png")).from).toMatchObject({ enlarged: { times: 1.5, upscaler: "old-x4" } });
    const lacking = await promptist([...args, "--upscaler", upscaler, "--out", file("none.png")]);
    expect(lacking).toMatchObject({ code: 2, stderr: expect.stringContaining("--upscaler needs --enlarge") });
    const huge = await json([...args, "--enlarge", "4", "--size", "576x64", "--out", file("huge.png")]);
    expect(huge).toMatchObject({ code: 1, result: { error: { code: "INPUT_SIZE" } } });
  });

  test("upscale makes a picture larger with an upscaler by its name, and keeps what is known of it", async () => {
    const upscalers = join(ROOT, "test", "golden", "upscalers");
    const file = (name: string) => join(folder.path, "upscaled", name);
    const picture = file("small.png");
    const drawn = ["generate", "a pizza", "--seed", "3", "--steps", "2", "--size", "72x64"];
    await promptist([...drawn, "--out", picture]);
    const models = join(folder.path, "comfy", "models", "upscale_models");
    mkdirSync(models, { recursive: true });
    for (const name of ["old-x4.pth", "compact-x2.safetensors"])
      cpSync(join(upscalers, name), join(models, name));
    const environment = { MODELS_DIRS: join(folder.path, "comfy") };
    const upscaled = async (...args: string[]) => {
      const { code, stdout } = await promptist(["upscale", picture, ...args, "--json"], environment);
      return { code, result: JSON.parse(stdout) };
    };

    const { code, result } = await upscaled("--model", "old-x4", "--out", file("large.png"), "--tile", "32");
    expect(code).toBe(0);
    expect(result).toMatchObject({ width: 288, height: 256, factor: 4, from: { width: 72, height: 64 } });
    expect(await sharp(file("large.png")).metadata()).toMatchObject({ width: 288, height: 256 });
    expect(ownText(file("large.png"))).toMatchObject({ prompt: "a pizza", seed: 3 });
    expect(readPngText(readFileSync(file("large.png"))).postprocessing).toBe(
      "Postprocess upscale by: 4, Postprocess upscaler: old-x4",
    );
    const half = await upscaled("--model", "old-x4", "--out", file("half.png"), "--scale", "1.5");
    expect(half.result).toMatchObject({ width: 108, height: 96, factor: 1.5 });

    const which = await upscaled("--out", file("none.png"));
    expect(which).toMatchObject({ code: 1, result: { error: { code: "CHECKPOINT_MISSING" } } });
    expect(which.result.error.message).toContain("Name one with --model: compact-x2, old-x4");
    const slip = await upscaled("--model", "old-x5", "--out", file("none.png"));
    expect(slip.result.error.message).toContain("Did you mean old-x4");
    const other = await upscaled(
      ...["--model", join(MINIATURE, "stable-diffusion", "unet", "diffusion_pytorch_model.fp16.safetensors")],
      ...["--out", file("none.png")],
    );
    expect(other.result.error).toMatchObject({
      code: "CHECKPOINT_ARCHITECTURE",
      message: expect.stringContaining("is no upscaler that is known here"),
    });
    const absent = await promptist(["upscale", picture, "--out", file("none.png")]);
    expect(absent).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/checkpoints pull realesrgan-x4/),
    });
    expect(readdirSync(join(folder.path, "upscaled")).sort()).toEqual(["half.png", "large.png", "small.png"]);
  });

  test("generate draws a size of more than twice the checkpoint's own, and warns", async () => {
    const draw = (size: string) =>
      promptist([
        "generate",
        "A cat",
        "--size",
        size,
        "--steps",
        "1",
        "--out",
        join(folder.path, "large.png"),
      ]);
    const note = "Note: 136x64 is more than twice this checkpoint's own 64x64";
    expect(await draw("136x64")).toMatchObject({ code: 0, stderr: expect.stringContaining(note) });
    expect((await draw("128x64")).stderr).not.toContain("more than twice");
  });

  test("a size that does not fit into memory is refused before anything is loaded, with the largest that does", async () => {
    const draw = (args: readonly string[], out: string) =>
      promptist([...args, "--steps", "1", "--out", join(folder.path, out)], { DEVICE_MEMORY: "300MB" });
    const picture = (size: string) => draw(["generate", "A cat", "--size", size], "huge.png");
    const { code, stderr } = await picture("1024x1024");
    expect(code).toBe(2);
    const largest = /The largest of its shape that does is (\d+x\d+); DEVICE_MEMORY/.exec(stderr)?.[1];
    expect(stderr).toContain("A picture of 1024x1024 does not fit into memory.");
    expect(await picture(largest!)).toMatchObject({ code: 0 });
    for (const args of [
      ["compare", "A cat", "--size", "1024x1024"],
      ["grid", "A cat", "--x", "size=64x64,1024x1024"],
    ])
      expect(await draw(args, "huge")).toMatchObject({ code: 2, stderr: expect.stringContaining(largest!) });
  });

  test("compare writes the pair from one seed, and both side by side", async () => {
    const out = join(folder.path, "pair");
    const args = ["compare", "A fantasy castle", "--out", out, "--steps", "2", "--seed", "9"];
    const { code, result } = await json([...args, "--max-new-tokens", "8"]);
    expect(code).toBe(0);
    expect(readdirSync(out).sort()).toEqual(["baseline.png", "comparison.png", "optimized.png"]);
    expect(ownText(join(out, "baseline.png"))).toMatchObject({ seed: 9, prompt: "A fantasy castle" });
    expect(ownText(join(out, "optimized.png"))).toMatchObject({ seed: 9, prompt: result.optimized });
  });

  test("batch draws pairs without Promptist, which is not even installed", async () => {
    const pairs = ["A cat", "A dog"].map((original) => ({ original, optimized: `${original}, detailed` }));
    writeFileSync(join(folder.path, "pairs.json"), JSON.stringify(pairs));
    const out = join(folder.path, "pairs");
    const args = ["batch", "pairs.json", "--out", out, "--steps", "1", "--promptist", "nowhere"];
    const { code, result } = await json(args);
    expect(code).toBe(0);
    expect(result.promptistLoaded).toBe(false);
    expect(readdirSync(out).sort()).toEqual([
      "contact-sheet.png",
      "prompt1_optimized.png",
      "prompt1_original.png",
      "prompt2_optimized.png",
      "prompt2_original.png",
      "prompts.json",
      "report.csv",
    ]);
    expect(JSON.parse(readFileSync(join(out, "prompts.json"), "utf8"))).toEqual(pairs);
  });

  test("batch draws a report's seeds and options again, unless the command line gives others", async () => {
    const report = join(folder.path, "report.csv");
    writeFileSync(report, "original,optimized,seed,steps\nA cat,A cat!,71,2\nA dog,A dog!,5,2\n");
    const out = join(folder.path, "report");
    const { result } = await json(["batch", report, "--out", out]);
    expect(result.pairs.map((pair: { seed: number }) => pair.seed)).toEqual([71, 5]);
    expect(ownText(join(out, "prompt2_optimized.png"))).toMatchObject({ seed: 5, steps: 2 });
    const again = await json(["batch", join(out, "report.csv"), "--out", `${out}-again`]);
    expect(again.result.promptistLoaded).toBe(false);
    for (const picture of ["prompt1_original.png", "prompt2_optimized.png"])
      expect(readFileSync(join(`${out}-again`, picture)).equals(readFileSync(join(out, picture)))).toBe(true);
    expect(result.pairs[1].scores.reward).toBeCloseTo(
      result.pairs[1].scores.relevanceTerm + result.pairs[1].scores.beautyGain,
      6,
    );
    const other = await json(["batch", report, "--out", `${out}-other`, "--seed", "9", "--steps", "1"]);
    expect(other.result.pairs.map((pair: { seed: number }) => pair.seed)).toEqual([9, 10]);
    expect(ownText(join(`${out}-other`, "prompt1_original.png"))).toMatchObject({
      seed: 9,
      steps: 1,
    });
    writeFileSync(join(folder.path, "odd.csv"), "prompt,steps\nA cat,0\n");
    const odd = await promptist(["batch", "odd.csv", "--out", `${out}-odd`]);
    expect(odd.code).toBe(1);
    expect(odd.stderr).toContain("steps");
  });

  test("batch rewrites each line of a text file, and takes its own prompts.json again", async () => {
    writeFileSync(join(folder.path, "three.txt"), "A cat\r\n\r\nFear\r\nPortrait of a warrior\r\n");
    const out = join(folder.path, "three");
    const args = ["batch", "three.txt", "--out", out, "--steps", "1", "--max-new-tokens", "6"];
    const { result } = await json(args);
    expect(result.pairs.map((pair: { original: string }) => pair.original)).toEqual([
      "A cat",
      "Fear",
      "Portrait of a warrior",
    ]);
    const again = await json(["batch", join(out, "prompts.json"), "--out", `${out}-again`, "--steps", "1"]);
    expect(again.result.promptistLoaded).toBe(false);
    expect(again.result.pairs[2].optimized).toBe(result.pairs[2].optimized);
  });

  test("optimize, compare and batch rewrite the beginning of too long a prompt, and say what they kept", async () => {
    const long = `An old lighthouse, ${"a small boat, ".repeat(300)}the last words`;
    const short = ["--max-new-tokens", "6"];
    const told = /prompt is too long for the rewriter to read to its end\. .*the last words\n/;
    const { code, stdout, stderr } = await promptist(["optimize", long, ...short]);
    expect(code).toBe(0);
    expect(stderr).toMatch(told);
    expect(stdout.split("\n")[0]).toContain(`${long}, `);
    const { result } = await json(["optimize", long, ...short, "--keep-prompt", "never"]);
    expect(result.unread).toMatch(/^a small boat, .*the last words$/);
    expect(result.optimized).toMatch(/, a small boat, the last words$/);

    const out = join(folder.path, "long");
    const pair = await promptist(["compare", long, "--out", out, "--steps", "1", ...short]);
    expect(pair).toMatchObject({ code: 0, stderr: expect.stringMatching(told) });
    writeFileSync(join(folder.path, "long.txt"), `A cat\n${"a boat, ".repeat(110)}end\n`);
    const batch = await promptist(["batch", "long.txt", "--out", out, "--steps", "1", ...short]);
    expect(batch).toMatchObject({ code: 0, stderr: expect.stringContaining("Prompt 2 is too long") });

    const refused = await promptist(["optimize", "x".repeat(6001)]);
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining("more than 6000 characters") });
  });

  test("verify prints what it loaded, its size and the time", async () => {
    const { code, result } = await json(["verify", "--max-new-tokens", "8"]);
    expect(code).toBe(0);
    expect(result).toMatchObject({ prompt: "A futuristic city with flying cars", weights: "int8" });
    expect(result.weightBytes).toBeGreaterThan(1000);
    expect(result.seconds).toBeGreaterThan(0);
  });

  test("doctor finds this machine ready", async () => {
    const { code, stdout } = await promptist(["doctor"], { DEVICE_MEMORY: "6GB" });
    expect(stdout).toMatch(
      /memory +6\.0 GiB for drawing; 64x64 takes 0\.1 GiB \(parts all loaded, VAE whole\), 96x96 takes/,
    );
    // A version of Node that gets no fixes has a line of advice under it.
    expect(stdout).toMatch(/Node\.js.*\n(?: +.*Node 24.*\n)?.*onnxruntime-node/);
    expect(stdout).toMatch(/Ready\.\s*$/);
    expect(stdout).not.toContain("Operators");
    expect(code).toBe(0);
    expect((await promptist(["doctor", "--verbose"])).stdout).toMatch(/Operators on cpu in fp32: .*\n +\w+ /);
  });

  test("doctor prints the same invitation for the token's bot as the start does", async () => {
    const local = await startLocalDiscord({ page: false });
    try {
      const environment = { DISCORD_TOKEN: local.token, DISCORD_API_URL: local.apiUrl };
      const { stdout } = await promptist(["doctor"], environment);
      const invite = inviteUrl(local.applicationId);
      expect(stdout).toContain(`Invite it to a server: ${invite}`);
      const child = spawn(process.execPath, [join(ROOT, "bin", "promptist.js"), "start"], {
        cwd: folder.path,
        env: {
          ...process.env,
          CHECKPOINTS_DIR: join(ROOT, "checkpoints"),
          DATA_DIR: join(folder.path, "invited"),
          DEVICE: "cpu",
          ...environment,
        },
      });
      const ended = once(child, "exit");
      let printed = "";
      for await (const chunk of child.stdout.setEncoding("utf8")) {
        printed += chunk;
        if (printed.includes("Ctrl+C stops it")) break;
      }
      expect(printed).toContain(`Invite it to a server: ${invite}`);
      child.kill("SIGTERM");
      await ended;
    } finally {
      await local.close();
    }
  });
});

describe("bad input ends with a sentence, an exit code and no stack trace", () => {
  const cutOff = () => {
    const directory = join(folder.path, "cut-off");
    cpSync(join(MINIATURE, "promptist"), directory, { recursive: true });
    truncateSync(join(directory, "model.safetensors"), 100_000);
    return directory;
  };
  const file = (name: string, content: string | Uint8Array) => {
    writeFileSync(join(folder.path, name), content);
    return name;
  };
  const cases: readonly (readonly [string, () => readonly string[], RegExp, 1 | 2])[] = [
    ["an empty prompt", () => ["optimize", "  "], /prompt is empty/, 2],
    ["an option out of range", () => ["optimize", "x", "--beams", "0"], /from 1 to 32/, 2],
    ["an unknown option", () => ["optimize", "x", "--beam", "3"], /--beams/, 2],
    ["an unknown verb", () => ["paint", "x"], /unknown command/, 2],
    ["no --out", () => ["generate", "x"], /--out/, 2],
    [
      "a size that is no multiple of 8",
      () => ["generate", "x", "--out", "x.png", "--size", "100x64"],
      /8/,
      2,
    ],
    [
      "an --out that cannot be written",
      () => ["generate", "x", "--out", join(file("a-file", "x"), "x.png")],
      /cannot be written/,
      2,
    ],
    ["a file that is not there", () => ["batch", "nowhere.txt", "--out", "out"], /there is no such file/, 1],
    [
      "a binary file",
      () => ["batch", file("a.txt", new Uint8Array([0, 1, 2, 0])), "--out", "out"],
      /text/,
      1,
    ],
    ["JSON of another shape", () => ["batch", file("a.json", '{"a":1}'), "--out", "out"], /not a list/, 1],
    ["no checkpoint", () => ["optimize", "x", "--promptist", "nowhere"], /nowhere does not exist/, 1],
    ["a checkpoint that is cut off", () => ["optimize", "x", "--promptist", cutOff()], /is damaged/, 1],
    [
      "a checkpoint of another architecture",
      () => ["optimize", "x", "--promptist", join(MINIATURE, "stable-diffusion", "text_encoder")],
      /text_encoder/,
      1,
    ],
  ];
  test.each(cases)("%s", async (_, args, sentence, exitCode) => {
    const { code, stdout, stderr } = await promptist(args());
    expect(stderr).toMatch(sentence);
    expect(stderr).not.toMatch(/\n {4}at /);
    expect(stdout).toBe("");
    expect(code).toBe(exitCode);
  });

  test("with --json the error is one object with a code", async () => {
    const { code, result } = await json(["optimize", ""]);
    expect(code).toBe(2);
    expect(result.error).toMatchObject({ code: "INPUT_EMPTY", message: expect.stringMatching(/empty/) });
  });

  test("an invalid variable is named", async () => {
    const { code, stderr } = await promptist(["optimize", "x"], { IMAGE_STEPS: "many" });
    expect(code).toBe(2);
    expect(stderr).toMatch(/IMAGE_STEPS=many/);
  });

  test("a misspelt variable in .env is named, with the likely right one", async () => {
    const here = join(folder.path, "misspelt");
    mkdirSync(here);
    writeFileSync(join(here, ".env"), "IMAGE_STEP=3\n");
    const { code, stderr } = await new Promise<Ran>((resolve) =>
      execFile(
        process.execPath,
        [join(ROOT, "bin", "promptist.js"), "optimize", "x"],
        { cwd: here },
        (error, stdout, stderr) => resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
      ),
    );
    expect(code).toBe(2);
    expect(stderr).toMatch(/IMAGE_STEP; did you mean IMAGE_STEPS\?/);
  });
});
