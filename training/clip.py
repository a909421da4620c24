"""Stage 8: a CLIP, which says how well a picture fits a caption, and the style predictor that stands in for beauty.

The text tower is the text encoder of stage 2, as Stable Diffusion's text encoder is CLIP's; only the vision tower and the
two projections learn. Each picture of a batch is drawn towards all captions that are true of it: a plain caption is true
of the flat and of the 3D drawing, one with modifiers of the 3D drawing alone. Pictures are disturbed, and half of them
went through the decoder with disturbed latents, as generated ones do. Goes on where it was interrupted.

python training/clip.py SCRATCH --minutes 40
"""

import argparse
import json
from pathlib import Path

import torch
from diffusers import AutoencoderKL
from torch.nn.functional import affine_grid, binary_cross_entropy_with_logits, conv2d, grid_sample, log_softmax, normalize
from transformers import CLIPConfig, CLIPModel, CLIPTextConfig, CLIPVisionConfig

import decoder
import text_encoder
from common import CAPTIONS, SIDE, Clock, load_pictures, load_subjects, log, restore, save, setup, shares

WIDTH, LAYERS, HEADS, PATCH, EMBEDDING = 192, 3, 6, 8, 128
#: OpenAI's, which every CLIP's preprocessor has.
MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
BATCH = 64
#: Captions of other pictures beside those of a batch: a text costs next to nothing.
OTHERS = 2048
RATE = 1.5e-3
#: Decoded versions of each picture, with latents disturbed by up to so much.
DECODED, NOISE = 1, 0.5
#: One picture in so many is looked at when the training is measured.
SHOWN = 7
#: Weight of telling 3D from flat along one direction of the embedding, which the style predictor needs.
STYLE_WEIGHT = 0.3
#: Versions of a caption's state with foreign words in the caption.
DISTURBED = 1
SAVE_SECONDS = 60


def build(vocab):
    text = CLIPTextConfig(
        vocab_size=vocab, hidden_size=text_encoder.WIDTH, intermediate_size=2 * text_encoder.WIDTH,
        num_hidden_layers=text_encoder.LAYERS, num_attention_heads=text_encoder.HEADS,
        max_position_embeddings=text_encoder.POSITIONS, bos_token_id=vocab - 2, eos_token_id=vocab - 1,
        pad_token_id=vocab - 1, hidden_act="quick_gelu", projection_dim=EMBEDDING,
    )
    vision = CLIPVisionConfig(
        hidden_size=WIDTH, intermediate_size=2 * WIDTH, num_hidden_layers=LAYERS, num_attention_heads=HEADS,
        image_size=SIDE, patch_size=PATCH, hidden_act="quick_gelu", projection_dim=EMBEDDING,
    )
    return CLIPModel(CLIPConfig(text_config=text.to_dict(), vision_config=vision.to_dict(), projection_dim=EMBEDDING))


def with_text_tower(model, scratch):
    """The text encoder's weights as they are published: rounded to float16."""
    weights = torch.load(scratch / "text-encoder/state.pt")["model"]
    model.text_model.load_state_dict({name: value.half().float() for name, value in weights.items()})
    return model


def states_of(model, rows, end, batch=256):
    """The text tower's state at the end token, [N, width], of rows of ids without start and end."""
    positions, start = text_encoder.POSITIONS, end - 1
    states = []
    with torch.no_grad():
        for i in range(0, len(rows), batch):
            part = [row[: positions - 2] for row in rows[i : i + batch]]
            length = max(map(len, part)) + 2
            ids = text_encoder.pad([[start, *row, end] for row in part], end)[:, :length]
            states.append(model.text_model(input_ids=ids).pooler_output)
    return torch.cat(states)


def decoded(scratch, latents, generator):
    """Drawings as the decoder makes them of disturbed latents: [DECODED, N, 3, 64, 64], -1 to 1."""
    vae = AutoencoderKL(**decoder.CONFIG)
    vae.load_state_dict(torch.load(scratch / "decoder/state.pt")["model"])
    versions = []
    with torch.no_grad():
        for _ in range(DECODED):
            size = NOISE * torch.rand(len(latents), 1, 1, 1, generator=generator)
            some = latents + size * torch.randn(latents.shape, generator=generator)
            versions.append(torch.cat([vae.decode(part).sample.clamp(-1, 1) for part in some.split(32)]))
    return torch.stack(versions)


