"""Connected pieces of masks, their holes, what lies around them and how far they are apart."""

import numpy as np
from numpy.typing import NDArray

Bool = NDArray[np.bool_]

CHUNK = 2**14
"""So many distances are computed at once: what a processor keeps at hand."""


def components(mask: Bool, corners: bool = False) -> tuple[NDArray[np.int32], int]:
    """The connected pieces of a mask (H, W), numbered from 1 in the order of their first pixels.

    Args:
        mask: bool (H, W).
        corners: whether pixels that touch at a corner belong together too.

    Returns:
        int32 (H, W), 0 where the mask is False, and how many there are.
    """
    starts, ends = _runs(mask)
    pitch = mask.shape[1] + 1
    roots = _united(starts, ends, pitch, int(corners))
    first = roots == np.arange(len(roots))
    numbers = np.cumsum(first, dtype=np.int32)[roots]
    steps = np.zeros(mask.size + 1, np.int32)
    rows = starts // pitch
    steps[ends - rows] = -numbers
    steps[starts - rows] += numbers  # a run at the end of a row and one at the next's meet
    labels = np.cumsum(steps[:-1], dtype=np.int32, out=steps[:-1])
    return labels.reshape(mask.shape), int(np.count_nonzero(first))


def largest(mask: Bool, corners: bool = False) -> Bool:
    """The largest connected piece of a mask (H, W), the first of several; none of an empty one.

    Args:
        mask: bool (H, W).
        corners: whether pixels that touch at a corner belong together too.
    """
    pieces, count = components(mask, corners)
    if count < 2:
        return mask
    areas = np.bincount(pieces.ravel())
    areas[0] = 0
    return pieces == areas.argmax()


def filled(mask: Bool) -> Bool:
    """A mask (H, W) with its holes: ground that no path by the sides of pixels leads out of."""
    labels, _ = components(~np.pad(mask, 1))
    return labels[1:-1, 1:-1] != 1


def dilated(mask: Bool, radius: int) -> Bool:
    """Where (H, W) a pixel of the mask is at most `radius` pixels away across and down."""
    return _spread(_spread(mask, radius).T, radius).T


def distances(labels: NDArray[np.int32], count: int, mask: Bool) -> NDArray[np.float64]:
    """From each component to the nearest pixel of a mask, between the middles of pixels.

    Args:
        labels: (H, W), see `components`.
        count: of components.
        mask: bool (H, W).

    Returns:
        Pixels (count,): 0 where they overlap, infinite where the mask is empty.
    """
    squares = np.full(count, np.inf)
    columns = np.flatnonzero(mask.any(axis=0))
    if not len(columns):
        return squares
    starts, ends = _runs(labels > 0)
    rows, lefts = np.divmod(starts, labels.shape[1] + 1)
    rights, owners = lefts + (ends - starts - 1), labels[rows, lefts] - 1
    down = _to_nearest_in_column(mask[:, columns]) ** 2
    step = max(1, CHUNK // len(columns))
    for start in range(0, len(starts), step):
        part = slice(start, start + step)
        across = np.maximum(lefts[part, None] - columns, columns - rights[part, None])
        np.maximum(across, 0, out=across)
        nearest = (across**2 + down[rows[part]]).min(axis=1)
        np.minimum.at(squares, owners[part], nearest)
    return np.sqrt(squares)


def _runs(mask: Bool) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Where each run of True in a row starts and ends, exclusive, as flat places in (H, W + 1)."""
    height, width = mask.shape
    padded = np.zeros(height * (width + 1) + 1, bool)
    padded[1:].reshape(height, width + 1)[:, :width] = mask
    edges = np.flatnonzero(padded[1:] != padded[:-1])
    return edges[::2], edges[1::2]


def _united(
    starts: NDArray[np.intp], ends: NDArray[np.intp], pitch: int, corners: int
) -> NDArray[np.intp]:
    """The first run (N,) of the component of each run."""
    above = np.searchsorted(ends + (pitch + corners), starts, "right")
    touching = np.searchsorted(starts + (pitch - corners), ends, "left") - above
    parents = _ends(np.where(touching > 0, above, np.arange(len(starts))))
    several = np.flatnonzero(touching > 1)
    others = touching[several] - 1
    here = np.repeat(several, others)
    skipped = np.cumsum(others) - others
    there = np.arange(len(here)) + np.repeat(above[several] + 1 - skipped, others)
    while True:
        one, two = parents[here], parents[there]
        apart = one != two
        if not apart.any():
            return parents
        here, there, one, two = here[apart], there[apart], one[apart], two[apart]
        np.minimum.at(parents, np.maximum(one, two), np.minimum(one, two))
        parents = _ends(parents)


def _ends(parents: NDArray[np.intp]) -> NDArray[np.intp]:
    """Where the way from parent to parent ends, for each."""
    while True:
        further = parents[parents]
        if np.array_equal(further, parents):
            return parents
        parents = further


def _spread(mask: Bool, radius: int) -> Bool:
    """Where (H, W) a pixel is at most `radius` up or down, by windows twice as wide each time."""
    radius = min(radius, len(mask))
    near = np.pad(mask, ((radius, radius), (0, 0)))
    width, whole = 1, 2 * radius + 1
    while width < whole:
        step = min(width, whole - width)
        near = near[step:] | near[:-step]
        width += step
    return near


def _to_nearest_in_column(mask: Bool) -> NDArray[np.float64]:
    """Distance (H, W) up or down to the nearest pixel of a mask; every column holds one."""
    rows = np.arange(len(mask), dtype=np.float64)[:, None]
    before = np.maximum.accumulate(np.where(mask, rows, -np.inf), axis=0)
    after = np.minimum.accumulate(np.where(mask, rows, np.inf)[::-1], axis=0)[::-1]
    return np.minimum(rows - before, after - rows)
