"""Writes test/golden/field/: a small Stable Diffusion checkpoint in the forms that people have it in, and what diffusers
makes of each form. test/inference/diffusion/field.test.ts has the table of forms and of what comes out of them here.

- single/: single files with the names of the original code; their configurations and tokenizer lie beside them
- folder/: the same weights in diffusers' layout; cases.json says how a folder case differs from it
- lora/, vae/: adapters and VAEs for these
- pictures/: what diffusers draws, each picture once; cases.json names the picture of each case, and whether diffusers
  loads the file itself or draws from the same numbers in another form

Made with torch 2.15.0, diffusers 0.42.1, transformers 5.24.0, peft, safetensors; seed 0.
Run: python test/golden/field.py
"""

import collections
import json
import re
import shutil
import sys
import tempfile
import types
import zipfile
from pathlib import Path

import diffusers
import numpy as np
import torch
import transformers
from diffusers import AutoencoderKL, PNDMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from ldm_names import unet_key, vae_key
from PIL import Image
from safetensors.torch import load_file, save_file
from sd_small import redraw
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

torch.set_num_threads(1)
diffusers.utils.logging.set_verbosity(50)
diffusers.utils.logging.disable_progress_bar()
transformers.utils.logging.set_verbosity(50)
transformers.utils.logging.disable_progress_bar()
OUT = Path(__file__).parent / "field"
shutil.rmtree(OUT, ignore_errors=True)
SINGLE, FOLDER, LORA, VAE, PICTURES = (OUT / name for name in ("single", "folder", "lora", "vae", "pictures"))
for path in (SINGLE, FOLDER, LORA, VAE, PICTURES):
    path.mkdir(parents=True)

# A tokenizer of single bytes and a few pairs.
printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
others = [byte for byte in range(256) if byte not in printable]
letters = [chr(byte) for byte in printable] + [chr(256 + i) for i in range(len(others))]
pairs = [("t", "h"), ("th", "e</w>"), ("i", "n</w>"), ("c", "a"), ("ca", "t</w>"), ("r", "a"), ("a", "i")]
words = letters + [letter + "</w>" for letter in letters] + ["".join(pair) for pair in pairs] + ["<|startoftext|>", "<|endoftext|>"]
BOS, EOS = len(words) - 2, len(words) - 1

unet = UNet2DConditionModel(
    block_out_channels=[4, 4], norm_num_groups=2, layers_per_block=1, cross_attention_dim=6, attention_head_dim=2, sample_size=8,
    down_block_types=["CrossAttnDownBlock2D", "DownBlock2D"], up_block_types=["UpBlock2D", "CrossAttnUpBlock2D"],
)  # fmt: skip
vae = AutoencoderKL(
    block_out_channels=[4, 4], norm_num_groups=2, layers_per_block=1, latent_channels=4, sample_size=16,
    down_block_types=["DownEncoderBlock2D"] * 2, up_block_types=["UpDecoderBlock2D"] * 2,
)  # fmt: skip
clip = CLIPTextModel(CLIPTextConfig(
    vocab_size=len(words), hidden_size=6, intermediate_size=12, num_hidden_layers=2, num_attention_heads=2, max_position_embeddings=77,
    hidden_act="quick_gelu", bos_token_id=BOS, eos_token_id=EOS, pad_token_id=EOS,
))  # fmt: skip
for i, model in enumerate((unet, vae, clip)):
    redraw(model.eval(), seed=200 + i)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(parameter.half().float())

U = {key: tensor.half() for key, tensor in unet.state_dict().items()}
V = {key: tensor.half() for key, tensor in vae.state_dict().items()}
T = {"text_model." + key.removeprefix("text_model."): tensor.half() for key, tensor in clip.state_dict().items() if "position_ids" not in key}
UNET, FIRST, TEXT = "model.diffusion_model.", "first_stage_model.", "cond_stage_model.transformer."


def vae_ldm(tensors, squeezed=False):
    named = {vae_key(key, 2): tensor for key, tensor in tensors.items()}
    if squeezed:
        return named
    return {key: tensor[:, :, None, None] if ".attn_1." in key and tensor.ndim == 2 else tensor for key, tensor in named.items()}


IDS = {TEXT + "text_model.embeddings.position_ids": torch.arange(77)[None]}
LDM_U = {UNET + unet_key(key, 1): tensor for key, tensor in U.items()}
LDM_V = {FIRST + key: tensor for key, tensor in vae_ldm(V).items()}
LDM_T = {TEXT + key: tensor for key, tensor in T.items()}
BARE = {**LDM_U, **LDM_V, **LDM_T}
FULL = {**BARE, **IDS}


