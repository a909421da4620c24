"""Loads checkpoints/miniature with transformers and diffusers, and writes checkpoints-miniature.json: the token ids that
their tokenizers give.

Made with torch 2.13.0, transformers 5.18.0, diffusers 0.42.1.
Run: python test/golden/checkpoints_miniature.py
"""

import json
from pathlib import Path

import torch
from diffusers import StableDiffusionPipeline
from transformers import CLIPTokenizer, GPT2LMHeadModel, GPT2Tokenizer

torch.set_num_threads(1)
HERE = Path(__file__).parent
MINIATURE = HERE.parent.parent / "checkpoints/miniature"
TEXTS = [
    "A cat in the rain Rephrase:",
    "A fantasy castle, highly detailed, digital painting, trending on artstation, 8k",
    "A cyberpunk detective standing in neon rain with a robotic arm",
    "The starry night by Van Gogh",
    "  Don't   PANIC!\n42 towels, naïve café — 猫 🐎 ",
    "zzxqj_unseen-word",
    "",
]

model, info = GPT2LMHeadModel.from_pretrained(MINIATURE / "promptist", output_loading_info=True)
assert not any(info.values()), info
gpt2 = GPT2Tokenizer.from_pretrained(MINIATURE / "promptist")
assert gpt2.eos_token_id == len(gpt2) - 1 == model.config.eos_token_id == model.config.vocab_size - 1

pipeline = StableDiffusionPipeline.from_pretrained(
    MINIATURE / "stable-diffusion", variant="fp16", torch_dtype=torch.float32
)
clip = CLIPTokenizer.from_pretrained(MINIATURE / "stable-diffusion/tokenizer")
assert len(clip) == pipeline.text_encoder.config.vocab_size
picture = pipeline("a cat", num_inference_steps=2, generator=torch.Generator().manual_seed(0), output_type="np").images[0]
assert picture.shape == (64, 64, 3)

cases = [
    {"text": text, "gpt2": gpt2(text).input_ids, "clip": clip(text, padding="max_length", truncation=True).input_ids}
    for text in TEXTS
]
(HERE / "checkpoints-miniature.json").write_text(json.dumps(cases, indent=1) + "\n")
