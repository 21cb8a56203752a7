"""What a network's functions are given while objects are tracked through videos of a data set."""

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from masktrail.data.davis import find_training_sequences
from masktrail.data.sequence import Sequence as Video
from masktrail.engines import Engine
from masktrail.evaluate.clicks import over_clicks
from masktrail.evaluate.tracking import Clock, prompt_from, track_sequence
from masktrail.settings import arguments_of
from masktrail.tracking.family import Card, Family
from masktrail.tracking.tracker import Tracker

VIDEOS = 32
"""So many are looked at, spread over the data set."""

FRAMES = 5
"""Frames of each that are tracked."""

UNTOLD = 3
"""The first of them, whose masks are too close to the given one, tell nothing."""

CLICKS = 3
"""Clicks on each object after which a prompter has been asked often enough."""

Samples = dict[str, list[list[Any]]]
"""Inputs of every call, by function."""


class Recorder:
    """An engine that keeps what it is given.

    Args:
        engine: that computes.
        functions: whose inputs are kept.

    Attributes:
        samples: see `Samples`.
        keeping: whether it keeps them just now.
    """

    def __init__(self, engine: Engine, functions: Container[str]) -> None:
        self._engine, self._functions = engine, functions
        self.samples, self.keeping = Samples(), True
        self.name, self.device = engine.name, engine.device
        self.precision, self.stride = engine.precision, engine.stride
        self.graphs, self.concurrent = engine.graphs, engine.concurrent

    def run(self, function: str, *inputs: Any) -> Any:
        """See `Engine.run`."""
        if self.keeping and function in self._functions:
            call = [x if isinstance(x, int | np.ndarray) else self._engine.array(x) for x in inputs]
            self.samples.setdefault(function, []).append(call)
        return self._engine.run(function, *inputs)

    def warm_up(self, sizes: Mapping[str, int]) -> Iterator[None]:
        """See `Engine.warm_up`."""
        return self._engine.warm_up(sizes)

    def array(self, value: Any) -> NDArray[Any]:
        """See `Engine.array`."""
        return self._engine.array(value)

    def keep(self, array: NDArray[Any]) -> Any:
        """See `Engine.keep`."""
        return self._engine.keep(array)

    def attend(self, similarity: Any, values: Any, k: int) -> Any:
        """See `Engine.attend`."""
        return self._engine.attend(similarity, values, k)

    def join(self, values: Sequence[Any], axis: int) -> Any:
        """See `Engine.join`."""
        return self._engine.join(values, axis)


def recorded(
    engine: Engine,
    functions: Container[str],
    spec: Family,
    card: Card,
    data: Path,
    progress: Callable[[float], None],
) -> Samples:
    """What functions of a network are given in some videos.

    Args:
        engine: of the network, in floats.
        functions: names of them.
        spec: its family.
        card: of the model, for size and settings.
        data: data set, see `data.davis`; frames of DAVIS-2016's validation set are refused.
        progress: called with the share that is done, 0 to 1.

    Raises:
        InputError: the data set cannot be used.
    """
    videos = find_training_sequences(data)
    chosen = videos[:: max(1, len(videos) // VIDEOS)][:VIDEOS]
    recorder = Recorder(engine, functions)
    for done, video in enumerate(chosen):
        if spec.propagator is not None:
            _track(recorder, spec, card, video)
        if spec.prompter is not None:
            _prompt(recorder, spec, video)
        progress((done + 1) / len(chosen))
    return recorder.samples


def _track(recorder: Recorder, spec: Family, card: Card, video: Video) -> None:
    assert spec.propagator is not None
    make = spec.propagator()
    values = {s.name: card.settings.get(s.name, s.default) for s in arguments_of(make)}
    tracker = Tracker(make(recorder, **values), card.size, _unasked)
    results = track_sequence(tracker, video, "mask", Clock())
    recorder.keeping = False
    for _ in islice(results, UNTOLD):
        pass
    recorder.keeping = True
    for _ in islice(results, FRAMES - UNTOLD):
        pass


def _prompt(recorder: Recorder, spec: Family, video: Video) -> None:
    assert spec.prompter is not None
    prompter = spec.prompter()(recorder)
    image, truth = video.image(0), video.truth(0)
    assert truth is not None  # in data to train on every frame has masks
    for object_id in video.ids:
        mask = truth == object_id
        if mask.any():
            prompter(image, prompt_from(mask, "box"), None)
            over_clicks(prompter, image, mask, CLICKS)


def _unasked(*prompt: Any) -> NDArray[np.bool_]:
    raise AssertionError("masks are given")
