"""Writes test/golden/miniature/: what diffusers draws with checkpoints/miniature/stable-diffusion in float32.

Run it again after the miniature was trained on. Made with torch 2.13.0 (CPU), diffusers 0.42.1, transformers 5.18.0; the
seeds are below.
Run: python test/golden/miniature_pictures.py
"""

import json
from pathlib import Path

import torch
from diffusers import DPMSolverMultistepScheduler, EulerDiscreteScheduler, StableDiffusionPipeline

HERE = Path(__file__).parent
OUT = HERE / "miniature"
CASES = [
    {"prompt": "a cat face", "seed": 7, "steps": 20, "guidance": 2.0, "scheduler": "pndm"},
    {"prompt": "a cat face, highly detailed, soft lighting, 3d render", "seed": 7, "steps": 20, "guidance": 2.0, "scheduler": "dpm++2m-karras"},
    {"prompt": "a slice of pizza, octane render, sharp focus", "seed": 5000000000, "steps": 20, "guidance": 2.0, "scheduler": "euler"},
    {"prompt": "a red apple", "seed": 3, "steps": 20, "guidance": 2.0, "scheduler": "pndm"},
]


def main() -> None:
    pipeline = StableDiffusionPipeline.from_pretrained(
        HERE.parent.parent / "checkpoints/miniature/stable-diffusion", variant="fp16", dtype=torch.float32, safety_checker=None
    )
    pipeline.set_progress_bar_config(disable=True)
    config = pipeline.scheduler.config
    schedulers = {
        "pndm": pipeline.scheduler,
        "dpm++2m-karras": DPMSolverMultistepScheduler.from_config(config, use_karras_sigmas=True),
        "euler": EulerDiscreteScheduler.from_config(config),
    }
    OUT.mkdir(exist_ok=True)
    for number, case in enumerate(CASES):
        pipeline.scheduler = schedulers[case["scheduler"]]
        image = pipeline(
            case["prompt"],
            generator=torch.Generator("cpu").manual_seed(case["seed"]),
            num_inference_steps=case["steps"],
            guidance_scale=case["guidance"],
            width=64,
            height=64,
        ).images[0]
        image.save(OUT / f"picture-{number}.png")
    (OUT / "cases.json").write_text(json.dumps(CASES, indent=2) + "\n")


if __name__ == "__main__":
    main()
