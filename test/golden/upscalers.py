"""Small upscalers of ESRGAN's family as they are published, and what spandrel makes of a picture with them.

Made with torch 2.15.0 (CPU), spandrel 0.4.2, safetensors 0.8.0; seeds are the cases' numbers:
    python test/golden/upscalers.py
Writes test/golden/upscalers/<id>.pth or .safetensors, and cases.safetensors: a picture (`picture`, bytes), each
upscaler's result under its id (0 to 1 and beyond), and that of the picture's upper left part, of ODD pixels, as bytes
under `<id>-odd`.
"""

import functools
import importlib
import pathlib
import re
import shutil

import torch
from safetensors.torch import save_file
from spandrel import ModelLoader
from spandrel.architectures.Compact import Compact
from spandrel.architectures.ESRGAN import ESRGAN

torch.set_num_threads(2)

OUT = pathlib.Path(__file__).parent / "upscalers"
WIDTH, HEIGHT = 12, 8
ODD = (11, 7)

# spandrel builds 32 growth channels only, which make large files. Everything else of its blocks stays.
block = importlib.import_module("spandrel.architectures.__arch_helpers.block")
block.RRDB = functools.partial(lambda published, *args, gc, **rest: published(*args, gc=2, **rest), block.RRDB)


def weights_of(seed, model):
    """Large enough that each block shows in the result, and that few values are beyond 0 and 1."""
    torch.manual_seed(seed)
    weights = {name: torch.randn_like(it) / max(1, it[0].numel()) ** 0.5 for name, it in model.state_dict().items()}
    *_, weight, bias = weights
    return {**weights, weight: weights[weight] / 4, bias: weights[bias] / 8 + 0.5}


def renamed(weights, rules):
    """The first rule that fits a name gives its new one."""
    result = {}
    for name, value in weights.items():
        new = next((re.sub(f"^{old}$", new, name) for old, new in rules if re.fullmatch(old, name)), None)
        assert new is not None, name
        result[new] = value
    return result


def rules_of(blocks, first, body, trunk, up, hr, last):
    """From ESRGAN's first names to those of its later code, for a scale of 4."""
    ends = [(0, first), (3, up + "1"), (6, up + "2"), (8, hr), (10, last)]
    return [(rf"model\.{i}\.(\w+)", rf"{name}.\1") for i, name in ends] + [
        (rf"model\.1\.sub\.{blocks}\.(\w+)", rf"{trunk}.\1"),
        (r"model\.1\.sub\.(\d+)\.RDB(\d)\.conv(\d)\.0\.(\w+)", body),
    ]


BSRGAN = ("conv_first", r"RRDB_trunk.\1.RDB\2.conv\3.\4", "trunk_conv", "upconv", "HRconv", "conv_last")
REAL = ("conv_first", r"body.\1.rdb\2.conv\3.\4", "conv_body", "conv_up", "conv_hr", "conv_last")


def esrgan(seed, scale=4, blocks=1, filters=4, channels=3, names=None):
    model = ESRGAN(in_nc=channels, out_nc=3, num_filters=filters, num_blocks=blocks, scale=scale)
    weights = weights_of(seed, model)
    return weights if names is None else renamed(weights, rules_of(blocks, *names))


def compact(seed, scale, convs):
    return weights_of(seed, Compact(num_in_ch=3, num_out_ch=3, num_feat=4, num_conv=convs, upscale=scale))


CASES = {
    # As ESRGAN and most models of its time: the format before PyTorch 1.6.
    "old-x4": ("legacy", esrgan(1, blocks=2)),
    "old-x2": ("zip", esrgan(2, scale=2)),
    "old-x1": ("zip", esrgan(3, scale=1)),
    "bsrgan-x4": ("zip", esrgan(4, names=BSRGAN)),
    # Its averaged weights are the ones to use.
    "real-x4": ("zip", {"params": esrgan(5, names=REAL), "params_ema": esrgan(6, names=REAL)}),
    "real-x2": ("zip", {"params_ema": esrgan(7, channels=12, names=REAL)}),
    "real-x1": ("zip", {"params": esrgan(8, channels=48, names=REAL)}),
    "repackaged-x4": ("safetensors", esrgan(9, filters=6, names=REAL)),
    "half-x4": ("zip", {name: value.half() for name, value in esrgan(10, names=REAL).items()}),
    "compact-x4": ("zip", {"params": compact(11, 4, 3)}),
    "compact-x2": ("safetensors", compact(12, 2, 2)),
}


if __name__ == "__main__":
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir()
    torch.manual_seed(0)
    picture = torch.randint(0, 256, (1, 3, HEIGHT, WIDTH), dtype=torch.uint8)
    image = picture / 255
    results = {"picture": picture}
    for name, (form, weights) in CASES.items():
        path = OUT / f"{name}.{'safetensors' if form == 'safetensors' else 'pth'}"
        if form == "safetensors":
            save_file(weights, path)
        else:
            torch.save(weights, path, _use_new_zipfile_serialization=form == "zip")
        model = ModelLoader().load_from_file(path).model.float()
        with torch.no_grad():
            results[name] = model(image).contiguous()
            odd = model(image[:, :, : ODD[1], : ODD[0]].contiguous())
        results[f"{name}-odd"] = (odd.clamp(0, 1) * 255).round().to(torch.uint8).contiguous()
        print(name, type(model).__name__, tuple(results[name].shape), "std", float(results[name].std()))
    save_file(results, OUT / "cases.safetensors")
