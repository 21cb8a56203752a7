"""Frames of a file from a given one back to the first, few alive, exactly those read forwards.

A file is decoded once from its beginning into an `Index`. Then it is read again chunk by chunk, the
last chunk first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from masktrail.errors import InputError
from masktrail.types import Frame
from masktrail.video.index import Index, read_chunk
from masktrail.video.source import Tick, nothing

if TYPE_CHECKING:
    from masktrail.video.container import ContainerSource


def frames_backward(
    source: ContainerSource,
    again: Callable[[], ContainerSource],
    start: int,
    last: int,
    tick: Tick = nothing,
) -> Iterator[Frame]:
    """Frames from `last` down to `start`.

    Args:
        source: freshly opened; closed by its owner.
        again: opens it anew.
        start: last frame to be given.
        last: first frame to be given.
        tick: called for every frame that is counted.

    Raises:
        InputError: there is no frame `last`.
    """
    index, end = Index.of(source, last + 1, tick), last + 1
    if len(index) < end:
        raise InputError(
            f"{source.info.source} ends with frame {len(index) - 1}; frame {last} was asked for."
        )
    while end > start:
        first = index.chunk(start, end)
        chunk = read_chunk(source, again, index, first, end)
        for place in range(end - 1, first - 1, -1):
            image = source.image(chunk.pop())
            time, duration = index.times[place], index.durations[place]
            span = source.info.time_base, duration
            yield Frame(image, place, time, *span, lost=bool(index.lost[place]))
            del image
        end = first
