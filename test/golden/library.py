"""Small files of the kinds that other programs keep in their folders, as torch.save and safetensors write them.

Run: python test/golden/library.py    (torch 2.15, safetensors 0.8; no random numbers)
"""

import collections
import pathlib

import torch
from safetensors.torch import save_file

OUT = pathlib.Path(__file__).parent / "library"
OUT.mkdir(exist_ok=True)


def rows(count, width):
    return torch.arange(count * width, dtype=torch.float16).remainder(7).reshape(count, width)


# A1111's embedding: the vectors lie in a dictionary of a dictionary.
torch.save(
    {
        "string_to_token": {"*": 265},
        "string_to_param": {"*": rows(3, 768)},
        "name": "nested",
        "step": 100,
        "sd_checkpoint": None,
        "sd_checkpoint_name": None,
    },
    OUT / "nested.pt",
)
# diffusers' embedding: the token is the name.
torch.save({"<token>": rows(1, 768)[0]}, OUT / "token.bin")
save_file({"emb_params": rows(2, 1024)}, OUT / "second.safetensors")
save_file({"clip_l": rows(2, 768), "clip_g": rows(2, 1280)}, OUT / "xl.safetensors")

# Real-ESRGAN's upscaler: its weights lie in one dictionary.
body = collections.OrderedDict()
body["conv_first.weight"] = torch.zeros(4, 3, 3, 3)
body["body.0.rdb1.conv1.weight"] = torch.zeros(2, 4, 3, 3)
torch.save({"params_ema": body}, OUT / "upscaler.pth")