def write_configs(folder):
    for name, model in (("unet", unet), ("vae", vae), ("text_encoder", clip)):
        (folder / name).mkdir()
        model.config.save_pretrained(folder / name) if name == "text_encoder" else model.save_config(folder / name)
    tokenizer = folder / "tokenizer"
    tokenizer.mkdir()
    (tokenizer / "vocab.json").write_text(json.dumps({word: i for i, word in enumerate(words)}, ensure_ascii=False), encoding="utf-8")
    (tokenizer / "merges.txt").write_text("#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in pairs))
    (tokenizer / "tokenizer_config.json").write_text(json.dumps({"model_max_length": 77, "tokenizer_class": "CLIPTokenizer"}) + "\n")
    special = {"bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>", "pad_token": "<|endoftext|>"}
    (tokenizer / "special_tokens_map.json").write_text(json.dumps(special) + "\n")


# As stable-diffusion-v1-5/stable-diffusion-v1-5 publishes it.
SCHEDULER = {
    "_class_name": "PNDMScheduler", "_diffusers_version": "0.6.0", "beta_end": 0.012, "beta_schedule": "scaled_linear",
    "beta_start": 0.00085, "clip_sample": False, "num_train_timesteps": 1000, "set_alpha_to_one": False,
    "skip_prk_steps": True, "steps_offset": 1, "trained_betas": None,
}  # fmt: skip
INDEX = {
    "_class_name": "StableDiffusionPipeline",
    "_diffusers_version": "0.6.0",
    "feature_extractor": ["transformers", "CLIPImageProcessor"],
    "safety_checker": ["stable_diffusion", "StableDiffusionSafetyChecker"],
    "scheduler": ["diffusers", "PNDMScheduler"],
    "text_encoder": ["transformers", "CLIPTextModel"],
    "tokenizer": ["transformers", "CLIPTokenizer"],
    "unet": ["diffusers", "UNet2DConditionModel"],
    "vae": ["diffusers", "AutoencoderKL"],
}
for folder in (SINGLE, FOLDER):
    write_configs(folder)
write_json = lambda path, value: path.write_text(json.dumps(value, indent=1) + "\n")
(FOLDER / "scheduler").mkdir()
write_json(FOLDER / "scheduler" / "scheduler_config.json", SCHEDULER)
write_json(FOLDER / "model_index.json", {**INDEX, "feature_extractor": [None, None], "safety_checker": [None, None]})
dense = lambda tensors: {key: tensor.contiguous() for key, tensor in tensors.items()}
save_file(dense(U), FOLDER / "unet" / "diffusion_pytorch_model.safetensors")
save_file(dense(V), FOLDER / "vae" / "diffusion_pytorch_model.safetensors")
save_file(dense(T), FOLDER / "text_encoder" / "model.safetensors")

# ---- Drawing

tokenizer = CLIPTokenizer.from_pretrained(FOLDER / "tokenizer")
reference = tempfile.TemporaryDirectory()
CONFIG = Path(reference.name) / "config"
shutil.copytree(FOLDER, CONFIG, ignore=shutil.ignore_patterns("*.safetensors"))
known = {}
cases = {}


def draw(pipe, **how):
    pipe.set_progress_bar_config(disable=True)
    if how.get("clip_skip") and not hasattr(pipe.text_encoder, "text_model"):
        # transformers 5 has no inner text_model any more, where this diffusers still looks for the last norm.
        inner = types.SimpleNamespace(final_layer_norm=pipe.text_encoder.final_layer_norm)
        object.__setattr__(pipe.text_encoder, "text_model", inner)
    generator = torch.Generator("cpu").manual_seed(3)
    return pipe("a cat in the rain", num_inference_steps=4, guidance_scale=5.0, generator=generator, **how).images[0]


def single_pipe(path, prediction="epsilon"):
    scheduler = PNDMScheduler.from_config({**SCHEDULER, "prediction_type": prediction})
    return StableDiffusionPipeline.from_single_file(
        str(path), config=str(CONFIG), tokenizer=tokenizer, scheduler=scheduler, safety_checker=None, local_files_only=True,
        torch_dtype=torch.float32,
    )  # fmt: skip


def folder_pipe(path):
    how = dict(torch_dtype=torch.float32, safety_checker=None, feature_extractor=None, requires_safety_checker=False, local_files_only=True)
    for variant in (None, "fp16", "bf16", "fp32"):
        try:
            pipe = StableDiffusionPipeline.from_pretrained(path, variant=variant, **how)
            if not isinstance(pipe.scheduler, PNDMScheduler):
                pipe.scheduler = PNDMScheduler.from_config(pipe.scheduler.config)
            return pipe
        except (OSError, ValueError) as error:
            failure = error
    raise failure


def case(name, make, recipe=None, same_as=None, draws=True, note=None, **how):
    """
    Draws what `make` loads. Where diffusers cannot load it, `same_as` makes the pipeline that it should be, if there is
    one. A note tells why `make` is not diffusers' own loader.
    """
    entry = dict(recipe or {})
    picture = None
    if not draws:
        cases[name] = {**entry, "diffusers": "is not asked"}
        return
    try:
        picture = draw(make(), **how)
        entry["diffusers"] = note or "draws"
    except Exception as error:  # noqa: BLE001
        entry["diffusers"] = f"refuses: {type(error).__name__}"
        print(name, str(error)[:200].replace("\n", " "))
        if same_as is not None:
            picture = draw(same_as(), **how)
    if picture is not None:
        pixels = picture.tobytes()
        if pixels not in known:
            known[pixels] = name.replace("/", "-")
            picture.save(PICTURES / f"{known[pixels]}.png")
        entry["picture"] = known[pixels]
    cases[name] = entry
    print(name, entry.get("picture"), entry["diffusers"], flush=True)


def right():
    return single_pipe(SINGLE / "right.safetensors")


def in_order(path):
    """Sorts a file's metadata, which safetensors writes in another order each time."""
    content = path.read_bytes()
    size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + size])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(len(text).to_bytes(8, "little") + text + content[8 + size :])


def safe(name, tensors, metadata=None, prediction="epsilon", draws=True, same_as=None, **how):
    path = SINGLE / f"{name}.safetensors"
    save_file(dense(tensors), path, metadata=metadata)
    if metadata is not None:
        in_order(path)
    case(f"single/{name}", lambda: single_pipe(path, prediction), same_as=same_as or right, draws=draws, **how)


def torched(name, content, **how):
    path = SINGLE / f"{name}.ckpt"
    torch.save(content, path, **how)
    case(f"single/{name}", lambda: single_pipe(path), same_as=right)


# ---- Single files

safe("right", FULL)


def views(tensors):
    """The same tensors in one storage for each type, which keeps a file small."""
    result = {}
    for dtype in {tensor.dtype for tensor in tensors.values()}:
        chosen = {key: tensor for key, tensor in tensors.items() if tensor.dtype == dtype}
        all_of_them = torch.cat([tensor.flatten() for tensor in chosen.values()])
        at = 0
        for key, tensor in chosen.items():
            result[key] = all_of_them[at : at + tensor.numel()].view(tensor.shape)
            at += tensor.numel()
    return {key: result[key] for key in tensors}


