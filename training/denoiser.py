"""Stage 4: the denoiser, a UNet2DConditionModel over the latents of stage 1, told by the text encoder of stage 2; velocity
prediction, EMA. Goes on where it was interrupted; `--minutes` is the training's whole length, over all runs.

python training/denoiser.py SCRATCH --minutes 50 --workers 2

Each worker is a process of one thread with its own part of the batch; their gradients are averaged.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch
import torch.distributed as group
import torch.multiprocessing
from diffusers import AutoencoderKL, PNDMScheduler, UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor

import decoder
import text_encoder
from common import CAPTIONS, Clock, load_subjects, log, rate, save, setup, shares, sides_of, write_sheet
from latents import CHANNELS
from muon import Muon

CONFIG = {
    "sample_size": 8,
    "in_channels": CHANNELS,
    "out_channels": CHANNELS,
    "down_block_types": ["CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
    "up_block_types": ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D"],
    "block_out_channels": [96, 192],
    "layers_per_block": 1,
    "norm_num_groups": 16,
    "cross_attention_dim": text_encoder.WIDTH,
    "attention_head_dim": 4,
}
SCHEDULE = {
    "num_train_timesteps": 1000,
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "prediction_type": "v_prediction",
    "set_alpha_to_one": False,
    "skip_prk_steps": True,
    "steps_offset": 1,
}
BATCH = 64
RATE = 8e-4
DROPPED = 0.1
EMA = 0.998
SAVE_SECONDS = 120
SHEET_SECONDS = 900
#: As the program draws by default, in fewer steps.
GUIDANCE, STEPS = 2, 20


def sample(unet, states, nothing, decode, seed, guidance=GUIDANCE, steps=STEPS):
    scheduler = PNDMScheduler(**SCHEDULE)
    scheduler.set_timesteps(steps)
    noise = torch.randn(1, CHANNELS, 8, 8, generator=torch.Generator().manual_seed(seed))
    x = noise.repeat(len(states), 1, 1, 1)
    text = torch.cat([nothing.expand_as(states), states])
    with torch.no_grad():
        for t in scheduler.timesteps:
            without, with_text = unet(torch.cat([x, x]), t, text).sample.chunk(2)
            x = scheduler.step(without + guidance * (with_text - without), t, x).prev_sample
        return decode(x)


def text_states(scratch):
    """States of all captions, float16 [N, captions, T, C], and those of no words, [T, C]; made once."""
    stored = scratch / "latents/states.pt"
    if stored.exists():
        return torch.load(stored, mmap=True)
    tokenizer = text_encoder.tokenizer_of(scratch)
    encoder = text_encoder.build(len(tokenizer))
    encoder.load_state_dict(torch.load(scratch / "text-encoder/state.pt")["model"])
    encoder.eval()
    captions = json.loads((scratch / "data/captions.json").read_text())

    random = np.random.default_rng(45)
    foreign = text_encoder.foreign_of(tokenizer, load_subjects(scratch / "data")[1])
    marks = text_encoder.marks_of(tokenizer)
    end = len(tokenizer) - 1

    def states(rows):
        ids = text_encoder.pad([[end - 1, *row[: text_encoder.POSITIONS - 2], end] for row in rows], end)
        with torch.no_grad():
            return torch.cat([encoder(input_ids=part).last_hidden_state.half() for part in ids.split(256)])

    texts = [text for caption in captions for text in caption["train"][:CAPTIONS]]
    rows = [ids[1:-1] for ids in tokenizer(texts, truncation=True, max_length=text_encoder.POSITIONS).input_ids]
    # Of every second caption with foreign words in it: people write what no caption has.
    rows = [text_encoder.disturbed(row, foreign, marks, random) if i % 2 else row for i, row in enumerate(rows)]
    made = states(rows).unflatten(0, (-1, CAPTIONS)), states([[]])[0].float()
    save(stored, made)
    return torch.load(stored, mmap=True)


#: Only where the processor computes in it: elsewhere PyTorch takes twenty times as long as in float32.
BFLOAT16 = torch.cpu.get_capabilities().get("avx512_bf16", False)


def fast(unet):
    """A UNet with the attention that is fast here: PyTorch's own is slow in bfloat16, and faster in float32."""
    if BFLOAT16:
        unet.set_attn_processor(AttnProcessor())
    return unet


def velocities(unet, x, t, text):
    """What a `fast` UNet says of latents at times t, in bfloat16 if that is fast. [B, C, 8, 8], float32."""
    with torch.autocast("cpu", torch.bfloat16, enabled=BFLOAT16):
        return unet(x, t, text).sample.float()


def newest_decoder(scratch):
    vae = AutoencoderKL(**decoder.CONFIG).eval()
    vae.load_state_dict(torch.load(scratch / "decoder/state.pt")["model"])
    return lambda latents: vae.decode(latents).sample


