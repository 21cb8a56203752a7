"""Propagators whose network learns from marked frames: what was learned are its parameters."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from masktrail.engines import Engine
from masktrail.geometry import Soft
from masktrail.tracking.prompted import left
from masktrail.tracking.shot import Shot
from masktrail.types import Image

Parameters = dict[str, NDArray[np.float32]]
"""Of a network, by name."""


class Taught:
    """What such a `propagator.Learning` is, but for how its network learns.

    Attributes:
        engine: of the network.
        seconds: that learning takes; 0: nothing is learned.
    """

    engine: Engine
    seconds: float

    def __init__(self) -> None:
        self._shots: tuple[Shot, ...] = ()
        self._parameters: Parameters = {}

    def taught(
        self, network: Any, shots: tuple[Shot, ...], progress: Callable[[float], None]
    ) -> Parameters:
        """What parameters of the network become by learning from marked frames.

        Args:
            network: a copy, as torch has it, with what was learned before.
            shots: the frames.
            progress: called with the share that is done, 0 to 1; what it raises ends the learning.
        """
        raise NotImplementedError

    def changed(self) -> None:
        """The engine has been given other parameters."""

    def learn(
        self, image: Image, masks: dict[int, Soft], progress: Callable[[float], None]
    ) -> None:
        """Learns from this frame and those before it that are left, see `Learning.learn`.

        Raises:
            InputError: torch is not installed, or the engine cannot take what was learned.
        """
        if not self.seconds:  # which a tracker that was not told of settings does not know
            return
        shots = *self._shots, Shot.of(image, masks)
        # of frames that show none, too, there may be many
        shots = tuple(shots[place] for place in left([shot.ids or {0} for shot in shots]))
        self._take(shots, self.taught(self.engine.network_copy(), shots, progress))

    def lesson(self) -> dict[str, Any]:
        """See `Learning.lesson`."""
        shots = [[shot.image, shot.labels] for shot in self._shots]
        return {"shots": shots, "parameters": dict(self._parameters)}

    def take(self, lesson: Mapping[str, Any] | None) -> None:
        """See `Learning.take`."""
        if lesson is None:
            self._take((), {})
        else:
            self._take(tuple(Shot(*shot) for shot in lesson["shots"]), dict(lesson["parameters"]))

    def _take(self, shots: tuple[Shot, ...], parameters: Parameters) -> None:
        self.engine.replace(parameters)
        self._shots, self._parameters = shots, parameters
        self.changed()
