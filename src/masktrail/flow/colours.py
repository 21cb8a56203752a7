"""Flow made visible: hue is its direction, saturation its length. Numpy only."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

SECTORS = {"RY": 15, "YG": 6, "GC": 4, "CB": 11, "BM": 13, "MR": 6}
"""How many colours lie between red, yellow, green, cyan, blue, magenta and red again: more where
eyes tell more of them apart."""

BEYOND = 0.75
"""Brightness of flow that is longer than the colours reach."""


def flow_colours(
    flow: NDArray[np.floating], most: float | None = None, valid: NDArray[np.bool_] | None = None
) -> NDArray[np.uint8]:
    """A picture of a flow, in the colours of Middlebury's wheel.

    No flow is white, flow to the right red, down yellow, to the left light blue, up violet; what
    is longer than `most` is darker, what is unknown black (Baker et al., "A Database and Evaluation
    Methodology for Optical Flow", IJCV 2011, and the code that comes with it).

    Args:
        flow: (H, W, 2) in pixels, x then y; not changed. Where it is not finite it is unknown.
        most: length in pixels that has full colour; the longest known one if None.
        valid: bool (H, W), where the flow is known; everywhere if None.

    Returns:
        uint8 RGB (H, W, 3).

    Raises:
        ValueError: a shape is wrong, or `most` is negative or not a finite number.
    """
    if flow.ndim != 3 or flow.shape[2] != 2:
        raise ValueError(f"flow is {flow.shape}; it must be (H, W, 2)")
    if valid is not None and valid.shape != flow.shape[:2]:
        raise ValueError(f"flow is {flow.shape[:2]}, valid is {valid.shape}; sizes must agree")
    if most is not None and not 0 <= most < np.inf:
        raise ValueError(f"most is {most}; it must be a length in pixels")
    known = np.isfinite(flow).all(axis=2)
    if valid is not None:
        known &= valid
    x, y = (np.where(known, flow[..., axis], 0).astype(np.float64) for axis in (0, 1))
    length = np.hypot(x, y)
    if most is None:
        most = float(length.max(initial=0))
    return _mixed(_place(x, y), length, most, known)


def _place(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where a direction lies on the wheel: 0, right, clockwise to the last colour, right again.

    The last colour is not mixed with the first: Middlebury's wheel has a small step there too.
    """
    turn = np.arctan2(-(y + 0.0), -x) / np.pi  # -0.0 + 0.0 is 0.0, so that both are the same red
    return (turn + 1) / 2 * (len(_wheel()) - 1)


def _mixed(
    place: NDArray[np.float64], length: NDArray[np.float64], most: float, known: NDArray[np.bool_]
) -> NDArray[np.uint8]:
    """Colours (H, W, 3) of places on the wheel: paler the shorter, darker beyond `most`."""
    share, beyond = length / (most or 1.0), length > most
    before = place.astype(np.intp)
    after = (before + 1) % len(_wheel())
    out = np.empty((*place.shape, 3), np.uint8)
    for channel in range(3):  # whole planes: a last axis of three is slow in numpy
        wheel = _wheel()[:, channel]
        full = wheel[before] + (place - before) * (wheel[after] - wheel[before])
        colour = np.where(beyond, BEYOND * full, 255 - share * (255 - full))
        out[..., channel] = np.where(known, colour, 0)
    return out


@lru_cache(maxsize=1)
def _wheel() -> NDArray[np.float64]:
    """The 55 colours, (55, 3) of 0 to 255: in every sector one channel rises or falls."""
    corners = np.array(
        [[1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 1, 1], [0, 0, 1], [1, 0, 1], [1, 0, 0]], np.float64
    )
    colours = []
    for start, end, count in zip(corners, corners[1:], SECTORS.values(), strict=False):
        rise = np.arange(count) * 255 // count  # whole numbers, as theirs are
        colours.append(255 * start + rise[:, None] * (end - start))
    return np.concatenate(colours)
