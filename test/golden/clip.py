"""Small random CLIPs with aesthetic predictors, and what transformers makes of pictures and prompts with them.

Made with torch 2.13.0 (CPU), transformers 5.18.0, safetensors 0.8.0, Pillow 13.0.0, numpy:
    python test/golden/clip.py
Writes test/golden/clip/<name>/ in the published layout (tokenizer: the miniature's), pictures/ and expected.json,
with the processor's pixels in expected.safetensors.
"""

import json
import pathlib
import shutil

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file
from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPModel, CLIPTextConfig, CLIPTokenizer, CLIPVisionConfig

HERE = pathlib.Path(__file__).parent
OUT = HERE / "clip"
TOKENIZER = HERE.parent.parent / "checkpoints/miniature/stable-diffusion/tokenizer"
PROMPTS = [
    "a fox",
    "A cat in the rain, highly detailed, octane render",
    "",
    "portrait of a warrior " * 20,
]
CASES = {
    # As ViT-L/14 in small.
    "quick": {
        "seed": 21,
        "text": dict(hidden_size=32, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4),
        "vision": dict(hidden_size=48, intermediate_size=96, num_hidden_layers=3, num_attention_heads=6, image_size=32, patch_size=8),
        "dimensions": 24,
        "processor": dict(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}),
        "predictor": (32, 16, 8, 4),
    },
    # The other activation, patches that leave a rest, a wider projection, a crop smaller than the resized side, other
    # means; an end token from the days when configurations had 2 for it; a .bin with buffers of positions.
    "gelu": {
        "seed": 22,
        "text": dict(hidden_size=20, intermediate_size=40, num_hidden_layers=3, num_attention_heads=5, hidden_act="gelu",
                     layer_norm_eps=1e-3, eos_token_id=2),
        "vision": dict(hidden_size=24, intermediate_size=60, num_hidden_layers=2, num_attention_heads=2, image_size=28,
                       patch_size=5, hidden_act="gelu", layer_norm_eps=1e-3),
        "dimensions": 40,
        "processor": dict(size={"shortest_edge": 40}, crop_size={"height": 28, "width": 28}, image_mean=[0.5, 0.4, 0.3],
                          image_std=[0.5, 0.25, 0.2]),
        "predictor": (20, 10),
        "old": True,
    },
    # One layer, one head, one patch.
    "one": {
        "seed": 23,
        "text": dict(hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=1),
        "vision": dict(hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=1, image_size=16, patch_size=16),
        "dimensions": 16,
        "processor": dict(size={"shortest_edge": 16}, crop_size={"height": 16, "width": 16}),
        "predictor": (),
    },
}


def redraw(model: torch.nn.Module, seed: int) -> None:
    """Weights that keep the size of what goes through them; torch's own start values would let outputs vanish."""
    generator = torch.Generator("cpu").manual_seed(seed)
    for name, parameter in sorted(model.named_parameters()):
        noise = torch.randn(parameter.shape, generator=generator)
        with torch.no_grad():
            if name == "logit_scale":
                continue
            if "embedding" in name and "patch" not in name:
                parameter.copy_(noise * 0.7)
            elif parameter.ndim >= 2:
                parameter.copy_(noise * parameter[0].numel() ** -0.5)
            elif name.endswith("bias"):
                parameter.copy_(noise * 0.1)
            else:
                parameter.copy_(1 + noise * 0.2)


def predictor(dimensions: int, inner: tuple, seed: int) -> torch.nn.Module:
    """As LAION's: linear layers with dropout between them, under `layers`."""
    torch.manual_seed(seed)
    sizes = (dimensions, *inner, 1)
    layers = []
    for i, (a, b) in enumerate(zip(sizes, sizes[1:])):
        layers.append(torch.nn.Linear(a, b))
        # None before the last, as there.
        if i < len(sizes) - 3:
            layers.append(torch.nn.Dropout(0.2))
    model = torch.nn.Module()
    model.layers = torch.nn.Sequential(*layers)
    with torch.no_grad():
        # torch's start values would give all pictures nearly one score.
        for layer in model.layers:
            if isinstance(layer, torch.nn.Linear):
                layer.weight.copy_(torch.randn_like(layer.weight) * 2 * layer.in_features**-0.5)
        model.layers[-1].bias += 5
    return model.eval()


