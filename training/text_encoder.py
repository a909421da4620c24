"""Stage 2: the text encoder, a CLIPTextModel that says which drawing a caption means.

Its states behind the end token, which the denoiser attends to, are drawn towards a code of the caption's drawing: that of
its subject and style, plus a direction for the scene, the colour, the size and each effect of a modifier. Of two subjects
the states at even positions say the first and those at odd ones the second, each with the direction of its place, and the
end token's own state is the mean of both. So, as in Stable Diffusion, the denoiser finds a text encoder that knows pictures
already, and need not learn words itself. Goes on where it was interrupted.

python training/text_encoder.py SCRATCH --minutes 8
"""

import argparse
import json
from pathlib import Path

import torch
from torch.nn.functional import avg_pool2d, cross_entropy, normalize
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from common import Clock, kind_of, load_subjects, load_told, log, restore, save, setup, shares

WIDTH, LAYERS, HEADS, POSITIONS = 192, 2, 6, 48
BATCH = 64
RATE = 2e-3
#: Share of captions with foreign words in between, so that unknown words don't hide the known ones.
DISTURBED = 0.6
#: Share of batches of captions that have no picture.
WITHOUT_PICTURE = 0.4
TEMPERATURE = 0.1
#: Of what is told adds to a code, beside the subject's own of size 1.
SIZES = {"scenes": 0.8, "effects": 0.5, "colours": 0.8, "sizes": 0.7, "places": 0.8}
#: Before what a caption's subject is on or with, where that is none that the miniature knows.
LINKS = ("on a", "on the", "with a", "with the", "and a", "near the", "in a", "of the")
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


def directions(told):
    """What each thing that captions can tell adds to a code, {(kind, name): [WIDTH]}, all at right angles."""
    places = [f"{way} {place}" for way in told["ways"] for place in ("first", "second")]
    kinds = [("scenes", told["scenes"]), ("effects", told["effects"]), ("colours", told["colours"]),
             ("sizes", told["sizes"]), ("places", places)]
    names = [(kind, name) for kind, list_of in kinds for name in list_of]
    # The first weights knew scenes and effects alone: what was told them stays the same.
    first = len(told["scenes"]) + len(told["effects"])
    chance = lambda count, seed: torch.randn(WIDTH, count, generator=torch.Generator().manual_seed(seed))
    axes, _ = torch.linalg.qr(torch.cat([chance(first, 5), chance(len(names) - first, 6)], 1))
    return {name: SIZES[name[0]] * WIDTH**0.5 * axis for name, axis in zip(names, axes.T)}


def told(index, axes):
    """What captions add to the codes of their subjects, at even and at odd positions, [N, 2, WIDTH]."""
    added = torch.zeros(len(index), 2, WIDTH)
    for i, entry in enumerate(index):
        for j, subject in enumerate((entry, entry.get("second", entry))):
            names = [("scenes", entry["scene"]), ("colours", subject.get("colour")), ("sizes", subject.get("size"))]
            names += [("effects", effect) for effect in entry["effects"]]
            if "second" in entry:
                names.append(("places", f"{entry['way']} {('first', 'second')[j]}"))
            for kind, name in names:
                if name:
                    added[i, j] += axes[kind, name]
    return added


def drawings_of(index, subjects):
    """Which of the subjects' drawings (flat and 3D in turns) captions tell at even and at odd positions, [N, 2]."""
    row = {subject["label"]: i for i, subject in enumerate(subjects)}
    of = lambda entry, style: 2 * row[entry["label"]] + (style == "3d")
    return torch.tensor([[of(e, e["style"]), of(e.get("second", e), e["style"])] for e in index])


def pad(rows, end):
    return torch.tensor([(row + [end] * POSITIONS)[:POSITIONS] for row in rows])


def foreign_of(tokenizer, subjects):
    """Tokens that may stand in a caption and say nothing: all but those that alone are a subject's name."""
    names = [tokenizer(name).input_ids[1:-1] for s in subjects for name in (s["name"], *s["others"])]
    said = {ids[0] for ids in names if len(ids) == 1}
    return [token for token in range(len(tokenizer) - 2) if token not in said]


def with_foreign(ids, foreign, most, random):
    """1 to `most` of the foreign tokens here and there among the ids."""
    ids = list(ids)
    for _ in range(random.integers(1, most + 1)):
        ids.insert(random.integers(0, len(ids) + 1), foreign[random.integers(0, len(foreign))])
    return ids


