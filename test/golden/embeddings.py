"""Writes test/golden/embeddings/: embeddings in the forms that people share, as wide as the text encoder of
words/stable-diffusion, what diffusers' load_textual_inversion makes of them in prompts (token ids and states), and a
picture; and files that are to be refused, in refused/.

Made with torch 2.15.0 (CPU), diffusers 0.42.1, transformers 5.24.0, safetensors 0.8.0; seed 5.
Run: python test/golden/embeddings.py
"""

import json
import shutil
from pathlib import Path

import torch
from diffusers import StableDiffusionPipeline
from safetensors.torch import save_file

HERE = Path(__file__).parent
OUT = HERE / "embeddings"
WIDTH = 32
CASES = [
    {"id": "several", "prompt": "a mycat in the rain", "negative": "badhands7"},
    {"id": "one", "prompt": "a <cat-toy> in <Style Of X>, old house", "negative": "dog"},
    {"id": "all", "prompt": "mycat, <cat-toy>, badhands7, mycat", "negative": "<cat-toy>"},
    {"id": "inside", "prompt": "amycats<cat-toy>b, BADhands", "negative": ""},
    {"id": "spaces", "prompt": "  mycat  <style  of x>\n<cat-toy>.", "negative": "(mycat:1.3)"},
    {"id": "cut", "prompt": "a cat in the rain, " * 12 + "mycat mycat mycat, badhands7 badhands7 rain", "negative": "mycat"},
    {"id": "none", "prompt": "my cat toy", "negative": "bad hands"},
]
STEPS, GUIDANCE, SEED = 6, 5.0, 3
PICTURE = "several"

torch.manual_seed(5)
torch.set_num_threads(1)
shutil.rmtree(OUT, ignore_errors=True)
(OUT / "refused").mkdir(parents=True)


def vectors(*shape: int) -> torch.Tensor:
    return torch.randn(*shape) * 0.8


def webui(tensor: torch.Tensor, name: str) -> dict:
    return {"string_to_token": {"*": 265}, "string_to_param": {"*": torch.nn.Parameter(tensor)}, "name": name, "step": 500}


torch.save(webui(vectors(2, WIDTH), "mycat"), OUT / "mycat.pt")
torch.save({"<cat-toy>": vectors(WIDTH)}, OUT / "learned_embeds.bin")
save_file({"emb_params": vectors(3, WIDTH).half()}, OUT / "badhands7.safetensors")
save_file({"<Style Of X>": vectors(1, WIDTH)}, OUT / "learned_embeds-2.safetensors")

refused = OUT / "refused"
save_file({"clip_l": vectors(2, 24), "clip_g": vectors(2, 40)}, refused / "xl.safetensors")
torch.save(webui(vectors(2, 64), "wide"), refused / "wide.pt")
save_file({"a": vectors(WIDTH), "b": vectors(WIDTH)}, refused / "two.safetensors")
save_file({"emb_params": vectors(80, WIDTH)}, refused / "long.safetensors")
save_file({"emb_params": torch.full((1, WIDTH), float("nan"))}, refused / "nan.safetensors")
torch.save({"string_to_param": {"*": 3}, "name": "number"}, refused / "number.pt")
(refused / "cut.pt").write_bytes((OUT / "mycat.pt").read_bytes()[:600])
(refused / "cut.safetensors").write_bytes((OUT / "badhands7.safetensors").read_bytes()[:-8])

pipe = StableDiffusionPipeline.from_pretrained(HERE / "words/stable-diffusion", torch_dtype=torch.float32)
pipe.set_progress_bar_config(disable=True)
pipe.load_textual_inversion(str(OUT), weight_name="mycat.pt")
pipe.load_textual_inversion(str(OUT), weight_name="learned_embeds.bin")
pipe.load_textual_inversion(str(OUT), weight_name="badhands7.safetensors", token="badhands7")
pipe.load_textual_inversion(str(OUT), weight_name="learned_embeds-2.safetensors")


def ids(text: str) -> list[int]:
    converted = pipe.maybe_convert_prompt(text, pipe.tokenizer)
    return pipe.tokenizer(converted, padding="max_length", max_length=77, truncation=True).input_ids


found = {}
for case in CASES:
    with torch.no_grad():
        prompt, negative = pipe.encode_prompt(case["prompt"], "cpu", 1, True, case["negative"])
    found[case["id"]] = torch.cat([negative, prompt])[:, ::5].contiguous()
    case["ids"] = [ids(case["negative"]), ids(case["prompt"])]
    if case["id"] == PICTURE:
        pipe(
            case["prompt"],
            negative_prompt=case["negative"],
            num_inference_steps=STEPS,
            guidance_scale=GUIDANCE,
            generator=torch.Generator("cpu").manual_seed(SEED),
        ).images[0].save(OUT / f"{PICTURE}.png")
save_file(found, OUT / "states.safetensors")
shown = {"every": 5, "steps": STEPS, "guidance": GUIDANCE, "seed": SEED, "picture": PICTURE, "cases": CASES}
(OUT / "cases.json").write_text(json.dumps(shown) + "\n")
(OUT / "states.safetensors").chmod(0o644)
