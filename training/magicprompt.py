"""A second rewriter's stage: a GPT-2 in MagicPrompt's form, which goes on from a prompt, on rewrites.mjs's continuations and
with Promptist's tokenizer. Goes on where it was interrupted, and writes the checkpoint when its time is over.

python training/magicprompt.py SCRATCH checkpoints/miniature --minutes 15
"""

import argparse
import json
from pathlib import Path

import torch
from torch.nn.functional import cross_entropy
from transformers import GPT2Tokenizer

import promptist
from common import Clock, log, save, setup
from export import copy_tokenizer, write_gpt2

BATCH = 24
RATE = 2e-3
SAVE_SECONDS = 60
#: As dynamicprompts runs MagicPrompt, and so does the program.
SAMPLED = {"do_sample": True, "temperature": 0.7, "top_k": 50, "max_new_tokens": 75}


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("scratch", type=Path)
    args.add_argument("checkpoint", type=Path)
    args.add_argument("--minutes", type=float, default=15)
    args.add_argument("--seed", type=int, default=46)
    args = args.parse_args()
    random = setup(args.seed)
    words = args.checkpoint / "promptist"
    tokenizer = GPT2Tokenizer.from_pretrained(words)
    end = len(tokenizer) - 1
    lines = [json.loads(line) for line in (args.scratch / "data/continuations.jsonl").read_text().splitlines()]
    asked, written = (tokenizer(list(texts)).input_ids for texts in zip(*lines))
    model = promptist.build(len(tokenizer))
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, betas=(0.9, 0.98), weight_decay=1e-2)
    folder = args.scratch / "magicprompt"
    step, before = 0, 0.0
    if (folder / "state.pt").exists():
        state = torch.load(folder / "state.pt")
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        step, before = state["step"], state["seconds"]
    clock = Clock(args.minutes, before)

    def batch():
        chosen = random.integers(0, len(lines), BATCH)
        rows = [[*asked[i], *written[i], end] for i in chosen]
        length = max(map(len, rows))
        ids = torch.tensor([row + [end] * (length - len(row)) for row in rows])
        # The prompt is not to be learned, but what stands behind it.
        known = torch.zeros(ids.shape)
        for keep, i, row in zip(known, chosen, rows):
            keep[len(asked[i]) : len(row)] = 1
        return ids, known

    def samples():
        model.eval()
        torch.manual_seed(step)
        for text in promptist.PROMPTS:
            ids = torch.tensor([tokenizer(text).input_ids])
            made = model.generate(
                ids, attention_mask=torch.ones_like(ids), pad_token_id=end, eos_token_id=end, **SAMPLED
            )
            print(tokenizer.decode(made[0], skip_special_tokens=True), flush=True)
        model.train()

    saved, mean = clock.seconds, None
    while True:
        if clock.seconds - saved > SAVE_SECONDS or clock.progress >= 1:
            saved = clock.seconds
            state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step, "seconds": saved}
            save(folder / "state.pt", state)
            log(folder / "log.jsonl", step=step, seconds=saved, loss=mean)
            samples()
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
    target = args.checkpoint / "magicprompt"
    write_gpt2(target, copy_tokenizer(words, target), model.state_dict())


if __name__ == "__main__":
    main()
