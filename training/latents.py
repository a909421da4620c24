"""Stage 3, seconds: the latents of all drawings by the autoencoder of stage 1, which is not trained from here on (its
decoder is, by stage 4b), and the text encoder's states of all captions.

python training/latents.py SCRATCH
"""

import argparse
import json
from pathlib import Path

import torch
from diffusers import AutoencoderKL

import autoencoder
import text_encoder
from common import load_pictures, save, setup

HELD_OUT_SHOWN = 24


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("scratch", type=Path)
    args = args.parse_args()
    setup(43)
    pictures, index = load_pictures(args.scratch / "data")
    vae = AutoencoderKL(**autoencoder.CONFIG)
    vae.load_state_dict(torch.load(args.scratch / "autoencoder/state.pt")["model"])
    vae.eval()
    tokenizer = text_encoder.tokenizer_of(args.scratch)
    encoder = text_encoder.build(len(tokenizer))
    encoder.load_state_dict(torch.load(args.scratch / "text-encoder/state.pt")["model"])
    encoder.eval()
    captions = json.loads((args.scratch / "data/captions.json").read_text())

    def states(texts):
        ids = tokenizer(texts, padding="max_length", truncation=True, max_length=text_encoder.POSITIONS)
        return encoder(input_ids=torch.tensor(ids.input_ids)).last_hidden_state

    with torch.no_grad():
        latents = torch.cat([vae.encode(batch).latent_dist.mode() for batch in pictures.split(64)])
        # A pipeline has one scale for all channels and no shift: the shift goes into the convolutions beside the latents.
        shift = latents.mean((0, 2, 3))
        scale = 1 / (latents - shift[:, None, None]).std()
        latents = (latents - shift[:, None, None]) * scale
        state = vae.state_dict()
        channels = len(shift)
        state["quant_conv.bias"][:channels] -= shift
        state["post_quant_conv.bias"] += state["post_quant_conv.weight"][:, :, 0, 0] @ shift
        save(
            args.scratch / "latents/latents.pt",
            {"latents": latents, "vae": state, "scaling_factor": float(scale)},
        )
        out = vae.load_state_dict(state)
        again = vae.decode(latents[:8] / scale).sample
        print(out, "channel deviations", latents.std((0, 2, 3)), "l1", (again - pictures[:8]).abs().mean())
        save(
            args.scratch / "latents/states.pt",
            {
                "train": torch.stack([states(c["train"]).half() for c in captions]),
                "nothing": states([""])[0],
            },
        )


if __name__ == "__main__":
    main()
