"""A picture and its mask made small, as bytes."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from masktrail.data.packing import VOID
from masktrail.errors import InputError
from masktrail.masks import read_labels
from masktrail.masks.values import palette
from masktrail.types import LabelMap


def shrink(image_path: Path, mask_path: Path, side: int, quality: int) -> tuple[bytes, bytes]:
    """A picture as WebP and its mask as PNG, made smaller where they are larger than wanted.

    Args:
        image_path: of the picture.
        mask_path: of its mask.
        side: largest short side, pixels.
        quality: of WebP, 0 to 100.

    Raises:
        InputError: one of them cannot be read, or they are not of one size.
    """
    labels, _ = read_labels(mask_path)
    if labels.max(initial=0) >= VOID:
        raise InputError(f"{mask_path} has ids up to {labels.max()}; expected up to {VOID - 1}.")
    try:
        with Image.open(image_path) as opened:
            image = opened.convert("RGB")
    except OSError as error:
        raise InputError(f"{image_path} cannot be read as a picture: {error}.") from error
    if labels.shape != image.size[::-1]:
        raise InputError(
            f"{image_path} is {image.width}x{image.height} and its mask "
            f"{labels.shape[1]}x{labels.shape[0]}; expected one size."
        )
    if min(image.size) > side:
        scale = side / min(image.size)
        size = round(image.width * scale), round(image.height * scale)
        image = image.resize(size, Image.Resampling.BICUBIC)
        labels = np.asarray(Image.fromarray(labels).resize(size, Image.Resampling.NEAREST))
    with io.BytesIO() as file:
        image.save(file, "WEBP", quality=quality, method=6)
        return file.getvalue(), _png(labels)


def _png(labels: LabelMap) -> bytes:
    """A label map as a palette picture of as few bits as it takes."""
    bits = next(bits for bits in (1, 2, 4, 8) if labels.max(initial=0) < 2**bits)
    picture = Image.fromarray(labels.astype(np.uint8))
    picture.putpalette(palette()[: 2**bits].tobytes())
    with io.BytesIO() as file:
        picture.save(file, "PNG", optimize=True, bits=bits)
        return file.getvalue()
