"""Label propagation: every pixel takes the labels of what looks most like it nearby, not long ago.

Nothing is trained on video. The scheme is that of CRW (Jabri et al., "Space-Time Correspondence as
a Contrastive Random Walk", NeurIPS 2020) and DINO (Caron et al., ICCV 2021) for testing features on
DAVIS.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from masktrail.engines.attention import largest
from masktrail.engines.threads import threads
from masktrail.masks.components import dilated

Floats = NDArray[np.float32]
Places = NDArray[np.intp]

HEIGHT, WIDTH = 16, 8
"""Query pixels are compared in tiles of at most this size. A tile's pixels are all compared with
what is beside any of them, so the narrower the less in vain."""

ALONE = 2**19
"""OpenBLAS uses one thread for matrix products of fewer multiplications. Here threads work on tiles
of their own: waiting for each other in each product takes ten times as long on a busy machine."""

NOTHING = 1e-6
"""Labels up to this are none: masks that competed are nowhere quite 0."""

ONE_BY_ONE = 16
"""So many largest values are found sooner one after another than by partial sorting."""


class Area(NamedTuple):
    """A rectangle of pixels, ends exclusive."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def height(self) -> int:
        return self.bottom - self.top

    @property
    def width(self) -> int:
        return self.right - self.left

    def grown(self, radius: int, height: int, width: int) -> "Area":
        """With what lies up to `radius` away in a picture of (height, width)."""
        return Area(
            max(0, self.top - radius),
            min(height, self.bottom + radius),
            max(0, self.left - radius),
            min(width, self.right + radius),
        )


class Compared(NamedTuple):
    """How similar Q query pixels are to those around them, R rows of S pixels, in T frames.

    Attributes:
        around: where the R rows are.
        each: (R, T, S, Q); anything where `best` is -inf.
        best: (R, S, Q), the highest of all frames; -inf out of reach.
    """

    around: Area
    each: Floats
    best: Floats


class Nearest(NamedTuple):
    """The K pixels of reference frames that are most similar to each of Q query pixels, (Q, K).

    Attributes:
        similarity: -inf where there are not so many.
        frame: which one.
        row: in the frame.
        column: in the frame.
    """

    similarity: Floats
    frame: Places
    row: Places
    column: Places


def propagate_labels(
    query: Floats,
    keys: Sequence[Floats],
    labels: Floats,
    radius: int = 12,
    top_k: int = 5,
    temperature: float = 0.07,
) -> Floats:
    """Labels of every query pixel: those of its nearest keys, averaged by similarity.

    A pixel is compared with the pixels of all reference frames at most `radius` away across and
    down. Pixels with no label in reach are skipped: theirs are 0.

    Args:
        query: features of unit length (H, W, C).
        keys: the same of T reference frames.
        labels: soft masks of N objects in these frames (T, N, H, W).
        radius: of the neighbourhood, in feature pixels.
        top_k: how many keys share the weight; all where there are fewer.
        temperature: of the softmax over their similarities.

    Returns:
        (N, H, W) in [0, 1].
    """
    out = np.zeros(labels.shape[1:], np.float32)
    tiles = list(_tiles(dilated(labels.max((0, 1)) > NOTHING, radius)))
    if not tiles:
        return out
    frames, remaining = np.stack(keys), iter(tiles)

    def work() -> None:
        space = _space(frames, radius)
        for tile in remaining:
            nearest = _nearest(_compared(query, frames, tile, radius, space), top_k)
            mean = _averaged(labels, nearest, temperature).reshape(-1, tile.height, tile.width)
            out[:, tile.top : tile.bottom, tile.left : tile.right] = mean

    workers = min(threads(), len(tiles))
    with ThreadPoolExecutor(workers) as pool:
        for each in [pool.submit(work) for _ in range(workers)]:
            each.result()
    return out


def _tiles(wanted: NDArray[np.bool_]) -> Iterator[Area]:
    """Tiles, trimmed, that hold all pixels of a mask (H, W)."""
    for top in range(0, wanted.shape[0], HEIGHT):
        for left in range(0, wanted.shape[1], WIDTH):
            part = wanted[top : top + HEIGHT, left : left + WIDTH]
            rows, columns = (np.flatnonzero(part.any(axis)) for axis in (1, 0))
            if rows.size:
                yield Area(
                    top + int(rows[0]),
                    top + int(rows[-1]) + 1,
                    left + int(columns[0]),
                    left + int(columns[-1]) + 1,
                )


