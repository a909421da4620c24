"""Small random GPT-2 checkpoints and what transformers makes of them (torch 2.13.0, transformers 5.18.0).

Writes gpt2/<name>/ (save_pretrained, config.json and weights, .bin for some) and gpt2/expected.json: logits with cache,
left padding and batch; beam search, greedy; the distribution after the sampling processors. The tokenizer is that of
tokenizers/gpt2, made by tokenizer_cases.py. Run: python test/golden/gpt2_small.py
"""
import json
import pathlib
import shutil

import torch
import transformers
from transformers import GPT2Config, GPT2LMHeadModel
from transformers.generation import (
    LogitsProcessorList, RepetitionPenaltyLogitsProcessor, TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper)

HERE = pathlib.Path(__file__).parent
OUT = HERE / "gpt2"
VOCAB, EOS = 623, 622
torch.set_num_threads(2)

MODELS = {
    # name: (config, how it is saved)
    "two-layers": (dict(n_layer=2, n_embd=48, n_head=4), "safetensors"),
    "one-head": (dict(n_layer=1, n_embd=32, n_head=1, activation_function="gelu"), "bin"),
    "bare-keys": (dict(n_layer=3, n_embd=64, n_head=2, n_inner=96, layer_norm_epsilon=1e-4), "bare"),
    "untied": (dict(n_layer=2, n_embd=40, n_head=5, tie_word_embeddings=False), "safetensors"),
    "half": (dict(n_layer=2, n_embd=32, n_head=2), "fp16"),
}
PROMPTS = [[36, 266, 301, 40, 12], [61, 5, 480, 299, 17, 88, 401, 256, 90], [300]]
BEAMS = [
    dict(num_beams=8, max_new_tokens=20, length_penalty=-1.0),
    dict(num_beams=8, max_new_tokens=20, length_penalty=1.0),
    dict(num_beams=4, max_new_tokens=16, length_penalty=0.0),
    dict(num_beams=5, max_new_tokens=16, length_penalty=2.0),
    dict(num_beams=3, max_new_tokens=24, length_penalty=-1.0, repetition_penalty=1.3),
    dict(num_beams=6, max_new_tokens=12, length_penalty=0.7, repetition_penalty=0.8),
    dict(num_beams=2, max_new_tokens=1, length_penalty=-1.0),
]


def model(name, spec, seed):
    torch.manual_seed(seed)
    config = GPT2Config(vocab_size=VOCAB, n_positions=64, bos_token_id=EOS, eos_token_id=EOS, **spec)
    net = GPT2LMHeadModel(config).eval()
    with torch.no_grad():
        for key, value in net.named_parameters():
            # Random weights as they are made give nearly flat scores and vanishing biases.
            if value.ndim == 2:
                value.normal_(0, 0.25 if "wte" in key or "lm_head" in key else 0.15)
            else:
                value.add_(torch.randn_like(value) * 0.1)
        # So that some texts end by themselves: the end token's score is raised, by the last layer norm's bias.
        end = net.lm_head.weight[EOS]
        net.transformer.ln_f.bias.add_(end * (4.0 / end.dot(end)))
    return net


def save(name, net, kind):
    folder = OUT / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    net.config.save_pretrained(folder)
    if kind == "safetensors":
        net.save_pretrained(folder)
    elif kind == "fp16":
        net.half().save_pretrained(folder)
        net.float()
    else:
        state = dict(net.state_dict())
        if kind == "bare":
            state = {k.removeprefix("transformer."): v for k, v in state.items() if k != "lm_head.weight"}
        else:
            # As files of the first years: the mask's buffers lie with the weights.
            for i in range(net.config.n_layer):
                state[f"transformer.h.{i}.attn.bias"] = torch.ones(64, 64).tril().view(1, 1, 64, 64).bool()
                state[f"transformer.h.{i}.attn.masked_bias"] = torch.tensor(-1e4)
        torch.save(state, folder / "pytorch_model.bin")
    for extra in ("generation_config.json",):
        (folder / extra).unlink(missing_ok=True)


def round6(tensor):
    return [round(float(x), 6) for x in tensor.flatten()]


