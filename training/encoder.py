"""Stage 3b, a minute: the VAE's encoder, for pictures to go on from. Nothing is trained by steps: the latents are
linear in squares of 8 x 8 pixels (latents.py), so the layers before the last are set to keep as much of a square as they
have channels for, and the last one is fitted to the latents by least squares.

python training/encoder.py SCRATCH checkpoints/miniature
"""

import argparse
from pathlib import Path

import torch
from diffusers import AutoencoderKL
from safetensors.torch import load_file
from torch.nn.functional import pad, unfold

from common import load_pictures, setup
from export import write_weights

NAME = "diffusion_pytorch_model.fp16.safetensors"
CHANNELS = 12
#: The last normalization must keep the size of what it gets: channels of one value, K and -K, far larger than the rest.
K, MARKS = 12.0, 2
#: SiLU is nearly a straight line there.
SHIFT, SLOPE = 6.0, 0.5
#: Of the variance of what the encoder gives, as a logarithm: next to none.
LOG_VARIANCE = -20.0
#: Pictures that are fitted, each also at other places, mirrored and of other brightness.
FITTED, SHIFTS = 800, 6


def linear(weight):
    """A matrix [out, in] as a convolution of one pixel."""
    return weight[:, :, None, None]


def blocks(features):
    """Four neighbours as the channels of one: [N, C, H, W] -> [N, 4 C, H / 2, W / 2], in the order of unfold."""
    n, c, height, width = features.shape
    return unfold(features, 2, stride=2).reshape(n, 4 * c, height // 2, width // 2)


def principal(features, kept):
    """The first directions [kept, C] of features [N, C, H, W] around 0, all alike in size."""
    values = features.permute(0, 2, 3, 1).reshape(-1, features.shape[1])
    scales, basis = torch.linalg.eigh(values.T @ values / len(values))
    order = scales.argsort(descending=True)[:kept]
    return basis.T[order]


@torch.no_grad()
def set_blocks(vae, pictures):
    """Each downsampler takes squares of four, as directions that say most; what comes between passes them on."""
    encoder = vae.encoder
    for module in encoder.modules():
        if type(module).__name__ == "ResnetBlock2D":
            module.conv2.weight.zero_(), module.conv2.bias.zero_()
            if module.conv_shortcut is not None:
                shape = module.conv_shortcut.weight.shape
                module.conv_shortcut.weight.copy_(linear(torch.eye(*shape[:2]))), module.conv_shortcut.bias.zero_()
        if type(module).__name__ == "Attention":
            module.to_out[0].weight.zero_(), module.to_out[0].bias.zero_()
    encoder.conv_in.weight.zero_(), encoder.conv_in.bias.zero_()
    for channel in range(3):
        encoder.conv_in.weight[channel, channel, 1, 1] = 1
    features, width = pictures, 3
    for block in encoder.down_blocks:
        if block.downsamplers is None:
            continue
        conv = block.downsamplers[0].conv
        fours = blocks(features)
        kept = min(len(conv.weight), 4 * width)
        basis = principal(fours, kept)
        conv.weight.zero_(), conv.bias.zero_()
        conv.weight[:kept, :width, :2, :2] = basis.reshape(kept, width, 2, 2)
        features = torch.einsum("kc,nchw->nkhw", basis, fours)
        width = kept
    set_norm(encoder, features, width)


def set_norm(encoder, features, width):
    """The last block spreads the features over the groups, beside the channels of one value."""
    shortcut = encoder.down_blocks[-1].resnets[0].conv_shortcut
    groups = encoder.conv_norm_out.num_groups
    size = len(shortcut.weight) // groups
    room = groups * (size - 2 * MARKS)
    assert width <= room, (width, room)
    spread = features.std()
    shortcut.weight.zero_(), shortcut.bias.zero_()
    for feature in range(width):
        group, place = feature % groups, feature // groups
        shortcut.weight[group * size + 2 * MARKS + place, feature] = 1 / spread
    for group in range(groups):
        shortcut.bias[group * size : group * size + MARKS] = K
        shortcut.bias[group * size + MARKS : group * size + 2 * MARKS] = -K
    encoder.conv_norm_out.weight.fill_(SLOPE), encoder.conv_norm_out.bias.fill_(SHIFT)


def varied(pictures, latents_of):
    """Pictures as they are and moved, mirrored, darker and lighter, with their latents."""
    all_pictures = [pictures]
    for _ in range(SHIFTS):
        top, left = torch.randint(0, 8, (2,)).tolist()
        moved = pad(pictures, (left, 8 - left, top, 8 - top), mode="replicate")[:, :, 4:68, 4:68]
        moved = moved if torch.rand(()) < 0.5 else moved.flip(3)
        scale, shift = 0.7 + 0.3 * torch.rand(len(pictures), 3, 1, 1), 0.3 * torch.rand(len(pictures), 3, 1, 1)
        all_pictures.append((moved * scale + shift - 0.15).clamp(-1, 1))
    pictures = torch.cat(all_pictures)
    return pictures, latents_of(pictures)


@torch.no_grad()
def fit(vae, pictures, latents):
    """The last convolution, one pixel wide, by least squares with a little decay."""
    encoder = vae.encoder
    seen = {}
    hook = encoder.conv_act.register_forward_hook(lambda _m, _i, output: seen.update(features=output))
    parts = []
    for part in pictures.split(64):
        encoder(part)
        parts.append(seen["features"])
    hook.remove()
    features = torch.cat(parts).permute(0, 2, 3, 1).reshape(-1, encoder.conv_out.in_channels).double()
    targets = latents.permute(0, 2, 3, 1).reshape(-1, CHANNELS).double()
    mean, middle = features.mean(0), targets.mean(0)
    centred = features - mean
    gram = centred.T @ centred / len(centred)
    right = centred.T @ (targets - middle) / len(centred)
    weights = torch.linalg.solve(gram + 1e-6 * gram.diagonal().mean() * torch.eye(len(gram)).double(), right)
    encoder.conv_out.weight.zero_(), encoder.conv_out.bias.zero_()
    encoder.conv_out.weight[:CHANNELS, :, 1, 1] = weights.T.float()
    encoder.conv_out.bias[:CHANNELS] = (middle - mean @ weights).float()
    encoder.conv_out.bias[CHANNELS:] = LOG_VARIANCE
    vae.quant_conv.weight.copy_(linear(torch.eye(2 * CHANNELS))), vae.quant_conv.bias.zero_()


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("scratch", type=Path)
    args.add_argument("checkpoint", type=Path)
    args = args.parse_args()
    setup(45)
    folder = args.checkpoint / "stable-diffusion/vae"
    vae = AutoencoderKL(**AutoencoderKL.load_config(folder))
    vae.load_state_dict({name: tensor.float() for name, tensor in load_file(folder / NAME).items()})
    vae.eval()
    pictures, _ = load_pictures(args.scratch / "data")
    latents = torch.load(args.scratch / "latents/latents.pt")[0]
    some = torch.randperm(len(pictures))[:FITTED]
    pictures, latents = pictures[some], latents[some]
    squares = lambda images: torch.nn.functional.unfold(images, 8, stride=8)  # [N, 192, 64]
    flat = squares(pictures).permute(0, 2, 1).reshape(-1, 192)
    targets = latents.permute(0, 2, 3, 1).reshape(-1, CHANNELS)
    ones = torch.cat([flat, torch.ones(len(flat), 1)], 1).double()
    # The latents are this map of squares; it is found again, so that moved pictures have theirs.
    basis = torch.linalg.lstsq(ones, targets.double(), driver="gelsd").solution.float()

    def latents_of(images):
        values = torch.cat([squares(images).permute(0, 2, 1), torch.ones(len(images), 64, 1)], 2) @ basis
        return values.permute(0, 2, 1).reshape(len(images), CHANNELS, 8, 8)

    print(f"latents found again: largest difference {(latents_of(pictures) - latents).abs().max():.4f}")
    more, wanted = varied(pictures, latents_of)
    set_blocks(vae, more)
    fit(vae, more, wanted)
    write_weights(folder / NAME, vae.state_dict())
    rounded = {name: tensor.half().float() for name, tensor in vae.state_dict().items()}
    vae.load_state_dict(rounded)
    with torch.no_grad():
        given = vae.encode(pictures).latent_dist.mean
        drawn = vae.decode(given).sample.clamp(-1, 1)
        best = vae.decode(latents).sample.clamp(-1, 1)
    error = (given - latents).pow(2).mean() / latents.var()
    print(f"error of the latents {error:.4f} of their variance")
    print(f"mean difference of decoded pictures: {(drawn - pictures).abs().mean() / 2:.4f}, of the latents' own {(best - pictures).abs().mean() / 2:.4f}")


if __name__ == "__main__":
    main()
