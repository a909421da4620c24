import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { expect, it } from "vitest";
import { SCHEDULER_NAMES, SCHEDULERS } from "../../src/core/options.js";
import { type PictureParameters, parametersText } from "../../src/pictures/parameters.js";
import { pngTexts, readPngText, retellPair } from "../../src/pictures/png.js";
import { withPngText } from "../../src/pictures/png-text.js";
import { readPicturePrompt } from "../../src/prompt-files/picture-prompt.js";
import { readLikeA1111, readLikeCivitai } from "../support/a1111.js";

const SHA = "6ce0161689b3853acaa03779ec93eafe75a02f4ced659bee03f50797806fa2fa";
const parameters: PictureParameters = {
  prompt: "A cat, in the rain: “neon” 漢字",
  negative: "blurry, ugly: hands",
  seed: 7,
  steps: 20,
  guidance: 7.5,
  scheduler: "dpm++2m-karras",
  size: { width: 512, height: 768 },
  checkpoint: "dreamshaper_8 + style:0.8",
  models: {
    model: { name: "dreamshaper_8", hash: SHA },
    vae: {
      name: "vae-ft-mse.safetensors",
      hash: "735e4c3a447a3255760d7f86845f09f937809baa529c17370d83e4c3758f3c75",
    },
    clipSkip: 1,
    loras: [
      { name: "style-v1.2", hash: "a1b2c3d4e5f60718293a4b5c6d7e8f90", weight: 0.8 },
      { name: "odd, name: <x>", hash: "0123456789abcdef", weight: 1 },
    ],
    embeddings: [
      { name: "EasyNegative", hash: "c74b4e810b030f6b75fde959e2db678c268d07115b85356d3c0138ba5eb42340" },
    ],
  },
  pair: { side: "optimized", original: "A cat", rewrite: "A cat, in the rain" },
  program: "promptist 0.3.0",
};

it("A1111 reads back the prompts, the settings, the model and the LoRAs", () => {
  const found = readLikeA1111(parametersText(parameters));
  expect(found).toEqual({
    Prompt: `${parameters.prompt} <lora:style-v1.2:0.8> <lora:odd name x:1>`,
    "Negative prompt": parameters.negative,
    Steps: "20",
    Sampler: "DPM++ 2M Karras",
    "CFG scale": "7.5",
    Seed: "7",
    Size: "512x768",
    "Model hash": "6ce0161689",
    Model: "dreamshaper_8",
    "VAE hash": "735e4c3a44",
    VAE: "vae-ft-mse.safetensors",
    "Clip skip": "2",
    RNG: "CPU",
    "Lora hashes": "style-v1.2: a1b2c3d4e5f6, odd name x: 0123456789ab",
    "TI hashes": "EasyNegative: c74b4e810b03",
    Version: "promptist 0.3.0",
  });
});

const SHA256 = "0123456789abcdef".repeat(4);

it("tells how much of another picture was drawn anew", () => {
  const texts = pngTexts({ ...parameters, from: { strength: 0.6, sha256: SHA256 } });
  expect(readLikeA1111(texts.parameters)).toMatchObject({
    "Denoising strength": "0.6",
    "Source hash": SHA256.slice(0, 10),
    "Clip skip": "2",
  });
  expect(JSON.parse(texts.promptist)).toMatchObject({ from: { strength: 0.6, sha256: SHA256 } });
  const sentence = "it was made from another picture, and is drawn from noise here";
  for (const read of [texts, { parameters: texts.parameters }])
    expect(readPicturePrompt(read).unread.filter((it) => /picture|ource/.test(it))).toEqual([sentence]);
});

it("Civitai recognises the model and the LoRAs with their weights", () => {
  const found = readLikeCivitai(parametersText(parameters));
  expect(found.negativePrompt).toBe(parameters.negative);
  expect(found.resources).toEqual([
    { type: "lora", name: "style-v1.2", weight: 0.8, hash: "a1b2c3d4e5f6" },
    { type: "lora", name: "odd name x", hash: "0123456789ab" },
    { type: "model", name: "dreamshaper_8", hash: "6ce0161689" },
  ]);
  expect(found.details).toMatchObject({ Sampler: "DPM++ 2M Karras", Seed: "7", Size: "512x768" });
});

it.each(["a, b", "a: b", 'the "best" one', '"quoted"', "a\nb", "plain [x] (y)"])(
  "A1111 reads back a model called %j",
  (name) => {
    const models = { ...parameters.models, model: { name, hash: SHA } };
    expect(readLikeA1111(parametersText({ ...parameters, models }))).toMatchObject({
      Model: name,
      "Model hash": "6ce0161689",
      Version: "promptist 0.3.0",
    });
  },
);

it("names every scheduler as A1111 does, where it has it", () => {
  const names = SCHEDULERS.map(
    (scheduler) => readLikeA1111(parametersText({ ...parameters, scheduler })).Sampler,
  );
  expect(names).toEqual([
    "PLMS",
    "DDIM",
    "DDIM trailing",
    "Euler",
    "Euler a",
    "DPM++ 2M",
    "DPM++ 2M Karras",
    "LCM",
    "TCD",
  ]);
  expect(names).toEqual(SCHEDULERS.map((scheduler) => SCHEDULER_NAMES[scheduler].sampler));
});

it("says where TAESD made the picture, as A1111 does, and nothing where the VAE did", () => {
  expect(parametersText(parameters)).not.toContain("VAE Decoder");
  const models = { ...parameters.models, decoder: "taesd" as const };
  expect(readLikeA1111(parametersText({ ...parameters, models }))["VAE Decoder"]).toBe("TAESD");
  expect(JSON.parse(pngTexts({ ...parameters, models }).promptist).decoder).toBe("taesd");
});

it("a picture has no text that ComfyUI would take for a graph", () => {
  expect(Object.keys(pngTexts(parameters))).toEqual(["parameters", "promptist", "Software"]);
});

it("a very long prompt does not make a large file", () => {
  const prompt = "a".repeat(2 ** 20);
  const texts = pngTexts({
    ...parameters,
    prompt,
    pair: { side: "baseline", original: prompt, rewrite: prompt },
  });
  expect(Object.values(texts).join("").length).toBeLessThan(2 ** 18);
});

it("a copied picture tells its new pair, and a stranger's stays as it is", async () => {
  const folder = await mkdtemp(join(tmpdir(), "promptist-retell-"));
  try {
    const blank = await sharp({ create: { width: 8, height: 8, channels: 3, background: "#123" } })
      .png()
      .toBuffer();
    const [ours, other, none] = ["ours.png", "other.png", "none.png"].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    await writeFile(ours, withPngText(blank, pngTexts(parameters)));
    await writeFile(other, withPngText(blank, { promptist: "not JSON", note: "x" }));
    await writeFile(none, "no PNG");
    const pair = { side: "baseline", original: "B", rewrite: "B, art" } as const;
    for (const file of [ours, other, none]) await writeFile(file, retellPair(await readFile(file), pair));
    const texts = readPngText(await readFile(ours));
    expect(JSON.parse(texts.promptist!)).toEqual({ ...JSON.parse(pngTexts(parameters).promptist), ...pair });
    expect(texts.parameters).toBe(parametersText(parameters));
    expect((await readFile(ours)).toString("latin1").match(/promptist\0/g)).toHaveLength(1);
    expect((await sharp(ours).metadata()).width).toBe(8);
    expect(readPngText(await readFile(other))).toEqual({ promptist: "not JSON", note: "x" });
    expect(await readFile(none, "utf8")).toBe("no PNG");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
