"""A small painted data set, and the command line as a function."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from masktrail.masks import write_labels

SIZE = (72, 96)
Paint = Callable[..., Path]


def label_map(*squares: tuple[int, int]) -> np.ndarray:
    """Label map (72, 96) with a 20x20 square per (object id, left edge)."""
    labels = np.zeros(SIZE, np.uint8)
    for object_id, x in squares:
        labels[20:40, x : x + 20] = object_id
    return labels


def add_sequence(
    root: Path, name: str, frames: list[np.ndarray | None], level: str = "", grey: bool = False
) -> None:
    """Pictures of a frame each, and its mask where there is one (`grey`: 0/255, else palette)."""
    images, masks = root / "JPEGImages" / level / name, root / "Annotations" / level / name
    images.mkdir(parents=True)
    masks.mkdir(parents=True)
    for index, labels in enumerate(frames):
        shade = np.full((*SIZE, 3), 60, np.uint8)
        if labels is not None:
            shade[labels > 0] = (200, 80, 40)
        Image.fromarray(shade).save(images / f"{index:05d}.jpg")
        if labels is not None and grey:
            Image.fromarray((labels > 0).astype(np.uint8) * 255).save(masks / f"{index:05d}.png")
        elif labels is not None:
            write_labels(masks / f"{index:05d}.png", labels)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """`late`: object 2 appears in frame 2; `still`: nothing moves."""
    root = tmp_path / "painted"
    both = label_map((1, 10), (2, 60))
    add_sequence(root, "late", [label_map((1, 10))] * 2 + [both] * 4)
    add_sequence(root, "still", [label_map((1, 30))] * 5)
    return root
