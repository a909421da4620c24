"""The PyTorch side of bench/promptist*.mjs: one line of JSON in, one line of JSON out.

{"make": directory, "outliers": bool}: writes a full-size GPT-2 with seeded random weights (save_pretrained).
{"directory", "dtype", "ids", "beams", "tokens", "eos"}: one call of transformers' generate, answered with
{"wallMs", "cpuMs", "sequences"}.
Argument: threads (2). Measured with torch 2.13.0 and transformers 5.18.0.
"""
import json
import os
import sys
import time

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
from transformers import GPT2Config, GPT2LMHeadModel
from transformers.utils import logging

logging.set_verbosity_error()
logging.disable_progress_bar()
torch.set_num_threads(int(sys.argv[1]) if len(sys.argv) > 1 else 2)
models = {}


def make(directory, outliers):
    torch.manual_seed(0)
    model = GPT2LMHeadModel(GPT2Config())
    if outliers:
        # What trained models have and random ones lack: a few channels far larger than the rest, which the next
        # matrix weighs little, and scores that are not flat.
        channels = torch.randperm(model.config.n_embd)[:6]
        with torch.no_grad():
            for block in model.transformer.h:
                for norm, matrix in ((block.ln_1, block.attn.c_attn), (block.ln_2, block.mlp.c_fc)):
                    norm.weight[channels] *= 25
                    matrix.weight[channels] /= 10
                for matrix in (block.attn.c_attn, block.attn.c_proj, block.mlp.c_fc, block.mlp.c_proj):
                    matrix.weight.mul_(2.5)
            model.transformer.ln_f.weight.mul_(5)
    model.save_pretrained(directory)
    return {"made": directory}


def generate(ask):
    dtype = ask["dtype"]
    if dtype not in models:
        models[dtype] = GPT2LMHeadModel.from_pretrained(ask["directory"], dtype=getattr(torch, dtype)).eval()
    ids = torch.tensor([ask["ids"]])
    wall, cpu = time.perf_counter(), time.process_time()
    with torch.inference_mode():
        out = models[dtype].generate(
            ids, attention_mask=torch.ones_like(ids), do_sample=False, num_beams=ask["beams"],
            num_return_sequences=ask["beams"], max_new_tokens=ask["tokens"], length_penalty=-1.0,
            eos_token_id=ask["eos"], pad_token_id=ask["eos"])
    return {"wallMs": (time.perf_counter() - wall) * 1e3, "cpuMs": (time.process_time() - cpu) * 1e3,
            "sequences": out[:, ids.shape[1]:].tolist()}


for line in sys.stdin:
    asked = json.loads(line)
    answer = make(asked["make"], asked["outliers"]) if "make" in asked else generate(asked)
    print(json.dumps(answer), flush=True)
