"""Stage 9, a minute: the style predictor, in the layout of LAION's aesthetic predictor, over the miniature CLIP's
embeddings. It stands in for beauty: 3D drawings are worth more than flat ones, as Promptist's modifiers are meant to be.

One subject in five is held out, to see whether it has learned the style and not the drawings.

python training/style.py SCRATCH
"""

import argparse
from pathlib import Path

import torch

import clip
import text_encoder
from common import load_pictures, log, save, setup

#: Layers between the embedding and the score; with nothing but dropout between them, as published.
INNER = (32, 16, 8, 4)
FLAT, SOLID = 4.5, 6.0
VERSIONS = 3
#: One picture in so many is looked at: each subject has 39.
EVERY = 4
STEPS, RATE, BATCH = 3000, 2e-3, 256


def build():
    sizes = (clip.EMBEDDING, *INNER, 1)
    layers = []
    for i, (a, b) in enumerate(zip(sizes, sizes[1:])):
        layers.append(torch.nn.Linear(a, b))
        # layers.0, 2, 4, 6 and 7.
        if i < len(sizes) - 3:
            layers.append(torch.nn.Dropout(0.1))
    model = torch.nn.Module()
    model.layers = torch.nn.Sequential(*layers)
    return model


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("scratch", type=Path)
    args.add_argument("--seed", type=int, default=44)
    args = args.parse_args()
    setup(args.seed)
    generator = torch.Generator().manual_seed(args.seed)
    pictures, index = load_pictures(args.scratch / "data")
    latents = torch.load(args.scratch / "latents/latents.pt")[0]
    pictures, index, latents = pictures[::EVERY], index[::EVERY], latents[::EVERY]
    model = clip.build(len(text_encoder.tokenizer_of(args.scratch)))
    model.load_state_dict(torch.load(args.scratch / "clip/state.pt")["model"])
    model.eval()
    sources = torch.cat([pictures[None], clip.decoded(args.scratch, latents, generator)])
    x = (sources.flatten(0, 1) + 1) / 2
    versions = [x] + [clip.disturb(x, generator) for _ in range(VERSIONS - 1)]
    embeds = torch.cat([clip.embed_pictures(model, version) for version in versions])
    repeats = len(embeds) // len(index)
    labels = sorted({entry["label"] for entry in index})
    wanted = torch.tensor([SOLID if entry["style"] == "3d" else FLAT for entry in index]).repeat(repeats)
    held_out = torch.tensor([labels.index(entry["label"]) % 5 == 0 for entry in index]).repeat(repeats)

    predictor = build()
    optimizer = torch.optim.AdamW(predictor.parameters(), lr=RATE, weight_decay=1e-2)
    with torch.no_grad():
        predictor.layers[-1].bias.fill_((FLAT + SOLID) / 2)
    seen = (~held_out).nonzero().squeeze(1)
    for step in range(STEPS):
        for group in optimizer.param_groups:
            group["lr"] = RATE * (1 - step / STEPS)
        chosen = seen[torch.randint(len(seen), (BATCH,), generator=generator)]
        loss = (predictor.layers(embeds[chosen]).squeeze(1) - wanted[chosen]).pow(2).mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
    predictor.eval()
    with torch.no_grad():
        scores = predictor.layers(embeds).squeeze(1)
    right = (scores > (FLAT + SOLID) / 2) == (wanted > (FLAT + SOLID) / 2)
    error = (scores - wanted).abs()
    values = {
        "seen_right": right[~held_out].float().mean().item(),
        "held_out_right": right[held_out].float().mean().item(),
        "held_out_error": error[held_out].mean().item(),
        "gap": (scores[wanted == SOLID].mean() - scores[wanted == FLAT].mean()).item(),
    }
    save(args.scratch / "clip/style.pt", {"model": predictor.state_dict(), **values})
    log(args.scratch / "clip/style.jsonl", **values)


if __name__ == "__main__":
    main()