class Averager:
    """Averages gradients over the workers, and tells all of them the first one's progress."""

    def __init__(self, parameters, workers):
        self.parameters, self.workers = parameters, workers
        self.flat = torch.zeros(sum(p.numel() for p in parameters) + 1)

    def __call__(self, progress):
        self.flat[-1] = progress * self.workers  # nothing, but from the first
        torch.cat([p.grad.reshape(-1) for p in self.parameters], out=self.flat[:-1])
        if self.workers > 1:
            group.all_reduce(self.flat)
            self.flat /= self.workers
        else:
            self.flat[-1] = progress
        at = 0
        for p in self.parameters:
            p.grad.copy_(self.flat[at : at + p.numel()].view_as(p))
            at += p.numel()
        return float(self.flat[-1])


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("scratch", type=Path)
    args.add_argument("--minutes", type=float, default=50)
    args.add_argument("--workers", type=int, default=2)
    args.add_argument("--rate", type=float, default=RATE)
    args.add_argument("--seed", type=int, default=44)
    args = args.parse_args()
    if args.workers == 1:
        work(0, args)
    else:
        meeting = (args.scratch / "workers").resolve()
        meeting.unlink(missing_ok=True)
        text_states(args.scratch)
        torch.multiprocessing.spawn(work, (args,), args.workers)


def work(rank, args):
    random = setup(args.seed + rank)
    if args.workers > 1:
        meeting = f"file://{(args.scratch / 'workers').resolve()}"
        group.init_process_group("gloo", init_method=meeting, rank=rank, world_size=args.workers)
    latents = torch.load(args.scratch / "latents/latents.pt")
    index = json.loads((args.scratch / "data/pictures.json").read_text())
    share = shares(index)
    train, nothing = text_states(args.scratch)
    folder = args.scratch / "denoiser"
    torch.manual_seed(args.seed)
    unet = fast(UNet2DConditionModel(**CONFIG).to(memory_format=torch.channels_last))
    ema = UNet2DConditionModel(**CONFIG).to(memory_format=torch.channels_last).eval()
    ema.load_state_dict(unet.state_dict())
    optimizer = Muon(unet.parameters(), args.workers, rank)
    step, before = 0, 0.0
    if (folder / "state.pt").exists():
        state = torch.load(folder / "state.pt")
        unet.load_state_dict(state["model"])
        ema.load_state_dict(state["ema"])
        if "optimizer" in state:
            optimizer.load_state_dict(state["optimizer"])
        step, before = state["step"], state["seconds"]
    torch.manual_seed(args.seed + 1000 * rank + step)
    print(sum(p.numel() for p in unet.parameters()) / 1e6, "M parameters", flush=True)
    clock = Clock(args.minutes, before)
    progress = clock.progress
    average = Averager(list(unet.parameters()), args.workers)
    kept = PNDMScheduler(**SCHEDULE).alphas_cumprod  # [1000]

    saved = shown = clock.seconds
    mean = None
    while progress < 1 or rank == 0:
        if rank == 0 and (clock.seconds - saved > SAVE_SECONDS or progress >= 1):
            saved = clock.seconds
            state = {"model": unet.state_dict(), "ema": ema.state_dict(), "optimizer": optimizer.state_dict()}
            save(folder / "state.pt", {**state, "step": step, "seconds": saved})
            epoch = step * BATCH * args.workers / len(train)
            log(folder / "log.jsonl", step=step, epoch=epoch, seconds=saved, loss=mean, rate=rate(args.rate, step, progress))
            if saved - shown > SHEET_SECONDS or progress >= 1:
                shown = saved
                chosen = torch.arange(0, len(train), -(-len(train) // 64))
                decode = newest_decoder(args.scratch)
                drawn = sample(ema, train[chosen, 0].float(), nothing, decode, seed=step)
                with torch.no_grad():
                    wanted = decode(latents[0, chosen])
                write_sheet(folder / f"sheet-{step:06}.png", torch.stack([wanted, drawn], 1).flatten(0, 1), 16)
            if progress >= 1:
                break
        chosen = torch.from_numpy(random.choice(len(train), BATCH, p=share))
        clean = latents[sides_of(index, chosen, random), chosen]
        text = train[chosen, torch.from_numpy(random.integers(0, train.shape[1], BATCH))].float()
        text[random.random(BATCH) < DROPPED] = nothing
        # One time in each of BATCH equal parts: less scatter of the loss than by independent ones.
        # The last part's end rounds up to one time more than there are.
        times = ((torch.randperm(BATCH) + torch.rand(BATCH)) / BATCH * 1000).long().clamp(max=999)
        signal, scatter = kept[times].sqrt()[:, None, None, None], (1 - kept[times]).sqrt()[:, None, None, None]
        noise = torch.randn_like(clean)
        noisy = (signal * clean + scatter * noise).contiguous(memory_format=torch.channels_last)
        velocity = signal * noise - scatter * clean
        loss = (velocities(unet, noisy, times, text) - velocity).pow(2).mean()
        unet.zero_grad(set_to_none=True)
        loss.backward()
        progress = average(clock.progress if rank == 0 else 0.0)
        torch.nn.utils.clip_grad_norm_(unet.parameters(), 1.0)
        optimizer.step(rate(args.rate, step, progress))
        decay = min(EMA, (step + 1) / (step + 20))
        with torch.no_grad():
            torch._foreach_lerp_(list(ema.parameters()), list(unet.parameters()), 1 - decay)
        mean = loss.item() if mean is None else 0.98 * mean + 0.02 * loss.item()
        step += 1


if __name__ == "__main__":
    main()
