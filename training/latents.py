"""Stage 1, seconds: the latents of all drawings: of each square of 8 x 8 pixels its first principal components.

They are fixed before anything is trained, so that decoder and denoiser can be trained at the same time; the encoder
learns to give them afterwards.

python training/latents.py SCRATCH
"""

import argparse
from pathlib import Path

import torch

from common import load_pictures, save, setup

FACTOR, CHANNELS = 8, 12
#: Channels' deviations to this power: 1 as they are, 0 all alike. The first channels (the mean colour) matter most.
SPREAD = 0.5


def squares(pictures):
    """[N, 3, 64, 64] -> [N * 8 * 8, 192]"""
    n, _, height, width = pictures.shape
    parts = pictures.reshape(n, 3, height // FACTOR, FACTOR, width // FACTOR, FACTOR)
    return parts.permute(0, 2, 4, 1, 3, 5).reshape(-1, 3 * FACTOR * FACTOR)


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("scratch", type=Path)
    args = args.parse_args()
    setup(40)
    pictures, _ = load_pictures(args.scratch / "data")
    values = squares(pictures)
    mean = values.mean(0)
    _, deviations, basis = torch.linalg.svd(values - mean, full_matrices=False)
    kept = deviations[:CHANNELS].pow(2).sum() / deviations.pow(2).sum()
    latents = (values - mean) @ basis[:CHANNELS].T  # [N * 64, C]
    latents = latents / latents.std(0) ** (1 - SPREAD)
    latents = latents / latents.std()
    latents = latents.reshape(len(pictures), 8, 8, CHANNELS).permute(0, 3, 1, 2).contiguous()  # [N, C, 8, 8]
    save(args.scratch / "latents/latents.pt", latents)
    deviations = [round(x, 2) for x in latents.std((0, 2, 3)).tolist()]
    print(f"{tuple(latents.shape)}, {kept:.3f} of the variance, channels' deviations {deviations}")


if __name__ == "__main__":
    main()
