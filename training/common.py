"""What the stages share: the drawings, a clock-driven schedule, files that survive an interruption, sheets to look at."""

import json
import math
import os
import struct
import time
import zlib
from pathlib import Path

import numpy as np
import torch

SIDE = 64
#: Captions of a picture of which states are kept.
CAPTIONS = 2
#: Two busy cores: one thread a process gave 1.7 times the pictures a second of two (threads wait for each other).
THREADS = int(os.environ.get("TRAINING_THREADS", "1"))


def setup(seed):
    torch.set_num_threads(THREADS)
    torch.manual_seed(seed)
    return np.random.default_rng(seed)


def load_pictures(data):
    """Drawings as floats -1 to 1, [N, 3, 64, 64], and what each shows."""
    index = json.loads((Path(data) / "pictures.json").read_text())
    raw = np.fromfile(Path(data) / "pictures.u8", np.uint8).reshape(len(index), SIDE, SIDE, 3)
    return torch.from_numpy(raw).permute(0, 3, 1, 2).float() / 127.5 - 1, index


def both_sides(pictures):
    """As they are, and mirrored, [2, N, C, H, W]: of one subject no caption tells which, the seed decides."""
    return torch.stack([pictures, pictures.flip(-1)])


def load_subjects(data):
    """Subjects alone on white, flat and 3D, -1 to 1: [N, 2, 3, 64, 64]; and each one's names."""
    subjects = json.loads((Path(data) / "subjects.json").read_text())
    raw = np.fromfile(Path(data) / "subjects.u8", np.uint8).reshape(len(subjects), 2, SIDE, SIDE, 4)
    pixels = torch.from_numpy(raw).permute(0, 1, 4, 2, 3).float() / 255
    colour, alpha = pixels[:, :, :3], pixels[:, :, 3:]
    return (colour * alpha + 1 - alpha) * 2 - 1, subjects


def load_told(data):
    """What captions tell beside the subject: the names of scenes, effects, colours, sizes and ways of two."""
    return json.loads((Path(data) / "told.json").read_text())


#: Shares of pictures: plain ones, those with modifiers, those of a scene, of a told colour or size, and of two subjects.
SHARES = {"flat": 0.15, "3d": 0.19, "scene": 0.27, "look": 0.19, "two": 0.2}


def kind_of(entry):
    """Which of SHARES a picture is of."""
    if "second" in entry:
        return "two"
    if entry["scene"]:
        return "scene"
    return "look" if entry.get("colour") or entry.get("size") else entry["style"]


def shares(index):
    """How often each picture is drawn in training, [N], together 1."""
    kinds = [kind_of(entry) for entry in index]
    counts = {kind: kinds.count(kind) for kind in SHARES}
    values = np.array([SHARES[kind] / counts[kind] for kind in kinds])
    return values / values.sum()


def sides_of(index, chosen, random):
    """Which side of a picture is drawn, 0 or 1 each: one in two is mirrored, but of two subjects the first stays left."""
    single = np.array([kind_of(index[i]) != "two" for i in chosen])
    return torch.from_numpy(random.integers(0, 2, len(chosen)) * single)


def rate(peak, step, progress, warmup=100, floor=0.02):
    """Learning rate: up in so many steps, then down along a cosine."""
    cosine = floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * progress))
    return peak * min(1.0, (step + 1) / warmup) * cosine


class Clock:
    """Seconds of training, over all runs: what the learning rate goes by, since other work shares the machine."""

    def __init__(self, minutes, before=0.0):
        self.total, self.before, self.start = minutes * 60, before, time.monotonic()

    @property
    def seconds(self):
        return self.before + time.monotonic() - self.start

    @property
    def progress(self):
        return min(1.0, self.seconds / self.total)

    def rate(self, peak, step):
        return rate(peak, step, self.progress)


def save(path, state):
    """Whole or not at all: an interrupted write leaves the last file."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(state, f"{path}.part")
    os.replace(f"{path}.part", path)


def restore(optimizer, state):
    """Lets an optimizer go on where a stage's state has it; beside weights that were only brought along it begins anew."""
    if "optimizer" not in state:
        return
    fused = [group["fused"] for group in optimizer.param_groups]
    optimizer.load_state_dict(state["optimizer"])
    for group, own in zip(optimizer.param_groups, fused):
        group["fused"] = own


def log(path, **values):
    line = {key: round(value, 6) if isinstance(value, float) else value for key, value in values.items()}
    with open(path, "a") as file:
        file.write(json.dumps(line) + "\n")
    print(line, flush=True)


def write_sheet(path, images, columns):
    """Images -1 to 1, [N, 3, H, W], as one PNG."""
    pixels = ((images.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
    rows = -(-len(pixels) // columns)
    height, width = pixels.shape[1:3]
    sheet = np.full((rows * height, columns * width, 3), 255, np.uint8)
    for i, tile in enumerate(pixels):
        y, x = divmod(i, columns)
        sheet[y * height : (y + 1) * height, x * width : (x + 1) * width] = tile
    rows_with_filter = np.concatenate([np.zeros((len(sheet), 1), np.uint8), sheet.reshape(len(sheet), -1)], 1)

    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", sheet.shape[1], sheet.shape[0], 8, 2, 0, 0, 0)
    data = zlib.compress(rows_with_filter.tobytes())
    Path(path).write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b""))
