"""The tracker: one call per frame, whatever the family of model behind it.

Object ids are the user's and permanent. A propagator turns a frame into one mask per object; the
tracker owns ids, prompts, sizes, the competition between objects, and what is said of each.
"""

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from masktrail.errors import InputError
from masktrail.geometry import Stretch
from masktrail.masks import tight_box
from masktrail.models.aggregate import soft_aggregate
from masktrail.prompts.apart import apart
from masktrail.prompts.check import check_prompt
from masktrail.tracking.confidence import LOST, confidence
from masktrail.tracking.pieces import usual_area, without_strays
from masktrail.types import Box, Image, LabelMap, Mask, ObjectResult, Points, Prompt, Result

CERTAIN = 12.0
"""Logit of a pixel the user has marked."""


class Propagator(Protocol):
    """One family's way from frame to frame; holds that family's state for all objects.

    For every frame `propagate` is called once, then `update`; `forget` between frames.

    Attributes:
        stride: which height and width of the images it is given are multiples of.
        mask_stride: at which stride of them masks go in and come out.
        device: where images and masks are handed to it.
    """

    stride: int
    mask_stride: int
    device: torch.device

    def propagate(self, image: Tensor, ids: list[int]) -> Tensor:
        """Finds objects in the next frame.

        Args:
            image: (1, 3, H, W) in [0, 1].
            ids: the objects to look for: those that have a mask in the frame before; perhaps none.

        Returns:
            Logits (N, H/mask_stride, W/mask_stride), objects independent of each other.
        """

    def update(
        self, masks: dict[int, Tensor], scores: dict[int, float], prompted: set[int]
    ) -> None:
        """Takes what was settled on for the frame last propagated to.

        Args:
            masks: soft masks (H/mask_stride, W/mask_stride) by id, of all objects, new ones too.
            scores: confidence by id, 0 where an object is lost.
            prompted: objects whose mask came from the user.
        """

    def forget(self, object_id: int) -> None:
        """Drops all that is known of an object."""

    def state_dict(self) -> dict[str, Any]:
        """Everything needed to go on bit for bit: tensors, and plain values in dicts and lists."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Puts back what `state_dict` gave, wherever that was computed."""


Prompter = Callable[[Image, Box | Points, NDArray[np.float32] | None], NDArray[np.bool_]]
"""Makes a mask (H, W) of a box or clicks, going out from a soft mask (H, W) where there is one."""