def beams(net, prompt, options):
    out = net.generate(torch.tensor([prompt]), attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
                       do_sample=False, num_return_sequences=options["num_beams"], pad_token_id=EOS, eos_token_id=EOS,
                       return_dict_in_generate=True, output_scores=True, **options)
    found = []
    for sequence, score in zip(out.sequences.tolist(), out.sequences_scores.tolist()):
        tokens = sequence[len(prompt):]
        ended = EOS in tokens
        found.append({"tokens": tokens[:tokens.index(EOS)] if ended else tokens, "ended": ended, "score": score})
    return {**options, "prompt": prompt, "found": found}


def greedy(net, prompt, penalty):
    out = net.generate(torch.tensor([prompt]), attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
                       do_sample=False, max_new_tokens=24, repetition_penalty=penalty, pad_token_id=EOS, eos_token_id=EOS)
    return {"prompt": prompt, "penalty": penalty, "tokens": out[0, len(prompt):].tolist()}


def sampling(net, prompt, options):
    """Probabilities of the next token after generate's processors, for a few settings."""
    with torch.no_grad():
        logits = net(torch.tensor([prompt])).logits[:, -1]
    steps = LogitsProcessorList()
    if options["repetitionPenalty"] != 1:
        steps.append(RepetitionPenaltyLogitsProcessor(options["repetitionPenalty"]))
    if options["temperature"] != 1:
        steps.append(TemperatureLogitsWarper(options["temperature"]))
    if options["topK"] != 0:
        steps.append(TopKLogitsWarper(options["topK"]))
    if options["topP"] != 1:
        steps.append(TopPLogitsWarper(options["topP"]))
    scores = steps(torch.tensor([prompt]), logits)[0]
    order = torch.argsort(scores, descending=True)
    order = order[torch.isfinite(scores[order])]
    return {**options, "prompt": prompt, "ids": order.tolist(),
            "probabilities": round6(torch.softmax(scores, -1)[order])}


def logits(net):
    """One left-padded batch, then two cached steps; the last token's logits each time."""
    longest = max(map(len, PROMPTS))
    ids = torch.tensor([[EOS] * (longest - len(p)) + p for p in PROMPTS])
    mask = torch.tensor([[0] * (longest - len(p)) + [1] * len(p) for p in PROMPTS])
    steps = [[7, 8, 9], [100, 200, 300]]
    out = []
    with torch.no_grad():
        past = None
        for step in [None, *steps]:
            if step is not None:
                ids = torch.tensor(step).view(-1, 1)
                mask = torch.cat([mask, torch.ones(len(PROMPTS), 1, dtype=torch.long)], 1)
            positions = (mask.cumsum(1) - 1).clamp(min=0)[:, -ids.shape[1]:]
            result = net(ids, attention_mask=mask, position_ids=positions, past_key_values=past, use_cache=True)
            past = result.past_key_values
            out.append([round6(row) for row in result.logits[:, -1]])
    return {"prompts": PROMPTS, "steps": steps, "logits": out}


def main():
    expected = {"torch": torch.__version__, "transformers": transformers.__version__, "models": {}}
    samplers = [
        dict(repetitionPenalty=1.0, temperature=1.0, topK=50, topP=1.0),
        dict(repetitionPenalty=1.2, temperature=0.7, topK=0, topP=0.9),
        dict(repetitionPenalty=1.2, temperature=1.3, topK=20, topP=0.5),
    ]
    for seed, (name, (spec, kind)) in enumerate(MODELS.items()):
        net = model(name, spec, seed)
        if kind == "fp16":
            net = net.half().float()
        save(name, net, kind)
        expected["models"][name] = {
            "logits": logits(net) if name != "half" else None,
            "beams": [beams(net, p, o) for o in BEAMS for p in PROMPTS],
            "greedy": [greedy(net, p, r) for r in (1.0, 1.5) for p in PROMPTS],
            "sampling": [sampling(net, PROMPTS[1], o) for o in samplers],
        }
    (OUT / "expected.json").write_text(json.dumps(expected))


main()
