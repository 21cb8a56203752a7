"""A mask from a box by colour alone, for where a network finds nothing.

Inside the box an ellipse is the prior; colours are counted in two joint histograms, object and
surroundings, that are re-estimated a few times in the manner of GrabCut (Rother et al., SIGGRAPH
2004) with blurring in place of the graph cut.
"""

import numpy as np
from numpy.typing import NDArray

from masktrail.masks.components import components, filled
from masktrail.masks.filters import blurred
from masktrail.prompts.kinds import Box
from masktrail.types import Image

MARGIN = 0.4
"""How much of the surroundings is looked at, as a share of the box's sides."""

WORK_SIZE = 160
"""The longer side of what is looked at, pixels."""

BINS = 16
ROUNDS = 4
FEWEST, MOST = 0.15, 0.98
"""Shares of the box outside which a result is not believed."""


def mask_from_box(image: Image, box: Box) -> NDArray[np.bool_]:
    """Mask of the thing in a box.

    Args:
        image: uint8 RGB (H, W, 3).
        box: in pixels, inside the image.

    Returns:
        bool (H, W), nothing outside the box; the box's ellipse where colours do not decide.
    """
    rows, columns, scale = _surroundings(image.shape[:2], box)
    colours = image[rows][:, columns]
    y, x = np.meshgrid((rows + 0.5), (columns + 0.5), indexing="ij")
    radius = np.hypot(
        (x - (box.x0 + box.x1) / 2) / ((box.x1 - box.x0) / 2),
        (y - (box.y0 + box.y1) / 2) / ((box.y1 - box.y0) / 2),
    )
    inside = (x > box.x0) & (x < box.x1) & (y > box.y0) & (y < box.y1)
    prior = np.where(inside, 0.9 / (1 + np.exp(6 * np.minimum(radius, 2) - 6)) + 0.05, 0.0)
    chosen = _believable(_by_colour(colours, prior) > 0.5, inside)
    small = (radius <= 1) & inside if chosen is None else chosen
    return _enlarge(small, image.shape[:2], rows[0], columns[0], scale, box)


def _surroundings(
    shape: tuple[int, ...], box: Box
) -> tuple[NDArray[np.intp], NDArray[np.intp], int]:
    """Rows and columns looked at, every `scale`-th of those in and around the box."""
    margin_x, margin_y = MARGIN * (box.x1 - box.x0), MARGIN * (box.y1 - box.y0)
    top, bottom = max(0, int(box.y0 - margin_y)), min(shape[0], int(box.y1 + margin_y) + 1)
    left, right = max(0, int(box.x0 - margin_x)), min(shape[1], int(box.x1 + margin_x) + 1)
    scale = max(1, round(max(bottom - top, right - left) / WORK_SIZE))
    return np.arange(top, bottom, scale), np.arange(left, right, scale), scale


def _by_colour(colours: Image, prior: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probability of every pixel to belong to the object."""
    coarse = (colours // (256 // BINS)).reshape(-1, 3)
    bins = np.asarray(np.ravel_multi_index(tuple(coarse.T), (BINS,) * 3))
    smooth = max(1.0, 0.01 * max(prior.shape))
    object_ = prior
    for _ in range(ROUNDS):
        front = _density(bins, object_.ravel())[bins].reshape(prior.shape)
        back = _density(bins, 1 - object_.ravel())[bins].reshape(prior.shape)
        odds = prior * front / (prior * front + (1 - prior) * back + 1e-12)
        object_ = blurred(odds, smooth)
    return object_


def _density(bins: NDArray[np.intp], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    counts = np.bincount(bins, weights, BINS**3).reshape((BINS,) * 3)
    density = blurred(counts, 0.8, "constant").ravel() + 1e-3
    return density / density.sum()


def _believable(mask: NDArray[np.bool_], inside: NDArray[np.bool_]) -> NDArray[np.bool_] | None:
    """The larger pieces of a mask without its holes, or None where it can hardly be the object."""
    pieces, count = components(mask & inside)
    if not count:
        return None
    sizes = np.bincount(pieces.ravel())[1:]
    largest = filled(np.isin(pieces, 1 + np.flatnonzero(sizes > 0.2 * max(sizes))))
    share = largest.sum() / max(1, inside.sum())
    return largest if FEWEST < share < MOST else None


def _enlarge(
    small: NDArray[np.bool_], shape: tuple[int, ...], top: int, left: int, scale: int, box: Box
) -> NDArray[np.bool_]:
    mask = np.zeros(shape[:2], bool)
    large = small.repeat(scale, 0).repeat(scale, 1)
    if scale > 1:  # round off the steps
        large = blurred(large.astype(np.float32), scale / 2) > 0.5
    fit = large[: shape[0] - top, : shape[1] - left]
    mask[top : top + fit.shape[0], left : left + fit.shape[1]] = fit
    clipped = np.zeros_like(mask)
    y0, y1, x0, x1 = int(box.y0), int(np.ceil(box.y1)), int(box.x0), int(np.ceil(box.x1))
    clipped[y0:y1, x0:x1] = mask[y0:y1, x0:x1]
    if not clipped.any():  # a box of a pixel or two
        clipped[y0:y1, x0:x1] = True
    return clipped