FLAT = views(FULL)


def published(module, *classes):
    """Makes a class known under the name of a program that need not be installed."""
    parts = module.split(".")
    for i in range(len(parts)):
        sys.modules.setdefault(".".join(parts[: i + 1]), types.ModuleType(".".join(parts[: i + 1])))
    for one in classes:
        one.__module__, one.__qualname__ = module, one.__name__
        setattr(sys.modules[module], one.__name__, one)


class ModelCheckpoint:
    pass


class DictConfig:
    def __init__(self, content):
        self._content = content


class Average:
    def __init__(self, shadow):
        self.shadow = shadow


published("pytorch_lightning.callbacks.model_checkpoint", ModelCheckpoint)
published("omegaconf.dictconfig", DictConfig)
published("ldm.modules.ema", Average)
optimizer = torch.optim.AdamW([torch.nn.Parameter(torch.ones(3))])
optimizer.param_groups[0]["params"][0].grad = torch.ones(3)
optimizer.step()
torched("ckpt-lightning", {
    "epoch": 1, "global_step": 470000, "pytorch-lightning_version": "1.4.2", "state_dict": FULL,
    "callbacks": {ModelCheckpoint: {"monitor": "val/loss_simple_ema", "best_model_path": ""}},
    "optimizer_states": [optimizer.state_dict()], "lr_schedulers": [{"last_epoch": 1}],
    "hyper_parameters": DictConfig({"lr": 1e-4}), "ema": Average({"w": torch.ones(3)}),
})  # fmt: skip
torched("ckpt-flat", FLAT)
torched("ckpt-numpy-scalar", {"state_dict": FLAT, "global_step": np.int64(1000), "loss": np.float64(0.1)})
torched("ckpt-dtype-and-device", {"state_dict": FLAT, "dtype": torch.float16, "device": torch.device("cuda:0")})
torched("ckpt-defaultdict", {"state_dict": FLAT, "state": collections.defaultdict(list)})
torched("ckpt-legacy", {"state_dict": FLAT}, _use_new_zipfile_serialization=False)
# That format names a storage by its place in memory.
legacy = (SINGLE / "ckpt-legacy.ckpt").read_bytes()
for i, address in enumerate(dict.fromkeys(re.findall(rb"X\x0e\x00\x00\x00(\d{14})", legacy) + re.findall(rb"X\x0f\x00\x00\x00(\d{15})", legacy))):
    legacy = legacy.replace(address, str(i + 1).encode().zfill(len(address)))
(SINGLE / "ckpt-legacy.ckpt").write_bytes(legacy)
torched("ckpt-nested-twice", {"state_dict": {"state_dict": FLAT}, "epoch": 1})
torched("ckpt-under-model", {"model": FLAT, "iteration": 7})
torched("ckpt-under-module", {"module": collections.OrderedDict(FLAT), "global_steps": 7})
torched("ckpt-parameters", {"state_dict": {key: torch.nn.Parameter(t) if t.is_floating_point() else t for key, t in FLAT.items()}})
noted = {key: tensor.clone() for key, tensor in list(FLAT.items())[:3]}
for tensor in noted.values():
    tensor.trained = True
with_state = {key: torch.nn.Parameter(tensor.clone()) for key, tensor in list(FLAT.items())[3:6]}
for tensor in with_state.values():
    tensor.trained = True
torched("ckpt-attributes", {"state_dict": {**FLAT, **noted, **with_state}})
torched("ckpt-data-parallel", {"state_dict": {"module." + key: tensor for key, tensor in FLAT.items()}})
big = SINGLE / "ckpt-big-endian.ckpt"
with tempfile.TemporaryDirectory() as folder:
    little = Path(folder) / "little.ckpt"
    torch.save({"state_dict": {UNET + "out.2.bias": torch.zeros(4)}}, little)
    with zipfile.ZipFile(little) as source, zipfile.ZipFile(big, "w") as target:
        for entry in source.infolist():
            content = source.read(entry)
            target.writestr(zipfile.ZipInfo(entry.filename), b"big" if entry.filename.endswith("byteorder") else content)
case("single/ckpt-big-endian", right, draws=False)

LATER = {"v_pred": torch.zeros(0), "ztsnr": torch.zeros(0)}
safe("v-by-key", {**FULL, **LATER}, prediction="v_prediction")
safe("v-by-modelspec", FULL, metadata={"modelspec.architecture": "stable-diffusion-v1", "modelspec.prediction_type": "v"}, prediction="v_prediction")
safe("modelspec", FULL, metadata={"modelspec.sai_model_spec": "1.0.0", "modelspec.architecture": "stable-diffusion-v1",
     "modelspec.implementation": "https://github.com/Stability-AI/generative-models", "modelspec.prediction_type": "epsilon",
     "modelspec.resolution": "512x512", "modelspec.title": "Käse ☃", "modelspec.thumbnail": "data:image/jpeg;base64," + "A" * 4000})  # fmt: skip
