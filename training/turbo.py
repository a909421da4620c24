"""Turbo: a LoRA with which the miniature draws in 4 steps without guidance, in the form of lcm-lora-sdv1-5.

The committed UNet is asked, through a LoRA, to see the same finished drawing from every time of diffusers' LCMScheduler,
with its grid and its boundary. In latent consistency distillation that drawing is found by steps of a teacher; here each
caption has one, which is known, so that a step costs half. Goes on where it was interrupted; at each save it draws
held-out captions in 4 steps, and at the end it writes the LoRA of the averaged weights into the checkpoint.

python training/turbo.py SCRATCH checkpoints/miniature --minutes 40
"""

import argparse
import json
from pathlib import Path

import torch
from diffusers import AutoencoderKL, LCMScheduler, UNet2DConditionModel
from diffusers.utils import logging
from peft import LoraConfig
from safetensors.torch import load_file, save_file
from torch.nn.functional import avg_pool2d
from transformers import CLIPTextModel, CLIPTokenizer

from common import CAPTIONS, Clock, both_sides, load_pictures, log, rate, save, setup, shares, sides_of, write_sheet
from denoiser import SCHEDULE, fast, velocities

RANK = ALPHA = 16
BATCH = 32
RATE = 1.5e-3
#: The scheduler's grid: 50 of 1,000 times.
STRIDE = 20
STEPS = 4
#: Share of samples at the times of 4 steps; the others are at any time of the grid, for more steps.
FEW = 0.7
SIGMA_DATA, TIME_SCALE = 0.5, 10.0
HUBER = 0.03
EMA = 0.99
WARMUP = 30
SAVE_SECONDS = 240
#: diffusers, examples/consistency_distillation: what its LoRA script trains.
TARGETS = (
    *("to_q", "to_k", "to_v", "to_out.0", "proj_in", "proj_out", "ff.net.0.proj", "ff.net.2"),
    *("conv1", "conv2", "conv_shortcut", "downsamplers.0.conv", "upsamplers.0.conv", "time_emb_proj"),
)
NAME = "loras/lcm-lora-miniature.safetensors"


