"""Dreamed pairs per second on one core.

    python benchmarks/dreams.py [PICTURE MASK] [--size 256] [--count 40] [--batch 1]

Without a picture one is painted: a smooth texture with two discs. Printed are the seconds for the
background behind the objects, once a picture, and the pairs per second after it: two frames, their
masks, the masks that are handed on, and the flow both ways with where it is known.
"""

import argparse
import statistics
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from masktrail.dreams.dreamer import Dreamer
from masktrail.masks import read_labels


def painted(size: int) -> tuple[np.ndarray, np.ndarray]:
    """A picture (S, S, 3) and its label map (S, S)."""
    coarse = np.random.default_rng(0).integers(0, 256, (12, 12, 3), np.uint8)
    image = np.array(Image.fromarray(coarse).resize((size, size), Image.Resampling.BICUBIC))
    y, x = np.mgrid[:size, :size] / size
    labels = np.zeros((size, size), np.uint8)
    labels[(x - 0.35) ** 2 + (y - 0.4) ** 2 < 0.2**2] = 1
    labels[(x - 0.7) ** 2 + (y - 0.6) ** 2 < 0.15**2] = 2
    return image, labels


def read(picture: Path, mask: Path, size: int) -> tuple[np.ndarray, np.ndarray]:
    """The same of files, stretched to a square."""
    image = Image.open(picture).convert("RGB").resize((size, size), Image.Resampling.BICUBIC)
    labels = Image.fromarray(read_labels(mask)[0]).resize((size, size), Image.Resampling.NEAREST)
    return np.array(image), np.array(labels)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", type=Path, nargs="*")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--batch", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    size = arguments.size
    image, labels = read(*arguments.files, size) if arguments.files else painted(size)
    torch.set_grad_enabled(False)
    start = time.perf_counter()
    dreamer = Dreamer(torch.from_numpy(image), torch.from_numpy(labels.astype(np.int32)), 0)
    print(f"background: {time.perf_counter() - start:.2f} s, {len(dreamer.ids)} objects")
    dreamer.draw(arguments.batch)
    times = []
    for _ in range(max(1, arguments.count // arguments.batch)):
        start = time.perf_counter()
        dreamer.draw(arguments.batch)
        times.append((time.perf_counter() - start) / arguments.batch)
    print(f"{1 / statistics.median(times):.1f} pairs/s at {size}x{size}, one thread, median")


if __name__ == "__main__":
    main()
