"""Small random safety checkers and what diffusers' StableDiffusionSafetyChecker says of clip.py's pictures.

Made with torch 2.13.0 (CPU), diffusers 0.42.1, transformers 5.18.0, safetensors 0.8.0, Pillow 13.0.0:
    python test/golden/clip.py && python test/golden/safety.py
Writes test/golden/safety/<name>/ (safety_checker/ and feature_extractor/ of a pipeline) and expected.json. Thresholds are
set by the pictures' own cosines, so that scores lie on both sides of the rounding (0.0004 is 0 and harmless, 0.0006 is
0.001 and flagged) and of the special-care adjustment of 0.01.
"""

import json
import pathlib
import shutil
import sys

import torch
from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker, cosine_distance
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPModel, CLIPVisionConfig

from clip import redraw

HERE = pathlib.Path(__file__).parent
OUT = HERE / "safety"
CONCEPTS, SPECIAL = 17, 3
#: A picture's cosine less this is a threshold, by concept: what the score comes to, before rounding and adjustment.
FAR = -0.3
CASES = {
    # No special-care concept: only what passes by more than half a thousandth of its own is flagged.
    "plain": {"seed": 31, "margins": {"noise-64x64": 0.0004, "noise-31x70": 0.0006, "waves-200x120": -0.0096, "blocks-64x64": 0.01}, "care": {}},
    # Special-care concepts of three pictures: the adjustment flags the first, is too little for the second; the third's
    # lies below the rounding and adjusts nothing. Of the fourth the first of two special-care concepts passes alone and
    # brings the second one over its threshold.
    "care": {
        "seed": 32,
        "margins": {"noise-64x64": -0.0094, "noise-31x70": -0.0096, "waves-200x120": -0.005, "blocks-64x64": -0.0094},
        "care": {"noise-64x64": (0, 0.0006), "noise-31x70": (1, 0.002), "waves-200x120": (2, 0.0004), "blocks-64x64": (1, 0.02)},
    },
    # The tower of clip.py's first CLIP: one tower serves both.
    "shared": {"seed": 33, "clip": "quick", "margins": {"noise-12x12": 0.01, "waves-32x32": -0.01}, "care": {}},
}


def scores_of(checker, pixels):
    """The checker's verdicts, and the scores behind them, which it keeps to itself."""
    forward = StableDiffusionSafetyChecker.forward.__wrapped__.__code__
    kept = {}

    def watch(frame, event, _):
        if event == "return" and frame.f_code is forward:
            kept["result"] = frame.f_locals["result"]

    sys.setprofile(watch)
    images, flagged = checker(clip_input=pixels, images=torch.zeros(len(pixels), 3, 1, 1))
    sys.setprofile(None)
    return flagged, kept["result"]


def nested(weights):
    """The published names: `vision_model.vision_model.*`, which transformers 5 shortens."""
    bare = lambda key: key.removeprefix("vision_model.").removeprefix("vision_model.")
    return {f"vision_model.vision_model.{bare(key)}" if key.startswith("vision_model.") else key: value
            for key, value in weights.items()}


def make(name: str, case: dict, images: dict[str, Image.Image]) -> dict:
    folder = OUT / name
    generator = torch.Generator("cpu").manual_seed(case["seed"])
    if "clip" in case:
        clip = CLIPModel.from_pretrained(HERE / "clip" / case["clip"])
        vision, dimensions = clip.config.vision_config, clip.config.projection_dim
        processor = CLIPImageProcessorPil.from_pretrained(HERE / "clip" / case["clip"])
    else:
        dimensions = 24
        vision = CLIPVisionConfig(hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
                                  image_size=32, patch_size=8, projection_dim=dimensions)
        processor = CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    checker = StableDiffusionSafetyChecker(CLIPConfig(vision_config=vision.to_dict(), projection_dim=dimensions)).eval()
    redraw(checker, case["seed"])
    if "clip" in case:
        checker.vision_model.load_state_dict(clip.vision_model.state_dict())
        checker.visual_projection.load_state_dict(clip.visual_projection.state_dict())
    pixels = torch.cat([processor(image, return_tensors="pt").pixel_values for image in images.values()])
    rows = dict(zip(images, range(len(images))))
    with torch.no_grad():
        checker.concept_embeds.copy_(torch.randn(CONCEPTS, dimensions, generator=generator))
        checker.special_care_embeds.copy_(torch.randn(SPECIAL, dimensions, generator=generator))
        embeds = checker.visual_projection(checker.vision_model(pixels)[1])
        cosines = cosine_distance(embeds, checker.concept_embeds)
        special = cosine_distance(embeds, checker.special_care_embeds)
        # A concept for each picture that is named; nobody comes near the others.
        checker.concept_embeds_weights.copy_(cosines.max(0).values - FAR)
        checker.special_care_embeds_weights.copy_(special.max(0).values - FAR)
        for i, (picture, margin) in enumerate(case["margins"].items()):
            # In the direction of that picture, so that the others' cosines are lower.
            checker.concept_embeds[2 * i].copy_(embeds[rows[picture]])
            checker.concept_embeds_weights[2 * i] = 1 - margin
        for picture, (k, margin) in case["care"].items():
            checker.special_care_embeds_weights[k] = min(
                special[rows[picture], k] - margin, checker.special_care_embeds_weights[k]
            )
    flagged, results = scores_of(checker, pixels)
    checker.save_pretrained(folder / "safety_checker")
    processor.save_pretrained(folder / "feature_extractor")
    weights = folder / "safety_checker/model.safetensors"
    if name == "plain":
        # As published: a whole CLIPVisionModel inside, with its buffer of positions, as a pickle.
        old = nested(load_file(weights))
        old["vision_model.vision_model.embeddings.position_ids"] = torch.arange(17)[None]
        torch.save(old, folder / "safety_checker/pytorch_model.bin")
        weights.unlink()
    if name == "care":
        save_file(nested(load_file(weights)), weights, metadata={"format": "pt"})
    print(name, dict(zip(images, flagged)))
    return {
        picture: {
            "flagged": flagged[row],
            "specialCare": [float(x) for x in results[row]["special_scores"].values()],
            "scores": [float(x) for x in results[row]["concept_scores"].values()],
            "concepts": results[row]["bad_concepts"],
        }
        for picture, row in rows.items()
    }


if __name__ == "__main__":
    torch.set_num_threads(1)
    shutil.rmtree(OUT, ignore_errors=True)
    images = {path.stem: Image.open(path).convert("RGB") for path in sorted((HERE / "clip/pictures").glob("*.png"))}
    expected = {name: make(name, case, images) for name, case in CASES.items()}
    (OUT / "expected.json").write_text(json.dumps(expected) + "\n")
