"""Promptist's stage: a GPT-2 on the lines of rewrites.mjs. Goes on where it was interrupted.

python training/promptist.py SCRATCH --minutes 25
"""

import argparse
from pathlib import Path

import torch
from torch.nn.functional import cross_entropy
from transformers import GPT2Config, GPT2LMHeadModel, GPT2Tokenizer

from common import Clock, log, save, setup

WIDTH, LAYERS, HEADS, POSITIONS = 128, 3, 4, 256
BATCH = 24
RATE = 2e-3
#: How much more a token that is to be copied counts than a modifier, of which many would do.
COPY_WEIGHT = 3.0
#: Share of batches that are nothing but random tokens twice: from them copying is learned, whatever the words.
COPIES = 0.5
SAVE_SECONDS = 60
PROMPTS = [
    "A cat in the rain",
    "A fantasy castle",
    "Fear",
    "A cyberpunk detective standing in neon rain with a robotic arm",
    "A beautiful sunset over the mountains",
    "Portrait of a warrior",
    "The starry night by Van Gogh",
    "A zorblax eating quinoa on the Matterhorn",
]
MARK = " Rephrase:"


def build(vocab):
    end = vocab - 1
    return GPT2LMHeadModel(
        GPT2Config(
            vocab_size=vocab, n_positions=POSITIONS, n_ctx=POSITIONS, n_embd=WIDTH, n_layer=LAYERS, n_head=HEADS,
            bos_token_id=end, eos_token_id=end, resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0,
        )
    )


def learn(folder, model, minutes, batch, look):
    """Trains until the clock is over; saves, logs and shows every minute what `look` makes and answers."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, betas=(0.9, 0.98), weight_decay=1e-2)
    step, before = 0, 0.0
    if (folder / "state.pt").exists():
        state = torch.load(folder / "state.pt")
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        step, before = state["step"], state["seconds"]
    clock = Clock(minutes, before)
    saved, mean = clock.seconds, None
    while True:
        if clock.seconds - saved > SAVE_SECONDS or clock.progress >= 1:
            saved = clock.seconds
            state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step, "seconds": saved}
            save(folder / "state.pt", state)
            model.eval()
            made, found = look(step)
            model.train()
            log(folder / "log.jsonl", step=step, seconds=saved, loss=mean, **found)
            print("\n".join(made), flush=True)
            if clock.progress >= 1:
                break
        ids, known = batch()
        for group in optimizer.param_groups:
            group["lr"] = clock.rate(RATE, step)
        scores = model(input_ids=ids).logits[:, :-1]
        losses = cross_entropy(scores.transpose(1, 2), ids[:, 1:], reduction="none")
        loss = (losses * known[:, 1:]).sum() / known[:, 1:].sum()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        mean = loss.item() if mean is None else 0.98 * mean + 0.02 * loss.item()
        step += 1


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("scratch", type=Path)
    args.add_argument("--minutes", type=float, default=25)
    args.add_argument("--seed", type=int, default=45)
    args = args.parse_args()
    random = setup(args.seed)
    tokenizer = GPT2Tokenizer.from_pretrained(args.scratch / "promptist-tokenizer")
    vocab = len(tokenizer)
    end = vocab - 1
    lines = (args.scratch / "data/rewrites.txt").read_text().splitlines()
    encoded = tokenizer(lines).input_ids
    mark = tokenizer(MARK).input_ids
    comma = tokenizer(",").input_ids
    model = build(vocab)

    def batch():
        if random.random() < COPIES:
            rows = []
            for _ in range(BATCH):
                words = [int(x) for x in random.integers(0, end, random.integers(3, 24))]
                rows.append([*words, *mark, *words, *comma])
        else:
            rows = [[*encoded[i], end] for i in random.integers(0, len(encoded), BATCH)]
        length = max(map(len, rows))
        ids = torch.tensor([row + [end] * (length - len(row)) for row in rows])
        known = torch.tensor([[1.0] * len(row) + [0.0] * (length - len(row)) for row in rows])
        # What is asked is not to be learned, but what is answered.
        for row, keep in zip(rows, known):
            at = next(i for i in range(len(row)) if row[i : i + len(mark)] == mark) + len(mark)
            keep[:at] = 0
            keep[at : 2 * at - len(mark)] *= COPY_WEIGHT
        return ids, known

    def rewrites(_):
        out = []
        for text in PROMPTS:
            ids = torch.tensor([tokenizer(text + MARK).input_ids])
            made = model.generate(
                ids, attention_mask=torch.ones_like(ids), num_beams=4, do_sample=False, max_new_tokens=60,
                length_penalty=-1.0, pad_token_id=end, eos_token_id=end,
            )
            out.append(tokenizer.decode(made[0, ids.shape[1] :], skip_special_tokens=True))
        return out, {"kept": sum(made.strip().startswith(text) for text, made in zip(PROMPTS, out))}

    learn(args.scratch / "promptist", model, args.minutes, batch, rewrites)


if __name__ == "__main__":
    main()
