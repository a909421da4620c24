"""A full-size Stable Diffusion 1.5 with random float32 weights in FOLDER, and what diffusers computes with it.

    python bench/stable_diffusion_reference.py FOLDER [threads, 2]
Needs torch, diffusers, transformers, safetensors, 6 GB of memory and 5 GB of disk. Prints seconds and peak memory.
"""

import json
import pathlib
import resource
import sys
import time

import torch
from diffusers import AutoencoderKL, PNDMScheduler, UNet2DConditionModel
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "test" / "golden"))
from sd_small import redraw  # noqa: E402

torch.set_num_threads(int(sys.argv[2]) if len(sys.argv) > 2 else 2)
folder = pathlib.Path(sys.argv[1])
text = CLIPTextModel(
    CLIPTextConfig(hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12)
).eval()
unet = UNet2DConditionModel(cross_attention_dim=768, attention_head_dim=8, sample_size=64).eval()
vae = AutoencoderKL(
    block_out_channels=(128, 256, 512, 512),
    down_block_types=("DownEncoderBlock2D",) * 4,
    up_block_types=("UpDecoderBlock2D",) * 4,
    layers_per_block=2,
    sample_size=512,
).eval()
for i, (part, model) in enumerate({"text_encoder": text, "unet": unet, "vae": vae}.items()):
    redraw(model, 77 + i)
    model.save_pretrained(folder / part, max_shard_size="20GB")
PNDMScheduler(
    beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", skip_prk_steps=True, steps_offset=1
).save_pretrained(folder / "scheduler")
index = {
    "_class_name": "StableDiffusionPipeline",
    "scheduler": ["diffusers", "PNDMScheduler"],
    "text_encoder": ["transformers", "CLIPTextModel"],
    "unet": ["diffusers", "UNet2DConditionModel"],
    "vae": ["diffusers", "AutoencoderKL"],
}
(folder / "model_index.json").write_text(json.dumps(index, indent=2))

generator = torch.Generator().manual_seed(5)
ids = torch.randint(0, 49408, (2, 77), generator=generator)
latents = torch.randn(2, 4, 64, 64, generator=generator)
decode = torch.randn(1, 4, 64, 64, generator=generator)


def timed(what, compute):
    started, spent = time.perf_counter(), time.process_time()
    result = compute()
    wall, processor = time.perf_counter() - started, time.process_time() - spent
    print(f"{what}: {wall:.1f} s, {processor:.1f} s of processor time", flush=True)
    return result.contiguous()


with torch.no_grad():
    states = timed("text encoder, 2 rows", lambda: text(input_ids=ids)[0])
    for _ in range(3):
        noise = timed("UNet, 2 rows, 64x64", lambda: unet(latents, torch.tensor(981.0), encoder_hidden_states=states).sample)
    image = timed("VAE decoder, 512x512", lambda: vae.decode(decode).sample)
print(f"peak memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")
expected = {"ids": ids.int(), "states": states, "latents": latents, "noise": noise, "decode": decode, "image": image}
save_file(expected, folder / "expected.safetensors")