def disturbed(ids, foreign, marks, random):
    """Foreign tokens in a caption: here and there, many before it, or behind its first part.

    marks: tokens of the comma, and of LINKS.
    """
    comma, links = marks
    kind = random.random()
    if kind < 0.4:
        return with_foreign(ids, foreign, 4, random)
    if kind < 0.7:
        return [*with_foreign([], foreign, 9, random), *ids]
    more = with_foreign([], foreign, 6, random)
    if kind > 0.85:
        more = [*links[random.integers(0, len(links))], *more]
    part = ids.index(comma) if comma in ids else len(ids)
    return [*ids[:part], *more, *ids[part:]]


def marks_of(tokenizer):
    """The comma's token, and the tokens of each of LINKS."""
    words = lambda text: tokenizer(text).input_ids[1:-1]
    return words(",")[0], [words(link) for link in LINKS]


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
    bases = bases.flatten(0, 1)
    share = shares(index)
    # What has no picture comes behind what has one.
    two = json.loads((args.scratch / "data/two.json").read_text())
    pictures = len(index)
    index += [one["entry"] for one in two]
    base_of = drawings_of(index, subjects)
    added = told(index, directions(load_told(args.scratch / "data")))
    codes = bases[base_of] + added  # [N, 2, WIDTH]
    single = torch.tensor([kind_of(entry) != "two" for entry in index])
    tokenizer = tokenizer_of(args.scratch)
    vocab = len(tokenizer)
    start, end = vocab - 2, vocab - 1
    captions = json.loads((args.scratch / "data/captions.json").read_text())
    foreign, marks = foreign_of(tokenizer, subjects), marks_of(tokenizer)
    words = lambda texts: [tokenizer(t, truncation=True, max_length=POSITIONS).input_ids[1:-1] for t in texts]
    train = [words(c["train"]) for c in captions] + [[ids] for ids in words([one["caption"] for one in two])]
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
            states = model(input_ids=ids).last_hidden_state[:, -2:]  # an even and an odd position
        found = (normalize(states - added[wanted], dim=2) @ targets.T).argmax(2)
        right, alone = found == base_of[wanted], single[wanted]
        subject = (found // 2 == base_of[wanted] // 2).all(1)
        rest = (states - codes[wanted]).pow(2).mean()
        share = lambda values: values.float().mean().item()
        return {"held_out_subject": share(subject[alone]), "held_out_drawing": share(right.all(1)[alone]),
                "held_out_two": share(subject[~alone]), "held_out_distance": rest.item()}

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
        # Apart from the others, since they are short.
        without = random.random() < WITHOUT_PICTURE
        chosen = random.integers(pictures, len(train), BATCH) if without else random.choice(pictures, BATCH, p=share)
        rows = [train[i][random.integers(0, len(train[i]))] for i in chosen]
        rows = [disturbed(ids, foreign, marks, random) if random.random() < DISTURBED else ids for ids in rows]
        rows = [ids[: POSITIONS - 2] for ids in rows]
        # States after the last end token of the batch are all alike in kind: a few of them are enough.
        length = min(POSITIONS, max(map(len, rows)) + 6)
        ids = pad([[start, *row, end] for row in rows], end)[:, :length]
        for group in optimizer.param_groups:
            group["lr"] = clock.rate(RATE, step)
        states = model(input_ids=ids).last_hidden_state  # [B, T, C]
        lengths = torch.tensor([len(row) + 1 for row in rows])  # where the end token is
        at = torch.arange(length)
        after = (at >= lengths[:, None]).float()
        wanted = codes[chosen][:, at % 2]
        wanted[range(BATCH), lengths] = codes[chosen].mean(1)
        distance = ((states - wanted).pow(2).mean(2) * after).sum() / after.sum()
        # Of the end token and the two behind it; the end token of two subjects means neither.
        places = (lengths[:, None] + torch.arange(3)).clamp(max=length - 1)
        asked = states[torch.arange(BATCH)[:, None], places] - added[chosen].gather(
            1, (places % 2)[..., None].expand(-1, -1, WIDTH)
        )
        means_one = (places > lengths[:, None]) | single[chosen][:, None]
        answers = base_of[chosen].gather(1, places % 2)
        choice = cross_entropy((normalize(asked, dim=2) @ targets.T / TEMPERATURE)[means_one], answers[means_one])
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