class Tracker:
    """Follows objects through a video, one `step` per frame.

    Args:
        propagator: the model.
        size: short side the model works at, pixels; smaller videos are not enlarged.
        prompter: how a box or clicks become a mask.
        precision: what the model computes in, for reports.
        settings: what the propagator was told, by name, for reports.

    Attributes:
        logits: (h, w) of every object in the last frame, before they compete.
        given: masks (H, W) that prompts stood for in the last frame.
    """

    def __init__(
        self,
        propagator: Propagator,
        size: int,
        prompter: Prompter,
        precision: str = "float",
        settings: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        self.propagator = propagator
        self.size = size
        self.precision, self.settings = precision, dict(settings)
        self._prompter = prompter
        self._ids: list[int] = []
        self._stretch: Stretch | None = None
        self._before: dict[int, Tensor] = {}
        self._usual: dict[int, float] = {}
        self.logits: dict[int, Tensor] = {}
        self.given: dict[int, NDArray[np.bool_]] = {}

    @property
    def ids(self) -> tuple[int, ...]:
        """Objects being tracked, ascending."""
        return tuple(self._ids)

    @torch.inference_mode()
    def step(self, image: Image, prompts: Mapping[int, Prompt] | None = None) -> Result:
        """Tracks every object into the next frame.

        Args:
            image: uint8 RGB (H, W, 3), the same size in every call.
            prompts: by object id (1 to 65535), for new objects or known ones; a prompted mask is
                taken as it is and kept in memory for good. Clicks alone on a known object correct
                the mask it would have had. Where prompted masks overlap, the smaller one lies on
                top.

        Raises:
            InputError: a frame of another size, a prompt that cannot be used, or two that mark the
                same pixels.
        """
        stretch = self._fit(image)
        prompts = {
            i: check_prompt(i, prompt, stretch.height, stretch.width, known=i in self._ids)
            for i, prompt in sorted((prompts or {}).items())
        }
        carried = [i for i in self._ids if i not in prompts or _corrects(prompts[i])]
        logits = self.propagator.propagate(stretch.image_in(image, self.propagator.device), carried)
        by_id = dict(zip(carried, logits, strict=True))
        given = apart(
            {i: self._mask_of(prompt, image, by_id.get(i)) for i, prompt in prompts.items()}
        )
        self._ids = sorted({*self._ids, *given})
        for object_id in by_id.keys() - given.keys():
            by_id[object_id] = without_strays(
                by_id[object_id], self._before[object_id], self._usual[object_id]
            )
        for object_id, mask in given.items():
            soft = stretch.mask_in(mask, self.propagator.mask_stride, self.propagator.device)
            by_id[object_id] = soft.logit(1e-4).clamp(-CERTAIN, CERTAIN)
        return self._settle(by_id, given)

    @torch.inference_mode()
    def report(
        self,
        logits: dict[int, Tensor],
        given: dict[int, NDArray[np.bool_]],
        scores: Mapping[int, float],
    ) -> Result:
        """What logits made elsewhere say of a frame; nothing is remembered of them.

        Args:
            logits: (h, w) by object id, of the size of the attribute `logits`.
            given: masks (H, W) that come from the user and stand.
            scores: confidence by object id.
        """
        return self._compete(logits, given, scores)[1]

    def remove(self, object_id: int) -> None:
        """Stops tracking an object and forgets it; its id may be given again.

        Raises:
            InputError: no such object.
        """
        if object_id not in self._ids:
            raise InputError(
                f"There is no object {object_id} to remove; tracked are {self._ids or 'none'}."
            )
        self._ids.remove(object_id)
        self._before.pop(object_id, None)
        self._usual.pop(object_id, None)
        self.propagator.forget(object_id)

    def rewind(self) -> None:
        """Leaves where the objects are, to go on in another frame; prompted frames stay in memory.

        Objects are tracked again once they are prompted again.
        """
        self._ids, self._before, self._usual = [], {}, {}

    def state_dict(self) -> dict[str, Any]:
        """Everything needed to go on mid-video, bit for bit: tensors and plain values."""
        frame = (self._stretch.height, self._stretch.width) if self._stretch else None
        return {
            "ids": list(self._ids),
            "size": self.size,
            "frame": frame,
            "before": dict(self._before),
            "usual": dict(self._usual),
            "propagator": self.propagator.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Puts back what `state_dict` gave; the model and its settings must be the same."""
        self._ids, self.size = list(state["ids"]), state["size"]
        self._stretch = self._stretch_of(*state["frame"]) if state["frame"] else None
        device = self.propagator.device
        self._before = {i: mask.to(device) for i, mask in state["before"].items()}
        self._usual = dict(state["usual"])
        self.propagator.load_state_dict(state["propagator"])

    def _stretch_of(self, height: int, width: int) -> Stretch:
        return Stretch.to_short_side(height, width, self.size, self.propagator.stride)

    def _fit(self, image: Image) -> Stretch:
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
            raise InputError(
                f"A frame must be uint8 RGB of shape (H, W, 3), not {image.dtype} {image.shape}."
            )
        height, width = image.shape[:2]
        if self._stretch is None:
            self._stretch = self._stretch_of(height, width)
        if (height, width) != (self._stretch.height, self._stretch.width):
            raise InputError(
                f"This frame is {width}x{height}, the video so far {self._stretch.width}x"
                f"{self._stretch.height}; start a new tracker for another video."
            )
        return self._stretch

    def _mask_of(self, prompt: Prompt, image: Image, logits: Tensor | None) -> NDArray[np.bool_]:
        """The mask a prompt stands for; `logits` are what it would have been without."""
        if isinstance(prompt, Mask):
            return prompt.mask
        if logits is None:
            return self._prompter(image, prompt, None)
        assert self._stretch is not None
        soft = self._stretch.logits_out(logits[None].float())[0].sigmoid()
        return self._prompter(image, prompt, soft.cpu().numpy())

    def _settle(self, logits: dict[int, Tensor], given: dict[int, NDArray[np.bool_]]) -> Result:
        """Lets the objects compete for pixels, tells the propagator, and reports."""
        self.logits, self.given = logits, given
        soft, result = self._compete(logits, given)
        scores = {i: found.score for i, found in result.objects.items()}
        self._before = {i: (mask > 0.5) & (scores[i] > 0) for i, mask in soft.items()}
        self._usual = {
            i: usual_area(float(mask.sum()), self._usual.get(i, 0.0))
            for i, mask in self._before.items()
        }
        self.propagator.update(soft, scores, set(given))
        return result

    def _compete(
        self,
        logits: dict[int, Tensor],
        given: dict[int, NDArray[np.bool_]],
        scores: Mapping[int, float] | None = None,
    ) -> tuple[dict[int, Tensor], Result]:
        """Soft masks (h, w) after the competition, and what follows from them."""
        assert self._stretch is not None
        if not logits:
            return {}, Result(np.zeros((self._stretch.height, self._stretch.width), np.uint8), {})
        ids = sorted(logits)
        aggregated = soft_aggregate(torch.stack([logits[i] for i in ids])[None])[0]
        soft = dict(zip(ids, aggregated.softmax(0)[1:], strict=True))
        own = scores or {i: confidence(soft[i]) for i in ids}
        scores = {i: 1.0 if i in given else own[i] for i in ids}
        labels = self._labels(aggregated, ids, given)
        lost = {i for i, score in scores.items() if score < LOST}
        for object_id in lost:
            labels[labels == object_id] = 0
        found = {i: _describe(labels == i, scores[i]) for i in ids}
        enlarged = partial(_enlarged, self._stretch, aggregated, ids, given, lost)
        return soft, Result(labels, found, enlarged)

    def _labels(
        self, aggregated: Tensor, ids: list[int], given: dict[int, NDArray[np.bool_]]
    ) -> LabelMap:
        assert self._stretch is not None
        full = self._stretch.logits_out(aggregated)
        best, winner = full[0], torch.zeros(full.shape[1:], dtype=torch.int32, device=full.device)
        for slot, object_id in enumerate(ids, start=1):
            ahead = full[slot] > best
            winner = winner.masked_fill(ahead, object_id)
            best = torch.maximum(best, full[slot])
        kind = np.uint8 if max(ids) < 256 else np.uint16
        labels: LabelMap = winner.cpu().numpy().astype(kind)
        for object_id, mask in given.items():  # what the user drew is not ours to change
            labels[labels == object_id] = 0
            labels[mask] = object_id
        return labels


def _corrects(prompt: Prompt) -> bool:
    """Whether a prompt goes out from the mask there is; any other starts afresh."""
    return isinstance(prompt, Points) and prompt.alone


def _enlarged(
    stretch: Stretch,
    aggregated: Tensor,
    ids: list[int],
    given: dict[int, NDArray[np.bool_]],
    lost: set[int],
) -> dict[int, NDArray[np.float32]]:
    """Soft masks (H, W) by object id; what the user marked is 0 or 1, what is lost is 0."""
    masks = stretch.logits_out(aggregated).float().softmax(0)[1:].cpu().numpy()
    found = dict(zip(ids, masks, strict=True))
    for object_id in lost:
        found[object_id] = np.zeros_like(found[object_id])
    return found | {i: mask.astype(np.float32) for i, mask in given.items()}


def _describe(mask: NDArray[np.bool_], score: float) -> ObjectResult:
    box = tight_box(mask)
    if box is None:
        return ObjectResult(0.0, 0, None, "lost")
    return ObjectResult(score, int(np.count_nonzero(mask)), box, "present")
