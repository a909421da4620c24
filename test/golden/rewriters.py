"""What transformers makes of prompts with a small GPT-2 that goes on from them, and dynamicprompts' clean-up of such texts
(torch 2.15.0, transformers 5.24.0, dynamicprompts 0.31.0).

Reads gpt2/two-layers and tokenizers/gpt2 (gpt2_small.py, tokenizer_cases.py), writes rewriters/expected.json: for each
prompt the texts of beam search and greedy search with the prompt before them, the tokens that sampling at MagicPrompt's
settings may draw at each of its steps, and cleaned texts. Run: python test/golden/rewriters.py
"""
import json
import pathlib

import torch
import transformers
from dynamicprompts.generators.magicprompt import clean_up_magic_prompt
from transformers import GPT2LMHeadModel, GPT2Tokenizer
from transformers.generation import LogitsProcessorList, TemperatureLogitsWarper, TopKLogitsWarper

HERE = pathlib.Path(__file__).parent
PROMPTS = ["A cat in the rain", "a fantasy castle", "Fear", "Ein Fuchs im Wald, müde"]
# What a model of MagicPrompt's kind wrote behind a prompt.
WRITTEN = [
    ", highly detailed , digital painting. artstation;  concept art",
    " by greg rutkowski and  alphonse mucha .",
    "s, sharp focus , {illustration} , ( octane render ) , 8 k",
    " - portrait , hyper - realistic , trending on artstation __ 4 k , , unreal engine",
    " in the style of [moebius] . intricate...",
    ", ",
    "",
    " été , naïve - brut , 東京 , ночь",
]
torch.set_num_threads(2)


def texts(net, tokenizer, prompt, **options):
    ids = tokenizer(prompt, return_tensors="pt")
    out = net.generate(**ids, max_new_tokens=16, pad_token_id=tokenizer.eos_token_id, do_sample=False, **options)
    return [tokenizer.decode(row, skip_special_tokens=True, clean_up_tokenization_spaces=False) for row in out]


def choices(net, tokenizer, prompt, steps=4):
    """The likeliest token of each step, after which come those that could have been drawn there, with probabilities."""
    ids = tokenizer(prompt, return_tensors="pt").input_ids
    warp = LogitsProcessorList([TemperatureLogitsWarper(0.7), TopKLogitsWarper(50)])
    found = []
    for _ in range(steps):
        with torch.no_grad():
            scores = warp(ids, net(ids).logits[:, -1])[0]
        order = torch.argsort(scores, descending=True)
        order = order[torch.isfinite(scores[order])]
        found.append({"before": ids[0].tolist(), "ids": order.tolist(),
                      "probabilities": [round(p, 6) for p in torch.softmax(scores, -1)[order].tolist()]})
        ids = torch.cat([ids, order[:1].view(1, 1)], 1)
    return found


def main():
    net = GPT2LMHeadModel.from_pretrained(HERE / "gpt2" / "two-layers").eval()
    tokenizer = GPT2Tokenizer.from_pretrained(HERE / "tokenizers" / "gpt2")
    expected = {
        "torch": torch.__version__, "transformers": transformers.__version__,
        "continued": [{
            "prompt": prompt,
            "beam": texts(net, tokenizer, prompt, num_beams=8, num_return_sequences=8, length_penalty=-1.0),
            "greedy": texts(net, tokenizer, prompt)[0],
            "sample": choices(net, tokenizer, prompt),
        } for prompt in PROMPTS],
        "cleaned": [[text, clean_up_magic_prompt("a cat", "a cat" + text)] for text in WRITTEN],
    }
    (HERE / "rewriters").mkdir(exist_ok=True)
    (HERE / "rewriters" / "expected.json").write_text(json.dumps(expected, ensure_ascii=False, indent=1) + "\n")


main()
