"""What transformers writes behind a prompt when it may not leave the rule of a kept rewrite (torch 2.15.0, transformers
5.24.0).

Reads gpt2/two-layers and tokenizers/gpt2 (gpt2_small.py, tokenizer_cases.py), writes rewriters/kept.json: for each prompt and
form the texts of beam search and greedy search under `prefix_allowed_tokens_fn`, and the tokens that sampling may draw first.
The rule is written here a second time, from docs/prompts.md. Run: python test/golden/kept.py
"""
import codecs
import json
import pathlib
import re
import unicodedata

import torch
import transformers
from transformers import GPT2LMHeadModel, GPT2Tokenizer
from transformers.generation import (
    LogitsProcessorList, PrefixConstrainedLogitsProcessor, TemperatureLogitsWarper, TopKLogitsWarper)

HERE = pathlib.Path(__file__).parent
NEW = 16
PROMPTS = ["A cat in the rain", "Fear", "a castle, a castle", "ein müder Fuchs,", "猫", "cat 🐱", "v2"]
#: What ECMAScript calls a space.
SPACE = r"(?:(?![\x1c-\x1f\x85])\s|\ufeff)"
BREAK = re.compile(r"[,;.|\n，、；。]")


def whole(data):
    """The text of bytes and what is left of a letter that is not whole; None where they are no UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        return decoder.decode(data), decoder.getstate()[0]
    except UnicodeDecodeError:
        return None


def words(phrase):
    kept = [c if c.isalnum() or unicodedata.category(c)[0] in "MS" else " " for c in phrase.lower()]
    return " ".join("".join(kept).split())


class Rule:
    def __init__(self, prompt, bytes_of, end, goes_on):
        self.bytes_of, self.end = bytes_of, end
        *before, self.last = BREAK.split(prompt)
        self.before = [words(p) for p in before]
        spaced = goes_on or not self.last.strip()
        self.begins = re.compile(f"{SPACE}|[,;|]({SPACE}|$)" if spaced else f"[,;|]({SPACE}|$)")

    def state(self, written):
        text, rest = whole(b"".join(self.bytes_of[t] for t in written))
        *closed, phrase = BREAK.split(self.last + text)
        own = not closed and words(phrase) == words(self.last)
        return text, rest, {*self.before, *map(words, closed)}, phrase, own

    def allows(self, state, token):
        text, rest, said, phrase, own = state
        if token == self.end:
            return not rest and not own and words(phrase) != "" and words(phrase) not in said
        read = self.bytes_of[token] is not None and whole(rest + self.bytes_of[token])
        if not read:
            return False
        more = read[0]
        if len(text) < 2 and (read[1] or not self.begins.match(text + more)):
            return False
        said = set(said)
        for i, part in enumerate(BREAK.split(phrase + more)[:-1]):
            if i == 0 and own:
                if not part.strip():
                    return False
            elif words(part) in said | {""}:
                return False
            said.add(words(part))
        return True

    def text(self, written, ended):
        text, _, said, phrase, own = self.state(written)
        if ended or own or words(phrase) not in said | {""}:
            return text
        return text[: max(0, len(text) - len(phrase) - 1)]


def main():
    net = GPT2LMHeadModel.from_pretrained(HERE / "gpt2" / "two-layers").eval()
    tokenizer = GPT2Tokenizer.from_pretrained(HERE / "tokenizers" / "gpt2")
    shown = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in shown]
    letters = {chr(byte): byte for byte in shown} | {chr(0x100 + i): byte for i, byte in enumerate(others)}
    size, end = net.config.vocab_size, net.config.eos_token_id
    names = {id: name for name, id in tokenizer.get_vocab().items()}
    bytes_of = [bytes(letters[c] for c in names[i]) if i in names and i != end else None for i in range(size)]
    cases = []
    for form in ("apart", "on"):
        for prompt in PROMPTS:
            rule = Rule(prompt, bytes_of, end, form == "on")
            asked = f"{prompt} Rephrase: {prompt}" if form == "apart" else prompt
            ids = tokenizer(asked, return_tensors="pt").input_ids
            start = ids.shape[1]

            def allowed(_, so_far):
                state = rule.state(so_far[start:].tolist())
                return [token for token in range(size) if rule.allows(state, token)]

            def write(**options):
                out = net.generate(
                    ids, attention_mask=torch.ones_like(ids), max_new_tokens=NEW, pad_token_id=end, do_sample=False,
                    prefix_allowed_tokens_fn=allowed, **options)
                rows = [row[start:].tolist() for row in out]
                cut = [row[: row.index(end)] if end in row else row for row in rows]
                return [prompt + rule.text(row, len(row) < len(full) or end in full) for row, full in zip(cut, rows)]

            warp = LogitsProcessorList(
                [PrefixConstrainedLogitsProcessor(allowed, 1), TemperatureLogitsWarper(0.7), TopKLogitsWarper(50)])
            with torch.no_grad():
                drawn = warp(ids, net(ids).logits[:, -1])[0]
            cases.append({
                "prompt": prompt, "form": form,
                "beam": write(num_beams=8, num_return_sequences=8, length_penalty=-1.0),
                "greedy": write()[0],
                "first": sorted(torch.isfinite(drawn).nonzero()[:, 0].tolist()),
            })
    expected = {"torch": torch.__version__, "transformers": transformers.__version__, "cases": cases}
    (HERE / "rewriters" / "kept.json").write_text(json.dumps(expected, ensure_ascii=False, indent=1) + "\n")


torch.set_num_threads(1)
main()
