"""Writes schedulers-traces.json: paths of diffusers' schedulers, step by step, under a small analytic model.

Made with diffusers 0.42.1 and torch 2.15.0 (CPU). Run: python test/golden/schedulers-traces.py
"""

import json
import warnings
from pathlib import Path

import diffusers
import torch
from diffusers import (
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    EulerAncestralDiscreteScheduler,
    EulerDiscreteScheduler,
    LCMScheduler,
    PNDMScheduler,
    TCDScheduler,
)

warnings.filterwarnings("ignore")
diffusers.logging.set_verbosity_error()
torch.set_num_threads(2)

# scheduler_config.json of Stable Diffusion 1.5
SD15 = {
    "_class_name": "PNDMScheduler",
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "beta_start": 0.00085,
    "clip_sample": False,
    "num_train_timesteps": 1000,
    "set_alpha_to_one": False,
    "skip_prk_steps": True,
    "steps_offset": 1,
    "trained_betas": None,
}
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
SHAPE = (1, 4, 2, 5)  # 40 values: noise is drawn in blocks of 16 with a rest
SEED = 20


def model(x, t):
    """tanh(x) t / (t + 1) + cos(i) / 10 in float64 for element i, rounded to float32."""
    wave = torch.cos(torch.arange(x.numel(), dtype=torch.float64)).reshape(x.shape) / 10
    t = float(t)
    return (torch.tanh(x.double()) * (t / (t + 1)) + wave).float()


def trace(name, changes, steps, keep_steps=True):
    cls, extra = CLASSES[name]
    config = {**SD15, **changes}
    scheduler = cls.from_config(config, **extra)
    scheduler.set_timesteps(steps)
    if hasattr(scheduler, "set_begin_index"):
        # Rounded Karras timesteps may repeat; diffusers would then start at the second one.
        scheduler.set_begin_index(0)
    generator = torch.Generator("cpu").manual_seed(SEED)
    sigma = float(scheduler.init_noise_sigma)
    x = torch.randn(SHAPE, generator=generator) * scheduler.init_noise_sigma
    path = []
    takes_generator = name in ("euler", "euler-ancestral", "dpm++2m", "dpm++2m-karras", "lcm", "tcd")
    for t in scheduler.timesteps:
        output = model(scheduler.scale_model_input(x, t), t)
        x = scheduler.step(output, t, x, **({"generator": generator} if takes_generator else {})).prev_sample
        path.append([x.flatten()[0].item(), x.flatten()[-1].item(), x.double().abs().sum().item()])
    assert torch.isfinite(x).all(), (name, changes, steps)
    return {
        "scheduler": name,
        "changes": changes,
        "steps": steps,
        "timesteps": [float(t) for t in scheduler.timesteps] if keep_steps else None,
        "initNoiseSigma": sigma,
        "path": path if keep_steps else None,
        "final": x.flatten().tolist(),
    }


cases = []
for name in CLASSES:
    if name == "ddim-trailing":
        cases += [trace(name, {}, steps) for steps in (1, 2, 4, 8, 30)]
        continue
    for steps in (1, 2, 3, 4, 10, 20, 50):
        cases.append(trace(name, {}, steps))
    if name not in ("lcm", "tcd"):
        cases.append(trace(name, {}, 300, keep_steps=False))
    cases.append(trace(name, {"prediction_type": "v_prediction"}, 10))
    for spacing in ("linspace", "leading", "trailing"):
        for steps in (7, 13):
            cases.append(trace(name, {"timestep_spacing": spacing}, steps))
    cases.append(trace(name, {"beta_schedule": "linear", "beta_start": 0.0001, "beta_end": 0.02}, 8))
    cases.append(trace(name, {"beta_schedule": "squaredcos_cap_v2"}, 8))
    cases.append(trace(name, {"num_train_timesteps": 400, "set_alpha_to_one": True, "clip_sample": True}, 6))
zero_snr = {"rescale_betas_zero_snr": True, "prediction_type": "v_prediction", "timestep_spacing": "trailing"}
for name in ("ddim", "euler", "euler-ancestral", "dpm++2m", "lcm", "tcd"):
    cases.append(trace(name, zero_snr, 9))
for steps in (4, 5, 10, 25):
    cases.append(trace("pndm", {"skip_prk_steps": False}, steps))
    cases.append(trace("pndm", {"skip_prk_steps": False, "prediction_type": "v_prediction"}, steps))
cases.append(trace("euler", {"use_karras_sigmas": True}, 12))
cases.append(trace("euler", {"use_karras_sigmas": True, "sigma_min": 0.1, "sigma_max": 10.0}, 12))
cases.append(trace("euler", {"final_sigmas_type": "sigma_min"}, 12))
for changes in (
    {"solver_type": "heun"},
    {"solver_order": 1},
    {"lower_order_final": False, "final_sigmas_type": "sigma_min"},
    {"final_sigmas_type": "sigma_min"},
    {"lambda_min_clipped": -2.0},
):
    for steps in (9, 16):
        cases.append(trace("dpm++2m", changes, steps))
cases.append(trace("ddim", {"trained_betas": [0.001 * (i + 1) for i in range(50)], "num_train_timesteps": 50}, 10))

record = {
    "origin": {
        "script": "test/golden/schedulers-traces.py",
        "diffusers": diffusers.__version__,
        "torch": torch.__version__,
        "path": "first value, last value and sum of absolute values after each step",
    },
    "config": SD15,
    "shape": SHAPE,
    "seed": SEED,
    "cases": cases,
}


def shorten(value):
    if isinstance(value, float):
        return float(f"{value:.8g}")
    if isinstance(value, (list, tuple)):
        return [shorten(v) for v in value]
    return {k: shorten(v) for k, v in value.items()} if isinstance(value, dict) else value


text = json.dumps(shorten(record), separators=(",", ":")).replace('{"scheduler"', '\n{"scheduler"')
Path(__file__).with_suffix(".json").write_text(text + "\n")
