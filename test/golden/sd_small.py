"""Small random Stable Diffusion checkpoints and what diffusers computes with them.

Made with torch 2.13.0 (CPU), diffusers 0.42.1, transformers 5.18.0, safetensors, numpy:
    python test/golden/sd_small.py [names]
Writes test/golden/sd-small/<name>/ in diffusers' layout (no tokenizer), with expected.safetensors beside it.
Weights are drawn anew, so that each layer keeps its input's size; torch's own start values would let outputs vanish.
"""

import json
import pathlib
import shutil
import sys

import torch
from diffusers import AutoencoderKL, PNDMScheduler, UNet2DConditionModel
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel

CASES = {
    # As Stable Diffusion 1.5 in small: four levels, convolutions around the transformers, heads by one number.
    "sd1": {
        "seed": 11,
        "text": dict(hidden_size=24, intermediate_size=48, num_hidden_layers=2, num_attention_heads=3, hidden_act="quick_gelu"),
        "unet": dict(
            block_out_channels=(8, 8, 12, 16),
            down_block_types=("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",),
            up_block_types=("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3,
            layers_per_block=2,
            attention_head_dim=2,
            norm_num_groups=4,
            sample_size=16,
        ),
        "vae": dict(block_out_channels=(4, 8, 8, 8), layers_per_block=2, norm_num_groups=4, sample_size=128),
        "latents": (2, 4, 16, 24),
        "timesteps": (981.0, 1.0),
        "decode": (1, 4, 8, 8),
    },
    # As Stable Diffusion 2: linear projections, heads by level, another activation; the other order of cos and sin.
    "sd2": {
        "seed": 12,
        "text": dict(hidden_size=32, intermediate_size=64, num_hidden_layers=3, num_attention_heads=2, hidden_act="gelu"),
        "unet": dict(
            block_out_channels=(8, 12, 16),
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
            layers_per_block=1,
            attention_head_dim=[2, 3, 4],
            norm_num_groups=4,
            sample_size=8,
            use_linear_projection=True,
            upcast_attention=True,
            flip_sin_to_cos=False,
            freq_shift=1,
        ),
        "vae": dict(block_out_channels=(8, 12), layers_per_block=1, norm_num_groups=4, sample_size=16),
        "latents": (2, 4, 8, 8),
        "timesteps": (500.0, 333.25),
        "decode": (1, 4, 12, 8),
    },
    # Transformers at the ends and not in the middle, heads that grow, three resnets a block; a VAE of three levels
    # without attention and without its first convolution; another end token.
    "mixed": {
        "seed": 14,
        "text": dict(hidden_size=20, intermediate_size=56, num_hidden_layers=2, num_attention_heads=5, hidden_act="gelu",
                     layer_norm_eps=1e-3, eos_token_id=2),
        "unet": dict(
            block_out_channels=(6, 18, 12),
            down_block_types=("CrossAttnDownBlock2D", "DownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D", "CrossAttnUpBlock2D"),
            layers_per_block=3,
            attention_head_dim=[1, 2, 6],
            norm_num_groups=3,
            norm_eps=1e-4,
            sample_size=8,
        ),
        "vae": dict(block_out_channels=(6, 9, 12), layers_per_block=3, norm_num_groups=3, sample_size=32,
                    mid_block_add_attention=False, use_post_quant_conv=False, use_quant_conv=False, scaling_factor=0.25),
        "latents": (2, 4, 8, 12),
        "timesteps": (749.0, 42.5),
        "decode": (1, 4, 6, 10),
    },
    # One level and one head; two transformer layers; scaling as in other families.
    "flat": {
        "seed": 13,
        "text": dict(hidden_size=16, intermediate_size=40, num_hidden_layers=1, num_attention_heads=1, hidden_act="quick_gelu"),
        "unet": dict(
            block_out_channels=(16,),
            down_block_types=("CrossAttnDownBlock2D",),
            up_block_types=("CrossAttnUpBlock2D",),
            layers_per_block=1,
            attention_head_dim=1,
            norm_num_groups=8,
            transformer_layers_per_block=2,
            sample_size=7,
        ),
        "vae": dict(block_out_channels=(8,), layers_per_block=1, norm_num_groups=4, sample_size=7, scaling_factor=0.5),
        "latents": (1, 4, 7, 5),
        "timesteps": (12.0,),
        "decode": (1, 4, 7, 5),
    },
    # Sizes that no level halves evenly, down to 2 x 2 at the last: 104 x 72 pixels for Stable Diffusion 1.5.
    "odd": {
        "seed": 15,
        "text": dict(hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2, hidden_act="quick_gelu"),
        "unet": dict(
            block_out_channels=(8, 8, 12, 16),
            down_block_types=("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",),
            up_block_types=("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3,
            layers_per_block=1,
            attention_head_dim=2,
            norm_num_groups=4,
            sample_size=16,
        ),
        "vae": dict(block_out_channels=(4, 8, 8, 8), layers_per_block=1, norm_num_groups=4, sample_size=128),
        "latents": (2, 4, 9, 13),
        "timesteps": (981.0, 401.0),
        "decode": (1, 4, 9, 13),
    },
}


TOKENS = dict(vocab_size=99, max_position_embeddings=77, bos_token_id=97, eos_token_id=98)


def redraw(model: torch.nn.Module, seed: int) -> None:
    generator = torch.Generator("cpu").manual_seed(seed)
    for name, parameter in sorted(model.named_parameters()):
        noise = torch.randn(parameter.shape, generator=generator)
        with torch.no_grad():
            if parameter.ndim >= 2 and "embedding" in name and "linear" not in name:
                parameter.copy_(noise * 0.7)
            elif parameter.ndim >= 2:
                parameter.copy_(noise * parameter[0].numel() ** -0.5)
            elif name.endswith("bias"):
                parameter.copy_(noise * 0.1)
            else:
                parameter.copy_(1 + noise * 0.2)


def make(name: str, case: dict) -> None:
    folder = pathlib.Path(__file__).parent / "sd-small" / name
    shutil.rmtree(folder, ignore_errors=True)
    width = case["text"]["hidden_size"]
    text_encoder = CLIPTextModel(CLIPTextConfig(**{**TOKENS, **case["text"]}))
    unet = UNet2DConditionModel(cross_attention_dim=width, **case["unet"])
    levels = len(case["vae"]["block_out_channels"])
    vae = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * levels, up_block_types=("UpDecoderBlock2D",) * levels, **case["vae"]
    )
    scheduler = PNDMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", skip_prk_steps=True, steps_offset=1
    )
    parts = {"text_encoder": text_encoder, "unet": unet, "vae": vae}
    for i, (part, model) in enumerate(parts.items()):
        model.eval()
        redraw(model, case["seed"] * 10 + i)
        model.save_pretrained(folder / part)
    scheduler.save_pretrained(folder / "scheduler")
    index = {
        "_class_name": "StableDiffusionPipeline",
        "_diffusers_version": "0.42.1",
        "scheduler": ["diffusers", "PNDMScheduler"],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"],
    }
    (folder / "model_index.json").write_text(json.dumps(index, indent=2) + "\n")

    generator = torch.Generator("cpu").manual_seed(case["seed"])
    rows = case["latents"][0]
    ids = torch.randint(0, 99, (rows, 77), generator=generator)
    ids[:, 0], ids[:, 40:] = 97, 98
    latents = torch.randn(case["latents"], generator=generator)
    decode = torch.randn(case["decode"], generator=generator)
    with torch.no_grad():
        states = text_encoder(input_ids=ids)[0]
        expected = {"ids": ids.to(torch.int32), "states": states, "latents": latents, "decode": decode}
        for timestep in case["timesteps"]:
            expected[f"noise@{timestep}"] = unet(latents, torch.tensor(timestep), encoder_hidden_states=states).sample
        expected["image"] = vae.decode(decode).sample
    for key, value in expected.items():
        print(name, key, tuple(value.shape), f"std {value.float().std():.3f}")
    save_file({key: value.contiguous() for key, value in expected.items()}, folder / "expected.safetensors")


if __name__ == "__main__":
    torch.set_num_threads(2)
    # Named cases only, or all.
    for name in sys.argv[1:] or CASES:
        make(name, CASES[name])
