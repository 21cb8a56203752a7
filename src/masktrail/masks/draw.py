"""Masks made visible: tint, outline, pictures side by side. Numpy only."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from masktrail.masks import palette, tight_box
from masktrail.types import Image, LabelMap


def overlay(image: Image, labels: LabelMap, alpha: float = 0.5, outline: bool = True) -> Image:
    """The image with every object tinted in its palette colour and outlined in a brighter one.

    Args:
        image: uint8 RGB (H, W, 3); not changed.
        labels: object ids (H, W), 0 background; ids above 255 reuse the colours 1 to 255.
        alpha: strength of the tint, 0 to 1.
        outline: draw outlines, one pixel wide per 240 pixels of the shorter side.

    Raises:
        ValueError: sizes differ.
    """
    if image.shape[:2] != labels.shape:
        raise ValueError(f"image is {image.shape[:2]}, labels are {labels.shape}; sizes must agree")
    out = image.copy()
    box = tight_box(labels > 0)
    if box is None:
        return out
    width = max(1, round(min(labels.shape) / 240))
    rows, columns = _window(box, width, labels.shape)
    part, ids = out[rows, columns], _wrapped(labels[rows, columns])
    _tint(part, ids, alpha)
    if outline:
        edge = contour(ids, width)
        part[edge] = _bright()[ids[edge]]
    return out


def contour(labels: LabelMap, width: int = 1) -> NDArray[np.bool_]:
    """Pixels of objects that touch something else within `width` pixels across or down.

    Args:
        labels: object ids (H, W), 0 background.
        width: of the line, in pixels, inside the object; the border of the image is no line.

    Returns:
        bool (H, W).
    """
    edge = np.zeros(labels.shape, bool)
    for step in range(1, width + 1):
        across = labels[:, step:] != labels[:, :-step]
        edge[:, step:] |= across
        edge[:, :-step] |= across
        down = labels[step:] != labels[:-step]
        edge[step:] |= down
        edge[:-step] |= down
    return edge & (labels != 0)


def side_by_side(*images: Image) -> Image:
    """Images (H, W, 3) of one height next to each other, (H, sum of W, 3)."""
    return np.concatenate(images, axis=1)


def _window(
    box: tuple[int, int, int, int], margin: int, shape: tuple[int, ...]
) -> tuple[slice, slice]:
    """Rows and columns of a box with a margin, kept inside the image."""
    x0, y0, x1, y1 = box
    return (
        slice(max(y0 - margin, 0), min(y1 + margin, shape[0])),
        slice(max(x0 - margin, 0), min(x1 + margin, shape[1])),
    )


def _wrapped(labels: LabelMap) -> NDArray[np.uint8]:
    """Ids as palette entries, uint8: 256 is 1 again, and only background is 0."""
    if labels.dtype == np.uint8:
        return labels
    return np.where(labels > 0, (labels - 1) % 255 + 1, 0).astype(np.uint8)


def _tint(part: Image, ids: NDArray[np.uint8], alpha: float) -> None:
    """Blends colours into objects, in place, in 8-bit fixed point."""
    weight = round(alpha * 256)
    keep = np.full(256, 256 - weight, np.uint16)
    keep[0] = 256
    entries, colours = ids.astype(np.intp), palette().astype(np.uint16) * weight
    weights = keep.take(entries, mode="clip")
    for channel in range(3):  # whole planes: a last axis of three is slow in numpy
        mixed = part[..., channel] * weights
        mixed += colours[:, channel].take(entries, mode="clip")
        mixed >>= 8
        part[..., channel] = mixed


@lru_cache(maxsize=1)
def _bright() -> NDArray[np.uint8]:
    """Palette colours (256, 3) at full brightness, for lines."""
    colours = palette().astype(np.float32)
    peak = colours.max(axis=1, keepdims=True).clip(min=1)
    return (colours * 255 / peak).astype(np.uint8)
