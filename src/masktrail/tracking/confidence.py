"""How sure a mask is: the chance that it overlaps the true one by more than half."""

import math

from masktrail.geometry import Soft

MIDDLE, SLOPE = 0.69, 20.0
"""Of the logistic curve from expected to true overlap; see docs/corrections.md for the fit."""

LOST = 0.003
"""An object whose mask is less certain than this is not there."""


def confidence(soft: Soft) -> float:
    """Chance that the IoU with the true mask is above 0.5, from one soft mask (h, w)."""
    return 1 / (1 + math.exp(-SLOPE * (expected_overlap(soft) - MIDDLE)))


def expected_overlap(soft: Soft) -> float:
    """Expected intersection over expected union of the mask `soft > 0.5` and the true one.

    Every pixel is taken to be the object's with its probability, by itself: the intersection is
    then the sum over the mask, the union its area and the sum over the rest.

    Args:
        soft: probabilities (h, w).

    Returns:
        0 to 1; 0 where no pixel is above 0.5.
    """
    won = soft > 0.5
    inside = float(soft[won].sum())
    union = float(won.sum()) + float(soft.sum()) - inside
    return inside / union if union else 0.0