safe("no-vae", {key: t for key, t in FULL.items() if not key.startswith(FIRST)}, draws=False)
safe("no-text-encoder", {key: t for key, t in FULL.items() if not key.startswith(TEXT)}, draws=False)
EIGHT = {key: t.to(torch.float8_e4m3fn) if t.ndim > 1 and key.startswith("model.") else t for key, t in FULL.items()}
safe("fp8", EIGHT)
safe("fp8-e5m2", {key: t.to(torch.float8_e5m2) if t.ndim > 1 and key.startswith("model.") else t for key, t in FULL.items()})
safe("bf16", {key: t.bfloat16() if t.is_floating_point() else t for key, t in FULL.items()})
safe("fp16-vae", {key: t if key.startswith(FIRST) or not t.is_floating_point() else t.float() for key, t in FULL.items()})
safe("fp64-norms", {key: t.double() if t.ndim == 1 else t for key, t in FULL.items()})
safe("position-ids-fp16", {**FULL, **{key: t.half() for key, t in IDS.items()}})
safe("position-ids-absent", BARE)
averaged = {"model_ema." + key.removeprefix("model.").replace(".", ""): t * 0.5 for key, t in LDM_U.items()}
noise = {"betas": torch.linspace(0.00085**0.5, 0.012**0.5, 8) ** 2, "alphas_cumprod": torch.linspace(0.99, 0.01, 8),
         "sqrt_one_minus_alphas_cumprod": torch.linspace(0, 1, 8), "denoiser.sigmas": torch.linspace(0, 14, 8), "logvar": torch.zeros(8)}  # fmt: skip
steps = {"model_ema.decay": torch.tensor(0.9999), "model_ema.num_updates": torch.tensor(7, dtype=torch.int32),
         "global_step": torch.tensor(7, dtype=torch.uint64), "embedding_manager.embedder.embedding.weight": torch.ones(2, 2)}  # fmt: skip
safe("beside-the-models", {**FULL, **noise, **steps})
safe("with-averages", {**FULL, **averaged})
safe("averages-alone", {key: t[:1] for key, t in list(averaged.items())[:8]} | LDM_V | LDM_T, draws=False)
safe("vae-loss-extra", {**FULL, FIRST + "loss.logvar": torch.zeros(1).half(), FIRST + "loss.discriminator.main.0.weight": torch.zeros(1).half()})
safe("text-without-inner-name", {key.replace("transformer.text_model.", "transformer."): t for key, t in FULL.items()})
safe("text-with-projection", {**FULL, TEXT + "text_projection.weight": torch.zeros(6, 6).half(), "cond_stage_model.logit_scale": torch.tensor(4.6)})
safe("vae-attention-squeezed", {**FULL, **{FIRST + key: t for key, t in vae_ldm(V, squeezed=True).items()}})
safe("data-parallel", {"module." + key: t for key, t in FULL.items()})
FIRST_WEIGHT = UNET + "input_blocks.0.0.weight"
safe("inpainting", {**FULL, FIRST_WEIGHT: torch.cat([FULL[FIRST_WEIGHT], torch.zeros(4, 5, 3, 3).half()], 1)}, draws=False)
safe("edits", {**FULL, FIRST_WEIGHT: torch.cat([FULL[FIRST_WEIGHT]] * 2, 1)}, draws=False)


def scaled(tensors, scale_key, rows=False):
    """Matrices in 8 bits with their scales, as ComfyUI stores them, and the numbers that they stand for."""
    stored, meant = {}, {}
    for key, t in tensors.items():
        stored[key] = meant[key] = t
        if t.ndim > 1 and key.startswith(UNET):
            size = t.float().flatten(1).abs().amax(1) if rows else t.float().abs().max()
            scale = (size / 448).clamp(min=1e-6)
            by = scale.reshape(-1, *[1] * (t.ndim - 1)) if rows else scale
            stored[key] = (t.float() / by).to(torch.float8_e4m3fn)
            stored[key.removesuffix("weight") + scale_key] = scale[:, None] if rows else scale
            meant[key] = stored[key].float() * by
    return stored, meant


def meant_by(tensors):
    def make():
        path = Path(reference.name) / "meant.safetensors"
        save_file(dense(tensors), path)
        return single_pipe(path)

    return make


for name, scale_key, rows, extra in (
    ("fp8-scaled", "scale_weight", False, {UNET + "scaled_fp8": torch.zeros(2).to(torch.float8_e4m3fn)}),
    ("fp8-weight-scale", "weight_scale", False, {}),
    ("fp8-scaled-by-row", "weight_scale", True, {}),
):
    stored, meant = scaled(FULL, scale_key, rows)
    inputs = {key.replace("scale_weight", "scale_input").replace("weight_scale", "input_scale"): torch.tensor(1.0) for key in stored if "scale" in key}
    save_file(dense({**stored, **inputs, **extra}), SINGLE / f"{name}.safetensors")
    case(f"single/{name}", meant_by(meant), note="draws the numbers that the scales stand for; of the file itself it leaves them out")
one = UNET + "middle_block.1.transformer_blocks.0.attn1.to_q.weight"
safe("int8", {**FULL, one: torch.ones(4, 4, dtype=torch.int8), one.replace("weight", "SCB"): torch.ones(4)}, draws=False)
safe("fp8-scaled-by-block", {**FULL, one: FULL[one].to(torch.float8_e4m3fn), one + "_scale_inv": torch.ones(2, 2)}, draws=False)

z = torch.zeros
safe("sd2", {FIRST_WEIGHT: z(4), "cond_stage_model.model.transformer.resblocks.0.ln_1.weight": z(4)}, draws=False)
safe("sdxl", {FIRST_WEIGHT: z(4), "conditioner.embedders.0.transformer.text_model.embeddings.token_embedding.weight": z(4)}, draws=False)
safe("sd3", {"model.diffusion_model.joint_blocks.0.x_block.attn.qkv.weight": z(4), "first_stage_model.decoder.conv_in.weight": z(4)}, draws=False)
safe("flux", {"double_blocks.0.img_attn.qkv.weight": z(4), "single_blocks.0.linear1.weight": z(4)}, draws=False)
safe("unet-of-diffusers", {"down_blocks.0.resnets.0.conv1.weight": z(4), "conv_in.weight": z(4)}, draws=False)
safe("unet-of-comfyui", {"diffusion_model.input_blocks.0.0.weight": z(4), "diffusion_model.out.2.bias": z(4)}, draws=False)
safe("lora-as-checkpoint", {"lora_unet_mid_block_attentions_0_proj_in.lora_up.weight": z(4), "lora_unet_mid_block_attentions_0_proj_in.lora_down.weight": z(4)}, draws=False)
safe("vae-as-checkpoint", {"decoder.up.0.block.0.conv1.weight": z(4), "decoder.conv_in.weight": z(4)}, draws=False)
safe("embedding-as-checkpoint", {"emb_params": z(2, 8)}, draws=False)
safe("controlnet-as-checkpoint", {"control_model.input_blocks.0.0.weight": z(4), "control_model.zero_convs.0.0.weight": z(4)}, draws=False)

