"""Which files are pictures, and their order: the same everywhere."""

import re
from collections.abc import Iterable
from pathlib import Path

PICTURES = {".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}
"""Files of a folder that are its frames."""

FEW = 0.1
"""Share of the pictures that may be named without a number among others and are no frames."""


def is_picture(path: Path) -> bool:
    """Whether a file is named as a frame is, and visible: macOS leaves hidden `._*.jpg`."""
    return path.suffix.lower() in PICTURES and not path.name.startswith(".")


def natural_key(name: str) -> tuple[list[tuple[int, str]], str]:
    """Sorts names as people do: `2.jpg` before `10.jpg`."""
    runs = re.findall(r"\d+|\D+", name.lower())
    return [(int(r), "") if r.isdecimal() else (-1, r) for r in runs], name


def numbered(pictures: Iterable[Path]) -> list[Path]:
    """Those that are frames: a few without a number among numbered ones, such as a cover, are
    none."""
    pictures = list(pictures)
    found = [path for path in pictures if re.search(r"\d", path.stem)]
    return found if len(pictures) - len(found) <= FEW * len(pictures) else pictures
