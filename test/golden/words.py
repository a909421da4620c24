"""Writes test/golden/words/: a small random pipeline and a small random GPT-2 as `save_pretrained` leaves them, tokenizers
included, and what diffusers and transformers make of words with them: pictures and rewrites.

Made with torch 2.13.0 (CPU), diffusers 0.42.1, transformers 5.18.0; the seeds are below.
Run: python test/golden/words.py
"""

import json
import shutil
from pathlib import Path

import torch
from diffusers import AutoencoderKL, DPMSolverMultistepScheduler, PNDMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from sd_small import redraw
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer, GPT2Config, GPT2LMHeadModel, GPT2Tokenizer

HERE = Path(__file__).parent
OUT = HERE / "words"
PICTURES = [
    {"prompt": "A cat in the rain, café ☔", "negative": "dog", "seed": 12345678901, "steps": 12, "guidance": 5.0, "width": 96, "height": 64, "scheduler": "pndm"},
    {"prompt": "The starry night by Van Gogh", "negative": "", "seed": 7, "steps": 8, "guidance": 7.5, "width": 64, "height": 64, "scheduler": "dpm++2m-karras"},
    {"prompt": "Portrait of a warrior, " * 30, "negative": "", "seed": 0, "steps": 4, "guidance": 3.0, "width": 64, "height": 64, "scheduler": "pndm"},
]
PROMPTS = ["A cat in the rain", "Fear", "  naïve   café ☔ "]
BEAMS, TOKENS = 8, 20


def pipeline() -> StableDiffusionPipeline:
    tokenizer = CLIPTokenizer.from_pretrained(HERE / "tokenizers/clip")
    ids = {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id}
    text = CLIPTextConfig(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4, **ids
    )
    unet = UNet2DConditionModel(
        sample_size=16,
        block_out_channels=(16, 32),
        layers_per_block=1,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=32,
        attention_head_dim=4,
        norm_num_groups=8,
    )
    vae = AutoencoderKL(
        block_out_channels=(16, 16, 32),
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        layers_per_block=1,
        norm_num_groups=8,
        sample_size=64,
    )
    parts = {"vae": vae, "text_encoder": CLIPTextModel(text), "unet": unet}
    for seed, model in enumerate(parts.values()):
        redraw(model, seed)
    scheduler = PNDMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", skip_prk_steps=True, steps_offset=1, set_alpha_to_one=False
    )
    none = {"safety_checker": None, "feature_extractor": None, "requires_safety_checker": False}
    return StableDiffusionPipeline(**parts, tokenizer=tokenizer, scheduler=scheduler, **none)


def pictures() -> None:
    made = pipeline()
    made.save_pretrained(OUT / "stable-diffusion")
    made.set_progress_bar_config(disable=True)
    pndm = made.scheduler
    for number, case in enumerate(PICTURES):
        karras = case["scheduler"] == "dpm++2m-karras"
        made.scheduler = DPMSolverMultistepScheduler.from_config(pndm.config, use_karras_sigmas=True) if karras else pndm
        image = made(
            case["prompt"],
            negative_prompt=case["negative"] or None,
            generator=torch.Generator("cpu").manual_seed(case["seed"]),
            num_inference_steps=case["steps"],
            guidance_scale=case["guidance"],
            width=case["width"],
            height=case["height"],
        ).images[0]
        image.save(OUT / f"picture-{number}.png")


def rewrites() -> list[dict]:
    tokenizer = GPT2Tokenizer.from_pretrained(HERE / "tokenizers/gpt2")
    eos = tokenizer.eos_token_id
    config = GPT2Config(vocab_size=len(tokenizer), n_positions=128, n_embd=32, n_layer=2, n_head=4, bos_token_id=eos, eos_token_id=eos)
    model = GPT2LMHeadModel(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.mul_(6)  # start values give nearly equal logits, and beams that differ by rounding
    model.save_pretrained(OUT / "promptist")
    tokenizer.save_pretrained(OUT / "promptist")
    found = []
    for prompt in PROMPTS:
        ids = tokenizer(prompt.strip() + " Rephrase:", return_tensors="pt").input_ids
        made = model.generate(
            ids,
            do_sample=False,
            max_new_tokens=TOKENS,
            num_beams=BEAMS,
            num_return_sequences=BEAMS,
            eos_token_id=eos,
            pad_token_id=eos,
            length_penalty=-1.0,
            return_dict_in_generate=True,
            output_scores=True,
        )
        texts = [tokenizer.decode(row[ids.shape[1] :], skip_special_tokens=True).strip() for row in made.sequences]
        found.append({"prompt": prompt, "texts": texts, "scores": made.sequences_scores.tolist()})
    return found


torch.manual_seed(0)
torch.set_num_threads(1)
shutil.rmtree(OUT, ignore_errors=True)
OUT.mkdir()
pictures()
cases = {"pictures": PICTURES, "beams": BEAMS, "tokens": TOKENS, "rewrites": rewrites()}
(OUT / "cases.json").write_text(json.dumps(cases, indent=1, ensure_ascii=False) + "\n")
