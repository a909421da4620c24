"""Writes torch-randn.json: numbers of torch's CPU generator that src/inference/numbers/torch-random.ts must repeat.

Made with torch 2.13.0+cpu. Run: python test/golden/torch-randn.py
"""

import json
from pathlib import Path

import torch

SEEDS = [0, 1, 42, 2**32 - 1, 2**32, 2**32 + 42, 1234567890123, 2**53 - 1]


def draws(seed, sizes):
    generator = torch.Generator("cpu").manual_seed(seed)
    return [torch.randn(size, generator=generator).tolist() for size in sizes]


def long_draw(seed, shape):
    generator = torch.Generator("cpu").manual_seed(seed)
    first = torch.randn(shape, generator=generator).flatten()
    second = torch.randn(shape, generator=generator).flatten()
    return {
        "seed": seed,
        "shape": list(shape),
        "first": first[:8].tolist(),
        "last": first[-20:].tolist(),
        "sum": first.double().sum().item(),
        "absSum": first.double().abs().sum().item(),
        "secondDraw": second[:8].tolist(),
        "every997th": first[::997].tolist(),
    }


sequences = [
    {"seed": seed, "sizes": sizes, "draws": draws(seed, sizes)}
    for seed in SEEDS
    # Odd sizes below 16 leave half a pair for the next small draw, even across a draw in blocks.
    for sizes in ([8], [1, 1, 1], [15, 3], [16], [17], [31], [3, 16, 3], [5, 33, 1, 48, 2], [100, 7, 100])
]
record = {
    "origin": {"script": "test/golden/torch-randn.py", "torch": torch.__version__},
    "sequences": sequences,
    "long": [long_draw(seed, (1, 4, 64, 64)) for seed in SEEDS] + [long_draw(7, (1, 4, 33, 47))],
}
Path(__file__).with_suffix(".json").write_text(json.dumps(record, indent=0) + "\n")
