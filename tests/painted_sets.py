"""Painted data sets in the folder layouts that training reads.

Every object is a disc of one flat colour that nothing else in its picture has, so that a mask can
be checked against the pixels it was sampled with.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from masktrail.data.davis import find_sequences
from masktrail.data.packing import write_pack
from masktrail.data.stills import find_stills

COLOURS = np.array(
    [[240, 30, 30], [30, 230, 30], [240, 230, 30], [230, 30, 230], [30, 220, 230], [250, 250, 250]],
    np.uint8,
)
"""Colours of the discs: still number k, and object k + 1 of a video, has row k."""

GROUND = np.array([20, 20, 110], np.uint8)
HEIGHT, WIDTH = 60, 96

Picture = NDArray[np.uint8]


def paint(
    discs: list[tuple[float, float, float]],
    colours: NDArray[np.uint8],
    size: tuple[int, int] = (WIDTH, HEIGHT),
) -> tuple[Picture, Picture]:
    """Image (H, W, 3) and label map (H, W) of discs (x, y, radius), pixels, ids 1 upwards."""
    width, height = size
    y, x = np.mgrid[:height, :width] + 0.5
    image = np.broadcast_to(GROUND, (height, width, 3)).copy()
    labels = np.zeros((height, width), np.uint8)
    for k, (cx, cy, radius) in enumerate(discs):
        inside = (x - cx) ** 2 + (y - cy) ** 2 < radius**2
        image[inside], labels[inside] = colours[k], k + 1
    return image, labels


def save(picture: Picture, path: Path) -> None:
    """Writes a picture, and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(path)


def paint_stills(root: Path, count: int = 6) -> Path:
    """`root/set/Images/k.png` beside `root/set/Masks/k.png`, one disc each."""
    for k in range(count):
        image, labels = paint([(40 + 3 * k, 26 + 2 * k, 18)], [COLOURS[k % len(COLOURS)]])
        save(image, root / "set" / "Images" / f"{k}.png")
        save(labels * 255, root / "set" / "Masks" / f"{k}.png")
    return root


def paint_videos(
    root: Path, names: tuple[str, ...] = ("left", "right"), frames: int = 10, level: str = "480p"
) -> Path:
    """A DAVIS-like data set: two discs that move across, apart from each other."""
    for name in names:
        for t in range(frames):
            shift = 3 * t if name != "left" else 3 * (frames - t)
            image, labels = paint([(18 + shift, 18, 12), (60 - shift, 44, 12)], COLOURS)
            save(image, root / "JPEGImages" / level / name / f"{t:05}.png")
            save(labels, root / "Annotations" / level / name / f"{t:05}.png")
    return root


def pack_stills(root: Path) -> Path:
    """Paints stills and packs them as they are; returns the pack's folder."""
    write_pack(find_stills(paint_stills(root / "set")), root / "pack", HEIGHT, WIDTH)
    return root / "pack"


def pack_videos(root: Path, names: tuple[str, ...] = ("left", "right"), frames: int = 10) -> Path:
    """Paints videos and packs them as they are; returns the pack's folder."""
    videos = find_sequences(paint_videos(root / "set", names, frames))
    write_pack(videos, root / "pack", HEIGHT, WIDTH)
    return root / "pack"
