"""Small LoRA files in the styles that are shared, and what diffusers computes with them merged.

Made with torch 2.13.0 (CPU), diffusers 0.42.1, transformers 5.18.0, peft 0.21.2, safetensors; seed 5:
    python test/golden/lora.py
Reads test/golden/sd-small/sd1 and writes test/golden/lora/: peft.safetensors (save_lora_weights, with alpha in the
metadata), kohya.safetensors (linear and convolution modules, alpha as tensors), diffusers.safetensors and attn.safetensors
(keys of older versions), and expected.safetensors with inputs and outputs.
"""

import json
import pathlib

import torch
from diffusers import AutoencoderKL, PNDMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from diffusers.training_utils import _collate_lora_metadata
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from safetensors.torch import save_file
from transformers import CLIPTextModel

HERE = pathlib.Path(__file__).parent
BASE = HERE / "sd-small" / "sd1"
OUT = HERE / "lora"
OUT.mkdir(exist_ok=True)
for old in OUT.iterdir():
    old.unlink()
torch.manual_seed(5)
torch.set_num_threads(1)


def pipeline():
    return StableDiffusionPipeline(
        vae=AutoencoderKL.from_pretrained(BASE / "vae"),
        text_encoder=CLIPTextModel.from_pretrained(BASE / "text_encoder"),
        tokenizer=None,
        unet=UNet2DConditionModel.from_pretrained(BASE / "unet"),
        scheduler=PNDMScheduler.from_pretrained(BASE / "scheduler"),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def text_modules(model):
    return {("text_model." + name).replace("text_model.text_model.", "text_model."): module for name, module in model.named_modules()}


def halves(module, rank):
    """down and up as kohya's networks shape them, of the size of the module's own weights."""
    w = module.weight
    if w.ndim == 4:
        down = torch.randn(rank, w.shape[1], *w.shape[2:])
        up = torch.randn(w.shape[0], rank, 1, 1)
    else:
        down, up = torch.randn(rank, w.shape[1]), torch.randn(w.shape[0], rank)
    return down * (w.std() / down[0].numel() ** 0.25), up * (1 / rank**0.5)


base = pipeline()
unet = {name: module for name, module in base.unet.named_modules() if hasattr(module, "weight")}
text = {name: module for name, module in text_modules(base.text_encoder).items() if hasattr(module, "weight")}
ATTENTION = ("to_q", "to_k", "to_v", "to_out.0")
attentions = [name for name in unet if ".attn" in name and name.endswith(ATTENTION)]

# kohya: everything that its networks (LoRA and, for convolutions, LoCon) train.
state = {}
targets = [n for n in unet if n.endswith((*ATTENTION, "proj_in", "proj_out", "ff.net.0.proj", "ff.net.2", "conv1", "conv2", "time_emb_proj", "conv_shortcut", "samplers.0.conv"))]
for prefix, modules, names in (
    ("lora_unet_", unet, targets[::3]),
    ("lora_te_", text, [n for n in text if n.endswith(("q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2"))]),
):
    for i, name in enumerate(names):
        key = prefix + name.replace(".", "_")
        down, up = halves(modules[name], rank=2 + i % 2)
        state |= {f"{key}.lora_down.weight": down, f"{key}.lora_up.weight": up, f"{key}.alpha": torch.tensor(1.5)}
save_file({key: tensor.half().contiguous() for key, tensor in state.items()}, OUT / "kohya.safetensors")

# diffusers' own keys before PEFT.
state = {}
for name in attentions[::2]:
    down, up = halves(unet[name], rank=2)
    state |= {f"unet.{name}.lora.down.weight": down, f"unet.{name}.lora.up.weight": up}
for name in (n for n in text if n.endswith(("q_proj", "out_proj"))):
    down, up = halves(text[name], rank=2)
    state |= {f"text_encoder.{name}.lora_linear_layer.down.weight": down, f"text_encoder.{name}.lora_linear_layer.up.weight": up}
save_file({key: tensor.contiguous() for key, tensor in state.items()}, OUT / "diffusers.safetensors")

# The oldest: attention processors.
state = {}
for name in attentions[1::2]:
    down, up = halves(unet[name], rank=3)
    where, _, what = name.partition(".to_")
    what = what.removesuffix(".0")
    state |= {f"unet.{where}.processor.to_{what}_lora.down.weight": down, f"unet.{where}.processor.to_{what}_lora.up.weight": up}
save_file({key: tensor.contiguous() for key, tensor in state.items()}, OUT / "attn.safetensors")

# PEFT, as save_lora_weights writes it.
pipe = pipeline()
pipe.unet.add_adapter(LoraConfig(r=2, lora_alpha=5, init_lora_weights=False, target_modules=["to_q", "to_k", "to_v", "to_out.0", "conv1", "proj_in"]))
pipe.text_encoder.add_adapter(LoraConfig(r=3, lora_alpha=2, init_lora_weights=False, target_modules=["q_proj", "v_proj", "fc1"]))
StableDiffusionPipeline.save_lora_weights(
    OUT,
    unet_lora_layers=get_peft_model_state_dict(pipe.unet),
    text_encoder_lora_layers=get_peft_model_state_dict(pipe.text_encoder),
    weight_name="peft.safetensors",
    **_collate_lora_metadata({"unet": pipe.unet, "text_encoder": pipe.text_encoder}),
)

# The folder that the base model was read from is nobody's business, and would differ on each machine.
content = (OUT / "peft.safetensors").read_bytes()
length = int.from_bytes(content[:8], "little")
header = json.loads(content[8 : 8 + length])
for name, value in header["__metadata__"].items():
    if value.startswith("{"):
        facts = {key: None if key.endswith("name_or_path") else fact for key, fact in json.loads(value).items()}
        header["__metadata__"][name] = json.dumps(facts, indent=2, sort_keys=True)
text = json.dumps(header).encode()
text += b" " * (-len(text) % 8)
(OUT / "peft.safetensors").write_bytes(len(text).to_bytes(8, "little") + text + content[8 + length :])

ids = torch.randint(0, base.text_encoder.config.vocab_size, (1, 77))
latents = torch.randn(1, 4, 16, 16)
expected = {"ids": ids.int(), "latents": latents}
CASES = {
    "kohya": {"kohya": 0.8},
    "peft": {"peft": 1.0},
    "diffusers": {"diffusers": 0.6},
    "attn": {"attn": -0.5},
    "two": {"kohya": 0.7, "peft": 0.4},
}
with torch.no_grad():
    plain = base.text_encoder(ids).last_hidden_state
    expected["plain.noise"] = base.unet(latents, 500, plain).sample
    expected["plain.states"] = plain
    for case, files in CASES.items():
        pipe = pipeline()
        # One after the other: a second adapter beside a first one gives the first one's text halves new start values.
        for name, weight in files.items():
            pipe.load_lora_weights(OUT, weight_name=f"{name}.safetensors", adapter_name=name)
            pipe.fuse_lora(lora_scale=weight)
            pipe.unload_lora_weights()
        states = pipe.text_encoder(ids).last_hidden_state
        expected[f"{case}.states"] = states
        expected[f"{case}.noise"] = pipe.unet(latents, 500, plain).sample
        print(case, (states - plain).abs().max().item(), (expected[f"{case}.noise"] - expected["plain.noise"]).abs().max().item())
save_file({key: tensor.contiguous() for key, tensor in expected.items()}, OUT / "expected.safetensors")
print({path.name: path.stat().st_size for path in OUT.iterdir()})
