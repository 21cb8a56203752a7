"""Peak memory against length: the same painted scene for 500 and for 5,000 frames.

    python benchmarks/memory.py [--model memory-s] [--frames 500,5000] [--width 854] [--height 480]

Each length runs in a process of its own; peak resident memory is read from its `run.json`.
"""

import argparse
import json
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from masktrail.types import Frame, VideoInfo
from masktrail.video import VideoWriter


def main() -> None:
    """Parses the arguments, runs each length and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="memory-s")
    parser.add_argument("--frames", default="500,5000")
    parser.add_argument("--width", type=int, default=854)
    parser.add_argument("--height", type=int, default=480)
    arguments = parser.parse_args()
    lengths = [int(length) for length in arguments.frames.split(",")]
    size = (arguments.width, arguments.height)
    print(f"{'frames':>7} {'peak MiB':>9} {'ratio':>6} {'frames/s':>9}")
    first = None
    with TemporaryDirectory() as scratch:
        clip = Path(scratch) / "clip.mp4"
        paint(clip, max(lengths), size)
        for length in lengths:
            report = run(clip, length, size, arguments.model, Path(scratch) / f"out{length}")
            first = first or report["peak_memory_mb"]
            ratio = report["peak_memory_mb"] / first
            print(
                f"{length:7d} {report['peak_memory_mb']:9.1f} {ratio:6.3f} {report['fps']:9.1f}",
                flush=True,
            )


def paint(path: Path, frames: int, size: tuple[int, int]) -> None:
    """A textured disc wandering over a textured ground, `frames` long."""
    width, height = size
    rng = np.random.default_rng(0)
    ground = rng.integers(60, 120, (height // 8 + 1, width // 8 + 1, 3), np.uint8)
    ground = ground.repeat(8, 0).repeat(8, 1)[:height, :width]
    radius = height // 8
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    disc = (x**2 + y**2 <= radius**2)[..., None]
    skin = rng.integers(150, 255, (2 * radius + 1, 2 * radius + 1, 3), np.uint8)
    rate = Fraction(25)
    info = VideoInfo(str(path), width, height, rate, 1 / rate, frames)
    with VideoWriter(path, info, audio=False) as writer:
        for index in range(frames):
            top, left = position(index, size)
            image = ground.copy()
            patch = image[top : top + 2 * radius + 1, left : left + 2 * radius + 1]
            patch[:] = np.where(disc, skin, patch)
            writer.write(image, Frame(image, index, index, 1 / rate))


def position(index: int, size: tuple[int, int]) -> tuple[int, int]:
    """Top left corner of the disc in frame `index`."""
    width, height = size
    room_y, room_x = height - 2 * (height // 8) - 1, width - 2 * (height // 8) - 1
    return (
        int(room_y * (0.5 + 0.5 * np.sin(index / 37))),
        int(room_x * (0.5 + 0.5 * np.sin(index / 53))),
    )


def run(clip: Path, frames: int, size: tuple[int, int], model: str, out: Path) -> dict:
    """Tracks the first frames of a clip by the command line; its `run.json`."""
    top, left = position(0, size)
    side = 2 * (size[1] // 8) + 1
    command = ["track", str(clip), "--box", f"1:{left},{top},{left + side},{top + side}"]
    options = ["--model", model, "--end", str(frames), "--out", str(out), "--quiet"]
    subprocess.run([sys.executable, "-m", "masktrail.cli", *command, *options], check=True)
    return json.loads((out / "run.json").read_text())


if __name__ == "__main__":
    main()