# ---- VAEs apart

LARGER = {key: t * 1.3 if t.ndim > 1 else t for key, t in V.items()}


def with_vae(tensors):
    def make():
        pipe = right()
        pipe.vae.load_state_dict({key: t.half().float() for key, t in tensors.items()})
        return pipe

    return make


OLD = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}


def old_names(tensors):
    result = {}
    for key, t in tensors.items():
        for now, before in OLD.items():
            key = key.replace(f"attentions.0.{now}.", f"attentions.0.{before}.")
        result[key] = t
    return result


write_configs(VAE)
for part in ("unet", "text_encoder", "tokenizer"):
    shutil.rmtree(VAE / part)
for name, write in {
    "bare.safetensors": lambda path: save_file(dense(vae_ldm(LARGER)), path),
    "prefixed.safetensors": lambda path: save_file(dense({FIRST + key: t for key, t in vae_ldm(LARGER).items()}), path),
    "diffusers.safetensors": lambda path: save_file(dense(LARGER), path),
    "diffusers-old.bin": lambda path: torch.save(views(old_names(LARGER)), path),
    "nested.vae.pt": lambda path: torch.save({"state_dict": views(vae_ldm(LARGER)), "global_step": np.int64(3)}, path),
    "with-loss.ckpt": lambda path: torch.save({"state_dict": views({**vae_ldm(LARGER), "loss.logvar": torch.zeros(1).half()})}, path),
    "whole-checkpoint.safetensors": lambda path: save_file(dense({**LDM_U, **{FIRST + key: t for key, t in vae_ldm(LARGER).items()}}), path),
    "decoder-alone.safetensors": lambda path: save_file(dense({k: t for k, t in vae_ldm(LARGER).items() if k.startswith(("decoder", "post_"))}), path),
}.items():
    write(VAE / name)
    case(f"vae/{name}", with_vae(LARGER))
wide = {"decoder.conv_in.weight": torch.zeros(4, 16, 3, 3).half(), "decoder.conv_in.bias": torch.zeros(4).half(), "post_quant_conv.weight": torch.zeros(16, 16, 1, 1).half(), "post_quant_conv.bias": torch.zeros(16).half()}
(VAE / "sixteen-channels").mkdir()
save_file(dense({**V, **wide}), VAE / "sixteen-channels" / "diffusion_pytorch_model.safetensors")
write_json(VAE / "sixteen-channels" / "config.json", {**json.loads((VAE / "vae" / "config.json").read_text()), "latent_channels": 16})
case("vae/sixteen-channels", right, draws=False)

# ---- Folders


