"""Adapters of the families that are shared for Stable Diffusion 1.x, and the weights that their own packages merge.

Made with torch 2.15.0 (CPU), diffusers 0.42.1, transformers 5.24.0, peft 0.21.2, lycoris-lora 4.1.3, safetensors 0.8.0; seed 11:
    python test/golden/lora_families.py
Reads test/golden/sd-small/sd1 and writes test/golden/lora-families/: NAME.safetensors (LyCORIS) or a folder NAME (PEFT's
save_pretrained), and expected.safetensors with `NAME@WEIGHT:PART:TENSOR`, each changed tensor as the package has it.

LyCORIS merges with what its modules compute in `forward`, not with `merge_to`, which scales LoHa and LoKr twice.
"""

import json
import pathlib
import shutil

import torch
from diffusers import UNet2DConditionModel
from lycoris.modules.full import FullModule
from lycoris.modules.ia3 import IA3Module
from lycoris.modules.locon import LoConModule
from lycoris.modules.loha import LohaModule
from lycoris.modules.lokr import LokrModule
from lycoris.modules.norms import NormModule
from peft import IA3Config, LoHaConfig, LoKrConfig, LoraConfig, get_peft_model
from peft.tuners.lora import LoraLayer
from safetensors.torch import save_file
from transformers import CLIPTextModel

HERE = pathlib.Path(__file__).parent
BASE = HERE / "sd-small" / "sd1"
OUT = HERE / "lora-families"
shutil.rmtree(OUT, ignore_errors=True)
OUT.mkdir()
torch.manual_seed(11)
torch.set_num_threads(1)


def load_unet():
    return UNet2DConditionModel.from_pretrained(BASE / "unet")


def load_text():
    return CLIPTextModel.from_pretrained(BASE / "text_encoder")


unet = load_unet()
text = load_text()
text_names = {("text_model." + n).replace("text_model.text_model.", "text_model."): m for n, m in text.named_modules()}
modules = {"unet": dict(unet.named_modules()), "text_encoder": text_names}
expected = {}

Q = "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q"
K = "mid_block.attentions.0.transformer_blocks.0.attn2.to_k"
FF = "up_blocks.1.attentions.2.transformer_blocks.0.ff.net.0.proj"
OUTPUT = "up_blocks.1.attentions.0.transformer_blocks.0.attn2.to_out.0"
CONV = "down_blocks.1.resnets.0.conv1"
WIDE = "up_blocks.2.resnets.0.conv1"
PROJ = "up_blocks.3.attentions.1.proj_in"
NORM = "mid_block.resnets.0.norm1"
TEXT = "text_model.encoder.layers.1.self_attn.v_proj"


def fill(module):
    """Random values of the module's own size, so that nothing of them is lost in rounding."""
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            if name == "dora_scale":
                parameter.mul_(1 + 0.4 * torch.rand_like(parameter))
            elif parameter.ndim < 2:
                parameter.copy_(torch.randn_like(parameter) * 0.3)
            else:
                parameter.copy_(torch.randn_like(parameter) * 0.5)


def captured(module, multiplier):
    """The change of weight and bias that `forward` adds with a multiplier."""
    found = {}

    def op(_, weight=None, bias=None, **others):
        found["weight"], found["bias"] = weight, bias
        return 0

    module.multiplier = multiplier
    module.op = op
    x = torch.zeros(1)
    module.org_forward = lambda _: torch.zeros(1)
    module.forward(x)
    return found


def lycoris(name, parts, weights=(1.0, 0.7), prefix=None, dtype=None):
    """parts: (part, module's name, class, arguments)"""
    state = {}
    for part, target, kind, arguments in parts:
        origin = modules[part][target]
        module = kind("x", origin, **arguments)
        module.eval()
        fill(module)
        key = (prefix or {"unet": "lora_unet_", "text_encoder": "lora_te_"}[part]) + target.replace(".", "_")
        own = module.state_dict() if kind not in (NormModule, IA3Module) else dict(module.named_parameters()) | dict(module.named_buffers())
        if kind is FullModule:  # its own state subtracts the weights that it only has once it is applied
            own = {"diff": module.weight, "diff_b": module.bias}
        own = {k: v.detach().clone().contiguous() for k, v in own.items() if k not in ("scalar", "dtype_tensor")}
        if dtype:
            own = {k: v.to(dtype) if v.ndim > 1 else v for k, v in own.items()}
            with torch.no_grad():
                for k, parameter in module.named_parameters():
                    if k in own:
                        parameter.copy_(own[k].to(parameter.dtype))
        state |= {f"{key}.{k}": v for k, v in own.items()}
        for weight in weights:
            with torch.no_grad():
                change = captured(module, weight)
            for tensor in ("weight", "bias"):
                if change.get(tensor) is not None and getattr(origin, tensor) is not None:
                    expected[f"{name}@{weight}:{part}:{target}.{tensor}"] = (getattr(origin, tensor) + change[tensor]).detach()
    save_file(state, OUT / f"{name}.safetensors")


def at(*targets, kind, **arguments):
    return [("text_encoder" if t == TEXT else "unet", t, kind, arguments) for t in targets]


