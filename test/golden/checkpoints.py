"""Writes test/golden/checkpoints/: small weight files as PyTorch, transformers and diffusers write them, files that a
reader must refuse, and expected.json with the values that PyTorch reads from each.

Made with torch 2.13.0, transformers 5.18.0, diffusers 0.42.1, huggingface_hub, safetensors; seed 0.
Run: python test/golden/checkpoints.py
"""

import io
import json
import os
import pickle
import shutil
import zipfile
from pathlib import Path

import torch
from diffusers import AutoencoderKL
from huggingface_hub import save_torch_state_dict
from safetensors.torch import load_file, save_file
from transformers import CLIPTextConfig, CLIPTextModel, GPT2Config, GPT2LMHeadModel

OUT = Path(__file__).parent / "checkpoints"
shutil.rmtree(OUT, ignore_errors=True)
OUT.mkdir()
torch.manual_seed(0)
torch.set_num_threads(1)
expected = {}


def folder(name):
    (OUT / name).mkdir(parents=True, exist_ok=True)
    return OUT / name


def expect(name, tensors, values=True):
    """Shapes, types, sum and (for the small ones) values of each tensor."""
    expected[name] = {
        key: {
            "type": str(tensor.dtype).removeprefix("torch."),
            "shape": list(tensor.shape),
            "values": tensor.detach().double().flatten().tolist()[: 24 if values else 4],
            "sum": tensor.detach().double().sum().item(),
        }
        for key, tensor in tensors.items()
    }


# --- Every type, and views of storages -------------------------------------------------------------------------
base = torch.randn(3, 4)
shared = torch.randn(2, 3, 4)
views = {
    "plain": base,
    "transposed": base.t(),
    "row": base[1],
    "column": base[:, 2],
    "every-second": base.flatten()[1::2],
    "permuted": shared.permute(2, 0, 1),
    "half-of-shared": shared[1],
    "expanded": torch.tensor([[1.0], [2.0]]).expand(2, 3),
    "scalar": torch.tensor(2.5),
    "empty": torch.zeros(0, 3),
    "one-by-one": torch.randn(4, 1, 1).expand(4, 1, 1),
    "parameter": torch.nn.Parameter(base + 1),
    "special": torch.tensor([float("inf"), float("-inf"), -0.0, 1e-40, 3.4e38]).nan_to_num(posinf=3e38, neginf=-3e38),
    "double": base.double() / 3,
    "half": torch.tensor([0.1, -65504.0, 6e-8, 6.2e-5, 0.0]).half(),
    "half-transposed": base.half().t(),
    "bfloat16": base.bfloat16(),
    "int64": torch.arange(-3, 4),
    "int64-strided": torch.arange(12).reshape(3, 4)[:, ::2],
    "int32": torch.arange(-3, 4, dtype=torch.int32),
    "int16": torch.tensor([-300, 300], dtype=torch.int16),
    "int8": torch.tensor([-128, 127], dtype=torch.int8),
    "uint8": torch.tensor([0, 255], dtype=torch.uint8),
    "uint8-transposed": torch.arange(6, dtype=torch.uint8).reshape(2, 3).t(),
    "bool": torch.tensor([True, False, True]),
}
torch.save(views, OUT / "views.bin")
save_file({key: tensor.detach().contiguous().clone() for key, tensor in views.items()}, OUT / "views.safetensors")
expect("views.bin", views)
expect("views.safetensors", views)
for protocol in (3, 4, 5):
    torch.save({"w": base, "t": base.t()}, OUT / f"protocol{protocol}.bin", pickle_protocol=protocol)
    expect(f"protocol{protocol}.bin", {"w": base, "t": base.t()})
linear = torch.nn.Linear(2, 3)
torch.save({"state_dict": linear.state_dict(), "epoch": 3, "lr": 0.1, "note": "x", "list": [1, None]}, OUT / "training.ckpt")
expect("training.ckpt", linear.state_dict())

# --- GPT-2: both formats, in shards, with and without prefix, with the buffers of old versions ------------------------
gpt2 = GPT2LMHeadModel(GPT2Config(vocab_size=40, n_positions=16, n_embd=8, n_layer=2, n_head=2))
gpt2.save_pretrained(folder("gpt2"))
gpt2.save_pretrained(folder("gpt2-shards"), max_shard_size="4KB")
state = {key: tensor for key, tensor in gpt2.state_dict().items() if key != "lm_head.weight"}
save_torch_state_dict(state, folder("gpt2-bin-shards"), safe_serialization=False, max_shard_size="4KB")
old = dict(gpt2.transformer.state_dict())
for layer in range(2):
    old[f"h.{layer}.attn.bias"] = torch.tril(torch.ones(16, 16, dtype=torch.uint8)).view(1, 1, 16, 16)
    old[f"h.{layer}.attn.masked_bias"] = torch.tensor(-1e4)
torch.save(old, folder("gpt2-bare-bin") / "pytorch_model.bin")
torch.save(gpt2.state_dict(), folder("gpt2-tied-bin") / "pytorch_model.bin")  # lm_head shares wte's storage
(OUT / "gpt2-bare-bin" / "config.json").write_text((OUT / "gpt2" / "config.json").read_text())
expect("gpt2", state, values=False)

