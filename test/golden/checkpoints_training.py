"""Writes test/golden/checkpoints-training/: small files as training programs write them with torch.save, with objects of
their own beside the tensors, in the format before PyTorch 1.6 and in 8-bit floats, and expected.json with the values
that PyTorch reads from each. In refused/: files in which a tensor depends on such an object.

Made with torch 2.15.0, numpy, safetensors; seed 0.
Run: python test/golden/checkpoints_training.py
"""

import argparse
import collections
import enum
import functools
import json
import pathlib
import random
import shutil
import sys
import types

import numpy as np
import torch
from safetensors.torch import save_file

OUT = pathlib.Path(__file__).parent / "checkpoints-training"
shutil.rmtree(OUT, ignore_errors=True)
(OUT / "refused").mkdir(parents=True)
torch.manual_seed(0)
random.seed(0)


def published(module, *classes):
    """Makes a class known under the name of a program that need not be installed."""
    parts = module.split(".")
    for i in range(len(parts)):
        sys.modules.setdefault(".".join(parts[: i + 1]), types.ModuleType(".".join(parts[: i + 1])))
    for one in classes:
        one.__module__, one.__qualname__ = module, one.__name__
        setattr(sys.modules[module], one.__name__, one)


class ModelCheckpoint:
    def __init__(self):
        self.best_model_score = torch.tensor(0.5)


class Mode(enum.Enum):
    MIN = "min"


class Settings(dict):
    pass


class Steps(list):
    pass


class Config:
    def __reduce__(self):
        return (Config, (), {"lr": 1e-4}, iter([1, 2]), iter([("a", 1)]))


class Wrapped:
    """Stands where a tensor stands, and can be made by its program only."""

    def __init__(self, tensor):
        self.tensor = tensor

    def __reduce__(self):
        return (Wrapped, (self.tensor,))


class Container(collections.UserDict):
    pass


class Tagged(torch.Tensor):
    pass


published("pytorch_lightning.callbacks.model_checkpoint", ModelCheckpoint, Mode)
published("trainer.settings", Settings, Steps, Config, Wrapped, Container, Tagged)

base = torch.randn(3, 4)
weights = {"w": base, "t": base.t(), "half": base.half()[1:], "scalar": torch.tensor(2.5)}
expected = {}


def expect(name, tensors):
    expected[name] = {
        key: {
            "type": str(tensor.dtype).removeprefix("torch."),
            "shape": list(tensor.shape),
            "values": tensor.detach().double().flatten().tolist(),
            "sum": tensor.detach().double().sum().item(),
        }
        for key, tensor in tensors.items()
    }


def save(name, content, **how):
    torch.save(content, OUT / name, **how)
    expect(name, weights)


beside = {
    "lightning": {"callbacks": {ModelCheckpoint: {"monitor": "val/loss"}}, "checkpoint": ModelCheckpoint(), "mode": Mode.MIN},
    "numpy": {"global_step": np.int64(1000), "loss": np.float32(0.1), "history": np.arange(3), "state": np.random.RandomState(0).get_state()},
    "torch-types": {"dtype": torch.float16, "device": torch.device("cuda:0"), "layout": torch.strided, "generator": torch.get_rng_state()},
    "containers": {
        "state": collections.defaultdict(list),
        "count": collections.Counter("aab"),
        "queue": collections.deque([1, 2], maxlen=4),
        "set": {1, 2},
        "frozen": frozenset({3}),
        "bytes": bytearray(b"abc"),
        "large": bytes(300),
        "complex": 1j,
        "range": range(3),
        "slice": slice(1, 2),
        "integer": 2**200,
        "ellipsis": ...,
    },
    "objects": {
        "args": argparse.Namespace(lr=1e-4, out=pathlib.PurePosixPath("/out")),
        "partial": functools.partial(max, 1),
        "random": random.getstate(),
        "settings": Settings(a=1),
        "steps": Steps([1, 2]),
        "config": Config(),
        "ema": Wrapped(base),
        "namespace": types.SimpleNamespace(a=1),
    },
}
for name, objects in beside.items():
    for protocol in (2, 4):
        save(f"{name}-{protocol}.ckpt", {"epoch": 1, "state_dict": weights, **objects}, pickle_protocol=protocol)
save("beside-the-tensors.bin", {**weights, "args": argparse.Namespace(lr=1e-4), "step": np.int64(3)})
save("defaultdict.ckpt", {"state_dict": collections.defaultdict(list, weights)})

for name, content in {
    "legacy.ckpt": {"state_dict": weights, "epoch": 1},
    "legacy-objects.ckpt": {"state_dict": weights, "checkpoint": ModelCheckpoint(), "step": np.int64(3)},
    "legacy.bin": weights,
}.items():
    save(name, content, _use_new_zipfile_serialization=False)

every = torch.arange(256, dtype=torch.uint8)
eight = {"e4m3": every.clone().view(torch.float8_e4m3fn).reshape(16, 16), "e5m2": every.clone().view(torch.float8_e5m2).reshape(16, 16)}
# NaN and infinity have no place in JSON; they are looked at by the test itself.
finite = {key: tensor[torch.isfinite(tensor.float())] for key, tensor in ((k, t.float()) for k, t in eight.items())}
torch.save({key: tensor.t() for key, tensor in eight.items()}, OUT / "float8.bin")
save_file(eight, OUT / "float8.safetensors")
for name, turned in (("float8.safetensors", False), ("float8.bin", True)):
    expected[name] = {
        key: {
            "type": str(tensor.dtype).removeprefix("torch."),
            "shape": [16, 16],
            "values": [None if not torch.isfinite(x) else x.item() for x in (tensor.float().t() if turned else tensor.float()).flatten()],
            "sum": finite[key].double().sum().item(),
        }
        for key, tensor in eight.items()
    }

for name, content in {
    "wrapped.ckpt": {"state_dict": {**weights, "w2": Wrapped(base)}},
    "whole-container.ckpt": {"state_dict": Container(weights)},
    "subclass.bin": {**weights, "w2": base.clone().as_subclass(Tagged)},
    "module.bin": torch.nn.Linear(2, 2),
}.items():
    torch.save(content, OUT / "refused" / name)
(OUT / "expected.json").write_text(json.dumps(expected) + "\n")
