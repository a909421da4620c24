"""Reference ids for the tokenizers, from Hugging Face's own (transformers 5.18.0, tokenizers 0.23.3).

Trains two small byte-pair vocabularies (GPT-2's and CLIP's kind) on the text below and tokenizes seeded random Unicode
strings with GPT2Tokenizer and CLIPTokenizer. Writes tokenizers/{gpt2,clip}/{vocab.json,merges.txt,...} and
tokenizers/cases.json beside this script. Run: python test/golden/tokenizer_cases.py
"""
import json
import pathlib
import random

import tokenizers
import transformers
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import CLIPTokenizer, GPT2Tokenizer

HERE = pathlib.Path(__file__).parent / "tokenizers"
CORPUS = [
    "A cat in the rain Rephrase: a cat sitting in the rain, highly detailed, digital painting, artstation, concept art",
    "A fantasy castle, greg rutkowski, sharp focus, illustration, cinematic lighting, 4k, 8k, octane render, trending",
    "portrait of a warrior, it's the king's armour; they're painted, we've seen 1234567890 of them, don't we'll I'd I'm",
    "the starry night by van gogh !!! ??? ... --- (((masterpiece))) [best quality] {ultra} <lora:detail:0.8> @user #tag",
    "café naïve Ünïcödé straße Ελληνικά русский язык 日本語のテキスト 中文字符 한국어 العربية हिन्दी ไทย 😀🎨🏰",
] * 4

WHITESPACE = [" ", "  ", "\t", "\n", "\r\n", "\u00a0", "\u2003", "\u3000", "\u200b", "\u0085", "\u2028", "\x1c", "\ufeff"]
PIECES = (
    "a cat in the rain Rephrase: king's they're DON'T I'LL it’s 1234 ½ Ⅷ ² ٣ x2 2x v1.5 --- ... ?! !!! '' 's 'S 'll' "
    "straße İstanbul ǅ ﬁne e\u0301 \u0301 n\u0303o Å Å ｆｕｌｌ ς ΑΣ 日本語 中文 한국어 한 हिन्दी ไทย العربية "
    "😀 👨‍👩‍👧 🏳️‍🌈 ❤️ 🎨🏰 \u0000 \u0001 \u007f \u00ad \u200d \u202e \ue000 \U000e0067 𝔘𝔫𝔦 \ufffd"
).split(" ")


def strings(count, seed):
    draw = random.Random(seed)
    for _ in range(count):
        parts = []
        for _ in range(draw.randint(0, 9)):
            kind = draw.random()
            if kind < 0.45:
                parts.append(draw.choice(PIECES))
            elif kind < 0.8:
                parts.append(draw.choice(WHITESPACE))
            else:
                code = draw.choice([draw.randint(0x20, 0x7E), draw.randint(0xA0, 0x52F), draw.randint(0x530, 0xD7FF),
                                    draw.randint(0xE000, 0xFFFF), draw.randint(0x10000, 0x1FFFF)])
                parts.append(chr(code))
        yield "".join(parts)


def save(folder, trained, special, config):
    target = HERE / folder
    target.mkdir(parents=True, exist_ok=True)
    model = json.loads(trained.to_str())["model"]
    vocab = model["vocab"]
    for token in special:
        vocab.setdefault(token, len(vocab))
    merges = [m if isinstance(m, str) else " ".join(m) for m in model["merges"]]
    (target / "vocab.json").write_text(json.dumps(vocab, ensure_ascii=False))
    (target / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n")
    (target / "tokenizer_config.json").write_text(json.dumps(config))


def gpt2():
    trained = Tokenizer(models.BPE())
    trained.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trained.decoder = decoders.ByteLevel()
    trained.train_from_iterator(CORPUS, trainers.BpeTrainer(
        vocab_size=700, initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()), show_progress=False))
    save("gpt2", trained, ["<|endoftext|>"], {"model_max_length": 1024})
    return GPT2Tokenizer.from_pretrained(HERE / "gpt2")


def clip():
    trained = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    trained.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    trained.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    # Words are cut as CLIP cuts them, so that merges carry the suffix where CLIP's do.
    trained.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(tokenizers.Regex(r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"),
                             behavior="removed", invert=True),
        pre_tokenizers.ByteLevel(add_prefix_space=False),
    ])
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trained.train_from_iterator(CORPUS, trainers.BpeTrainer(
        vocab_size=900, initial_alphabet=alphabet, end_of_word_suffix="</w>", show_progress=False))
    ends = [letter + "</w>" for letter in alphabet]
    save("clip", trained, ends + ["<|startoftext|>", "<|endoftext|>"], {
        "model_max_length": 77,
        "pad_token": "<|endoftext|>",
        "bos_token": {"__type": "AddedToken", "content": "<|startoftext|>", "normalized": True},
        "eos_token": {"__type": "AddedToken", "content": "<|endoftext|>", "normalized": True},
        "unk_token": {"__type": "AddedToken", "content": "<|endoftext|>", "normalized": True},
    })
    return CLIPTokenizer.from_pretrained(HERE / "clip")


def main():
    texts = list(strings(400, 7)) + [
        "", " ", "\n\n", "A cat in the rain Rephrase:", "<|endoftext|>", "a<|endoftext|>b", " <|endoftext|> cat",
        "<|startoftext|>cat", "<|STARTOFTEXT|> cat", "Hello,   WORLD!", "tail  ", "  head", "a\n\n\nb  c",
        "a highly detailed painting of a castle, " * 20,
    ]
    g, c = gpt2(), clip()
    cases = []
    for text in texts:
        ids = g(text)["input_ids"]
        full = c(text, padding="max_length", truncation=True, max_length=77)["input_ids"]
        cases.append({"text": text, "gpt2": ids, "clip": c(text)["input_ids"],
                      "decoded": g.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False),
                      "clip77": full if len(c(text)["input_ids"]) > 77 else None})
    out = {"transformers": transformers.__version__, "tokenizers": tokenizers.__version__, "cases": cases}
    (HERE / "cases.json").write_text(json.dumps(out))


main()