def disturb(x, generator):
    """x [B, 3, H, W], 0 to 1: one in two mirrored, a little moved, scaled, of other colours, blurred, grained."""
    n = len(x)
    some = lambda low, high, *shape: low + (high - low) * torch.rand(n, *shape, generator=generator)
    scale, zero = some(0.97, 1.03), torch.zeros(n)
    side = 1 - 2 * torch.randint(0, 2, (n,), generator=generator)
    theta = torch.stack(
        [torch.stack([side * scale, zero, some(-0.04, 0.04)], 1), torch.stack([zero, scale, some(-0.04, 0.04)], 1)], 1
    )
    x = grid_sample(x, affine_grid(theta, list(x.shape), align_corners=False), padding_mode="border", align_corners=False)
    gray = x.mean(1, keepdim=True)
    x = gray + (x - gray) * some(0.85, 1.15, 1, 1, 1)
    x = (x - 0.5) * some(0.9, 1.1, 1, 1, 1) + 0.5 + some(-0.05, 0.05, 1, 1, 1)
    sigma = some(0.05, 0.8)
    at = torch.arange(-2, 3)
    kernel = torch.exp(-(at**2) / (2 * sigma[:, None] ** 2))
    kernel = kernel / kernel.sum(1, keepdim=True)
    square = (kernel[:, :, None] * kernel[:, None]).repeat_interleave(3, 0)[:, None]  # [3B, 1, 5, 5]
    blurred = conv2d(x.reshape(1, -1, *x.shape[2:]), square, padding=2, groups=3 * n).reshape(x.shape)
    x = torch.where(some(0, 1, 1, 1, 1) < 0.5, blurred, x)
    return (x + some(0, 0.04, 1, 1, 1) * torch.randn(x.shape, generator=generator)).clamp(0, 1)


def pixels(x):
    """0 to 1 -> CLIP's pixel_values."""
    return (x - torch.tensor(MEAN)[:, None, None]) / torch.tensor(STD)[:, None, None]


