import { describe, expect, it } from "vitest";
import { pngTexts } from "../../src/pictures/png.js";
import { missingModels, readPicturePrompt } from "../../src/prompt-files/picture-prompt.js";

const here = { model: "dreamshaper_8", vae: null, clipSkip: 0, loras: [], embeddings: [] };
const NOTHING = {
  program: "A1111",
  rewrite: null,
  rewriter: null,
  against: null,
  shows: null,
  image: {},
  sampler: null,
  model: null,
  vae: null,
  clipSkip: null,
  loras: [],
  embeddings: [],
  unread: [],
  pairs: [],
};

describe("A1111's text", () => {
  const read = (parameters: string) => readPicturePrompt({ parameters });

  it("gives the prompts, the settings and the models", () => {
    const text = [
      "a cat, <lora:style v1:0.8> in the rain,",
      "night",
      "Negative prompt: ugly,",
      "blurry",
      'Steps: 25, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 6.5, Seed: 99, Size: 512x768, Model hash: 879db523c3, Model: dreamshaper_8, VAE hash: 735e4c3a44, VAE: mse.pt, Clip skip: 2, Lora hashes: "style v1: 0123456789ab, other: ffffffffffff", TI hashes: "EasyNegative: c74b4e810b03", Version: v1.9.4',
    ].join("\n");
    expect(read(text)).toEqual({
      ...NOTHING,
      prompt: "a cat,  in the rain, night",
      seed: 99,
      image: {
        steps: 25,
        guidance: 6.5,
        scheduler: "dpm++2m-karras",
        size: { width: 512, height: 768 },
        negative: "ugly, blurry",
      },
      sampler: "DPM++ 2M",
      model: { name: "dreamshaper_8", hash: "879db523c3" },
      vae: { name: "mse.pt", hash: "735e4c3a44" },
      clipSkip: 1,
      loras: [
        { name: "style v1", hash: "0123456789ab", weight: 0.8 },
        { name: "other", hash: "ffffffffffff", weight: null },
      ],
      embeddings: ["EasyNegative"],
    });
    expect(missingModels(read(text), here)).toEqual([
      "the LoRA `style v1` is not loaded here, so it is drawn without",
      "the LoRA `other` is not loaded here, so it is drawn without",
      "the embedding `EasyNegative` is not loaded here, so it is drawn without",
      "the VAE `mse.pt` is not here, so `the model's own` is used",
      "it was drawn with clip skip 2, and here it is 1",
    ]);
  });

  it.each([
    ["Sampler: DPM++ SDE Karras", "`DPM++ SDE Karras` is not a sampler of ours, so the usual one is taken"],
    [
      "Denoising strength: 0.5, Hires upscale: 2, Hires steps: 10, Hires upscaler: Latent",
      "the hires fix is not done here, so the picture has its first size",
    ],
    [
      'ControlNet 0: "Module: canny, Model: x, Weight: 1"',
      "ControlNet is not there, so only the prompt leads the picture",
    ],
    ["Denoising strength: 0.5", "it was made from another picture, and is drawn from noise here"],
    ["Face restoration: CodeFormer", "face restoration is not there, so faces stay as they come out"],
    [
      "Variation seed: 5, Variation seed strength: 0.1",
      "variation seeds are not there, so the seed alone is used",
    ],
    ["NGMS: 3", "`NGMS` is not read"],
    ["Size: huge", "`Size` can't be read, so the usual one is taken"],
  ])("tells what is not done here: %s", (setting, sentence) => {
    const found = read(`a cat\nSteps: 20, ${setting}, CFG scale: 7`);
    expect(found.unread).toEqual([sentence]);
    expect(found).toMatchObject({ prompt: "a cat", image: { steps: 20, guidance: 7 } });
  });

  it.each([
    ["Steps: 20 of a ladder\nSteps: 20, Sampler: Euler, CFG scale: 7", "Steps: 20 of a ladder"],
    ["a cat: one, two, three", "a cat: one, two, three"],
    ["a cat\nNegative prompt: dog", "a cat"],
    ["a cat\r\nSteps: 4, Sampler: Euler, CFG scale: 7\r\nTemplate: x", "a cat"],
  ])("finds the prompt of %j", (text, prompt) => {
    expect(read(text).prompt).toBe(prompt);
  });

  it("is weighed as there where a prompt has marks, and as usual where not", () => {
    const settings = "Steps: 4, Sampler: Euler, CFG scale: 7";
    const modeOf = (prompts: string) => read(`${prompts}\n${settings}, Emphasis: Original`).image.prompts;
    expect(modeOf("a (red:1.3) cat")).toBe("weighted");
    expect(modeOf("a cat\nNegative prompt: [blurry]")).toBe("weighted");
    expect(modeOf("a cat <lora:style:0.8>")).toBeUndefined();
    const off = read(`a (red:1.3) cat\n${settings}, Emphasis: None`);
    expect([off.image.prompts, off.unread]).toEqual([undefined, []]);
    expect(read(`a (red:1.3) cat\n${settings}, Version: promptist 0.3.0`).image.prompts).toBeUndefined();
  });

  it("is read with a quote that contains quotes and commas", () => {
    const text = 'a cat\nSteps: 4, Model: "my \\"x\\", v2", Sampler: Euler, CFG scale: 7';
    expect(read(text)).toMatchObject({
      model: { name: 'my "x", v2', hash: null },
      sampler: "Euler",
      image: { guidance: 7 },
    });
  });
});

