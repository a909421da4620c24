"""Pictures that are drawn over after they were made larger, whole and in tiles, with the checkpoints of sd_small.py:
diffusers' StableDiffusionImg2ImgPipeline on Pillow's Lanczos, and numpy to put tiles together.

Made with torch 2.15.0 (CPU), diffusers 0.42.1, transformers 5.24.0, Pillow 13.0.0:
    python test/golden/sd_small.py && python test/golden/img2img.py && python test/golden/second_pass.py
Writes test/golden/second-pass/<id>.png and cases.json. Prompts are rows of token ids.
"""

import json
import math
import pathlib
import shutil

import numpy
import torch
from diffusers import AutoencoderKL, PNDMScheduler, StableDiffusionImg2ImgPipeline, UNet2DConditionModel
from PIL import Image
from transformers import CLIPTextModel

from pipeline import CLASSES, ETA, UNCLIPPED, ids_of

torch.set_num_threads(2)

HERE = pathlib.Path(__file__).parent
OUT = HERE / "second-pass"
FACTOR = 8

# scheduler, steps, strength, guidance, seed, size of the start, size, longest side of a tile (None: whole)
CASES = [
    ("ddim", 10, 0.4, 7.5, 42, (64, 64), (128, 128), None),
    ("ddim", 10, 0.4, 7.5, 42, (64, 64), (128, 128), 64),
    ("pndm", 20, 0.35, 5.0, 7, (64, 128), (96, 192), 64),
    ("euler-ancestral", 10, 0.5, 3.0, 2**53 - 3, (128, 64), (192, 96), 128),
]


def spans(length, side, overlap):
    """Equal parts of whole latents, and what each sees around it."""
    up = lambda pixels: math.ceil(pixels / FACTOR) * FACTOR
    step = up(length / math.ceil(length / side))
    starts = range(0, length, step)
    return [(max(0, at - overlap), min(length, at + step + overlap)) for at in starts]


def ramp(start, end, length, overlap):
    """Linear from an edge inside the picture over both halves of the overlap."""
    rising = numpy.minimum(1, (numpy.arange(end - start) + 0.5) / (2 * overlap))
    ones = numpy.ones(end - start)
    return (rising if start > 0 else ones) * (rising[::-1] if end < length else ones)


def draw(name, steps, strength, guidance, seed, start, size, tile):
    folder = HERE / "sd-small" / "sd1"
    cls, extra = CLASSES[name]
    pipe = StableDiffusionImg2ImgPipeline(
        vae=AutoencoderKL.from_pretrained(folder / "vae"),
        text_encoder=CLIPTextModel.from_pretrained(folder / "text_encoder"),
        tokenizer=None,
        unet=UNet2DConditionModel.from_pretrained(folder / "unet"),
        scheduler=PNDMScheduler.from_config({**PNDMScheduler.load_config(folder / "scheduler"), **UNCLIPPED}),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipe.set_progress_bar_config(disable=True)
    pipe.scheduler = cls.from_config(pipe.scheduler.config, **extra)
    prompt, negative = ids_of(seed), ids_of(seed + 1)
    with torch.no_grad():
        embeds = [pipe.text_encoder(input_ids=ids)[0] for ids in (prompt, negative)]

    def over(image, seed):
        return pipe(
            image=image,
            strength=strength,
            prompt_embeds=embeds[0],
            negative_prompt_embeds=embeds[1],
            num_inference_steps=steps,
            guidance_scale=guidance,
            generator=torch.Generator("cpu").manual_seed(seed),
            eta=ETA.get(name, 0.0),
        ).images[0]

    (width, height) = size
    first = Image.open(HERE / "img2img" / f"start-{start[0]}x{start[1]}.png").convert("RGB")
    large = pipe.image_processor.resize(first, height, width)
    if tile is None:
        result = over(large, seed)
    else:
        overlap = FACTOR * max(1, round(tile / 8 / FACTOR))
        side = tile - 2 * overlap
        total = numpy.zeros((height, width, 3))
        weights = numpy.zeros((height, width, 1))
        tiles = [(x, y) for y in spans(height, side, overlap) for x in spans(width, side, overlap)]
        for number, ((left, right), (top, bottom)) in enumerate(tiles):
            own = seed + number if seed <= 2**53 - 1 - number else number
            drawn = numpy.asarray(over(large.crop((left, top, right, bottom)), own), dtype=numpy.float64)
            weight = numpy.outer(ramp(top, bottom, height, overlap), ramp(left, right, width, overlap))[..., None]
            total[top:bottom, left:right] += weight * drawn
            weights[top:bottom, left:right] += weight
        result = Image.fromarray(numpy.round(total / weights).astype(numpy.uint8))
    case = f"sd1-{name}-{width}x{height}-{tile or 'whole'}"
    result.save(OUT / f"{case}.png", optimize=True)
    return {
        "id": case,
        "checkpoint": "sd1",
        "scheduler": name,
        "steps": steps,
        "strength": strength,
        "guidance": guidance,
        "seed": seed,
        "start": f"start-{start[0]}x{start[1]}.png",
        "size": {"width": width, "height": height},
        "tile": tile,
        "changes": UNCLIPPED,
        "prompt": prompt[0].tolist(),
        "negative": negative[0].tolist(),
    }


if __name__ == "__main__":
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir()
    cases = [draw(*case) for case in CASES]
    text = json.dumps(cases, separators=(",", ":")).replace('{"id"', '\n{"id"')
    (OUT / "cases.json").write_text(text + "\n")
