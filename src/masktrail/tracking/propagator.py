"""What passes between the tracker and a family's propagator: arrays."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from masktrail.errors import InputError
from masktrail.geometry import Soft
from masktrail.prompts.kinds import Box, Points
from masktrail.types import Image


class Propagator(Protocol):
    """One family's way from frame to frame; holds that family's state for all objects.

    For every frame `look` is called, `propagate` once, then `update`; `forget` between frames.
    Arrays that pass either way are not written to by who gets them.

    Attributes:
        stride: which height and width of the images it is given are multiples of.
        mask_stride: at which stride of them masks go in and come out.
        device: what it computes on, for reports.
    """

    stride: int
    mask_stride: int
    device: str

    def look(self, image: Image) -> Any:
        """What is to be known of a frame whatever its objects are; it changes nothing.

        It may be called while frames before are propagated to, on another thread.

        Args:
            image: uint8 RGB (H, W, 3), as large as the network works at.
        """

    def propagate(self, seen: Any, ids: list[int]) -> NDArray[np.float32]:
        """Finds objects in the next frame.

        Args:
            seen: what `look` said of it.
            ids: the objects to look for: those that have a mask in the frame before; perhaps none.

        Returns:
            Logits (N, H/mask_stride, W/mask_stride), objects independent of each other.
        """

    def update(self, masks: dict[int, Soft], scores: dict[int, float], prompted: set[int]) -> None:
        """Takes what was settled on for the frame last propagated to.

        Args:
            masks: soft masks (H/mask_stride, W/mask_stride) by id, of all objects, new ones too.
            scores: confidence by id, 0 where an object is lost.
            prompted: objects whose mask came from the user.
        """

    def forget(self, object_id: int) -> None:
        """Drops all that is known of an object."""

    def state_dict(self) -> dict[str, Any]:
        """Everything needed to go on bit for bit: arrays, and plain values in dicts and lists."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Puts back what `state_dict` gave, wherever that was computed."""


Prompter = Callable[[Image, Box | Points, NDArray[np.float32] | None], NDArray[np.bool_]]
"""Makes a mask (H, W) of a box or clicks, going out from a soft mask (H, W) where there is one."""


def no_prompter(
    image: Image, prompt: Box | Points, previous: NDArray[np.float32] | None
) -> NDArray[np.bool_]:
    """Stands for the prompter of a tracker that has none.

    Raises:
        InputError: always.
    """
    raise InputError(
        f"This tracker makes no mask of {type(prompt).__name__}; give a Mask, or a prompter to the "
        "tracker when it is made, as masktrail.load_prompter()."
    )


@runtime_checkable
class WarmingUp(Protocol):
    """A propagator, or a prompter, whose first frames take less time if it is told before."""

    def warm_up(self, height: int, width: int, count: int, shown: int) -> Iterator[None]:
        """Gets ready for a video, perhaps while another thread is tracking it already.

        Args:
            height: of the images that are to come.
            width: of these.
            count: of objects in the first of them.
            shown: so many prompted frames come before any is propagated to.

        Yields:
            After every part, so that whoever asks for the next one may stop.
        """


class Marking(Propagator, Protocol):
    """A propagator that takes prompts besides masks as they are, see `family.Traits.prompts`."""

    def mark(self, prompts: Mapping[int, Box | Points]) -> NDArray[np.float32]:
        """Finds what prompts are about, in the frame last propagated to.

        Args:
            prompts: by id, in pixels of the image that `look` was given; clicks alone on an
                object that it was to look for correct what was found there.

        Returns:
            Logits (N, H/mask_stride, W/mask_stride), in the order of the prompts.
        """


class Scoring(Propagator, Protocol):
    """A propagator that says how good its masks are, see `family.Traits.scores`.

    Attributes:
        scores: of the objects last propagated, by id, 0 to 1, before calibration.
    """

    scores: dict[int, float]


class Learning(Propagator, Protocol):
    """A propagator that learns from prompted frames, see `family.Traits.learns`.

    What it learned is no part of `state_dict`; it is told apart, so that it is stored once.
    """

    def learn(
        self, image: Image, masks: dict[int, Soft], progress: Callable[[float], None]
    ) -> None:
        """Learns from the frame last propagated to, after `update`, beside those before, of which
        the ones that `prompted.left` leaves are enough.

        Args:
            image: uint8 RGB (H, W, 3), as `look` was given it.
            masks: coverage (H, W) in [0, 1] of the objects that were prompted in it, by id.
            progress: called now and then with the share that is done, 0 to 1; what it raises ends
                the run.
        """

    def lesson(self) -> dict[str, Any]:
        """All that was learned, as arrays and plain values."""

    def take(self, lesson: Mapping[str, Any] | None) -> None:
        """Knows what `lesson` gave, as if it had been learned, and nothing else; None: nothing."""


class Lesson(dict[str, Any]):
    """What was learned, as a part of a state: whoever stores states stores it once.

    Args:
        key: says what it was learned from.
        content: see `Learning.lesson`.
    """

    def __init__(self, key: str, content: Mapping[str, Any]) -> None:
        super().__init__(content)
        self.key = key
