"""Pictures that diffusers' StableDiffusionPipeline draws with the small random checkpoints of sd_small.py.

Made with torch 2.13.0 (CPU; 2.15.0 for tcd and ddim-trailing), diffusers 0.42.1, transformers 5.18.0, Pillow:
    python test/golden/sd_small.py && python test/golden/pipeline.py
Writes test/golden/pipeline/<id>.png and test/golden/pipeline/cases.json. Prompts are rows of token ids.
"""

import json
import pathlib
import shutil
import warnings

import diffusers
import torch
from diffusers import (
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    EulerAncestralDiscreteScheduler,
    EulerDiscreteScheduler,
    LCMScheduler,
    PNDMScheduler,
    StableDiffusionPipeline,
    TCDScheduler,
)
from transformers import CLIPTextModel

warnings.filterwarnings("ignore")
diffusers.logging.set_verbosity_error()
torch.set_num_threads(2)

HERE = pathlib.Path(__file__).parent
OUT = HERE / "pipeline"
CLASSES = {
    "pndm": (PNDMScheduler, {}),
    "ddim": (DDIMScheduler, {}),
    "ddim-trailing": (DDIMScheduler, {"timestep_spacing": "trailing"}),
    "euler": (EulerDiscreteScheduler, {}),
    "euler-ancestral": (EulerAncestralDiscreteScheduler, {}),
    "dpm++2m": (DPMSolverMultistepScheduler, {}),
    "dpm++2m-karras": (DPMSolverMultistepScheduler, {"use_karras_sigmas": True}),
    "lcm": (LCMScheduler, {}),
    "tcd": (TCDScheduler, {}),
}
# The pipeline gives a scheduler that takes eta 0, which TCD's own default is not.
ETA = {"tcd": 0.3}
NATIVE = {"sd1": 128, "sd2": 16}

# Stable Diffusion 1.5 says so too. Without it DDIM clips, and at full guidance these random weights then answer a
# change of 1e-6 in the noise with 20 of 255 in the picture, in diffusers itself.
UNCLIPPED = {"clip_sample": False}
V = {"prediction_type": "v_prediction"}

# checkpoint, scheduler, steps, guidance, seed, size, changes to scheduler_config.json
CASES = [("sd1", name, 10, 7.5, 42, (64, 64), UNCLIPPED) for name in CLASSES]
CASES += [
    ("sd1", "ddim", 11, 3.0, 43, (64, 64), {}),
    ("sd1", "pndm", 50, 7.5, 0, (64, 64), {}),
    ("sd1", "dpm++2m-karras", 25, 7.5, 2**40 + 3, (64, 64), {}),
    ("sd1", "pndm", 8, 7.5, 1234567890123, None, {}),
    ("sd1", "euler", 8, 1.0, 5, (64, 128), {}),
    ("sd1", "lcm", 4, 3.0, 6, (192, 64), {}),
    ("sd1", "tcd", 4, 1.0, 11, (64, 128), {}),
    ("sd1", "ddim-trailing", 8, 1.0, 12, (64, 64), UNCLIPPED),
    ("sd2", "tcd", 6, 5.0, 13, (24, 16), V),
    ("sd2", "pndm", 20, 7.5, 7, None, {}),
    ("sd2", "euler-ancestral", 20, 5.0, 8, None, {}),
    ("sd2", "ddim", 12, 5.0, 9, (24, 16), {**UNCLIPPED, **V}),
    ("sd2", "euler", 12, 5.0, 9, (24, 16), V),
    ("sd2", "dpm++2m", 12, 5.0, 9, (24, 16), {**V, "timestep_spacing": "trailing"}),
    ("flat", "pndm", 20, 7.5, 9, (16, 8), {}),
    ("flat", "lcm", 4, 1.5, 10, (8, 16), {}),
]


def ids_of(seed):
    ids = torch.randint(0, 97, (1, 77), generator=torch.Generator("cpu").manual_seed(seed))
    ids[:, 0], ids[:, 12 + seed % 20 :] = 97, 98
    return ids


def draw(checkpoint, name, steps, guidance, seed, size, changes):
    folder = HERE / "sd-small" / checkpoint
    pipe = StableDiffusionPipeline(
        vae=diffusers.AutoencoderKL.from_pretrained(folder / "vae"),
        text_encoder=CLIPTextModel.from_pretrained(folder / "text_encoder"),
        tokenizer=None,
        unet=diffusers.UNet2DConditionModel.from_pretrained(folder / "unet"),
        scheduler=PNDMScheduler.from_config({**PNDMScheduler.load_config(folder / "scheduler"), **changes}),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipe.set_progress_bar_config(disable=True)
    cls, extra = CLASSES[name]
    pipe.scheduler = cls.from_config(pipe.scheduler.config, **extra)
    prompt, negative = ids_of(seed), ids_of(seed + 1)
    with torch.no_grad():
        embeds = [pipe.text_encoder(input_ids=ids)[0] for ids in (prompt, negative)]
    width, height = size or (NATIVE[checkpoint],) * 2
    image = pipe(
        prompt_embeds=embeds[0],
        negative_prompt_embeds=embeds[1],
        num_inference_steps=steps,
        guidance_scale=guidance,
        generator=torch.Generator("cpu").manual_seed(seed),
        eta=ETA.get(name, 0.0),
        width=width,
        height=height,
    ).images[0]
    case = f"{checkpoint}-{name}-{steps}-{width}x{height}".replace("++", "pp")
    image.save(OUT / f"{case}.png", optimize=True)
    return {
        "id": case,
        "checkpoint": checkpoint,
        "scheduler": name,
        "steps": steps,
        "guidance": guidance,
        "seed": seed,
        "size": size and {"width": width, "height": height},
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