lycoris("locon", at(Q, K, TEXT, CONV, PROJ, kind=LoConModule, lora_dim=3, alpha=2))
lycoris("locon-mid", at(CONV, WIDE, kind=LoConModule, lora_dim=3, alpha=1, use_tucker=True), prefix="lycoris_")
lycoris("locon-rs", at(Q, CONV, kind=LoConModule, lora_dim=4, alpha=3, rs_lora=True))
lycoris("dora", at(Q, K, CONV, TEXT, kind=LoConModule, lora_dim=2, alpha=1, weight_decompose=True))
lycoris("dora-input", at(Q, K, WIDE, kind=LoConModule, lora_dim=2, alpha=1, weight_decompose=True, wd_on_out=False))
lycoris("loha", at(Q, FF, CONV, TEXT, kind=LohaModule, lora_dim=2, alpha=1))
lycoris("loha-tucker", at(CONV, WIDE, kind=LohaModule, lora_dim=2, alpha=3, use_tucker=True))
lycoris("loha-dora", at(Q, kind=LohaModule, lora_dim=2, alpha=1, weight_decompose=True))
lycoris("lokr", at(Q, WIDE, TEXT, kind=LokrModule, lora_dim=100, alpha=1))
lycoris("lokr-low", at(K, FF, WIDE, kind=LokrModule, lora_dim=1, alpha=3, decompose_both=True, factor=4))
lycoris("lokr-tucker", at(CONV, WIDE, kind=LokrModule, lora_dim=1, alpha=2, use_tucker=True))
lycoris("lokr-dora", at(FF, kind=LokrModule, lora_dim=2, alpha=1, weight_decompose=True))
lycoris("full", at(OUTPUT, CONV, kind=FullModule) + at(NORM, kind=NormModule))
lycoris("ia3", at(Q, CONV, kind=IA3Module) + at(K, WIDE, kind=IA3Module, train_on_input=True))
lycoris("bf16", at(Q, K, kind=LoConModule, lora_dim=3, alpha=2), dtype=torch.bfloat16)
lycoris("fp8", at(Q, K, kind=LoConModule, lora_dim=3, alpha=2), dtype=torch.float8_e4m3fn)


def peft(name, config, load=load_unet, part="unet", weights=(1.0,)):
    model = get_peft_model(load(), config)
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            if "lora_magnitude_vector" in key:
                parameter.mul_(1 + 0.4 * torch.rand_like(parameter))
            elif any(it in key for it in ("lora_", "hada_", "lokr_", "ia3_")):
                parameter.copy_(torch.randn_like(parameter) * 0.5)
    model.save_pretrained(OUT / name)
    (OUT / name / "README.md").unlink(missing_ok=True)
    path = OUT / name / "adapter_config.json"
    facts = json.loads(path.read_text())
    facts["base_model_name_or_path"] = None
    if isinstance(facts["target_modules"], list):
        facts["target_modules"].sort()
    path.write_text(json.dumps(facts, indent=2, sort_keys=True))
    plain = load().state_dict()
    for weight in weights:
        merged = get_peft_model(load(), config)
        merged.load_state_dict(model.state_dict())
        if weight != 1:
            for module in merged.modules():
                if isinstance(module, LoraLayer):
                    module.scale_layer(weight)
        state = merged.merge_and_unload().state_dict()
        for key, value in state.items():
            if not torch.equal(value, plain[key]):
                tensor = ("text_model." + key).replace("text_model.text_model.", "text_model.") if part == "text_encoder" else key
                expected[f"{name}@{weight}:{part}:{tensor}"] = value.clone()


common = {"init_lora_weights": False}
peft(
    "peft",
    LoraConfig(
        r=2,
        lora_alpha=6,
        target_modules=r".*(down_blocks\.0.*(to_q|to_k)|mid_block.*(to_v|conv1|proj_in)|up_blocks\.3\.attentions\.0.*to_out\.0)",
        rank_pattern={"attn2.to_k": 3},
        alpha_pattern={r"down_blocks\..*attn1\.to_(q|v)": 10, "conv1": 1},
        **common,
    ),
    weights=(1.0, 0.6),
)
peft("peft-rslora", LoraConfig(r=4, lora_alpha=3, use_rslora=True, target_modules=r".*mid_block.*to_q", **common))
peft("peft-text", LoraConfig(r=2, lora_alpha=8, target_modules=["q_proj", "fc1"], **common), load_text, "text_encoder")
peft("peft-dora", LoraConfig(r=2, lora_alpha=3, use_dora=True, target_modules=r".*mid_block.*(to_q|to_k|conv1|ff.net.2)", **common), weights=(1.0, 0.6))
peft("peft-bias", LoraConfig(r=2, lora_alpha=3, lora_bias=True, target_modules=r".*mid_block.*(to_out\.0|conv1)", **common), weights=(1.0, 0.6))
peft("peft-loha", LoHaConfig(r=2, alpha=3, use_effective_conv2d=True, target_modules=r".*mid_block.*(to_q|conv1)", init_weights=False))
peft("peft-lokr", LoKrConfig(r=4, alpha=6, rank_pattern={"to_v": 2}, use_effective_conv2d=True, decompose_both=True, target_modules=r".*mid_block.*(to_q|to_v|conv1)", init_weights=False))
peft("peft-ia3", IA3Config(target_modules=r".*mid_block.*(to_k|to_out\.0|ff\.net\.2)", feedforward_modules=r".*ff\.net\.2", init_ia3_weights=False))

save_file({key: tensor.detach().float().contiguous() for key, tensor in expected.items()}, OUT / "expected.safetensors")
print(len(expected), sum(path.stat().st_size for path in OUT.rglob("*") if path.is_file()))
