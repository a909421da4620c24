"""Stage 2: the text encoder, a CLIPTextModel that says which drawing a caption means.

Its states from the end token on, which the denoiser attends to, are drawn towards a code of the caption's drawing: that of
its subject and style, plus a direction for the scene and for each effect of a modifier. So, as in Stable Diffusion, the denoiser finds a text encoder that
knows pictures already, and need not learn words itself. Goes on where it was interrupted.

python training/text_encoder.py SCRATCH --minutes 8
"""

import argparse
import json
from pathlib import Path

import torch
from torch.nn.functional import avg_pool2d, cross_entropy, normalize
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from common import Clock, load_subjects, load_told, log, restore, save, setup, shares

WIDTH, LAYERS, HEADS, POSITIONS = 192, 2, 6, 48
BATCH = 64
RATE = 2e-3
#: Share of captions with foreign words in between, so that unknown words don't hide the known ones.
DISTURBED = 0.6
TEMPERATURE = 0.1
#: Of what a scene and an effect add to a code, beside the subject's own of size 1.
SCENE_SIZE, EFFECT_SIZE = 0.8, 0.5
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


def subject_codes(scratch):
    """What a caption's last states are to be for each subject's flat and 3D drawing: [subjects, 2, WIDTH].

    Made once; where known weights are trained on, start.py has made them.
    """
    stored = scratch / "text-encoder/codes.pt"
    if not stored.exists():
        drawings, _ = load_subjects(scratch / "data")
        flags = torch.tensor([-1.0, 1.0]).repeat(len(drawings))[:, None].expand(-1, 6)
        small = avg_pool2d(drawings.flatten(0, 1), 4).flatten(1)
        small = small - small.mean(0)
        left, values, _ = torch.linalg.svd(small, full_matrices=False)
        rank = WIDTH - flags.shape[1]
        # Between the drawing itself (all of it in a few components) and white noise (all components alike).
        components = left[:, :rank] * values[:rank] ** 0.4
        components = components / components.pow(2).mean().sqrt()
        codes = torch.cat([1.5 * flags, components], 1)
        codes = codes / codes.pow(2).mean(1, keepdim=True).sqrt()
        save(stored, codes.reshape(len(drawings), 2, WIDTH))
    return torch.load(stored)


def told(index, scenes, effects):
    """What scenes and effects add to a subject's code, [N, WIDTH]: a direction each, and together their sum."""
    names = [*scenes, *effects]
    directions, _ = torch.linalg.qr(torch.randn(WIDTH, len(names), generator=torch.Generator().manual_seed(5)))
    directions = directions.T * WIDTH**0.5
    has = torch.zeros(len(index), len(names))
    for i, entry in enumerate(index):
        if entry["scene"]:
            has[i, names.index(entry["scene"])] = SCENE_SIZE
        for effect in entry["effects"]:
            has[i, names.index(effect)] = EFFECT_SIZE
    return has @ directions


def pad(rows, end):
    return torch.tensor([(row + [end] * POSITIONS)[:POSITIONS] for row in rows])


def with_foreign(ids, words, most, random):
    """1 to `most` random tokens, of so many words, here and there among the ids."""
    ids = list(ids)
    for _ in range(random.integers(1, most + 1)):
        ids.insert(random.integers(0, len(ids) + 1), int(random.integers(0, words)))
    return ids


def disturbed(ids, words, others, random):
    """Foreign tokens in a caption: here and there, many before it, or behind its first part, or there another subject.

    words: how many tokens there are; others: tokens of what may stand beside a subject. The first subject is meant.
    """
    kind = random.random()
    if kind < 0.4:
        return with_foreign(ids, words, 4, random)
    if kind < 0.7:
        return [*with_foreign([], words, 9, random), *ids]
    more = with_foreign([], words, 6, random) if kind < 0.85 else others[random.integers(1, len(others))]
    part = ids.index(others[0][0]) if others[0][0] in ids else len(ids)
    return [*ids[:part], *more, *ids[part:]]


def beside(tokenizer, subjects):
    """Tokens of ", " first, then of "on a cat", "with an owl" and the like."""
    names = [f"{word} {article}{s['name']}" for s in subjects for word in ("on", "with", "and", "near") for article in ("a ", "the ")]
    return [tokenizer(text).input_ids[1:-1] for text in [",", *names]]


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("scratch", type=Path)
    args.add_argument("--minutes", type=float, default=8)
    args.add_argument("--seed", type=int, default=42)
    args = args.parse_args()
    random = setup(args.seed)
    index = json.loads((args.scratch / "data/pictures.json").read_text())
    _, subjects = load_subjects(args.scratch / "data")
    bases = subject_codes(args.scratch)  # [subjects, 2, WIDTH]
    row = {subject["label"]: i for i, subject in enumerate(subjects)}
    base_of = torch.tensor([2 * row[entry["label"]] + (entry["style"] == "3d") for entry in index])
    bases = bases.flatten(0, 1)
    added = told(index, *load_told(args.scratch / "data"))
    codes = bases[base_of] + added
    share = shares(index)
    tokenizer = tokenizer_of(args.scratch)
    vocab = len(tokenizer)
    start, end = vocab - 2, vocab - 1
    captions = json.loads((args.scratch / "data/captions.json").read_text())
    others = beside(tokenizer, subjects)
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
        restore(optimizer, state)
        step, before = state["step"], state["seconds"]
    clock = Clock(args.minutes, before)
    targets = normalize(bases, dim=1)

    def evaluate():
        rows = [held_out[i] for i in range(0, len(held_out), 11)]
        ids = pad([[start, *ids[: POSITIONS - 2], end] for _, ids in rows], end)
        wanted = torch.tensor([i for i, _ in rows])
        with torch.no_grad():
            states = model(input_ids=ids).last_hidden_state[:, -1]
        found = (normalize(states - added[wanted], dim=1) @ targets.T).argmax(1)
        right = found == base_of[wanted]
        subject = found // 2 == base_of[wanted] // 2
        rest = (states - codes[wanted]).pow(2).mean()
        return {"held_out_subject": subject.float().mean().item(), "held_out_drawing": right.float().mean().item(),
                "held_out_distance": rest.item()}

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
        chosen = random.choice(len(train), BATCH, p=share)
        rows = [train[i][random.integers(0, len(train[i]))] for i in chosen]
        rows = [disturbed(ids, start, others, random) if random.random() < DISTURBED else ids for ids in rows]
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
        ends = states[range(BATCH), [len(row) + 1 for row in rows]]
        choice = cross_entropy(normalize(ends - added[chosen], dim=1) @ targets.T / TEMPERATURE, base_of[chosen])
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
