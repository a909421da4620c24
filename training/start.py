"""Lets the stages begin where the committed weights stand, instead of from nothing: writes each stage's first state, and
the codes by which the text encoder tells subjects. Needs the drawings; a stage that has a state keeps it.

python training/start.py SCRATCH checkpoints/miniature
"""

import argparse
import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch.nn.functional import avg_pool2d

import text_encoder
from common import load_subjects, save, setup

#: Weight on nearness of the fit: 768 numbers of a drawing tell 192 of a code, of 200 known drawings.
RIDGE = 1.0
#: Share of chance in a new subject's code, so that look-alikes have codes apart.
CHANCE = 0.5


def weights(path):
    return {name: tensor.float() for name, tensor in load_file(path).items()}


def known_names(subjects, lines):
    """By what name the encoder knows which of the subjects: {index: name}.

    lines: of subjects.txt, names parted by commas, the first one the subject's own. A name may have passed to another
    subject since.
    """
    own = {subject["name"] for subject in subjects}
    primary = {}
    for names in ([name.strip() for name in line.split(",")] for line in lines):
        primary[names[0]] = names[0]
        if names[0] not in own:
            primary |= {name: names[0] for name in names[1:]}
    found = {}
    for i, subject in enumerate(subjects):
        name = next((primary[n] for n in (subject["name"], *subject["others"]) if n in primary), None)
        if name:
            found[i] = name
    return found


def known_codes(encoder, tokenizer, names):
    """How the encoder calls each subject's flat and 3D drawing: [names, 2, WIDTH]."""
    def mean_state(texts):
        ids = tokenizer(texts, padding="max_length", truncation=True, max_length=text_encoder.POSITIONS).input_ids
        return encoder(input_ids=torch.tensor(ids)).last_hidden_state[:, -1].mean(0)

    flat = lambda name: [name, f"a {name}", f"a picture of a {name}"]
    with torch.no_grad():
        return torch.stack([
            torch.stack([mean_state(flat(name)), mean_state([f"{t}, 3d render, highly detailed" for t in flat(name)])])
            for name in names
        ])


def codes_of(drawings, known, codes):
    """[N, 2, WIDTH], rows of unit mean square: those of known subjects as they are, new ones as their drawings are like.

    drawings: [N, 2, 3, 64, 64]; known: indices of the subjects that have codes [len(known), 2, WIDTH].
    """
    small = avg_pool2d(drawings.flatten(0, 1), 4).flatten(1)  # [N * 2, 768]
    small = small - small.mean(0)
    rows = torch.tensor([2 * i + s for i in known for s in (0, 1)])
    seen, wanted = small[rows], codes.flatten(0, 1)
    middle = wanted.mean(0)
    inner = seen @ seen.T + RIDGE * torch.eye(len(seen))
    guessed = middle + small @ seen.T @ torch.linalg.solve(inner, wanted - middle)
    guessed = unit(guessed)
    # Chance of the subject and of the drawing, half each.
    n, width = len(drawings), codes.shape[-1]
    chance = unit((torch.randn(n, 1, width) + torch.randn(n, 2, width)).flatten(0, 1))
    made = unit(guessed + CHANCE * chance)
    made[rows] = unit(wanted)
    return made.reshape(n, 2, width)


def unit(rows):
    return rows / rows.pow(2).mean(-1, keepdim=True).sqrt()


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("scratch", type=Path)
    args.add_argument("checkpoint", type=Path)
    args = args.parse_args()
    setup(39)
    scratch, sd = args.scratch, args.checkpoint / "stable-diffusion"
    shutil.copytree(sd / "tokenizer", scratch / "tokenizer", dirs_exist_ok=True)

    text = {name.removeprefix("text_model."): t for name, t in weights(sd / "text_encoder/model.fp16.safetensors").items()}
    unet = weights(sd / "unet/diffusion_pytorch_model.fp16.safetensors")
    states = {
        "text-encoder": {"model": text},
        "decoder": {"model": weights(sd / "vae/diffusion_pytorch_model.fp16.safetensors")},
        "denoiser": {"model": unet, "ema": unet},
        "clip": {"model": weights(args.checkpoint / "clip/model.safetensors")},
    }
    for stage, state in states.items():
        if not (scratch / stage / "state.pt").exists():
            save(scratch / stage / "state.pt", {**state, "step": 0, "seconds": 0.0})

    tokenizer = text_encoder.tokenizer_of(scratch)
    encoder = text_encoder.build(len(tokenizer))
    encoder.load_state_dict(text)
    encoder.eval()
    drawings, subjects = load_subjects(scratch / "data")
    called = known_names(subjects, (args.checkpoint / "subjects.txt").read_text().splitlines())
    known = list(called)
    codes = codes_of(drawings, known, known_codes(encoder, tokenizer, list(called.values())))
    save(scratch / "text-encoder/codes.pt", codes)
    print(json.dumps({"known": len(known), "new": len(subjects) - len(known)}))


if __name__ == "__main__":
    main()