def _space(frames: Floats, radius: int) -> Floats:
    """Room for the similarities of any tile to what is around it in frames (T, H, W, C)."""
    count, height, width, _ = frames.shape
    rows, columns = min(height, HEIGHT + 2 * radius), min(width, WIDTH + 2 * radius)
    return np.empty((rows, count, columns, HEIGHT * WIDTH), np.float32)


def _compared(query: Floats, frames: Floats, tile: Area, radius: int, space: Floats) -> Compared:
    """A tile of the query (H, W, C) compared with what is around it in frames (T, H, W, C).

    Args:
        query: see there.
        frames: see there.
        tile: where in the query.
        radius: how far a pixel looks.
        space: see `_space`; what is returned is in it.
    """
    _, height, width, channels = frames.shape
    around = tile.grown(radius, height, width)
    pixels = query[tile.top : tile.bottom, tile.left : tile.right].reshape(-1, channels)
    queries = np.ascontiguousarray(pixels.T)  # (C, Q)
    best = np.full((around.height, around.width, len(pixels)), -np.inf, np.float32)
    beside = np.tile(_beside(tile, around, radius), tile.height)  # (S, Q)
    step = max(8, (ALONE - 1) // (around.width * channels) // 8 * 8)
    for row, found in enumerate(range(around.top, around.bottom)):
        keys = frames[:, found, around.left : around.right]  # (T, S, C)
        products = space[row, :, : around.width]
        # of the rows of the tile that have this one in reach
        start = max(0, found - radius - tile.top) * tile.width
        end = min(tile.height, found + radius + 1 - tile.top) * tile.width
        for first in range(start, end, step):
            part = slice(first, min(first + step, end))
            np.matmul(keys, queries[:, part], out=products[..., part])
        part = slice(start, end)
        np.add(products[..., part].max(0), beside[:, part], out=best[row, :, part])
    return Compared(around, space[: around.height, :, : around.width, : len(pixels)], best)


def _beside(tile: Area, around: Area, radius: int) -> Floats:
    """0 where columns of a tile have those around it in reach, else -inf: (S, width)."""
    columns = np.arange(around.left, around.right)[:, None] - np.arange(tile.left, tile.right)
    return np.where(abs(columns) <= radius, 0, -np.inf).astype(np.float32)


def _nearest(compared: Compared, top_k: int) -> Nearest:
    """The most similar pixels."""
    around, (_, count, width, pixels) = compared.around, compared.each.shape
    # a place that holds one of them is among the places with the highest `best`
    best, place = _largest(compared.best.reshape(-1, pixels).T.copy(), top_k)
    row, column = np.divmod(place, width)
    query = np.arange(pixels)[:, None, None]
    each = compared.each[row[..., None], np.arange(count), column[..., None], query]  # (Q, K, T)
    each[best == -np.inf] = -np.inf
    similarity, where = _largest(each.reshape(pixels, -1), top_k)
    row, column = (np.take_along_axis(places, where // count, 1) for places in (row, column))
    return Nearest(similarity, where % count, around.top + row, around.left + column)


def _largest(values: Floats, count: int) -> tuple[Floats, Places]:
    """The largest values of each row, in no order, and where they are; -inf is given for what is
    missing. It uses `values` up.

    Args:
        values: (Q, M).
        count: how many; all where there are fewer.
    """
    count = min(count, values.shape[1])
    if count > ONE_BY_ONE:
        return largest(values, count)
    rows = np.arange(len(values))
    where = np.empty((len(values), count), np.intp)
    found = np.empty(where.shape, np.float32)
    for each in range(count):
        where[:, each] = values.argmax(1)
        found[:, each] = values[rows, where[:, each]]
        values[rows, where[:, each]] = -np.inf
    return found, where


def _averaged(labels: Floats, nearest: Nearest, temperature: float) -> Floats:
    """Labels (N, Q) of query pixels, from those of their nearest in (T, N, H, W)."""
    similarity, frame, row, column = nearest
    weights = np.exp((similarity - similarity.max(1, keepdims=True)) / temperature)
    weights /= weights.sum(1, keepdims=True)
    mean: Floats = np.einsum("qk,qkn->nq", weights, labels[frame, :, row, column])
    return mean