# --- VAE: fp16 variant beside the plain files, and the names of SD 1.5's own files -----------------------------------
vae = AutoencoderKL(
    block_out_channels=[8, 8], norm_num_groups=4, layers_per_block=1, latent_channels=4,
    down_block_types=["DownEncoderBlock2D"] * 2, up_block_types=["UpDecoderBlock2D"] * 2,
)
vae = vae.half().float()
vae.save_pretrained(folder("vae"))
vae.half().save_pretrained(folder("vae"), variant="fp16")
vae.float()
OLD = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
old_vae = {}
for key, tensor in vae.state_dict().items():
    for new, name in OLD.items():
        if f"attentions.0.{new}." in key:
            key = key.replace(new, name)
    old_vae[key] = tensor
old_file = folder("vae-old") / "diffusion_pytorch_model.fp16.bin"
torch.save({key: tensor.half() for key, tensor in old_vae.items()}, old_file)
shutil.copy(OUT / "vae/config.json", OUT / "vae-old/config.json")
reference = AutoencoderKL.from_pretrained(OUT / "vae-old", variant="fp16", use_safetensors=False).float().state_dict()
assert all(torch.equal(reference[key], tensor) for key, tensor in vae.state_dict().items())
# Older files still have 1x1 convolutions there, which this diffusers no longer reads; here in the encoder.
for key, tensor in old_vae.items():
    if ".attentions." in key and tensor.ndim == 2 and key.startswith("encoder."):
        old_vae[key] = tensor[:, :, None, None]
torch.save({key: tensor.half() for key, tensor in old_vae.items()}, old_file)
expect("vae", {key: t for key, t in reference.items() if "attentions" in key or "conv_out" in key}, values=False)

# --- CLIP text: with the position_ids of old versions, and without its prefix ----------------------------------------
clip = CLIPTextModel(CLIPTextConfig(
    vocab_size=40, hidden_size=8, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2, max_position_embeddings=7,
))
saved = clip.state_dict()
prefix = "" if any(key.startswith("text_model.") for key in saved) else "text_model."
full = {prefix + key: tensor for key, tensor in saved.items() if "position_ids" not in key}
full["text_model.embeddings.position_ids"] = torch.arange(7).expand((1, -1))
torch.save(full, folder("clip-prefixed") / "pytorch_model.bin")
bare = {key.removeprefix("text_model."): t.contiguous() for key, t in full.items() if "position_ids" not in key}
save_file(bare, folder("clip-bare") / "model.safetensors")
expect("clip", {key: t for key, t in full.items() if "position_ids" not in key}, values=False)

# --- What must be refused ---------------------------------------------------------------------------------------------
refused = folder("refused")


class Calls:
    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


torch.save({"w": base, "x": Calls(os.system, "echo owned")}, refused / "reduce-os-system.bin")
torch.save({"w": base, "x": Calls(eval, "1 + 1")}, refused / "reduce-eval.bin")
torch.save({"w": base, "x": Calls(getattr, base, "shape")}, refused / "reduce-getattr.bin")
torch.save({"w": base, "x": Calls(os.system, "echo owned")}, refused / "reduce-protocol4.bin", pickle_protocol=4)


def archive(name, data, method=zipfile.ZIP_STORED):
    with zipfile.ZipFile(refused / name, "w", method) as z:
        z.writestr("archive/data.pkl", data)
        z.writestr("archive/version", "3\n")


archive("global-eval.bin", b"\x80\x02cbuiltins\neval\n.")
archive("inst.bin", b"\x80\x02(ios\nsystem\n.")
archive("obj.bin", b"\x80\x02(ccollections\nOrderedDict\no.")
archive("newobj.bin", b"\x80\x02ccollections\nOrderedDict\n)\x81.")
archive("newobj-ex.bin", b"\x80\x04ccollections\nOrderedDict\n)}\x92.")
archive("ext1.bin", b"\x80\x02\x82\x01.")
archive("ext4.bin", b"\x80\x02\x84\x01\x00\x00\x00.")
archive("persid-text.bin", b"\x80\x02Pmodule.function\n.")
archive("persid-other.bin", b"\x80\x02X\x06\x00\x00\x00moduleX\x01\x00\x00\x00a\x86Q.")
archive("build-state.bin", b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n}b.")
archive("reduce-tuple.bin", b"\x80\x02))R.")
archive("stack-global.bin", pickle.dumps(os.system, protocol=4))
archive("deflated.bin", b"\x80\x02}." + b" " * 500, zipfile.ZIP_DEFLATED)
torch.save({"w": torch.zeros(2, dtype=torch.complex64)}, refused / "complex.bin")
torch.save({"loss": 3.5}, refused / "no-tensors.bin")
buffer = io.BytesIO()
torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), buffer)
(refused / "torchscript.bin").write_bytes(buffer.getvalue())

# PyTorch's own reading is the reference for what is safe to read.
for path in [OUT / "views.bin", OUT / "training.ckpt", *OUT.glob("*/pytorch_model*.bin")]:
    torch.load(path, weights_only=True)
assert set(load_file(OUT / "views.safetensors")) == set(views)
(OUT / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
print(sum(f.stat().st_size for f in OUT.rglob("*") if f.is_file()), "bytes")
