"""Writes test/golden/weighted/: what AUTOMATIC1111's own code makes of prompts with marks, and what diffusers draws with
that. The pipeline is words/stable-diffusion with 0.3 added to the bias of the text encoder's last norm, so that the mean of
its states, which that code divides by, is far from zero, as it is in Stable Diffusion 1.5.

cases.json has the prompts, states.safetensors every seventh token's states of each (prompt, then negative prompt), and the
pictures are named by their cases.

Made with torch 2.15.0 (CPU), diffusers 0.42.1, transformers 5.24.0, auto1111sdk 0.0.95 (the web UI's modules
sd_hijack_clip.py and prompt_parser.py as a package), compel 2.5.1; seed 3.
Run: pip install --no-deps auto1111sdk==0.0.95 compel==2.5.1 lark && python test/golden/weighted.py
"""

import importlib.metadata
import importlib.util
import json
import shutil
import sys
import types
from pathlib import Path
from types import SimpleNamespace

import torch
from compel.embeddings_provider import EmbeddingsProvider, SplitLongTextMode
from diffusers import StableDiffusionPipeline
from safetensors.torch import save_file

HERE = Path(__file__).parent
OUT = HERE / "weighted"
SHIFT = 0.3
EVERY = 7
LONG = "a portrait of a warrior in the rain, highly detailed, (octane render:1.2), trending on artstation, " * 9
WORDS = "a cat in the rain by the old house with a dog " * 12
CASES = [
    {"id": "plain", "prompt": "A cat in the rain", "negative": "dog"},
    {"id": "weights", "prompt": "a (red:1.3) cat, (highly) detailed, in the [rain]", "negative": "(ugly:1.4), [[blurry]]"},
    {"id": "nested", "prompt": "a (((house:1.3)) [on] a (hill:0.5), sun, (((sky))).", "negative": ""},
    {"id": "escapes", "prompt": r"a cat \(literal\) (and \[more\]:0.8), a\\b, a \ b", "negative": "x"},
    {"id": "open", "prompt": "a cat, (in the [rain", "negative": "a) b] :1.3) c:1.5)"},
    {"id": "break", "prompt": "a cat BREAK (a dog:1.2) and BREAK the rain", "negative": "blurry"},
    {"id": "breaks", "prompt": "BREAK a cat BREAK BREAK a dog BREAK", "negative": "a BREAKER"},
    {"id": "long", "prompt": LONG, "negative": "(blurry:1.5), dog"},
    {"id": "words", "prompt": WORDS, "negative": WORDS + WORDS, "compel": True},
    {"id": "low", "prompt": "(a cat:0) in the (rain:-0.5), detailed", "negative": "[dog]"},
    {"id": "skip", "prompt": "a (red:1.3) cat BREAK [rain]", "negative": "(dog:1.3)", "clipSkip": 1},
]
PICTURES = ["weights", "long"]
STEPS, GUIDANCE, SEED = 6, 5.0, 3

torch.set_num_threads(1)
shutil.rmtree(OUT, ignore_errors=True)
OUT.mkdir()


def a1111() -> types.ModuleType:
    """The web UI's module, with its options as they are by default and without the rest of the program."""
    package = types.ModuleType("webui")
    package.__path__ = []
    sys.modules["webui"] = package
    options = SimpleNamespace(enable_emphasis=True, comma_padding_backtrack=20, CLIP_stop_at_last_layers=1)
    for name, content in {
        "devices": {"device": torch.device("cpu")},
        "sd_hijack": {"StableDiffusionModelHijack": object},
        "shared": {"opts": options},
    }.items():
        module = types.ModuleType(f"webui.{name}")
        vars(module).update(content)
        sys.modules[f"webui.{name}"] = module
        setattr(package, name, module)
    files = {path.name: path for path in importlib.metadata.files("auto1111sdk") if path.parent.name == "modules"}
    for name in ("prompt_parser", "sd_hijack_clip"):
        spec = importlib.util.spec_from_file_location(f"webui.{name}", files[f"{name}.py"].locate())
        module = importlib.util.module_from_spec(spec)
        sys.modules[f"webui.{name}"] = module
        setattr(package, name, module)
        spec.loader.exec_module(module)
    return package


webui = a1111()
pipe = StableDiffusionPipeline.from_pretrained(HERE / "words/stable-diffusion", torch_dtype=torch.float32)
pipe.set_progress_bar_config(disable=True)
encoder = pipe.text_encoder.eval()
# transformers 5 has no inner text_model any more.
text_model = getattr(encoder, "text_model", encoder)
if text_model is encoder:
    object.__setattr__(encoder, "text_model", SimpleNamespace(final_layer_norm=encoder.final_layer_norm))
with torch.no_grad():
    text_model.final_layer_norm.bias.add_(SHIFT)

none = SimpleNamespace(find_embedding_at_position=lambda tokens, position: (None, None))
hijack = SimpleNamespace(embedding_db=none, fixes=None, extra_generation_params={})
wrapped = torch.nn.Module()
wrapped.tokenizer, wrapped.transformer = pipe.tokenizer, encoder
webui_encoder = webui.sd_hijack_clip.FrozenCLIPEmbedderWithCustomWords(wrapped, hijack)
compel = EmbeddingsProvider(pipe.tokenizer, encoder, truncate=False, split_long_text_mode=SplitLongTextMode.BRUTAL)


def encode(text: str, clip_skip: int = 0) -> torch.Tensor:
    webui.shared.opts.CLIP_stop_at_last_layers = 1 + clip_skip
    with torch.no_grad():
        return webui_encoder.forward([text])


def padded(states: torch.Tensor, length: int) -> torch.Tensor:
    """As the web UI's option pad_cond_uncond has it."""
    empty = encode("")
    return torch.hstack([states, *[empty] * ((length - states.shape[1]) // empty.shape[1])])


found = {}
for case in CASES:
    prompt, negative = encode(case["prompt"], case.get("clipSkip", 0)), encode(case["negative"])
    length = max(prompt.shape[1], negative.shape[1])
    # CLIP skip is diffusers': it has none for the negative prompt. An empty chunk of the prompt has it.
    if case.get("clipSkip"):
        assert prompt.shape[1] == length
    prompt, negative = padded(prompt, length), padded(negative, length)
    case["tokens"] = length
    found[case["id"]] = torch.cat([prompt, negative])[:, ::EVERY].contiguous()
    if case.pop("compel", False):
        with torch.no_grad():
            theirs = compel.get_embeddings_for_weighted_prompt_fragments([[case["prompt"]]], [[1.0]])
        assert (theirs - prompt[:, : theirs.shape[1]]).abs().max() < 1e-5
    if case["id"] in PICTURES:
        pipe(
            prompt_embeds=prompt,
            negative_prompt_embeds=negative,
            num_inference_steps=STEPS,
            guidance_scale=GUIDANCE,
            generator=torch.Generator("cpu").manual_seed(SEED),
        ).images[0].save(OUT / f"{case['id']}.png")

save_file(found, OUT / "states.safetensors")
parsed = [
    {"prompt": text, "fragments": webui.prompt_parser.parse_prompt_attention(text)}
    for case in CASES
    for text in (case["prompt"], case["negative"])
]
cases = {"shift": SHIFT, "every": EVERY, "steps": STEPS, "guidance": GUIDANCE, "seed": SEED, "pictures": PICTURES}
(OUT / "cases.json").write_text(json.dumps({**cases, "cases": CASES, "parsed": parsed}, indent=1) + "\n")