describe("our own text", () => {
  const parameters = {
    prompt: "A cat, art",
    negative: "ugly",
    seed: 7,
    steps: 20,
    guidance: 7.5,
    scheduler: "euler",
    size: { width: 64, height: 72 },
    checkpoint: "dreamshaper_8 + style:0.8",
    models: {
      model: { name: "dreamshaper_8", hash: "ab" },
      vae: null,
      clipSkip: 0,
      loras: [{ name: "style", hash: "cd", weight: 0.8 }],
      embeddings: [],
    },
    pair: { side: "optimized", original: "A cat", rewrite: "A cat, art", rewriter: "magicprompt" },
    program: "promptist 0.3.0",
  } as const;

  it("has both prompts of the pair", () => {
    const found = readPicturePrompt(pngTexts(parameters));
    expect(found).toEqual({
      ...NOTHING,
      program: "promptist 0.3.0",
      prompt: "A cat",
      rewrite: "A cat, art",
      rewriter: "magicprompt",
      shows: "optimized",
      seed: 7,
      image: {
        steps: 20,
        guidance: 7.5,
        scheduler: "euler",
        size: { width: 64, height: 72 },
        negative: "ugly",
        prompts: "diffusers",
      },
      sampler: "euler",
      model: { name: "dreamshaper_8", hash: "ab" },
      clipSkip: 0,
      loras: [{ name: "style", hash: "cd", weight: 0.8 }],
    });
    expect(missingModels(found, { ...here, loras: ["style"] })).toEqual([]);
    expect(missingModels(found, { ...here, model: "other" })).toEqual([
      "the model `dreamshaper_8` is not here, so `other` draws",
      "the LoRA `style` is not loaded here, so it is drawn without",
    ]);
  });

  it("says how the prompt was read and which embeddings it names, also without our key", () => {
    const models = { ...parameters.models, embeddings: [{ name: "zorb", hash: "0123456789abcdef" }] };
    const texts = pngTexts({ ...parameters, models, prompts: "weighted" });
    const wanted = { image: { prompts: "weighted" }, embeddings: ["zorb"], unread: [] };
    expect(JSON.parse(texts.promptist)).toMatchObject({ prompts: "weighted", embeddings: models.embeddings });
    expect(readPicturePrompt(texts)).toMatchObject(wanted);
    expect(texts.parameters).toContain("Prompt mode: weighted");
    expect(texts.parameters).toContain('TI hashes: "zorb: 0123456789ab"');
    expect(readPicturePrompt({ parameters: texts.parameters })).toMatchObject(wanted);
  });

  it("of a single picture has its prompt alone", () => {
    const found = readPicturePrompt(pngTexts({ ...parameters, pair: null }));
    expect(found).toMatchObject({ prompt: "A cat, art", rewrite: null, shows: null });
  });

  it("without our key is read as A1111's, with the same settings", () => {
    const { parameters: text } = pngTexts({ ...parameters, pair: null });
    expect(readPicturePrompt({ parameters: text })).toMatchObject({
      program: "promptist 0.3.0",
      prompt: "A cat, art",
      seed: 7,
      image: {
        steps: 20,
        guidance: 7.5,
        scheduler: "euler",
        size: { width: 64, height: 72 },
        negative: "ugly",
      },
    });
  });

  it("of version 0.2 is read: a picture, a pair and a contact sheet", () => {
    const old = {
      parameters: "x",
      prompt: "A cat\nSteps: 5",
      negative: "",
      seed: "9007199254740991",
      steps: "20",
      guidance: "7.5",
      scheduler: "dpm++2m",
      size: "64x72",
      checkpoint: "miniature",
      Software: "promptist 0.2.0",
    };
    expect(readPicturePrompt(old)).toMatchObject({
      program: "promptist 0.2.0",
      prompt: "A cat Steps: 5",
      seed: Number.MAX_SAFE_INTEGER,
      image: { steps: 20, guidance: 7.5, scheduler: "dpm++2m", size: { width: 64, height: 72 } },
      model: { name: "miniature" },
    });
    const pair = {
      baseline: "A cat",
      optimized: "A cat, art",
      settings: "seed 7  ·  20 steps  ·  guidance 2  ·  lcm  ·  miniature  ·  without: ugly, 1  ·  2",
    };
    expect(readPicturePrompt(pair)).toMatchObject({
      prompt: "A cat",
      rewrite: "A cat, art",
      shows: "both",
      seed: 7,
      image: { steps: 20, guidance: 2, scheduler: "lcm" },
    });
    const pairs = JSON.stringify([{ original: "A cat", optimized: "A cat, art" }]);
    expect(readPicturePrompt({ pairs }).pairs).toEqual([{ prompt: "A cat", rewrite: "A cat, art" }]);
  });
});

