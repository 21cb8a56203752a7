"""Frames and masks as the page shows them."""

import io
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pictures

from masktrail.masks import palette
from masktrail.types import Image, LabelMap

QUALITY = 88


def frame_jpeg(image: Image) -> bytes:
    """A frame, uint8 RGB (H, W, 3), as JPEG."""
    content = io.BytesIO()
    Pictures.fromarray(image).save(content, "JPEG", quality=QUALITY)
    return content.getvalue()


def labels_png(labels: LabelMap, colors: Mapping[int, tuple[int, ...]]) -> bytes:
    """A label map (H, W) as PNG: objects opaque in their colours, the background transparent.

    Args:
        labels: ids up to 255.
        colors: RGB by id; others have those of the palette.
    """
    entries = palette().copy()
    for object_id, color in colors.items():
        entries[object_id] = color
    return _png(labels.astype(np.uint8), entries)


def mask_png(mask: NDArray[np.bool_]) -> bytes:
    """A mask (H, W) as PNG: white, the rest transparent."""
    return _png(mask.astype(np.uint8), np.full((256, 3), 255, np.uint8))


def _png(indices: NDArray[np.uint8], entries: NDArray[np.uint8]) -> bytes:
    picture = Pictures.fromarray(indices)
    picture.putpalette(entries.tobytes())
    content = io.BytesIO()
    opaque = bytes([0]) + bytes([255]) * 255
    picture.save(content, "PNG", compress_level=1, transparency=opaque)
    return content.getvalue()
