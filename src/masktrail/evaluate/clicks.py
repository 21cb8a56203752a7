"""How good masks from boxes and clicks are, with a robot that clicks where a mask is most wrong.

Source of the robot and of the curve over clicks: RITM (Sofiiuk et al., ICIP 2022) and what it
follows; see `data.clicks`.
"""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from masktrail.data.clicks import corrective_clicks, first_clicks
from masktrail.evaluate.measures import region_similarity
from masktrail.masks import tight_box
from masktrail.prompts.kinds import Box, Points
from masktrail.types import Image

Prompter = Callable[[Image, Box | Points, NDArray[np.float32] | None], NDArray[np.bool_]]


def from_box(prompter: Prompter, image: Image, truth: NDArray[np.bool_]) -> float:
    """IoU of the mask from the tight box of an object.

    Args:
        prompter: as `zoo.load_prompter` gives it.
        image: uint8 RGB (H, W, 3).
        truth: bool (H, W), not empty.
    """
    box = tight_box(truth)
    assert box is not None
    return region_similarity(truth, prompter(image, Box(*box), None))


def over_clicks(
    prompter: Prompter, image: Image, truth: NDArray[np.bool_], corrections: int
) -> list[float]:
    """IoU after a click in the middle of an object, then after each corrective click.

    Every mask goes out from the one before. Where one is right to the pixel, the robot stops and
    its IoU stands for the rest.

    Args:
        prompter: as `zoo.load_prompter` gives it.
        image: uint8 RGB (H, W, 3).
        truth: bool (H, W), not empty.
        corrections: clicks after the first.

    Returns:
        corrections + 1 figures.
    """
    true, scores = torch.from_numpy(truth)[None], []
    before: NDArray[np.float32] | None = None
    clicks = first_clicks(true)
    points, labels = [], []
    for _ in range(corrections + 1):
        if not clicks.there:
            break
        points += clicks.at.tolist()
        labels += clicks.label.tolist()
        mask = prompter(image, Points([(x, y) for x, y in points], list(labels)), before)
        scores.append(region_similarity(truth, mask))
        clicks = corrective_clicks(torch.from_numpy(mask)[None], true)
        before = mask.astype(np.float32)
    return scores + [scores[-1]] * (corrections + 1 - len(scores))
