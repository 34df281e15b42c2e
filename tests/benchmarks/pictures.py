"""Twelve-megapixel camera JPEGs made from photos inside installed packages. The same bytes every time."""

from pathlib import Path

import cv2
import numpy as np
import simplejpeg
import skimage.data

SOURCES = ("astronaut", "chelsea", "coffee", "rocket")
WIDTH, HEIGHT = 4000, 3000


def write_camera_jpegs(folder: Path, count: int) -> list[Path]:
    """Write `count` different JPEGs (4,096 at most) of 12 megapixels and about 3 MB."""
    folder.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(7)
    bases = [
        cv2.resize(getattr(skimage.data, name)(), (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC) for name in SOURCES
    ]
    grain = noise.integers(-9, 10, (HEIGHT + 64, WIDTH + 64, 3), np.int16)
    return [
        write(folder / f"IMG_{number:04d}.JPG", bases[number % len(bases)], grain, number) for number in range(count)
    ]


def write(path: Path, base: np.ndarray, grain: np.ndarray, number: int) -> Path:
    """One JPEG: a picture with grain at a place of its own, so that no two have the same bytes."""
    top, left = number % 64, number // 64
    picture = np.clip(base + grain[top : top + HEIGHT, left : left + WIDTH], 0, 255).astype(np.uint8)
    path.write_bytes(simplejpeg.encode_jpeg(picture, quality=88, colorspace="RGB"))
    return path
