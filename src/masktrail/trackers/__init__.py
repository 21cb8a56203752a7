"""One propagator per family of models, behind the one `Tracker`."""

from collections.abc import Callable
from typing import Any

from masktrail.trackers.classic import CopyPropagator, FlowPropagator
from masktrail.trackers.labelprop import LabelPropagator
from masktrail.trackers.memory import MemoryPropagator
from masktrail.trackers.propagate import PairPropagator

PROPAGATORS: dict[str, Callable[..., Any]] = {
    "memory": MemoryPropagator,
    "copy": CopyPropagator,
    "flow": FlowPropagator,
    "labelprop": LabelPropagator,
    "unet": PairPropagator,
    "siamese-unet": PairPropagator,
}
"""Family name to the class that propagates, with a network of it where it has one."""