def embed_pictures(model, x, batch=64):
    with torch.no_grad():
        parts = [model.visual_projection(model.vision_model(pixels(p)).pooler_output) for p in x.split(batch)]
    return normalize(torch.cat(parts), dim=1)


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("scratch", type=Path)
    args.add_argument("--minutes", type=float, default=40)
    args.add_argument("--seed", type=int, default=43)
    args = args.parse_args()
    random = setup(args.seed)
    generator = torch.Generator().manual_seed(args.seed)
    pictures, index = load_pictures(args.scratch / "data")
    tokenizer = text_encoder.tokenizer_of(args.scratch)
    vocab = len(tokenizer)
    end = vocab - 1
    captions = json.loads((args.scratch / "data/captions.json").read_text())
    words = lambda texts: [tokenizer(text).input_ids[1:-1] for text in texts]
    train = [words(c["train"][:CAPTIONS]) for c in captions]
    held_out = [(i, ids) for i, c in enumerate(captions) for ids in words(c["heldOut"])]

    model = with_text_tower(build(vocab), args.scratch)
    model.text_model.requires_grad_(False)
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=RATE, betas=(0.9, 0.98), weight_decay=5e-2, fused=True)
    style = torch.nn.Linear(EMBEDDING, 1)
    style_optimizer = torch.optim.Adam(style.parameters(), lr=1e-2)
    folder = args.scratch / "clip"
    step, before = 0, 0.0
    if (folder / "state.pt").exists():
        state = torch.load(folder / "state.pt")
        model.load_state_dict(state["model"])
        restore(optimizer, state)
        # The text encoder may have learned since.
        with_text_tower(model, args.scratch)
        step, before = state["step"], state["seconds"]
        if "style" in state:
            style.load_state_dict(state["style"])
        random = setup(args.seed + step)
        generator.manual_seed(args.seed + step)

    flat = [ids for rows in train for ids in rows]
    counts = len(train[0])
    foreign = text_encoder.foreign_of(tokenizer, load_subjects(args.scratch / "data")[1])
    versions = [flat] + [[text_encoder.with_foreign(ids, foreign, 3, random) for ids in flat] for _ in range(DISTURBED)]
    states = torch.stack([states_of(model, rows, end) for rows in versions])
    states = states.reshape(1 + DISTURBED, len(train), counts, -1)  # [version, drawing, caption, width]
    shown = torch.arange(0, len(index), SHOWN)
    asked = [(i, ids) for i, ids in held_out if i % SHOWN == 0]
    held_out_states = states_of(model, [ids for _, ids in asked], end)
    held_out_of = torch.tensor([i for i, _ in asked])
    clean = (pictures + 1) / 2
    latents = torch.load(args.scratch / "latents/latents.pt")[0]
    sources = torch.cat([clean[None], (decoded(args.scratch, latents, generator) + 1) / 2])  # [1 + DECODED, N, 3, 64, 64]

    shows = [json.dumps([entry.get(key) for key in ("label", "scene", "colour", "size", "way")]
                        + [entry.get("second", {}).get(key) for key in ("label", "colour")]) for entry in index]
    shown_by = {what: i for i, what in enumerate(dict.fromkeys(shows))}
    what = torch.tensor([shown_by[one] for one in shows])
    is_3d = torch.tensor([entry["style"] == "3d" for entry in index])

    def is_true(caption_of, picture_of):
        """[captions, pictures]"""
        same = what[caption_of][:, None] == what[picture_of]
        return same & (is_3d[picture_of][None] | ~is_3d[caption_of][:, None])

    def evaluate():
        model.eval()
        texts = normalize(model.text_projection(held_out_states), dim=1)
        values = {}
        for name, source in (("drawings", clean), ("decoded", sources[-1])):
            found = texts @ embed_pictures(model, source[shown]).T  # [captions, pictures]
            right = is_true(held_out_of, shown)
            best = found.topk(5, 1).indices
            hits = right.gather(1, best)
            values |= {f"{name}_top1": hits[:, 0].float().mean().item(), f"{name}_top5": hits.any(1).float().mean().item()}
            values[f"{name}_gap"] = (found[right].mean() - found[~right].mean()).item()
        model.train()
        return values

    often = shares(index)
    clock = Clock(args.minutes, before)
    saved, mean = clock.seconds, None
    while True:
        if clock.seconds - saved > SAVE_SECONDS or clock.progress >= 1:
            saved = clock.seconds
            state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step, "seconds": saved,
                     "style": style.state_dict()}
            save(folder / "state.pt", state)
            with torch.no_grad():
                log(folder / "log.jsonl", step=step, seconds=saved, loss=mean, **evaluate())
            if clock.progress >= 1:
                break
        picture_of = torch.from_numpy(random.choice(len(index), BATCH, replace=False, p=often))
        # Each picture's own caption, so that every row has something true, and others that only pictures choose among.
        caption_of = torch.cat([picture_of, torch.from_numpy(random.integers(0, len(index), OTHERS))])
        version = torch.from_numpy(random.choice(1 + DISTURBED, len(caption_of), p=[0.6] + [0.4 / DISTURBED] * DISTURBED))
        some = torch.from_numpy(random.integers(0, counts, len(caption_of)))
        which = torch.from_numpy(random.choice(1 + DECODED, BATCH, p=[0.4] + [0.6 / DECODED] * DECODED))
        x = disturb(sources[which, picture_of], generator)
        for group in optimizer.param_groups:
            group["lr"] = clock.rate(RATE, step)
        seen = normalize(model.visual_projection(model.vision_model(pixels(x)).pooler_output), dim=1)
        read = normalize(model.text_projection(states[version, caption_of, some]), dim=1)
        logits = model.logit_scale.exp() * read @ seen.T  # [captions, pictures]
        wanted = is_true(caption_of, picture_of).float()
        loss = 0.0
        for scores, truth in ((logits[:BATCH], wanted[:BATCH]), (logits.T, wanted.T)):
            share = truth / truth.sum(1, keepdim=True)
            loss = loss - (share * log_softmax(scores, 1)).sum(1).mean() / 2
        scores = 10 * style(seen).squeeze(1)
        loss = loss + STYLE_WEIGHT * binary_cross_entropy_with_logits(scores, is_3d[picture_of].float())
        style_optimizer.zero_grad(set_to_none=True)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        style_optimizer.step()
        with torch.no_grad():
            # As in CLIP's own training.
            model.logit_scale.clamp_(max=4.6052)
        mean = loss.item() if mean is None else 0.98 * mean + 0.02 * loss.item()
        step += 1


if __name__ == "__main__":
    main()
