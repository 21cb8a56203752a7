"""What the marks of a frame make of it, before anything is tracked."""

from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from masktrail.prompts.check import check_prompt
from masktrail.prompts.kinds import Box, Mask, Points, Prompt
from masktrail.types import Image, LabelMap
from masktrail.web.marks import PromptMark, ReadMask

KEPT = 64
"""Masks that are kept, those looked at last."""

Prompter = Callable[[Image, Any, NDArray[np.float32] | None], NDArray[np.bool_]]


class Preview:
    """Masks of prompts, kept for as long as they are looked at.

    Args:
        prompter: as `zoo.load_prompter` gives it.
    """

    def __init__(self, prompter: Prompter) -> None:
        self._prompter, self._lock = prompter, Lock()
        self._kept: OrderedDict[Any, NDArray[np.bool_]] = OrderedDict()

    def labels(
        self,
        key: Any,
        image: Image,
        marks: Mapping[int, PromptMark],
        read_mask: ReadMask,
        tracked: LabelMap | None,
        corrected: Collection[int] = (),
    ) -> LabelMap:
        """Masks of what was marked (H, W) over those that were tracked; the highest id lies on top.

        Args:
            key: of the image and of what was tracked, as long as both are the same.
            image: uint8 RGB (H, W, 3).
            marks: by object id.
            read_mask: gives painted masks.
            tracked: label map (H, W), not changed.
            corrected: objects whose clicks alone correct what was tracked, if they do not tell
                what they go out from.

        Raises:
            InputError: a mark does not fit the image, as in a project of another video.
        """
        height, width = image.shape[:2]
        labels = np.zeros(image.shape[:2], np.uint8) if tracked is None else tracked.copy()
        for object_id, mark in sorted(marks.items()):
            if (prompt := mark.prompt(read_mask)) is None:
                continue
            prompt = check_prompt(object_id, prompt, height, width)
            if tracked is not None and object_id in corrected:
                prompt = _correcting(prompt, tracked == object_id)
            mask = self._mask((key, object_id, mark.model_dump_json()), image, prompt)
            labels[labels == object_id] = 0
            labels[mask] = object_id
        return labels

    def warm_up(self, image: Image) -> None:
        """Does once what takes longest the first time: weights, and kernels for usual sizes."""
        height, width = image.shape[:2]
        click = Points([(width / 2, height / 2)], [True])
        for prompt in (Box(width / 3, height / 3, width * 2 / 3, height * 2 / 3), click):
            self._prompter(image, prompt, None)

    def _mask(self, key: Any, image: Image, prompt: Prompt) -> NDArray[np.bool_]:
        if isinstance(prompt, Mask):
            return prompt.mask
        with self._lock:
            if key not in self._kept:
                self._kept[key] = self._prompter(image, prompt, None)
            self._kept.move_to_end(key)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
            return self._kept[key]


def _correcting(prompt: Prompt, mask: NDArray[np.bool_]) -> Prompt:
    """Clicks alone with the mask that they go out from, if there is one; others as they are."""
    if isinstance(prompt, Points) and prompt.alone and mask.any():
        return replace(prompt, mask=Mask(mask))
    return prompt