def build(recipe, at):
    """Makes a folder case; the test does the same."""
    shutil.copytree(FOLDER, at)
    for old, new in recipe.get("rename", {}).items():
        (at / new).parent.mkdir(parents=True, exist_ok=True)
        (at / old).rename(at / new)
    for name in recipe.get("remove", []):
        shutil.rmtree(at / name) if (at / name).is_dir() else (at / name).unlink()
    for name, source in recipe.get("copy", {}).items():
        (at / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(OUT / source, at / name)
    for name, changes in recipe.get("json", {}).items():
        path = at / name
        content = json.loads(path.read_text()) if path.exists() else {}
        content.update({key: value for key, value in changes.items() if value != "absent"})
        for key, value in changes.items():
            if value == "absent":
                content.pop(key, None)
        # Python writes minus infinity bare, as JSON does not have it.
        path.write_text(json.dumps(content).replace('"-Infinity"', "-Infinity"), encoding="utf-8-sig" if name in recipe.get("mark", []) else "utf-8")


def folder(name, recipe, same_as=None, **how):
    with tempfile.TemporaryDirectory() as parent:
        at = Path(parent) / "folder"
        build(recipe, at)
        case(f"folder/{name}", lambda: folder_pipe(at), recipe, same_as=same_as, **how)


PARTS = OUT / "parts"
PARTS.mkdir()
as_is = lambda: folder_pipe(FOLDER)
UNET_FILE, VAE_FILE, TEXT_FILE = "unet/diffusion_pytorch_model.safetensors", "vae/diffusion_pytorch_model.safetensors", "text_encoder/model.safetensors"
folder("right", {})
for variant in ("fp16", "bf16", "fp32", "my_own"):
    folder(f"unet-{variant}", {"rename": {UNET_FILE: f"unet/diffusion_pytorch_model.{variant}.safetensors"}}, same_as=as_is)
folder("all-fp16", {"rename": {it: it.replace(".safetensors", ".fp16.safetensors") for it in (UNET_FILE, VAE_FILE, TEXT_FILE)}})
torch.save(views(U), PARTS / "unet.bin")
torch.save(views({**T, "text_model.embeddings.position_ids": torch.arange(77)[None]}), PARTS / "text.bin")
torch.save(views(old_names(V)), PARTS / "vae-old.bin")
folder("bin-alone", {
    "remove": [UNET_FILE, VAE_FILE, TEXT_FILE],
    "copy": {"unet/diffusion_pytorch_model.bin": "parts/unet.bin", "text_encoder/pytorch_model.bin": "parts/text.bin", "vae/diffusion_pytorch_model.bin": "parts/vae-old.bin"},
})  # fmt: skip
names = sorted(U)
shards = {f"diffusion_pytorch_model-0000{i + 1}-of-00002.safetensors": names[i::2] for i in range(2)}
for file, keys in shards.items():
    save_file(dense({key: U[key] for key in keys}), PARTS / file)
write_json(PARTS / "index.json", {"metadata": {"total_size": 0}, "weight_map": {key: file for file, keys in shards.items() for key in keys}})
folder("unet-in-shards", {"remove": [UNET_FILE], "copy": {**{f"unet/{file}": f"parts/{file}" for file in shards}, "unet/diffusion_pytorch_model.safetensors.index.json": "parts/index.json"}})
save_file(dense({key: t * 0.5 for key, t in U.items()}), PARTS / "other.safetensors")
folder("with-non-ema", {"copy": {"unet/diffusion_pytorch_model.non_ema.safetensors": "parts/other.safetensors"}})
folder("bf16-and-non-ema", {"rename": {UNET_FILE: "unet/diffusion_pytorch_model.bf16.safetensors"}, "copy": {"unet/diffusion_pytorch_model.non_ema.safetensors": "parts/other.safetensors"}}, same_as=as_is)
folder("both-formats", {"copy": {"unet/diffusion_pytorch_model.bin": "parts/unet.bin"}})
save_file(dense({key.removeprefix("text_model."): t for key, t in T.items()}), PARTS / "text-bare.safetensors")
folder("text-bare-names", {"remove": [TEXT_FILE], "copy": {TEXT_FILE: "parts/text-bare.safetensors"}})
folder("clip-skip", {"json": {"text_encoder/config.json": {"num_hidden_layers": 1}}})
folder("checker-named-but-absent", {"json": {"model_index.json": INDEX}})
folder("checker-not-named", {"json": {"model_index.json": {"safety_checker": "absent", "feature_extractor": "absent", "_diffusers_version": "absent"}}})
folder("odd-version", {"json": {"model_index.json": {"_diffusers_version": "0.0.0.dev0+local"}, "unet/config.json": {"_diffusers_version": "99.1"}}})
folder("another-task", {"json": {"model_index.json": {"_class_name": "StableDiffusionImg2ImgPipeline"}}})
folder("custom-pipeline", {"json": {"model_index.json": {"_class_name": ["pipeline", "MyPipeline"]}}})
folder("scheduler-short", {"json": {"scheduler/scheduler_config.json": {key: "absent" for key in ("clip_sample", "set_alpha_to_one", "steps_offset", "skip_prk_steps", "trained_betas")}}})
folder("scheduler-v", {"json": {"scheduler/scheduler_config.json": {"prediction_type": "v_prediction"}}})
folder("scheduler-of-another-class", {"json": {"scheduler/scheduler_config.json": {"_class_name": "DPMSolverMultistepScheduler", "algorithm_type": "sde-dpmsolver++", "use_karras_sigmas": True, "solver_order": 2}, "model_index.json": {"scheduler": ["diffusers", "DPMSolverMultistepScheduler"]}}},
       same_as=as_is)  # fmt: skip
# What each class of scheduler writes into a folder, drawn with each scheduler that is built here.
BUILT = {
    "pndm": PNDMScheduler,
    "ddim": diffusers.DDIMScheduler,
    "euler": diffusers.EulerDiscreteScheduler,
    "euler-ancestral": diffusers.EulerAncestralDiscreteScheduler,
    "dpm++2m": diffusers.DPMSolverMultistepScheduler,
    "dpm++2m-karras": diffusers.DPMSolverMultistepScheduler,
    "lcm": diffusers.LCMScheduler,
}
WRITERS = [
    *("DDIM", "DDPM", "PNDM", "EulerDiscrete", "EulerAncestralDiscrete", "HeunDiscrete", "KDPM2Discrete"),
    *("DPMSolverMultistep", "DPMSolverSinglestep", "DEISMultistep", "UniPCMultistep", "LCM"),
]
for writer in WRITERS:
    written = getattr(diffusers, f"{writer}Scheduler").from_config(SCHEDULER)
    config = {key: "-Infinity" if value == float("-inf") else value for key, value in json.loads(written.to_json_string()).items()}
    recipe = {"json": {"scheduler/scheduler_config.json": {**{key: "absent" for key in SCHEDULER}, **config}, "model_index.json": {"scheduler": ["diffusers", f"{writer}Scheduler"]}}}
    with tempfile.TemporaryDirectory() as parent:
        at = Path(parent) / "folder"
        build(recipe, at)
        for name, kind in BUILT.items():

            def make(kind=kind, name=name, at=at):
                pipe = StableDiffusionPipeline.from_pretrained(at, torch_dtype=torch.float32, safety_checker=None, requires_safety_checker=False, local_files_only=True)
                own = type(pipe.scheduler) is kind and name != "dpm++2m-karras"
                if not own:
                    pipe.scheduler = kind.from_config(pipe.scheduler.config, **({"use_karras_sigmas": True} if "karras" in name else {}))
                return pipe

            case(f"scheduler/{writer}-{name}", make, recipe)

folder("marks-before-json", {"mark": ["model_index.json", "unet/config.json", "scheduler/scheduler_config.json", "tokenizer/tokenizer_config.json"],
       "json": {"model_index.json": {}, "unet/config.json": {}, "scheduler/scheduler_config.json": {}, "tokenizer/tokenizer_config.json": {}}}, same_as=as_is)  # fmt: skip
folder("tokenizer-bare", {"remove": ["tokenizer/tokenizer_config.json", "tokenizer/special_tokens_map.json"]}, same_as=as_is)
tokenizer.backend_tokenizer.save(str(PARTS / "tokenizer.json"))
folder("tokenizer-json-alone", {"remove": ["tokenizer/vocab.json", "tokenizer/merges.txt"], "copy": {"tokenizer/tokenizer.json": "parts/tokenizer.json"}})
folder("tokenizer-without-limit", {"json": {"tokenizer/tokenizer_config.json": {"model_max_length": 1000000000000000019884624838656}}}, same_as=as_is)
folder("no-vae", {"remove": ["vae"]}, draws=False)
folder("sdxl", {"json": {"model_index.json": {"_class_name": "StableDiffusionXLPipeline"}, "unet/config.json": {"addition_embed_type": "text_time"}}}, draws=False)
folder("lcm-distilled", {"json": {"unet/config.json": {"time_cond_proj_dim": 256}}}, draws=False)

# ---- Adapters

generator = torch.Generator("cpu").manual_seed(5)
rnd = lambda *shape: torch.randn(*shape, generator=generator) * 0.8
targets = [("unet", key[:-7]) for key in U if key.endswith(("attn1.to_q.weight", "attn2.to_k.weight"))]
targets += [("text_encoder", key[:-7]) for key in T if key.endswith(("q_proj.weight", "out_proj.weight"))]
weight_of = lambda part, module: (U if part == "unet" else T)[module + ".weight"].float()
kohya = lambda part, module, text="te": ("lora_unet_" if part == "unet" else f"lora_{text}_") + module.replace(".", "_")
pairs_of = {(part, module): (rnd(2, weight_of(part, module).shape[1]), rnd(weight_of(part, module).shape[0], 2)) for part, module in targets}
ALPHA = 1.0


def kohya_file(alpha=ALPHA, text="te"):
    result = {}
    for (part, module), (down, up) in pairs_of.items():
        name = kohya(part, module, text)
        result |= {f"{name}.lora_down.weight": down, f"{name}.lora_up.weight": up}
        if alpha is not None:
            result[f"{name}.alpha"] = torch.tensor(alpha)
    return result


def with_lora(name):
    def make():
        pipe = right()
        path = LORA / name
        pipe.load_lora_weights(str(path.parent), weight_name=path.name)
        return pipe

    return make


def merged(changes):
    """The pipeline with numbers added to weights."""

    def make():
        pipe = right()
        with torch.no_grad():
            for (part, name), change in changes.items():
                module = pipe.unet if part == "unet" else pipe.text_encoder
                own = dict(module.named_parameters())
                parameter = own[name] if name in own else own[name.removeprefix("text_model.")]
                parameter.add_(change.reshape(parameter.shape))
        return pipe

    return make


def products(scale, parts=("unet", "text_encoder")):
    return merged({(part, module + ".weight"): scale * up @ down for (part, module), (down, up) in pairs_of.items() if part in parts})


def lora(name, tensors, same_as=None, note=None):
    save_file(dense(tensors), LORA / name) if name.endswith(".safetensors") else torch.save(tensors, LORA / name)
    case(f"lora/{name}", with_lora(name) if note is None else same_as, same_as=same_as, note=note)


lora("kohya.safetensors", kohya_file())
lora("te1.safetensors", kohya_file(text="te1"), same_as=products(ALPHA / 2))
lora("no-alpha.safetensors", kohya_file(alpha=None))
lora("alpha-0.safetensors", kohya_file(alpha=0.0), same_as=products(1.0), note="draws alpha as the rank, as trainers mean it; of the file itself nothing is merged")
lora("kohya.pt", kohya_file())
lora("bf16.safetensors", {key: t.bfloat16() for key, t in kohya_file().items()})
lora("fp8.safetensors", {key: t.to(torch.float8_e4m3fn) if t.ndim > 1 else t for key, t in kohya_file().items()})
lora("stray-alpha.safetensors", {**{k: t for k, t in kohya_file().items() if "unet" in k}, "lora_te_text_model_encoder_layers_7_self_attn_q_proj.alpha": torch.tensor(2.0)}, same_as=products(ALPHA / 2, ("unet",)))
lora("one-rank-0.safetensors", {**kohya_file(), "lora_unet_mid_block_attentions_0_proj_in.lora_down.weight": z(0, 4, 1, 1), "lora_unet_mid_block_attentions_0_proj_in.lora_up.weight": z(4, 0, 1, 1)}, same_as=products(ALPHA / 2))
dotted = lambda part, module: f"{part}.{module}"
lora("diffusers.safetensors", {f"{dotted(*at)}.lora_{half}.weight": t for at, ab in pairs_of.items() for half, t in zip("AB", ab)})
lora("diffusers-old.safetensors", {
    (f"unet.{module.rsplit('.', 1)[0]}.processor.{module.rsplit('.', 1)[1]}_lora" if part == "unet" else f"text_encoder.{module}.lora_linear_layer") + f".{half}.weight": t
    for (part, module), ab in pairs_of.items() for half, t in zip(("down", "up"), ab)
})  # fmt: skip
folder_of_peft = LORA / "peft"
folder_of_peft.mkdir()
save_file(dense({f"base_model.model.{module}.lora_{half}.weight": t for (part, module), ab in pairs_of.items() if part == "unet" for half, t in zip("AB", ab)}), folder_of_peft / "adapter_model.safetensors")
write_json(folder_of_peft / "adapter_config.json", {"peft_type": "LORA", "r": 2, "lora_alpha": 8, "use_rslora": False, "use_dora": False, "target_modules": ["to_q", "to_k"], "base_model_name_or_path": None})
case("lora/peft", products(4.0, ("unet",)), note="draws the numbers that the configuration stands for")
CONV = "down_blocks.0.resnets.0.conv1"
shape = U[CONV + ".weight"].shape
down, mid, up = rnd(2, shape[1], 1, 1), rnd(2, 2, 3, 3), rnd(shape[0], 2, 1, 1)
conv = kohya("unet", CONV)
lora("locon-mid.safetensors", {f"{conv}.lora_down.weight": down, f"{conv}.lora_mid.weight": mid, f"{conv}.lora_up.weight": up},
     same_as=merged({("unet", CONV + ".weight"): torch.einsum("or,rskl,si->oikl", up[:, :, 0, 0], mid, down[:, :, 0, 0])}))  # fmt: skip
wide_down, wide_up = rnd(3, shape[1], 3, 3), rnd(shape[0], 3, 1, 1)
lora("mixed-ranks-and-convolutions.safetensors", {**kohya_file(), f"{conv}.lora_down.weight": wide_down, f"{conv}.lora_up.weight": wide_up, f"{conv}.alpha": torch.tensor(3.0),
     "lora_unet_mid_block_attentions_0_proj_in.lora_down.weight": rnd(2, 4, 1, 1), "lora_unet_mid_block_attentions_0_proj_in.lora_up.weight": rnd(4, 2, 1, 1), "lora_unet_mid_block_attentions_0_proj_in.alpha": torch.tensor(2.0)})  # fmt: skip
H, K, hada, kron = {}, {}, {}, {}
for part, module in targets:
    o, i = weight_of(part, module).shape
    a, b, c, d = rnd(o, 2), rnd(2, i), rnd(o, 2), rnd(2, i)
    H |= {f"{kohya(part, module)}.hada_{name}": t for name, t in (("w1_a", a), ("w1_b", b), ("w2_a", c), ("w2_b", d))}
    hada[part, module + ".weight"] = (a @ b) * (c @ d)
    e, f = rnd(2, 2), rnd(o // 2, i // 2)
    K |= {f"{kohya(part, module)}.lokr_w1": e, f"{kohya(part, module)}.lokr_w2": f}
    kron[part, module + ".weight"] = torch.kron(e, f)
lora("loha.safetensors", H, same_as=merged(hada))
lora("lokr.safetensors", K, same_as=merged(kron))
lengths = {at: weight_of(*at).norm(dim=1, keepdim=True) * 1.2 for at in targets}
turned = {}
for at, (down, up) in pairs_of.items():
    whole = weight_of(*at) + ALPHA / 2 * up @ down
    turned[at[0], at[1] + ".weight"] = whole * lengths[at] / whole.norm(dim=1, keepdim=True) - weight_of(*at)
lora("dora.safetensors", {**kohya_file(), **{kohya(*at) + ".dora_scale": t for at, t in lengths.items()}}, same_as=merged(turned), note="draws the numbers by the formula; of the file itself it leaves dora_scale out")
full, bias = rnd(*shape), rnd(shape[0])
norm = rnd(4)
lora("whole-differences.safetensors", {f"{conv}.diff": full, f"{conv}.diff_b": bias, "lora_unet_down_blocks_0_resnets_0_norm1.diff": norm},
     same_as=merged({("unet", CONV + ".weight"): full, ("unet", CONV + ".bias"): bias, ("unet", "down_blocks.0.resnets.0.norm1.weight"): norm}))  # fmt: skip
lora("cloneofsimo.safetensors", {f"unet:{i}:{half}": t for i, ab in enumerate(v for k, v in pairs_of.items() if k[0] == "unet") for half, t in zip(("down", "up"), ab)},
     same_as=products(1.0, ("unet",)))  # fmt: skip
lora("with-bundled-embedding.safetensors", {**kohya_file(), "bundle_emb.cat.string_to_param.*": rnd(1, 6)}, same_as=products(ALPHA / 2))
q = "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q"
for name, tensors in {
    "oft": {f"{q}.oft_blocks": z(2, 4, 4), f"{q}.alpha": z(())},
    "boft": {f"{q}.oft_blocks": z(2, 2, 4, 4), f"{q}.alpha": z(())},
    "glora": {f"{q}.a1.weight": z(2, 8), f"{q}.a2.weight": z(8, 2), f"{q}.b1.weight": z(2, 8), f"{q}.b2.weight": z(8, 2)},
    "sdxl": {"lora_te2_text_model_encoder_layers_0_mlp_fc1.lora_up.weight": z(8, 2), f"{q}.lora_up.weight": z(8, 2), f"{q}.lora_down.weight": z(2, 8)},
    "sd2": {q.replace("attn1_to_q", "attn2_to_k") + ".lora_down.weight": z(2, 1024), q.replace("attn1_to_q", "attn2_to_k") + ".lora_up.weight": z(8, 2)},
    "flux": {"transformer.single_transformer_blocks.0.attn.to_q.lora_A.weight": z(2, 8)},
    "controlnet": {"control_model.input_blocks.0.0.weight": z(4)},
}.items():
    save_file(dense(tensors), LORA / f"refused-{name}.safetensors")
    case(f"lora/refused-{name}.safetensors", right, draws=False)
# A hypernetwork of A1111: two pairs of dictionaries by width.
torch.save({768: ({"linear.0.weight": z(8, 8)}, {"linear.0.weight": z(8, 8)}), "step": 3, "name": "h"}, LORA / "refused-hypernetwork.pt")
case("lora/refused-hypernetwork.pt", right, draws=False)

# The pictures must be so different that a test can tell them apart.
drawn = {name: np.asarray(Image.open(PICTURES / f"{name}.png"), dtype=int) for name in known.values()}
near = [(a, b, np.abs(drawn[a] - drawn[b]).max()) for a in drawn for b in drawn if a < b and np.abs(drawn[a] - drawn[b]).max() <= 8]
print("near", near)
write_json(OUT / "cases.json", cases)
print(sum(path.stat().st_size for path in OUT.rglob("*") if path.is_file()), "bytes", len(cases), "cases", len(known), "pictures")
