"""A picture and its mask made small, as bytes."""

import io

import numpy as np
from PIL import Image

from masktrail.data.packing import VOID
from masktrail.data.sequence import Sequence
from masktrail.errors import InputError
from masktrail.masks.values import palette
from masktrail.types import LabelMap


def shrink(video: Sequence, index: int, side: int, quality: int) -> tuple[bytes, bytes]:
    """A picture as WebP and its mask as PNG, made smaller where they are larger than wanted.

    Args:
        video: that the picture is a frame of.
        index: of the frame; it has a mask.
        side: largest short side, pixels.
        quality: of WebP, 0 to 100.

    Raises:
        InputError: one of them cannot be read, or they are not of one size.
    """
    labels, image = video.truth(index), Image.fromarray(video.image(index))
    assert labels is not None
    if labels.max(initial=0) >= VOID:
        raise InputError(
            f"{video.annotations[index]} has ids up to {labels.max()}; expected up to {VOID - 1}."
        )
    if labels.shape != image.size[::-1]:
        raise InputError(
            f"{video.frames[index]} is {image.width}x{image.height} and its mask "
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
