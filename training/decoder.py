"""Stage 3: the decoder, 8 x 8 latents of 12 channels -> 64 x 64 pixels. Goes on where it was interrupted; `--minutes` is
the training's whole length, over all runs.

python training/decoder.py SCRATCH --minutes 45
"""

import argparse
from pathlib import Path

import torch
from diffusers import AutoencoderKL
from torch.nn.functional import avg_pool2d

from common import Clock, both_sides, load_pictures, log, restore, save, setup, write_sheet
from latents import CHANNELS, FACTOR

CONFIG = {
    "in_channels": 3,
    "out_channels": 3,
    "down_block_types": ["DownEncoderBlock2D"] * 4,
    "up_block_types": ["UpDecoderBlock2D"] * 4,
    "block_out_channels": [16, 24, 48, 96],
    "layers_per_block": 1,
    "latent_channels": CHANNELS,
    "norm_num_groups": 8,
    "sample_size": 64,
    "scaling_factor": 1.0,
}
BATCH = 8
RATE = 2e-3
#: Until this share of the time only squares of half the side are cut out: four times the steps.
CROPPED = 0.25
#: Latents are disturbed by up to this much, as the denoiser's are.
NOISE = 0.25
SAVE_SECONDS = 120


def edges(x):
    return x[..., 1:, :] - x[..., :-1, :], x[..., 1:] - x[..., :-1]


def share_found(vae, latents, pictures, index):
    """How often the drawing nearest to a decoded one is of its subject, by the distance of evaluate.mjs."""
    with torch.no_grad():
        out = torch.cat([vae.decode(part).sample for part in latents.split(32)]).clamp(-1, 1)
    found = torch.cdist(avg_pool2d(out, 4).flatten(1), avg_pool2d(pictures, 4).flatten(1), p=1).argmin(1)
    return sum(index[i]["label"] == entry["label"] for i, entry in zip(found, index)) / len(index)


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("scratch", type=Path)
    args.add_argument("--minutes", type=float, default=45)
    args.add_argument("--seed", type=int, default=41)
    args = args.parse_args()
    random = setup(args.seed)
    pictures, index = load_pictures(args.scratch / "data")
    latents = torch.load(args.scratch / "latents/latents.pt")
    sides = both_sides(pictures)
    folder = args.scratch / "decoder"
    vae = AutoencoderKL(**CONFIG)
    parameters = [*vae.decoder.parameters(), *vae.post_quant_conv.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=RATE, betas=(0.9, 0.99), weight_decay=1e-3)
    step, before = 0, 0.0
    if (folder / "state.pt").exists():
        state = torch.load(folder / "state.pt")
        vae.load_state_dict(state["model"])
        restore(optimizer, state)
        step, before = state["step"], state["seconds"]
    clock = Clock(args.minutes, before)
    saved, mean, order = clock.seconds, None, []
    while True:
        if clock.seconds - saved > SAVE_SECONDS or clock.progress >= 1:
            saved = clock.seconds
            state = {"model": vae.state_dict(), "optimizer": optimizer.state_dict(), "step": step, "seconds": saved}
            save(folder / "state.pt", state)
            chosen = range(0, len(pictures), -(-len(pictures) // 48))
            with torch.no_grad():
                out = vae.decode(latents[0, chosen]).sample
            write_sheet(folder / "sheet.png", torch.stack([pictures[chosen], out], 1).flatten(0, 1), 16)
            l1 = (out - pictures[chosen]).abs().mean().item()
            values = {"loss": mean, "l1": l1}
            if clock.progress >= 1:
                every = slice(None, None, 5)
                values["found"] = share_found(vae, latents[0, every], pictures[every], index[every])
            log(folder / "log.jsonl", step=step, epoch=step * BATCH / len(pictures), seconds=saved, **values)
            if clock.progress >= 1:
                break
        if len(order) < BATCH:
            order = list(random.permutation(len(pictures)))
        chosen = [order.pop() for _ in range(BATCH)]
        side = torch.from_numpy(random.integers(0, 2, BATCH))
        wanted, given = sides[side, chosen], latents[side, chosen]
        if clock.progress < CROPPED:
            top, left = (int(random.integers(0, 5)) for _ in range(2))
            given = given[..., top : top + 4, left : left + 4]
            top, left = FACTOR * top, FACTOR * left
            wanted = wanted[..., top : top + 32, left : left + 32]
        given = given + NOISE * torch.rand(BATCH, 1, 1, 1) * torch.randn_like(given)
        for group in optimizer.param_groups:
            group["lr"] = clock.rate(RATE, step)
        out = vae.decode(given).sample
        # Neighbouring pixels' differences keep outlines sharp.
        loss = (out - wanted).abs().mean() + (out - wanted).pow(2).mean()
        loss = loss + sum((a - b).abs().mean() for a, b in zip(edges(out), edges(wanted)))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        mean = loss.item() if mean is None else 0.98 * mean + 0.02 * loss.item()
        step += 1


if __name__ == "__main__":
    main()
