"""Last stage: the newest weights of all stages, float16, in the layout in which the real checkpoints are published.

python training/export.py SCRATCH checkpoints/miniature [--only clip|pictures]
"""

import argparse
import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import save_file

import clip
import decoder
import denoiser
import promptist
import text_encoder
from common import THREADS

#: Newer than 0.9: for an older one diffusers takes the UNet's sample size to be 64, whatever is written.
VERSION = "0.42.1"


def write_json(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=2, sort_keys=True) + "\n")


def write_weights(path, tensors):
    path.parent.mkdir(parents=True, exist_ok=True)
    half = {name: tensor.half().contiguous() for name, tensor in sorted(tensors.items())}
    for name, tensor in half.items():
        assert torch.isfinite(tensor).all(), name
    save_file(half, path, metadata={"format": "pt"})


def state_of(scratch, stage, kind="model"):
    return torch.load(scratch / stage / "state.pt")[kind]


TOKENIZER = ("vocab.json", "merges.txt", "special_tokens_map.json", "tokenizer_config.json")


def copy_tokenizer(source, target):
    target.mkdir(parents=True, exist_ok=True)
    for name in TOKENIZER:
        shutil.copyfile(source / name, target / name)
    return len(json.loads((source / "vocab.json").read_text()))


def export_clip(scratch, target):
    """CLIPModel as OpenAI's is published, but float16, and the predictor as LAION's."""
    vocab = copy_tokenizer(scratch / "tokenizer", target / "clip")
    config = clip.build(vocab).config
    keys = ["hidden_act", "hidden_size", "intermediate_size", "layer_norm_eps", "num_attention_heads", "num_hidden_layers",
            "projection_dim"]
    tower = lambda part, *others: {key: getattr(part, key) for key in [*keys, *others]}
    write_json(target / "clip/config.json", {
        "architectures": ["CLIPModel"], "logit_scale_init_value": 2.6592, "model_type": "clip",
        "projection_dim": clip.EMBEDDING, "torch_dtype": "float16",
        "text_config": {"model_type": "clip_text_model", **tower(
            config.text_config, "bos_token_id", "eos_token_id", "max_position_embeddings", "pad_token_id", "vocab_size")},
        "vision_config": {"model_type": "clip_vision_model", **tower(
            config.vision_config, "image_size", "num_channels", "patch_size")},
    })
    write_json(target / "clip/preprocessor_config.json", {
        "crop_size": clip.SIDE, "do_center_crop": True, "do_normalize": True, "do_resize": True,
        "feature_extractor_type": "CLIPFeatureExtractor", "image_mean": clip.MEAN, "image_std": clip.STD, "resample": 3,
        "size": clip.SIDE,
    })
    write_weights(target / "clip/model.safetensors", state_of(scratch, "clip"))
    style = torch.load(scratch / "clip/style.pt")["model"]
    (target / "aesthetic").mkdir(parents=True, exist_ok=True)
    torch.save(style, target / "aesthetic/style.pth")


def write_gpt2(folder, vocab, weights):
    write_json(folder / "config.json", {
        "activation_function": "gelu_new", "architectures": ["GPT2LMHeadModel"], "attn_pdrop": 0.1, "embd_pdrop": 0.1,
        "resid_pdrop": 0.1, "bos_token_id": vocab - 1, "eos_token_id": vocab - 1, "initializer_range": 0.02,
        "layer_norm_epsilon": 1e-5, "model_type": "gpt2", "n_ctx": promptist.POSITIONS, "n_embd": promptist.WIDTH,
        "n_head": promptist.HEADS, "n_layer": promptist.LAYERS, "n_positions": promptist.POSITIONS,
        "torch_dtype": "float16", "vocab_size": vocab,
    })
    write_json(folder / "generation_config.json", {"bos_token_id": vocab - 1, "eos_token_id": vocab - 1})
    # Tied to transformer.wte.weight, and not stored twice.
    write_weights(folder / "model.safetensors", {k: v for k, v in weights.items() if k != "lm_head.weight"})


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("scratch", type=Path)
    args.add_argument("target", type=Path)
    args.add_argument("--only", choices=["clip", "pictures"])
    args = args.parse_args()
    torch.set_num_threads(THREADS)
    scratch = args.scratch
    if args.only != "pictures":
        export_clip(scratch, args.target)
    if args.only == "clip":
        return

    # Who trains on has no state of what was left as it is.
    if (scratch / "promptist/state.pt").exists():
        gpt2 = args.target / "promptist"
        write_gpt2(gpt2, copy_tokenizer(scratch / "promptist-tokenizer", gpt2), state_of(scratch, "promptist"))

    sd = args.target / "stable-diffusion"
    vocab = copy_tokenizer(scratch / "tokenizer", sd / "tokenizer")
    write_json(sd / "model_index.json", {
        "_class_name": "StableDiffusionPipeline", "_diffusers_version": VERSION, "feature_extractor": [None, None],
        "image_encoder": [None, None], "requires_safety_checker": False, "safety_checker": [None, None],
        "scheduler": ["diffusers", "PNDMScheduler"], "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"], "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"],
    })
    write_json(sd / "scheduler/scheduler_config.json", {
        "_class_name": "PNDMScheduler", "_diffusers_version": VERSION, "clip_sample": False, "trained_betas": None,
        **denoiser.SCHEDULE,
    })
    write_json(sd / "text_encoder/config.json", {
        "architectures": ["CLIPTextModel"], "attention_dropout": 0.0, "bos_token_id": vocab - 2, "dropout": 0.0,
        "eos_token_id": vocab - 1, "hidden_act": "quick_gelu", "hidden_size": text_encoder.WIDTH,
        "initializer_range": 0.02, "intermediate_size": 2 * text_encoder.WIDTH, "layer_norm_eps": 1e-5,
        "max_position_embeddings": text_encoder.POSITIONS, "model_type": "clip_text_model",
        "num_attention_heads": text_encoder.HEADS, "num_hidden_layers": text_encoder.LAYERS,
        "pad_token_id": vocab - 1, "projection_dim": text_encoder.WIDTH, "torch_dtype": "float16", "vocab_size": vocab,
    })
    weights = state_of(scratch, "text-encoder")
    # transformers' CLIPTextModel lost this prefix in version 5; published checkpoints have it.
    write_weights(sd / "text_encoder/model.fp16.safetensors", {f"text_model.{k}": v for k, v in weights.items()})
    write_json(sd / "unet/config.json", {
        "_class_name": "UNet2DConditionModel", "_diffusers_version": VERSION, "act_fn": "silu",
        "center_input_sample": False, "downsample_padding": 1, "flip_sin_to_cos": True, "freq_shift": 0,
        "mid_block_scale_factor": 1, "norm_eps": 1e-5, **denoiser.CONFIG,
    })
    write_weights(sd / "unet/diffusion_pytorch_model.fp16.safetensors", state_of(scratch, "denoiser", "ema"))
    write_json(sd / "vae/config.json", {
        "_class_name": "AutoencoderKL", "_diffusers_version": VERSION, "act_fn": "silu", **decoder.CONFIG,
    })
    write_weights(sd / "vae/diffusion_pytorch_model.fp16.safetensors", state_of(scratch, "decoder"))
    subjects = json.loads((scratch / "data/subjects.json").read_text())
    lines = [", ".join([subject["name"], *subject["others"]]) for subject in subjects]
    (args.target / "subjects.txt").write_text("\n".join(lines) + "\n")
    size = sum(file.stat().st_size for file in args.target.rglob("*") if file.is_file())
    print(f"{size / 1e6:.1f} MB in {args.target}")


if __name__ == "__main__":
    main()