class Miniature:
    """The committed parts, frozen."""

    def __init__(self, folder):
        folder = folder / "stable-diffusion"
        half = {"variant": "fp16", "torch_dtype": torch.float32}
        self.unet = fast(UNet2DConditionModel.from_pretrained(folder / "unet", **half).eval().requires_grad_(False))
        self.vae = AutoencoderKL.from_pretrained(folder / "vae", **half).eval().requires_grad_(False)
        self.tokenizer = CLIPTokenizer.from_pretrained(folder / "tokenizer")
        self.text_encoder = CLIPTextModel.from_pretrained(folder / "text_encoder", **half).eval()

    @torch.no_grad()
    def states(self, texts):
        ids = self.tokenizer(
            texts, padding="max_length", truncation=True, max_length=self.tokenizer.model_max_length, return_tensors="pt"
        )
        return self.text_encoder(input_ids=ids.input_ids).last_hidden_state

    @torch.no_grad()
    def latents(self, pictures):
        return torch.cat([self.vae.encode(part).latent_dist.mode() for part in pictures.split(32)])


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("scratch", type=Path)
    args.add_argument("checkpoint", type=Path)
    args.add_argument("--minutes", type=float, default=40)
    args.add_argument("--seed", type=int, default=48)
    args = args.parse_args()
    logging.set_verbosity_error()
    random = setup(args.seed)
    miniature = Miniature(args.checkpoint)
    unet = miniature.unet
    pictures, index = load_pictures(args.scratch / "data")
    sides = both_sides(pictures)
    latents = torch.stack([miniature.latents(side) for side in sides])  # [2, N, C, 8, 8]
    captions = json.loads((args.scratch / "data/captions.json").read_text())
    texts = [text for caption in captions for text in caption["train"][:CAPTIONS]]
    states = torch.cat([miniature.states(texts[i : i + 256]).half() for i in range(0, len(texts), 256)])
    states = states.unflatten(0, (-1, CAPTIONS))  # [N, captions, T, C]

    unet.add_adapter(LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules=list(TARGETS), init_lora_weights="gaussian"))
    trained = {name: p for name, p in unet.named_parameters() if p.requires_grad}
    print(len(trained) // 2, "modules,", sum(p.numel() for p in trained.values()) / 1e6, "M parameters", flush=True)
    optimizer = torch.optim.AdamW(trained.values(), lr=RATE, betas=(0.9, 0.99), weight_decay=0.0)
    average = {name: p.detach().clone() for name, p in trained.items()}
    folder = args.scratch / "turbo"
    step, before = 0, 0.0
    if (folder / "state.pt").exists():
        state = torch.load(folder / "state.pt")
        load(trained, state["lora"])
        load(average, state["average"])
        optimizer.load_state_dict(state["optimizer"])
        step, before = state["step"], state["seconds"]
    torch.manual_seed(args.seed + step)
    share = shares(index)
    clock = Clock(args.minutes, before)

    schedule = LCMScheduler(**{k: v for k, v in SCHEDULE.items() if k != "skip_prk_steps"})
    schedule.set_timesteps(STEPS)
    kept = schedule.alphas_cumprod

    def parts(t):
        """Of the signal and of the noise at times t, [B, 1, 1, 1]."""
        alpha = kept[t][:, None, None, None]
        return alpha.sqrt(), (1 - alpha).sqrt()

    def student(x, t, text):
        """The finished drawing, by LCMScheduler's boundary."""
        scaled = (t * TIME_SCALE).float()[:, None, None, None]
        skip = SIGMA_DATA**2 / (scaled**2 + SIGMA_DATA**2)
        out = scaled / (scaled**2 + SIGMA_DATA**2).sqrt()
        signal, noise = parts(t)
        return skip * x + out * (signal * x - noise * velocities(unet, x, t, text))

    shown = list(range(0, len(index), 101))
    asked = miniature.states([captions[i]["heldOut"][0] for i in shown])
    small = lambda images: avg_pool2d(images.clamp(-1, 1), 4).flatten(1)
    known = small(sides.flatten(0, 1))

    @torch.no_grad()
    def draw():
        """Held-out captions in a few steps, from one noise each."""
        schedule.set_timesteps(STEPS)
        generator = torch.Generator().manual_seed(1)
        x = torch.randn(len(shown), *latents.shape[2:], generator=generator)
        for t in schedule.timesteps:
            x, clean = schedule.step(unet(x, t, asked).sample, t, x, generator=generator, return_dict=False)
        return torch.cat([miniature.vae.decode(part).sample for part in clean.split(16)])

    def evaluate():
        current = {name: p.detach().clone() for name, p in trained.items()}
        load(trained, average)
        images = draw()
        load(trained, current)
        drawn = small(images)
        found = torch.cdist(drawn, known, p=1).argmin(1)
        write_sheet(folder / f"sheet-{step:05}.png", images, 10)
        same = [index[f % len(index)]["label"] == index[w]["label"] for f, w in zip(found, shown)]
        return {"subject": sum(same) / len(same), "distance": (drawn - known[shown]).abs().mean().item()}

    saved, mean = float("-inf"), None
    while True:
        if clock.seconds - saved > SAVE_SECONDS or clock.progress >= 1:
            saved = clock.seconds
            progress = {"optimizer": optimizer.state_dict(), "step": step, "seconds": saved}
            save(folder / "state.pt", {"lora": {n: p.detach() for n, p in trained.items()}, "average": average, **progress})
            log(folder / "log.jsonl", step=step, seconds=saved, loss=mean, **evaluate())
            if clock.progress >= 1:
                break
        chosen = torch.from_numpy(random.choice(len(states), BATCH, p=share))
        clean = latents[sides_of(index, chosen, random), chosen]
        text = states[chosen, torch.from_numpy(random.integers(0, states.shape[1], BATCH))].float()
        any_time = torch.from_numpy(random.integers(1, 1000 // STRIDE + 1, BATCH)) * STRIDE - 1
        few = schedule.timesteps[torch.from_numpy(random.integers(0, STEPS, BATCH))]
        t = torch.where(torch.from_numpy(random.random(BATCH) < FEW), few, any_time)
        signal, noise = parts(t)
        x = signal * clean + noise * torch.randn_like(clean)
        difference = student(x, t, text) - clean
        loss = ((difference**2 + HUBER**2).sqrt() - HUBER).mean()
        for group in optimizer.param_groups:
            group["lr"] = rate(RATE, step, clock.progress, WARMUP)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained.values(), 1.0)
        optimizer.step()
        with torch.no_grad():
            for name, p in trained.items():
                average[name].lerp_(p, 1 - EMA)
        mean = loss.item() if mean is None else 0.98 * mean + 0.02 * loss.item()
        step += 1
    export(average, args.checkpoint / NAME)


def load(target, source):
    with torch.no_grad():
        for name, tensor in target.items():
            tensor.copy_(source[name])


def export(lora, path):
    """Under the names of the published file, float16."""
    tensors = {}
    for name, tensor in lora.items():
        module, side = name.removesuffix(".default.weight").rsplit(".lora_", 1)
        key = "lora_unet_" + module.replace(".", "_")
        tensors[f"{key}.lora_{'down' if side == 'A' else 'up'}.weight"] = tensor.half().contiguous()
        tensors[f"{key}.alpha"] = torch.tensor(float(ALPHA)).half()
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(dict(sorted(tensors.items())), path, metadata={"format": "pt"})
    print(f"{path}: {path.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
