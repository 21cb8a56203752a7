"""The model of a run: a name, a folder, a file, or a tracker that is there already."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from masktrail.errors import InputError
from masktrail.settings import DEFAULTS, ModelOptions, by_name

if TYPE_CHECKING:
    from masktrail.tracking.tracker import Tracker

LoadTracker = Callable[[ModelOptions], "Tracker"]


def options_of(
    model: "str | Path | Tracker",
    size: int | None,
    device: str,
    precision: str,
    settings: Mapping[str, Any],
    edges: str,
    engine: str,
) -> tuple[ModelOptions, LoadTracker | None]:
    """How a model is to be used; and what gives a tracker of that, if it is not `zoo.tracker_of`.

    Args:
        model: whatever `zoo.load` loads, or a tracker: another one on its weights is used, it stays
            as it is.
        size: this and all that follow as in `ModelOptions`.
        device: of it.
        precision: of it.
        settings: of it.
        edges: plain or refined.
        engine: of it.

    Raises:
        InputError: something is said of a tracker that it was told when it was made.
    """
    from masktrail.tracking.tracker import Tracker

    own = by_name(settings)
    if not isinstance(model, Tracker):
        return ModelOptions(model, size, device, precision, own, edges, engine), None
    name = model.provenance.model or type(model.propagator).__name__
    options = ModelOptions(name, size, device, precision, own, edges, engine)
    if options != replace(DEFAULTS, model=name, edges=edges):
        raise InputError(
            "Size, device, precision, settings and engine are those of the tracker that was given "
            "as the model; say them when it is loaded, as load('memory-s', size=480)."
        )
    return options, lambda _: new_of(model)


def new_of(tracker: "Tracker") -> "Tracker":
    """Another tracker on the same weights, without objects."""
    new = tracker.clone()
    new.reset()
    return new
