"""What diffusers' VaeImageProcessor makes of pictures of another size, stretched and cropped, with its Lanczos filter.

Made with diffusers 0.42.1, Pillow 13.0.0:
    python test/golden/resize.py
Writes test/golden/resize/: <width>x<height>.png, the pictures, and <picture>-<mode>-<width>x<height>.png, what becomes
of them.
"""

import math
import pathlib
import shutil

from diffusers.image_processor import VaeImageProcessor
from PIL import Image

OUT = pathlib.Path(__file__).parent / "resize"

# size of the picture, mode, size to draw
CASES = [
    ((90, 60), "default", (64, 64)),
    ((90, 60), "crop", (64, 64)),
    ((90, 60), "crop", (64, 96)),
    ((90, 60), "crop", (128, 64)),
    ((47, 83), "crop", (64, 64)),
    ((47, 83), "crop", (96, 64)),
    ((47, 83), "default", (40, 80)),
    ((200, 31), "crop", (64, 64)),
    ((31, 31), "crop", (64, 64)),
    ((31, 31), "crop", (96, 64)),
]


def picture(width, height):
    """Waves of three colors under a fine grid, which shows a filter's edges."""
    image = Image.new("RGB", (width, height))
    for y in range(height):
        for x in range(width):
            wave = lambda a, b, c: round(127.5 + 127.5 * math.sin(a * x / width * 6 + b * y / height * 6 + c))
            line = 90 if x % 7 == 0 or y % 5 == 0 else 0
            image.putpixel((x, y), (wave(1, 0, 0), max(0, wave(1, 2, 1) - line), wave(0, 1, 2)))
    image.save(OUT / f"{width}x{height}.png", optimize=True)
    return image


if __name__ == "__main__":
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir()
    processor = VaeImageProcessor(vae_scale_factor=8)
    for size, mode, (width, height) in CASES:
        resized = processor.resize(picture(*size), height, width, resize_mode=mode)
        resized.save(OUT / f"{size[0]}x{size[1]}-{mode}-{width}x{height}.png", optimize=True)
