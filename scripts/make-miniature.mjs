// Writes checkpoints/miniature/: a Promptist and a Stable Diffusion of toy size with seeded random weights, in the layout
// in which the real ones are published. The same bytes on every machine. Run `npm run build` first:
//   node scripts/make-miniature.mjs [folder]
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { writeSafetensors } from "../dist/checkpoints/safetensors.js";
import { float16FromFloat32 } from "../dist/onnx/float16.js";
import { trainClip, trainGpt2 } from "./miniature/byte-pairs.mjs";
import { corpus } from "./miniature/corpus.mjs";
import { promptistConfig, promptistTensors } from "./miniature/promptist.mjs";
import {
  modelIndex,
  schedulerConfig,
  textConfig,
  textTensors,
  unetConfig,
  unetTensors,
  vaeConfig,
  vaeTensors,
} from "./miniature/stable-diffusion.mjs";

const GPT2_MERGES = 1200;
const CLIP_MERGES = 900;
const SEED = 2305;

const folder = process.argv[2] ?? fileURLToPath(new URL("../checkpoints/miniature/", import.meta.url));

function writeJson(path, value) {
  mkdirSync(join(folder, path, ".."), { recursive: true });
  writeFileSync(join(folder, path), `${JSON.stringify(value, null, 2)}\n`);
}

function writeWeights(path, tensors, type) {
  const list = [...tensors].map(([name, { shape, values }]) => {
    const numbers = type === "F16" ? float16FromFloat32(values) : values;
    return { name, type, shape, data: new Uint8Array(numbers.buffer) };
  });
  mkdirSync(join(folder, path, ".."), { recursive: true });
  writeSafetensors(join(folder, path), list);
}

function writeTokenizer(path, { vocabulary, merges }, config) {
  writeJson(join(path, "vocab.json"), vocabulary);
  writeFileSync(join(folder, path, "merges.txt"), `#version: 0.2\n${merges.join("\n")}\n`);
  writeJson(join(path, "tokenizer_config.json"), config);
  const { bos_token, eos_token, unk_token, pad_token } = config;
  writeJson(join(path, "special_tokens_map.json"), { bos_token, eos_token, unk_token, pad_token });
}

const END_OF_TEXT = "<|endoftext|>";
const lines = corpus();

const gpt2 = trainGpt2(lines, GPT2_MERGES);
const gpt2Size = gpt2.counts.length;
writeTokenizer("promptist", gpt2, {
  add_prefix_space: false,
  bos_token: END_OF_TEXT,
  eos_token: END_OF_TEXT,
  model_max_length: 256,
  tokenizer_class: "GPT2Tokenizer",
  unk_token: END_OF_TEXT,
});
writeJson("promptist/config.json", promptistConfig(gpt2Size));
writeJson("promptist/generation_config.json", { bos_token_id: gpt2Size - 1, eos_token_id: gpt2Size - 1 });
writeWeights("promptist/model.safetensors", promptistTensors(gpt2.tokens, gpt2.counts, SEED), "F32");

const clip = trainClip(lines, CLIP_MERGES);
const clipSize = Object.keys(clip.vocabulary).length;
const special = (content) => ({
  content,
  lstrip: false,
  normalized: true,
  rstrip: false,
  single_word: false,
});
writeTokenizer("stable-diffusion/tokenizer", clip, {
  add_prefix_space: false,
  bos_token: special("<|startoftext|>"),
  do_lower_case: true,
  eos_token: special(END_OF_TEXT),
  errors: "replace",
  model_max_length: 77,
  pad_token: END_OF_TEXT,
  tokenizer_class: "CLIPTokenizer",
  unk_token: special(END_OF_TEXT),
});
writeJson("stable-diffusion/model_index.json", modelIndex);
writeJson("stable-diffusion/scheduler/scheduler_config.json", schedulerConfig);
writeJson("stable-diffusion/text_encoder/config.json", textConfig(clipSize));
writeWeights("stable-diffusion/text_encoder/model.fp16.safetensors", textTensors(clipSize, SEED + 1), "F16");
writeJson("stable-diffusion/unet/config.json", unetConfig);
writeWeights("stable-diffusion/unet/diffusion_pytorch_model.fp16.safetensors", unetTensors(SEED + 2), "F16");
writeJson("stable-diffusion/vae/config.json", vaeConfig);
writeWeights("stable-diffusion/vae/diffusion_pytorch_model.fp16.safetensors", vaeTensors(SEED + 3), "F16");
process.stdout.write(`Wrote ${folder}: ${gpt2Size} and ${clipSize} tokens\n`);
