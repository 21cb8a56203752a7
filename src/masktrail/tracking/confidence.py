"""How sure a mask is, by the mask itself."""

from masktrail.geometry import Soft

LOST = 0.003
"""An object whose score is lower than this is not there."""


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