describe("ComfyUI's graph", () => {
  const graph = {
    "3": {
      class_type: "KSampler",
      inputs: {
        seed: 156680208700286,
        steps: 20,
        cfg: 8,
        sampler_name: "dpmpp_2m",
        scheduler: "karras",
        denoise: 1,
        model: ["10", 0],
        positive: ["6", 0],
        negative: ["7", 0],
        latent_image: ["5", 0],
      },
    },
    "4": { class_type: "CheckpointLoaderSimple", inputs: { ckpt_name: "sd15/dreamshaper_8.safetensors" } },
    "5": { class_type: "EmptyLatentImage", inputs: { width: 512, height: 768, batch_size: 1 } },
    "6": { class_type: "CLIPTextEncode", inputs: { text: "a cat", clip: ["10", 1] } },
    "7": { class_type: "CLIPTextEncode", inputs: { text: "ugly", clip: ["10", 1] } },
    "10": {
      class_type: "LoraLoader",
      inputs: { lora_name: "style.safetensors", strength_model: 0.8, model: ["4", 0] },
    },
  };

  it("with one sampler gives its prompts and settings", () => {
    const found = readPicturePrompt({ prompt: JSON.stringify(graph), workflow: "{}" });
    expect(found).toMatchObject({
      program: "ComfyUI",
      prompt: "a cat",
      seed: 156680208700286,
      image: {
        steps: 20,
        guidance: 8,
        scheduler: "dpm++2m-karras",
        size: { width: 512, height: 768 },
        negative: "ugly",
      },
      model: { name: "sd15/dreamshaper_8.safetensors" },
      loras: [{ name: "style.safetensors", weight: 0.8 }],
      unread: [],
    });
    expect(missingModels(found, { ...here, loras: ["style"] })).toEqual([]);
  });

  it.each([
    ["two samplers", { ...graph, "9": graph["3"] }],
    ["a prompt from elsewhere", { ...graph, "6": { class_type: "X", inputs: { text: ["6", 0] } } }],
    ["a circle", { ...graph, "6": { class_type: "X", inputs: { conditioning: ["6", 0] } } }],
    ["no sampler", { "4": graph["4"] }],
  ])("with %s is named and not read", (_, other) => {
    expect(() => readPicturePrompt({ prompt: JSON.stringify(other) })).toThrow(
      expect.objectContaining({ code: "PICTURE_EMPTY", context: { program: "ComfyUI" } }),
    );
  });
});

it.each([
  [{}, {}],
  [{ Software: "Photo editor" }, {}],
  [{ parameters: " " }, {}],
  [{ Software: "NovelAI", Comment: "{}" }, { program: "NovelAI" }],
  [{ invokeai_metadata: "{}" }, { program: "InvokeAI" }],
  [{ parameters: '{"sui_image_params": {"prompt": "x"}}' }, { program: "SwarmUI" }],
  [{ parameters: '{"prompt": "x"}' }, { program: "another program" }],
  [{ promptist: '{"version": 2, "prompt": "x"}' }, {}],
])("%j holds no prompt that can be read", (texts, context) => {
  expect(() => readPicturePrompt(texts)).toThrow(expect.objectContaining({ code: "PICTURE_EMPTY", context }));
});
