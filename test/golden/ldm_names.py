"""Names of the original latent-diffusion code for the tensors of diffusers' models; used by the scripts beside it."""

import re

RESNET = {"norm1": "in_layers.0", "conv1": "in_layers.2", "time_emb_proj": "emb_layers.1", "norm2": "out_layers.0",
          "conv2": "out_layers.3", "conv_shortcut": "skip_connection"}


def unet_key(key, layers):
    """diffusers -> latent-diffusion, for a UNet of `layers` per block whose first level upwards has no attention."""
    head = {"time_embedding.linear_1": "time_embed.0", "time_embedding.linear_2": "time_embed.2",
            "conv_in": "input_blocks.0.0", "conv_norm_out": "out.0", "conv_out": "out.2"}
    for new, old in head.items():
        if key.startswith(new + "."):
            return key.replace(new, old)
    m = re.match(r"(down_blocks|up_blocks|mid_block)(?:\.(\d+))?\.(resnets|attentions|downsamplers|upsamplers)\.(\d+)\.(.*)", key)
    side, level, kind, layer, rest = m.groups()
    layer = int(layer)
    if kind == "resnets":
        for new, old in RESNET.items():
            rest = re.sub(rf"^{new}\.", f"{old}.", rest)
    if side == "mid_block":
        return f"middle_block.{1 if kind == 'attentions' else 2 * layer}.{rest}"
    level = int(level)
    if side == "down_blocks":
        if kind == "downsamplers":
            return f"input_blocks.{(level + 1) * (layers + 1)}.0.{rest.replace('conv.', 'op.')}"
        return f"input_blocks.{1 + level * (layers + 1) + layer}.{int(kind == 'attentions')}.{rest}"
    if kind == "upsamplers":
        has_attention = level > 0
        return f"output_blocks.{level * (layers + 1) + layers}.{1 + has_attention}.{rest}"
    return f"output_blocks.{level * (layers + 1) + layer}.{int(kind == 'attentions')}.{rest}"


def vae_key(key, levels):
    last = levels - 1
    key = re.sub(r"mid_block\.resnets\.(\d)", lambda m: f"mid.block_{int(m[1]) + 1}", key)
    for new, old in {"group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "proj_out"}.items():
        key = key.replace(f"mid_block.attentions.0.{new}.", f"mid.attn_1.{old}.")
    key = re.sub(r"down_blocks\.(\d)\.resnets", r"down.\1.block", key)
    key = re.sub(r"down_blocks\.(\d)\.downsamplers\.0", r"down.\1.downsample", key)
    key = re.sub(r"up_blocks\.(\d)\.resnets", lambda m: f"up.{last - int(m[1])}.block", key)
    key = re.sub(r"up_blocks\.(\d)\.upsamplers\.0", lambda m: f"up.{last - int(m[1])}.upsample", key)
    return key.replace("conv_shortcut", "nin_shortcut").replace("conv_norm_out", "norm_out")
