"""Random TAESDs and what diffusers' AutoencoderTiny decodes with them.

Made with torch 2.15.0 (CPU), diffusers 0.42.1, transformers 5.24.0, safetensors, Pillow:
    python test/golden/taesd.py
Writes test/golden/taesd/: a small one in diffusers' layout, its decoder under the names of the original file
taesd_decoder, and expected.safetensors. The weights of the published shape are too many to keep; the test draws them
anew, with the same generator (WEIGHTS_SEED, in the order of the names). And picture.png: what StableDiffusionPipeline
draws with sd-small/sd1 and the small TAESD as its VAE.
"""

import json
import pathlib
import shutil

import torch
from diffusers import AutoencoderTiny, LCMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from safetensors.torch import save_file
from transformers import CLIPTextModel

from pipeline import ids_of

HERE = pathlib.Path(__file__).parent / "taesd"
SMALL = dict(
    encoder_block_out_channels=(4, 4, 4, 4),
    decoder_block_out_channels=(4, 4, 4, 4),
    num_encoder_blocks=(1, 3, 3, 3),
    num_decoder_blocks=(3, 3, 3, 1),
)
# Fewer levels and blocks than published.
FLAT = dict(
    encoder_block_out_channels=(6, 6), decoder_block_out_channels=(6, 6), num_encoder_blocks=(1, 1), num_decoder_blocks=(2, 1)
)
WEIGHTS_SEED = 21


def redraw(model: torch.nn.Module, seed: int) -> None:
    """Numbers that keep the size of each layer's input; ReLU halves the variance."""
    generator = torch.Generator("cpu").manual_seed(seed)
    for name, parameter in sorted(model.decoder.named_parameters(prefix="decoder")):
        noise = torch.randn(parameter.shape, generator=generator)
        with torch.no_grad():
            gain = 0.3 if name.endswith("conv.4.weight") else 2**0.5
            parameter.copy_(noise * (gain * parameter[0].numel() ** -0.5 if parameter.ndim > 1 else 0.1))


def make(sizes: dict, seed: int) -> AutoencoderTiny:
    model = AutoencoderTiny(**sizes).eval()
    redraw(model, seed)
    return model


def decode(model: AutoencoderTiny, latents: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return model.decode(latents).sample


def draw(vae: AutoencoderTiny) -> None:
    folder = HERE.parent / "sd-small" / "sd1"
    encoder = CLIPTextModel.from_pretrained(folder / "text_encoder")
    pipe = StableDiffusionPipeline(
        vae=vae,
        text_encoder=encoder,
        tokenizer=None,
        unet=UNet2DConditionModel.from_pretrained(folder / "unet"),
        scheduler=LCMScheduler.from_pretrained(folder / "scheduler"),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    # The tiny VAE has no block_out_channels of its own in the file, and one of eight pixels a latent.
    assert pipe.vae_scale_factor == 8, pipe.vae_scale_factor
    with torch.no_grad():
        states = encoder(input_ids=ids_of(3))[0]
    image = pipe(
        prompt_embeds=states,
        num_inference_steps=4,
        guidance_scale=1.0,
        generator=torch.Generator("cpu").manual_seed(4),
        width=64,
        height=64,
    ).images[0]
    image.save(HERE / "picture.png", optimize=True)
    (HERE / "picture.json").write_text(json.dumps(ids_of(3)[0].tolist()) + "\n")


if __name__ == "__main__":
    torch.set_num_threads(2)
    shutil.rmtree(HERE, ignore_errors=True)
    generator = torch.Generator("cpu").manual_seed(5)
    # Beyond the bound of 3, too.
    latents = {
        "latents": torch.randn((2, 4, 3, 4), generator=generator) * 2,
        "latents-flat": torch.randn((1, 4, 8, 6), generator=generator),
        "latents-published": torch.randn((1, 4, 3, 2), generator=generator),
    }
    small, flat, published = make(SMALL, 1), make(FLAT, 2), make({}, WEIGHTS_SEED)
    small.save_pretrained(HERE)
    flat.save_pretrained(HERE / "flat")
    original = {
        f"{int(index) + 1}.{rest}": tensor
        for name, tensor in small.decoder.state_dict().items()
        for index, rest in [name.removeprefix("layers.").split(".", 1)]
    }
    save_file({name: tensor.contiguous() for name, tensor in original.items()}, HERE / "taesd_decoder.safetensors")
    torch.save(original, HERE / "taesd_decoder.pth")
    draw(small)
    images = {
        "image": decode(small, latents["latents"]),
        "image-flat": decode(flat, latents["latents-flat"]),
        "image-published": decode(published, latents["latents-published"]),
    }
    for name, value in images.items():
        print(name, tuple(value.shape), f"std {value.std():.3f}")
    save_file({name: value.contiguous() for name, value in {**latents, **images}.items()}, HERE / "expected.safetensors")
