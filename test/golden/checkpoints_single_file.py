"""Writes test/golden/checkpoints-single-file/: a small Stable Diffusion checkpoint in one file with the names of the
original latent-diffusion code, as .safetensors and .ckpt, and expected.json: the tensors by diffusers' names, as
diffusers' own converters give them. Beside the file lie diffusers' configurations, which from_single_file takes with
config=, and picture.png, which the pipeline that it made draws with the small tokenizer
in checkpoints-single-file-tokenizer/.

Made with torch 2.13.0, diffusers 0.42.1, transformers 5.18.0; seed 0.
Run: python test/golden/checkpoints_single_file.py
"""

import json
import shutil
from pathlib import Path

import torch
from diffusers import AutoencoderKL, PNDMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from diffusers.loaders import single_file_utils
from ldm_names import unet_key, vae_key
from safetensors.torch import save_file
from sd_small import redraw
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

torch.manual_seed(0)
torch.set_num_threads(1)
OUT = Path(__file__).parent / "checkpoints-single-file"
shutil.rmtree(OUT, ignore_errors=True)
OUT.mkdir()

LAYERS = 2
unet = UNet2DConditionModel(
    block_out_channels=[4, 8, 8], norm_num_groups=2, layers_per_block=LAYERS, cross_attention_dim=8, attention_head_dim=2, sample_size=8,
    down_block_types=["CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"],
    up_block_types=["UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"],
)
vae = AutoencoderKL(
    block_out_channels=[4, 4, 8], norm_num_groups=2, layers_per_block=1, latent_channels=4,
    down_block_types=["DownEncoderBlock2D"] * 3, up_block_types=["UpDecoderBlock2D"] * 3,
)
clip = CLIPTextModel(CLIPTextConfig(
    vocab_size=1414, hidden_size=8, intermediate_size=16, num_hidden_layers=2, num_attention_heads=2, max_position_embeddings=77,
    bos_token_id=1412, eos_token_id=1413,
))

for i, model in enumerate((unet, vae, clip)):
    redraw(model.eval(), seed=100 + i)

state = {}
for key, tensor in unet.state_dict().items():
    state["model.diffusion_model." + unet_key(key, LAYERS)] = tensor
for key, tensor in vae.state_dict().items():
    if ".attentions." in key and tensor.ndim == 2:
        tensor = tensor[:, :, None, None]
    state["first_stage_model." + vae_key(key, len(vae.config.block_out_channels))] = tensor
for key, tensor in clip.state_dict().items():
    state["cond_stage_model.transformer." + ("" if key.startswith("text_model.") else "text_model.") + key] = tensor
state["cond_stage_model.transformer.text_model.embeddings.position_ids"] = torch.arange(77)[None]
state = {key: tensor.half() if tensor.is_floating_point() else tensor for key, tensor in state.items()}

# The names above are right if diffusers' converters make diffusers' models of them, tensor for tensor.
converted = {
    "unet": single_file_utils.convert_ldm_unet_checkpoint(dict(state), unet.config),
    "vae": single_file_utils.convert_ldm_vae_checkpoint(dict(state), vae.config),
}
for name, model in (("unet", unet), ("vae", vae)):
    assert set(converted[name]) == set(model.state_dict()), name
    for key, tensor in model.state_dict().items():
        assert torch.equal(converted[name][key].reshape(tensor.shape).float(), tensor.half().float()), key
text = single_file_utils.convert_ldm_clip_checkpoint(dict(state))
converted["textEncoder"] = {key: tensor for key, tensor in text.items() if "position_ids" not in key}

state["model_ema.decay"] = torch.tensor(0.9999)
state["betas"] = torch.linspace(0.00085**0.5, 0.012**0.5, 8) ** 2
save_file({key: tensor.contiguous() for key, tensor in state.items()}, OUT / "model.safetensors")
torch.save({"state_dict": state, "global_step": 470000, "epoch": 0}, OUT / "model.ckpt")
expected = {
    part: {
        (key if part != "textEncoder" or key.startswith("text_model.") else "text_model." + key): {
            "type": "float16",
            "shape": list(tensor.squeeze(-1).squeeze(-1).shape if part == "vae" and ".to_" in key and tensor.ndim == 4 else tensor.shape),
            "values": tensor.double().flatten().tolist()[:2],
            "sum": tensor.double().sum().item(),
        }
        for key, tensor in tensors.items()
    }
    for part, tensors in converted.items()
}
(OUT / "expected.json").write_text(json.dumps(expected) + "\n")

for folder, model in (("unet", unet), ("vae", vae), ("text_encoder", clip)):
    (OUT / folder).mkdir()
    model.config.save_pretrained(OUT / folder) if folder == "text_encoder" else model.save_config(OUT / folder)
PNDMScheduler(
    beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", skip_prk_steps=True, steps_offset=1
).save_pretrained(OUT / "scheduler")
index = {
    "_class_name": "StableDiffusionPipeline",
    "scheduler": ["diffusers", "PNDMScheduler"],
    "text_encoder": ["transformers", "CLIPTextModel"],
    "tokenizer": ["transformers", "CLIPTokenizer"],
    "unet": ["diffusers", "UNet2DConditionModel"],
    "vae": ["diffusers", "AutoencoderKL"],
    "safety_checker": [None, None],
    "feature_extractor": [None, None],
}
(OUT / "model_index.json").write_text(json.dumps(index, indent=2) + "\n")
tokenizer = CLIPTokenizer.from_pretrained(OUT.with_name(OUT.name + "-tokenizer"))
pipe = StableDiffusionPipeline.from_single_file(
    str(OUT / "model.safetensors"), config=str(OUT), tokenizer=tokenizer, safety_checker=None, local_files_only=True, torch_dtype=torch.float32
)
picture = pipe(
    "A cat in the rain", num_inference_steps=6, guidance_scale=5.0, generator=torch.Generator("cpu").manual_seed(3)
).images[0]
picture.save(OUT / "picture.png")
print(picture.size, picture.getextrema())
print(sum(path.stat().st_size for path in OUT.rglob("*") if path.is_file()), "bytes", {part: len(tensors) for part, tensors in converted.items()})
