"""A second rewriter's stage: a GPT-2 in MagicPrompt's form, which goes on from a prompt, on rewrites.mjs's continuations and
with Promptist's tokenizer. Goes on where it was interrupted, and writes the checkpoint when its time is over.

python training/magicprompt.py SCRATCH checkpoints/miniature --minutes 15
"""

import argparse
import json
from pathlib import Path

import torch
from transformers import GPT2Tokenizer

import promptist
from common import setup
from export import copy_tokenizer, write_gpt2

BATCH = 24
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

    def samples(step):
        torch.manual_seed(step)
        out = []
        for text in promptist.PROMPTS:
            ids = torch.tensor([tokenizer(text).input_ids])
            made = model.generate(
                ids, attention_mask=torch.ones_like(ids), pad_token_id=end, eos_token_id=end, **SAMPLED
            )
            out.append(tokenizer.decode(made[0], skip_special_tokens=True))
        return out, {}

    promptist.learn(args.scratch / "magicprompt", model, args.minutes, batch, samples)
    target = args.checkpoint / "magicprompt"
    write_gpt2(target, copy_tokenizer(words, target), model.state_dict())


if __name__ == "__main__":
    main()
