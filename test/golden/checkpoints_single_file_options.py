"""Writes test/golden/checkpoints-single-file-options/: what diffusers draws with the single file of
checkpoints-single-file/ under other schedulers, as a v-prediction model, with CLIP skip, and with another VAE, which
lies there as vae.pt under the names of the original code; cases.json says which picture is which.

Made with torch 2.15.0, diffusers 0.42.1, transformers 5.24.0; seed 0.
Run: python test/golden/checkpoints_single_file_options.py
"""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import torch
from diffusers import (
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    EulerAncestralDiscreteScheduler,
    EulerDiscreteScheduler,
    PNDMScheduler,
    StableDiffusionPipeline,
)
from safetensors.torch import load_file
from transformers import CLIPTokenizer

GOLDEN = Path(__file__).parent
OUT = GOLDEN / "checkpoints-single-file-options"
SOURCE = GOLDEN / "checkpoints-single-file"
shutil.rmtree(OUT, ignore_errors=True)
OUT.mkdir()
torch.set_num_threads(1)

# As published by stable-diffusion-v1-5/stable-diffusion-v1-5.
PUBLISHED = {
    "_class_name": "PNDMScheduler", "_diffusers_version": "0.6.0", "beta_end": 0.012, "beta_schedule": "scaled_linear",
    "beta_start": 0.00085, "clip_sample": False, "num_train_timesteps": 1000, "set_alpha_to_one": False,
    "skip_prk_steps": True, "steps_offset": 1, "trained_betas": None,
}  # fmt: skip
CLASSES = {
    "pndm": PNDMScheduler,
    "ddim": DDIMScheduler,
    "euler": EulerDiscreteScheduler,
    "euler-ancestral": EulerAncestralDiscreteScheduler,
    "dpm++2m": DPMSolverMultistepScheduler,
}
tokenizer = CLIPTokenizer.from_pretrained(SOURCE.with_name(SOURCE.name + "-tokenizer"))
pipe = StableDiffusionPipeline.from_single_file(
    str(SOURCE / "model.safetensors"), config=str(SOURCE), tokenizer=tokenizer, safety_checker=None, local_files_only=True,
    torch_dtype=torch.float32,
)  # fmt: skip
pipe.set_progress_bar_config(disable=True)
# transformers 5 has no inner text_model any more, where this diffusers still looks for the last norm.
if not hasattr(pipe.text_encoder, "text_model"):
    object.__setattr__(pipe.text_encoder, "text_model", SimpleNamespace(final_layer_norm=pipe.text_encoder.final_layer_norm))
PROMPT, STEPS, GUIDANCE, SEED = "A cat in the rain", 6, 5.0, 3
cases = []


def draw(name, scheduler="pndm", prediction="epsilon", zero_snr=False, clip_skip=None, vae=False):
    published = PNDMScheduler.from_config({**PUBLISHED, "prediction_type": prediction})
    pipe.scheduler = CLASSES[scheduler].from_config({**published.config, **({"rescale_betas_zero_snr": True} if zero_snr else {})})
    picture = pipe(
        PROMPT, num_inference_steps=STEPS, guidance_scale=GUIDANCE, clip_skip=clip_skip,
        generator=torch.Generator("cpu").manual_seed(SEED),
    ).images[0]  # fmt: skip
    picture.save(OUT / f"{name}.png")
    cases.append(
        {"id": name, "scheduler": scheduler, "prediction": prediction, "zeroSnr": zero_snr, "clipSkip": clip_skip or 0, "vae": vae}
    )
    return torch.frombuffer(bytearray(picture.tobytes()), dtype=torch.uint8).float()


pictures = {name: draw(name, scheduler=name) for name in CLASSES}
pictures["v"] = draw("v", prediction="v_prediction")
pictures["v-zero-snr"] = draw("v-zero-snr", scheduler="euler", prediction="v_prediction", zero_snr=True)
pictures["clip-skip"] = draw("clip-skip", clip_skip=1)

# Another VAE: the file's own under its own names, with larger weights.
single = load_file(SOURCE / "model.safetensors")
prefix = "first_stage_model."
other = {key: tensor * 1.3 if tensor.ndim > 1 else tensor for key, tensor in single.items() if key.startswith(prefix)}
torch.save({"state_dict": {key.removeprefix(prefix): tensor for key, tensor in other.items()}}, OUT / "vae.pt")
with torch.no_grad():
    for parameter in pipe.vae.parameters():
        if parameter.ndim > 1:
            parameter.mul_(1.3)
            parameter.copy_(parameter.half().float())
pictures["vae"] = draw("vae", vae=True)

names = list(pictures)
for i, one in enumerate(names):
    for two in names[:i]:
        far = (pictures[one] - pictures[two]).abs().max().item()
        print(one, two, far)
        assert far > 8, "a test could not tell them apart"
(OUT / "cases.json").write_text(json.dumps(cases, indent=1) + "\n")