def pictures() -> dict[str, Image.Image]:
    random = np.random.default_rng(24)
    noise = lambda w, h: Image.fromarray(random.integers(0, 256, (h, w, 3), np.uint8), "RGB")

    def waves(w, h):
        y, x = np.mgrid[0:h, 0:w]
        channels = [127 + 120 * np.sin(x / a + y / b) for a, b in ((9, 17), (23, -11), (5, 40))]
        return Image.fromarray(np.stack(channels, 2).astype(np.uint8), "RGB")

    blocks = np.kron(random.integers(0, 2, (8, 8, 3)), np.ones((8, 8, 1))).astype(np.uint8) * 255
    return {
        "noise-64x64": noise(64, 64),
        "noise-31x70": noise(31, 70),
        "noise-12x12": noise(12, 12),
        "waves-200x120": waves(200, 120),
        "waves-512x512": waves(512, 512),
        "waves-32x32": waves(32, 32),
        # Ringing beyond black and white.
        "blocks-64x64": Image.fromarray(blocks, "RGB"),
    }


def make(name: str, case: dict, images: dict[str, Image.Image]) -> dict:
    folder = OUT / name
    folder.mkdir(parents=True)
    for file in ("vocab.json", "merges.txt", "tokenizer_config.json", "special_tokens_map.json"):
        shutil.copyfile(TOKENIZER / file, folder / file)
    tokenizer = CLIPTokenizer.from_pretrained(folder)
    vocab, positions = len(tokenizer), tokenizer.model_max_length
    tokens = dict(vocab_size=vocab, max_position_embeddings=positions, bos_token_id=vocab - 2, eos_token_id=vocab - 1,
                  pad_token_id=vocab - 1, projection_dim=case["dimensions"])
    text = CLIPTextConfig(**{**tokens, **case["text"]})
    vision = CLIPVisionConfig(projection_dim=case["dimensions"], **case["vision"])
    model = CLIPModel(CLIPConfig(text_config=text.to_dict(), vision_config=vision.to_dict(), projection_dim=case["dimensions"]))
    model.eval()
    redraw(model, case["seed"])
    model.save_pretrained(folder)
    if case.get("old"):
        weights = model.state_dict()
        weights["text_model.embeddings.position_ids"] = torch.arange(positions)[None]
        weights["vision_model.embeddings.position_ids"] = torch.arange((vision.image_size // vision.patch_size) ** 2 + 1)[None]
        torch.save(weights, folder / "pytorch_model.bin")
        (folder / "model.safetensors").unlink()
    processor = CLIPImageProcessorPil(**case["processor"])
    processor.save_pretrained(folder)
    if case.get("old"):
        written = json.loads((folder / "preprocessor_config.json").read_text())
        written |= {"size": case["processor"]["size"]["shortest_edge"], "crop_size": case["processor"]["crop_size"]["height"]}
        (folder / "preprocessor_config.json").write_text(json.dumps(written, indent=2) + "\n")
    head = predictor(case["dimensions"], case["predictor"], case["seed"])
    torch.save(head.state_dict(), folder / "predictor.pth")

    ids = tokenizer(PROMPTS, padding="max_length", truncation=True, return_tensors="pt").input_ids
    pixels = torch.cat([processor(image, return_tensors="pt").pixel_values for image in images.values()])
    with torch.no_grad():
        out = model(input_ids=ids, pixel_values=pixels)
        cosines = out.logits_per_image / model.logit_scale.exp()
        beauty = head.layers(out.image_embeds).squeeze(1)
    save_file({key: value.contiguous() for key, value in zip(images, pixels)}, folder / "expected.safetensors")
    print(name, "cosines", cosines.min().item(), cosines.max().item(), "beauty", beauty.min().item(), beauty.max().item())
    return {
        "cosines": {key: row.tolist() for key, row in zip(images, cosines)},
        "beauty": {key: value.item() for key, value in zip(images, beauty)},
        "picture": {key: row.tolist() for key, row in zip(images, out.image_embeds)},
        "text": out.text_embeds.tolist(),
    }


if __name__ == "__main__":
    torch.set_num_threads(1)
    shutil.rmtree(OUT, ignore_errors=True)
    images = pictures()
    (OUT / "pictures").mkdir(parents=True)
    for name, image in images.items():
        image.save(OUT / "pictures" / f"{name}.png", optimize=True)
    cases = {name: make(name, case, images) for name, case in CASES.items()}
    (OUT / "expected.json").write_text(json.dumps({"prompts": PROMPTS, "cases": cases}) + "\n")
