"""Stage 1: the autoencoder, 64 x 64 pixels <-> 8 x 8 latents of 8 channels. Goes on where it was interrupted.

python training/autoencoder.py SCRATCH --minutes 20
"""

import argparse
from pathlib import Path

import torch
from diffusers import AutoencoderKL

from common import Clock, load_pictures, log, save, setup, write_sheet

CONFIG = {
    "in_channels": 3,
    "out_channels": 3,
    "down_block_types": ["DownEncoderBlock2D"] * 4,
    "up_block_types": ["UpDecoderBlock2D"] * 4,
    "block_out_channels": [16, 24, 48, 96],
    "layers_per_block": 1,
    "latent_channels": 8,
    "norm_num_groups": 8,
    "sample_size": 64,
    "scaling_factor": 1.0,
}
BATCH = 8
#: Until this share of the time only squares of half the side are cut out: four times the steps.
CROPPED = 0.6
RATE = 2e-3
KL_WEIGHT = 1e-3
SAVE_SECONDS = 60


def edges(x):
    return x[..., 1:, :] - x[..., :-1, :], x[..., 1:] - x[..., :-1]


def reconstruction_loss(out, x):
    """Absolute difference of pixels and of neighbouring pixels' differences, which keeps outlines sharp."""
    pixels = (out - x).abs().mean()
    return pixels, pixels + sum((a - b).abs().mean() for a, b in zip(edges(out), edges(x)))


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("scratch", type=Path)
    args.add_argument("--minutes", type=float, default=20)
    args.add_argument("--seed", type=int, default=41)
    args = args.parse_args()
    random = setup(args.seed)
    pictures, _ = load_pictures(args.scratch / "data")
    folder = args.scratch / "autoencoder"
    vae = AutoencoderKL(**CONFIG).to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(vae.parameters(), lr=RATE, betas=(0.9, 0.99), weight_decay=1e-3)
    step, before = 0, 0.0
    if (folder / "state.pt").exists():
        state = torch.load(folder / "state.pt")
        vae.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        step, before = state["step"], state["seconds"]
    clock = Clock(args.minutes, before)
    saved, mean, order = clock.seconds, None, []
    while True:
        if clock.seconds - saved > SAVE_SECONDS or clock.progress >= 1:
            saved = clock.seconds
            state = {"model": vae.state_dict(), "optimizer": optimizer.state_dict(), "step": step, "seconds": saved}
            save(folder / "state.pt", state)
            with torch.no_grad():
                some = pictures[::7][:64]
                out = vae.decode(vae.encode(some).latent_dist.mode()).sample
            write_sheet(folder / "sheet.png", torch.stack([some, out], 1).flatten(0, 1), 16)
            log(folder / "log.jsonl", step=step, epoch=step * BATCH / len(pictures), seconds=saved, l1=mean)
            if clock.progress >= 1:
                break
        if len(order) < BATCH:
            order = list(random.permutation(len(pictures)))
        batch = pictures[[order.pop() for _ in range(BATCH)]]
        if clock.progress < CROPPED:
            top, left = (8 * int(random.integers(0, 5)) for _ in range(2))
            batch = batch[..., top : top + 32, left : left + 32]
        batch = batch.contiguous(memory_format=torch.channels_last)
        for group in optimizer.param_groups:
            group["lr"] = clock.rate(RATE, step)
        latents = vae.encode(batch).latent_dist
        pixels, loss = reconstruction_loss(vae.decode(latents.sample()).sample, batch)
        loss = loss + KL_WEIGHT * latents.kl().mean() / latents.mean[0].numel()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(vae.parameters(), 1.0)
        optimizer.step()
        mean = pixels.item() if mean is None else 0.98 * mean + 0.02 * pixels.item()
        step += 1


if __name__ == "__main__":
    main()
