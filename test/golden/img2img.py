"""Pictures that diffusers' StableDiffusionImg2ImgPipeline draws from another with the checkpoints of sd_small.py.

Made with torch 2.15.0 (CPU), diffusers 0.42.1, transformers 5.24.0, Pillow:
    python test/golden/sd_small.py && python test/golden/img2img.py
Writes test/golden/img2img/<id>.png, the pictures to go on from (start-<size>.png) and cases.json. Prompts are rows
of token ids.
"""

import json
import math
import pathlib
import shutil

import diffusers
import torch
from diffusers import PNDMScheduler, StableDiffusionImg2ImgPipeline
from PIL import Image
from transformers import CLIPTextModel

from pipeline import CLASSES, ETA, UNCLIPPED, V, ids_of

torch.set_num_threads(2)

HERE = pathlib.Path(__file__).parent
OUT = HERE / "img2img"

# checkpoint, scheduler, steps, strength, guidance, seed, size, changes to scheduler_config.json
CASES = [("sd1", name, 10, 0.6, 7.5, 42, (64, 64), UNCLIPPED) for name in CLASSES]
CASES += [
    ("sd1", "pndm", 50, 0.75, 7.5, 0, (64, 128), {}),
    ("sd1", "pndm", 8, 1.0, 3.0, 1, (64, 64), {}),
    ("sd1", "ddim", 30, 0.3, 7.5, 2, (128, 64), UNCLIPPED),
    ("sd1", "euler", 8, 0.13, 1.0, 3, (64, 64), {}),
    ("sd1", "dpm++2m-karras", 25, 0.5, 7.5, 4, (64, 64), {}),
    ("sd1", "lcm", 4, 0.5, 1.5, 5, (64, 64), {}),
    ("sd1", "tcd", 6, 0.7, 1.0, 10, (128, 64), {}),
    ("sd2", "ddim", 12, 0.8, 5.0, 6, (24, 16), {**UNCLIPPED, **V}),
    ("sd2", "euler-ancestral", 20, 0.55, 5.0, 7, (16, 16), {}),
    ("sd2", "dpm++2m", 12, 0.7, 5.0, 8, (24, 16), {**V, "timestep_spacing": "trailing"}),
    ("flat", "pndm", 20, 0.9, 7.5, 9, (16, 8), {}),
]


def start_picture(width, height):
    """Waves of three colors with an edge, so that no channel or direction looks like another."""
    image = Image.new("RGB", (width, height))
    for y in range(height):
        for x in range(width):
            wave = lambda a, b, c: round(127.5 + 127.5 * math.sin(a * x / width * 6 + b * y / height * 6 + c))
            edge = 0 if x + y < (width + height) / 3 else 40
            image.putpixel((x, y), (wave(1, 0, 0), max(0, wave(1, 2, 1) - edge), wave(0, 1, 2)))
    path = OUT / f"start-{width}x{height}.png"
    image.save(path, optimize=True)
    return Image.open(path).convert("RGB")


def draw(checkpoint, name, steps, strength, guidance, seed, size, changes):
    folder = HERE / "sd-small" / checkpoint
    cls, extra = CLASSES[name]
    published = PNDMScheduler.from_config({**PNDMScheduler.load_config(folder / "scheduler"), **changes})
    pipe = StableDiffusionImg2ImgPipeline(
        vae=diffusers.AutoencoderKL.from_pretrained(folder / "vae"),
        text_encoder=CLIPTextModel.from_pretrained(folder / "text_encoder"),
        tokenizer=None,
        unet=diffusers.UNet2DConditionModel.from_pretrained(folder / "unet"),
        scheduler=published,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipe.set_progress_bar_config(disable=True)
    pipe.scheduler = cls.from_config(pipe.scheduler.config, **extra)
    prompt, negative = ids_of(seed), ids_of(seed + 1)
    with torch.no_grad():
        embeds = [pipe.text_encoder(input_ids=ids)[0] for ids in (prompt, negative)]
    width, height = size
    image = pipe(
        image=start_picture(width, height),
        strength=strength,
        prompt_embeds=embeds[0],
        negative_prompt_embeds=embeds[1],
        num_inference_steps=steps,
        guidance_scale=guidance,
        generator=torch.Generator("cpu").manual_seed(seed),
        eta=ETA.get(name, 0.0),
    ).images[0]
    case = f"{checkpoint}-{name}-{steps}-{strength}-{width}x{height}".replace("++", "pp")
    image.save(OUT / f"{case}.png", optimize=True)
    return {
        "id": case,
        "checkpoint": checkpoint,
        "scheduler": name,
        "steps": steps,
        "strength": strength,
        "guidance": guidance,
        "seed": seed,
        "size": {"width": width, "height": height},
        "changes": changes,
        "prompt": prompt[0].tolist(),
        "negative": negative[0].tolist(),
    }


if __name__ == "__main__":
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir()
    cases = [draw(*case) for case in CASES]
    text = json.dumps(cases, separators=(",", ":")).replace('{"id"', '\n{"id"')
    (OUT / "cases.json").write_text(text + "\n")
