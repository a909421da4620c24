"""Pictures that diffusers draws with a LoRA in the form of latent-consistency/lcm-lora-sdv1-5 and few steps.

Made with torch 2.15.0 (CPU), diffusers 0.42.1, transformers 5.24.0, peft 0.21.2, safetensors, Pillow; seed 8:
    python test/golden/lcm_lora.py
Reads test/golden/sd-small/sd1 and writes test/golden/lcm-lora/: lora.safetensors, which has random weights under the
published file's names (`lora_unet_*` with alpha, for every module that latent consistency distillation trains,
convolutions among them), a picture for each case, and cases.json. Prompts are rows of token ids.
"""

import json
import pathlib
import shutil

import torch
from diffusers import AutoencoderKL, DDIMScheduler, LCMScheduler, StableDiffusionPipeline, TCDScheduler, UNet2DConditionModel
from safetensors.torch import save_file
from transformers import CLIPTextModel

from pipeline import ids_of

HERE = pathlib.Path(__file__).parent
BASE = HERE / "sd-small" / "sd1"
OUT = HERE / "lcm-lora"
SEED = 8
RANK = 2
ALPHA = 1.5

# diffusers, examples/consistency_distillation: what its LoRA script trains.
TARGETS = (
    *("to_q", "to_k", "to_v", "to_out.0", "proj_in", "proj_out", "ff.net.0.proj", "ff.net.2"),
    *("conv1", "conv2", "conv_shortcut", "downsamplers.0.conv", "upsamplers.0.conv", "time_emb_proj"),
)
# scheduler, class, what from_config is given, eta, steps, guidance, LoRA's weight, size
CASES = [
    ("lcm", LCMScheduler, {}, 0.0, 4, 1.0, 1.0, (64, 64)),
    ("lcm", LCMScheduler, {}, 0.0, 8, 1.5, 0.8, (64, 128)),
    ("ddim-trailing", DDIMScheduler, {"timestep_spacing": "trailing"}, 0.0, 8, 1.0, 1.0, (64, 64)),
    ("tcd", TCDScheduler, {}, 0.3, 4, 1.0, 1.0, (64, 64)),
]


def pipeline():
    pipe = StableDiffusionPipeline(
        vae=AutoencoderKL.from_pretrained(BASE / "vae"),
        text_encoder=CLIPTextModel.from_pretrained(BASE / "text_encoder"),
        tokenizer=None,
        unet=UNet2DConditionModel.from_pretrained(BASE / "unet"),
        scheduler=LCMScheduler.from_pretrained(BASE / "scheduler", clip_sample=False),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipe.set_progress_bar_config(disable=True)
    return pipe


def lora(unet):
    state = {}
    for name, module in unet.named_modules():
        if not name.endswith(TARGETS) or not hasattr(module, "weight"):
            continue
        w = module.weight
        key = "lora_unet_" + name.replace(".", "_")
        kernel = w.shape[2:]
        down = torch.randn(RANK, w.shape[1], *kernel) * w[0].numel() ** -0.5
        up = torch.randn(w.shape[0], RANK, *(1 for _ in kernel)) * 0.3
        state |= {f"{key}.alpha": torch.tensor(ALPHA), f"{key}.lora_down.weight": down, f"{key}.lora_up.weight": up}
    return {name: tensor.half().contiguous() for name, tensor in state.items()}


def draw(scheduler, cls, extra, eta, steps, guidance, weight, size, seed):
    pipe = pipeline()
    pipe.load_lora_weights(OUT, weight_name="lora.safetensors")
    pipe.fuse_lora(lora_scale=weight)
    pipe.scheduler = cls.from_config(pipe.scheduler.config, **extra)
    prompt, negative = ids_of(seed), ids_of(seed + 1)
    with torch.no_grad():
        embeds = [pipe.text_encoder(input_ids=ids)[0] for ids in (prompt, negative)]
    image = pipe(
        prompt_embeds=embeds[0],
        negative_prompt_embeds=embeds[1],
        num_inference_steps=steps,
        guidance_scale=guidance,
        eta=eta,
        generator=torch.Generator("cpu").manual_seed(seed),
        width=size[0],
        height=size[1],
    ).images[0]
    case = f"{scheduler}-{steps}-{guidance}-{weight}"
    image.save(OUT / f"{case}.png", optimize=True)
    return {
        "id": case,
        "scheduler": scheduler,
        "steps": steps,
        "guidance": guidance,
        "weight": weight,
        "seed": seed,
        "size": {"width": size[0], "height": size[1]},
        "changes": {"clip_sample": False},
        "prompt": prompt[0].tolist(),
        "negative": negative[0].tolist(),
    }


if __name__ == "__main__":
    torch.set_num_threads(2)
    torch.manual_seed(SEED)
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir()
    state = lora(pipeline().unet)
    print(len(state) // 3, "modules")
    save_file(state, OUT / "lora.safetensors")
    cases = [draw(*case, seed=30 + i) for i, case in enumerate(CASES)]
    text = json.dumps(cases, separators=(",", ":")).replace('{"id"', '\n{"id"')
    (OUT / "cases.json").write_text(text + "\n")
