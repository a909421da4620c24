"""Stage 1, seconds: the latents of all drawings: of each square of 8 x 8 pixels its first principal components.

They are fixed before anything is trained, so that decoder and denoiser can be trained at the same time; the encoder
learns to give them afterwards. Where weights are trained on, their latents are kept: the map is read from the encoder.

python training/latents.py SCRATCH [checkpoints/miniature]
"""

import argparse
from pathlib import Path

import torch
from diffusers import AutoencoderKL

from common import both_sides, load_pictures, save, setup

FACTOR, CHANNELS = 8, 12
#: Channels' deviations to this power: 1 as they are, 0 all alike. The first channels (the mean colour) matter most.
SPREAD = 0.5
#: Pictures from which an encoder's map is read: 64 squares each, for 193 numbers.
READ = 400


def squares(pictures):
    """[N, 3, 64, 64] -> [N * 8 * 8, 192]"""
    n, _, height, width = pictures.shape
    parts = pictures.reshape(n, 3, height // FACTOR, FACTOR, width // FACTOR, FACTOR)
    return parts.permute(0, 2, 4, 1, 3, 5).reshape(-1, 3 * FACTOR * FACTOR)


def principal(values):
    """The map of squares to latents by their principal components: [193, CHANNELS], the last row for a 1."""
    mean = values.mean(0)
    scales, basis = torch.linalg.eigh((values - mean).T @ (values - mean) / len(values))
    order = scales.argsort(descending=True)[:CHANNELS]
    print(f"{scales[order].sum() / scales.sum():.3f} of the variance")
    basis = basis[:, order] / scales[order].sqrt() ** (1 - SPREAD)
    basis = basis / ((values - mean) @ basis).std()
    return torch.cat([basis, -(mean @ basis)[None]])


@torch.no_grad()
def of_encoder(checkpoint, pictures):
    """The same map, as a trained encoder has it; it is linear but for what rounding takes."""
    folder = checkpoint / "stable-diffusion/vae"
    vae = AutoencoderKL.from_pretrained(folder, variant="fp16", torch_dtype=torch.float32).eval()
    some = pictures[torch.randperm(len(pictures))[:READ]]
    wanted = torch.cat([vae.encode(part).latent_dist.mode() for part in some.split(32)])
    wanted = wanted.permute(0, 2, 3, 1).reshape(-1, CHANNELS).double()
    values = with_one(squares(some)).double()
    found = torch.linalg.lstsq(values, wanted, driver="gelsd").solution
    print(f"the encoder's map read with an error of {(values @ found - wanted).pow(2).mean() / wanted.var():.4f}")
    return found.float()


def with_one(values):
    return torch.cat([values, torch.ones(len(values), 1)], 1)


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("scratch", type=Path)
    args.add_argument("checkpoint", type=Path, nargs="?")
    args = args.parse_args()
    setup(40)
    pictures, _ = load_pictures(args.scratch / "data")
    basis = of_encoder(args.checkpoint, pictures) if args.checkpoint else principal(squares(pictures))
    pictures = both_sides(pictures).flatten(0, 1)
    latents = torch.cat([with_one(squares(part)) @ basis for part in pictures.split(256)])
    latents = latents.reshape(2, -1, 8, 8, CHANNELS).permute(0, 1, 4, 2, 3).contiguous()  # [2, N, C, 8, 8]
    save(args.scratch / "latents/latents.pt", latents)
    deviations = [round(x, 2) for x in latents.std((0, 1, 3, 4)).tolist()]
    print(f"{tuple(latents.shape)}, channels' deviations {deviations}")


if __name__ == "__main__":
    main()
