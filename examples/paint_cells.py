"""Paints a data set to train on: cells under a microscope, noisy, faint, and all alike.

python examples/paint_cells.py cells      # 10 videos of 30 frames in the layout of DAVIS
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from masktrail.masks import write_labels

VIDEOS, FRAMES, CELLS, SIZE = 10, 30, 6, 240


def outline(angles: np.ndarray, waves: np.ndarray, time: float) -> np.ndarray:
    """Distance of a cell's edge from its centre, as a share of its radius, by angle."""
    lobes = np.arange(2, 2 + len(waves))
    phases = waves[:, 0] + waves[:, 1] * time
    return 1 + (0.12 * np.sin(angles[..., None] * lobes + phases)).sum(-1)


def paint(draw: np.random.Generator, cells: dict, time: int) -> tuple[np.ndarray, np.ndarray]:
    """One frame, uint8 (SIZE, SIZE, 3), and its label map; lower ids lie on top."""
    y, x = np.mgrid[:SIZE, :SIZE] + 0.5
    light = 88 + 12 * np.sin(x / 90 + cells["drift"] * time) + 10 * np.cos(y / 70)
    labels = np.zeros((SIZE, SIZE), np.uint8)
    for k in reversed(range(CELLS)):
        cx, cy = cells["start"][k] + cells["speed"][k] * time
        dx, dy = x - cx, y - cy
        edge = cells["radius"][k] * outline(np.arctan2(dy, dx), cells["waves"][k], time)
        depth = 1 - np.hypot(dx, dy) / edge  # 1 at the centre, 0 at the edge
        inside = depth > 0
        light = light + inside * 6 + 26 * np.exp(-((depth / 0.07) ** 2))
        light -= 22 * np.exp(-(((dx + 4) ** 2 + (dy - 3) ** 2) / (0.3 * cells["radius"][k]) ** 2))
        labels[inside] = k + 1
    noisy = light + draw.normal(0, 9, light.shape)
    return np.repeat(noisy.clip(0, 255).astype(np.uint8)[..., None], 3, 2), labels


def main(root: Path) -> None:
    """Writes `root/JPEGImages` and `root/Annotations`."""
    for video in range(VIDEOS):
        draw = np.random.default_rng(video)
        cells = {
            "start": draw.uniform(30, SIZE - 30, (CELLS, 2)),
            "speed": draw.normal(0, 1.6, (CELLS, 2)),
            "radius": draw.uniform(20, 34, CELLS),
            "waves": np.stack(
                [draw.uniform(0, 6.3, (CELLS, 3)), draw.normal(0, 0.25, (CELLS, 3))], -1
            ),
            "drift": draw.normal(0, 0.05),
        }
        images, masks = (root / kind / f"dish{video:02}" for kind in ("JPEGImages", "Annotations"))
        images.mkdir(parents=True, exist_ok=True)
        masks.mkdir(parents=True, exist_ok=True)
        for time in range(FRAMES):
            image, labels = paint(draw, cells, time)
            Image.fromarray(image).save(images / f"{time:05}.jpg", quality=92)
            write_labels(masks / f"{time:05}.png", labels)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
