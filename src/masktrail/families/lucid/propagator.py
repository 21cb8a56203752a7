"""Propagation by Lucid Tracker: a network that knows this video's objects by heart.

Source: Lucid Data Dreaming (Khoreva et al., IJCV 2019). From each frame to the next, the network
sees a picture, how fast everything moves in it, and the last mask moved along; before that it
learns from dreams of the frame that was marked.
"""

from collections.abc import Callable
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray

from masktrail.engines import Engine
from masktrail.errors import InputError
from masktrail.families.lucid.motion import MotionSettings
from masktrail.flow.estimators import Dis, Estimator, kept
from masktrail.geometry import Soft
from masktrail.settings import Range
from masktrail.tracking.last_frame import OwnMaps
from masktrail.tracking.shot import Shot
from masktrail.tracking.taught import Parameters, Taught
from masktrail.tracking.view import View
from masktrail.types import Image


class LucidPropagator(OwnMaps, Taught):
    """Each object is found in a window of its own; flow is computed once for all of them.

    State is the last image and the last soft masks.

    Args:
        engine: of a `LucidNetwork`.
        budget: seconds to learn from dreams of every prompted frame, see `teaching`; 0 for nothing.
            It takes torch.
        flow: what says how things move. "dis": OpenCV's, of the extra "flow"; "learned": the
            network's own; "none": nothing does, objects are sought where they were.
        cue: whether the network is told how fast everything moves.
        warp: whether masks are moved along before they are given to the network.
        dreams: whether it learns from dreams; else from the marked frame turned, shifted, scaled
            and in other light.
        side: of windows as the network sees them, pixels.
        margin: side of a window over the longest side of the mask's box.
        smallest: side of the smallest window, in pixels of the picture.
        mirror: whether every window is looked at a second time, left and right exchanged, and the
            mean of both logits taken.
        batch: objects that are looked at together; more take more memory.

    Raises:
        InputError: OpenCV is not installed, and is needed.
    """

    mask_stride = 1

    def __init__(
        self,
        engine: Engine,
        budget: Annotated[float, Range(0)] = 60.0,
        flow: Literal["dis", "learned", "none"] = "dis",
        cue: bool = True,
        warp: bool = True,
        dreams: bool = True,
        side: Annotated[int, Range(64, 1024, 16)] = 192,
        margin: Annotated[float, Range(1)] = 2.0,
        smallest: Annotated[int, Range(1)] = 64,
        mirror: bool = False,
        batch: Annotated[int, Range(1)] = 4,
    ) -> None:
        OwnMaps.__init__(self)
        Taught.__init__(self)
        self.engine, self.device, self.stride = engine, engine.device, engine.stride
        self.seconds, self.dreams = budget, dreams
        self.view = View("object", side, margin, smallest, mirror, batch)
        estimator, name = self._estimator(flow)
        self.motion = MotionSettings(estimator and kept(estimator, name), cue, warp)
        self._of_dreams = MotionSettings(estimator, cue, warp)  # whose flow is not worth keeping

    def find(self, before: Image, now: Image, masks: list[Soft]) -> NDArray[np.float32]:
        """See `LastFrame.find`."""
        motion = self.motion.between(before, now)
        moved = [motion.moved(mask) for mask in masks]
        return self.view.logits((now, motion.cue), moved, self._logits)

    def _logits(
        self, images: Image, cue: NDArray[np.float32], masks: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """The network's logits (N, 1, h, w) of images (N, h, w, 3), cues (N, h, w) and masks
        (N, 1, h, w)."""
        logits: NDArray[np.float32] = self.engine.array(
            self.engine.run("segment", images, masks, cue[:, None])
        )
        return logits

    def taught(
        self, network: Any, shots: tuple[Shot, ...], progress: Callable[[float], None]
    ) -> Parameters:
        """All layers but the first ones taught marked frames, see `Taught.taught`."""
        from masktrail.families.lucid.teaching import Teaching, taught

        teaching = Teaching(self.view, self._of_dreams, self.dreams, self.device)
        return taught(network, shots, teaching, self.seconds, progress)

    def _estimator(self, name: str) -> tuple[Estimator | None, str]:
        """What estimates flow, and its name for `kept`."""
        if name == "none":
            return None, ""
        if name == "learned":
            return self._learned_flow, self.engine.graphs or ""
        try:
            return Dis("The model lucid"), "dis"
        except InputError as error:
            raise InputError(
                f"{error}; or let it use its own, by the setting flow=learned"
            ) from error

    def _learned_flow(self, first: Image, second: Image) -> NDArray[np.float32]:
        """See `Estimator`; of pictures whose sides are multiples of `stride`."""
        run = self.engine.run("estimate", first[None], second[None])
        flow: NDArray[np.float32] = self.engine.array(run)[0].transpose(1, 2, 0)
        return flow
