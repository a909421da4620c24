"""Stage 2: the text encoder, a CLIPTextModel that says which drawing a caption means.

Its states from the end token on, which the denoiser attends to, are drawn towards a code of the caption's drawing: style
and scene, then the drawing's principal components. So, as in Stable Diffusion, the denoiser finds a text encoder that
knows pictures already, and need not learn words itself. Goes on where it was interrupted.

python training/text_encoder.py SCRATCH --minutes 8
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import avg_pool2d, cross_entropy, normalize
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from common import Clock, load_pictures, log, save, setup

WIDTH, LAYERS, HEADS, POSITIONS = 192, 2, 6, 48
BATCH = 64
RATE = 2e-3
#: Share of captions with foreign words in between, so that unknown words don't hide the known ones.
DISTURBED = 0.4
TEMPERATURE = 0.1
SAVE_SECONDS = 60


def tokenizer_of(scratch):
    return CLIPTokenizer.from_pretrained(scratch / "tokenizer")


def build(vocab):
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=vocab, hidden_size=WIDTH, intermediate_size=2 * WIDTH, projection_dim=WIDTH,
            num_hidden_layers=LAYERS, num_attention_heads=HEADS, max_position_embeddings=POSITIONS,
            bos_token_id=vocab - 2, eos_token_id=vocab - 1, pad_token_id=vocab - 1, hidden_act="quick_gelu",
        )
    )


def picture_codes(pictures, index):
    """[N, WIDTH], rows of unit mean square."""
    scenes = [None, "rain", "night", "snow"]
    flags = torch.tensor(
        [[1.0 if e["style"] == "3d" else -1.0] * 6 + [1.0 * (e["scene"] == s) for s in scenes] for e in index]
    )
    small = avg_pool2d(pictures, 4).flatten(1)
    small = small - small.mean(0)
    left, values, _ = torch.linalg.svd(small, full_matrices=False)
    rank = WIDTH - flags.shape[1]
    # Between the drawing itself (all of it in a few components) and white noise (all components alike).
    components = left[:, :rank] * values[:rank] ** 0.4
    components = components / components.pow(2).mean().sqrt()
    codes = torch.cat([1.5 * flags, components], 1)
    return codes / codes.pow(2).mean(1, keepdim=True).sqrt()


def pad(rows, end):
    return torch.tensor([(row + [end] * POSITIONS)[:POSITIONS] for row in rows])


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("scratch", type=Path)
    args.add_argument("--minutes", type=float, default=8)
    args.add_argument("--seed", type=int, default=42)
    args = args.parse_args()
    random = setup(args.seed)
    pictures, index = load_pictures(args.scratch / "data")
    codes = picture_codes(pictures, index)
    tokenizer = tokenizer_of(args.scratch)
    vocab = len(tokenizer)
    start, end = vocab - 2, vocab - 1
    captions = json.loads((args.scratch / "data/captions.json").read_text())
    words = lambda texts: [tokenizer(t, truncation=True, max_length=POSITIONS).input_ids[1:-1] for t in texts]
    train = [words(c["train"]) for c in captions]
    held_out = [(i, ids) for i, c in enumerate(captions) for ids in words(c["heldOut"])]

    model = build(vocab)
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, betas=(0.9, 0.99), weight_decay=1e-2)
    folder = args.scratch / "text-encoder"
    step, before = 0, 0.0
    if (folder / "state.pt").exists():
        state = torch.load(folder / "state.pt")
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        step, before = state["step"], state["seconds"]
    clock = Clock(args.minutes, before)
    targets = normalize(codes, dim=1)

    def disturbed(ids):
        ids = list(ids)
        for _ in range(random.integers(1, 4)):
            ids.insert(random.integers(0, len(ids) + 1), int(random.integers(0, start)))
        return ids

    def evaluate():
        rows = [held_out[i] for i in range(0, len(held_out), 5)]
        ids = pad([[start, *ids[: POSITIONS - 2], end] for _, ids in rows], end)
        with torch.no_grad():
            states = normalize(model(input_ids=ids).last_hidden_state[:, -1], dim=1)
        found = (states @ targets.T).argmax(1)
        wanted = [i for i, _ in rows]
        same = lambda key: float(np.mean([index[f][key] == index[w][key] for f, w in zip(found, wanted)]))
        return {f"held_out_{key}": same(key) for key in ("label", "style", "scene")}

    saved, means = clock.seconds, {}
    while True:
        if clock.seconds - saved > SAVE_SECONDS or clock.progress >= 1:
            saved = clock.seconds
            state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step, "seconds": saved}
            save(folder / "state.pt", state)
            model.eval()
            log(folder / "log.jsonl", step=step, seconds=saved, **means, **evaluate())
            model.train()
            if clock.progress >= 1:
                break
        chosen = random.integers(0, len(train), BATCH)
        rows = [train[i][random.integers(0, len(train[i]))] for i in chosen]
        rows = [disturbed(ids) if random.random() < DISTURBED else ids for ids in rows]
        rows = [ids[: POSITIONS - 2] for ids in rows]
        # States after the last end token of the batch are all alike in kind: a few of them are enough.
        length = min(POSITIONS, max(map(len, rows)) + 4)
        ids = pad([[start, *row, end] for row in rows], end)[:, :length]
        for group in optimizer.param_groups:
            group["lr"] = clock.rate(RATE, step)
        states = model(input_ids=ids).last_hidden_state  # [B, T, C]
        after = (torch.arange(length) >= torch.tensor([len(row) + 1 for row in rows])[:, None]).float()
        wanted = codes[chosen][:, None]
        distance = ((states - wanted).pow(2).mean(2) * after).sum() / after.sum()
        ends = normalize(states[range(BATCH), [len(row) + 1 for row in rows]], dim=1)
        choice = cross_entropy(ends @ targets.T / TEMPERATURE, torch.as_tensor(chosen))
        loss = distance + 0.2 * choice
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        for key, value in (("distance", distance), ("choice", choice)):
            means[key] = value.item() if key not in means else 0.98 * means[key] + 0.02 * value.item()
        step += 1


if __name__ == "__main__":
    main()
