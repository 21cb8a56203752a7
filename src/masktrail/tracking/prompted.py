"""Which prompted frames stay in memory where there are many: an object's first and its newest.

Were all kept, memory and the time of a frame would grow with a video in which, say, a detector
prompts every frame.
"""

from collections.abc import Collection, Sequence

MOST = 16
"""Prompted frames of an object that are kept; with so many a frame of `memory-s` takes nearly twice
as long as with one, of `labelprop` more."""


def surplus(
    frames: Sequence[Collection[int]], turns: Sequence[int] | None = None
) -> list[tuple[int, int]]:
    """What is to be forgotten so that every object keeps `MOST` frames at most.

    Args:
        frames: ids of the objects that each frame is kept for, in the order in which they came.
        turns: ascending with the time when each was given last; by default in that same order.

    Returns:
        Places in `frames`, and ids for which these are kept no longer: an object keeps the frame
        that came first, and those that were given last.
    """
    places: dict[int, list[int]] = {}
    for place, ids in enumerate(frames):
        for object_id in ids:
            places.setdefault(object_id, []).append(place)
    gone = []
    for object_id, (_, *later) in places.items():
        if turns is not None:
            later.sort(key=turns.__getitem__)
        gone += [(place, object_id) for place in later[: max(0, len(later) - (MOST - 1))]]
    return gone


def left(frames: Sequence[Collection[int]]) -> list[int]:
    """Places of those frames that stay for any of their objects, where none can lose one alone.

    Args:
        frames: ids of the objects that were prompted in each, in the order in which they came.
    """
    gone = set(surplus(frames))
    return [k for k, ids in enumerate(frames) if any((k, i) not in gone for i in ids)]
