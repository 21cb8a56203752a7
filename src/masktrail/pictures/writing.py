"""Frames of videos written as pictures."""

from pathlib import Path

from PIL import Image as Pictures

from masktrail.types import Image

QUALITY = 95
"""Of JPEG, colours at full resolution."""


def write_jpeg(path: Path, image: Image) -> None:
    """Writes a frame, RGB (H, W, 3), as JPEG that looks like it."""
    Pictures.fromarray(image).save(path, "JPEG", quality=QUALITY, subsampling=0)
