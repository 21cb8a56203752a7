"""Label propagation: every pixel takes the labels of what looks most like it nearby, not long ago.

Nothing is trained on video. The scheme is that of CRW (Jabri et al., "Space-Time Correspondence as
a Contrastive Random Walk", NeurIPS 2020) and DINO (Caron et al., ICCV 2021) for testing features on
DAVIS.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Places = NDArray[np.intp]

HEIGHT, WIDTH = 24, 8
"""Query pixels are compared in tiles of at most this size. Of what is compared too much, because
pixels of a tile have different neighbourhoods, more lies beside it than above and below."""

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
        each: (R, S, T, Q); anything where `best` is -inf.
        best: (R, S, Q), the highest of all frames; -inf out of reach.
    """

    each: Floats
    best: Floats


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
    height, width = query.shape[:2]
    out = np.zeros((labels.shape[1], height, width), np.float32)
    tiles = list(_tiles(_dilated(labels.max((0, 1)) > NOTHING, radius)))
    if not tiles:
        return out
    frames = np.stack(keys, 2)  # (H, W, T, C): pieces of rows, of all frames, are matrices
    sides = (min(height, HEIGHT + 2 * radius), min(width, WIDTH + 2 * radius))
    space = np.empty((*sides, len(keys), HEIGHT * WIDTH), np.float32)
    for tile in tiles:
        around = tile.grown(radius, height, width)
        compared = _compared(query, frames, tile, around, radius, space)
        similarity, place, frame = _nearest(compared, top_k)
        rows, columns = around.top + place // around.width, around.left + place % around.width
        votes = labels[frame, :, rows, columns]  # (Q, K, N)
        weights = np.exp((similarity - similarity.max(1, keepdims=True)) / temperature)
        weights /= weights.sum(1, keepdims=True)
        mean = np.einsum("qk,qkn->nq", weights, votes)
        out[:, tile.top : tile.bottom, tile.left : tile.right] = mean.reshape(
            -1, tile.height, tile.width
        )
    return out


def _dilated(mask: NDArray[np.bool_], radius: int) -> NDArray[np.bool_]:
    """Whether anything in a mask (H, W) lies at most `radius` away, across and down."""
    mask = np.pad(mask, radius)
    for axis in range(2):
        mask = sliding_window_view(mask, 2 * radius + 1, axis).max(-1)
    return mask


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


def _compared(
    query: Floats, frames: Floats, tile: Area, around: Area, radius: int, space: Floats
) -> Compared:
    """A tile of the query compared with what is around it.

    Args:
        query: (H, W, C).
        frames: (H, W, T, C).
        tile: of the query.
        around: it, in the frames: `tile` with `radius` around.
        radius: of the neighbourhood of a pixel.
        space: for the similarities, at least (R, S, T, Q), which it shares with what is returned.
    """
    count, channels = frames.shape[2:]
    queries = query[tile.top : tile.bottom, tile.left : tile.right].reshape(-1, channels)
    best = np.full((around.height, around.width, len(queries)), -np.inf, np.float32)
    beside = np.tile(_beside(tile, around, radius), tile.height)  # (S, Q)
    for row, found in enumerate(range(around.top, around.bottom)):
        # rows of the tile that this one is in reach of
        first, last = max(tile.top, found - radius), min(tile.bottom, found + radius + 1)
        part = slice((first - tile.top) * tile.width, (last - tile.top) * tile.width)
        keys = frames[found, around.left : around.right].reshape(-1, channels)  # (S*T, C)
        products = space[row, : around.width].reshape(len(keys), -1)[:, part]
        np.matmul(keys, queries[part].T, out=products)
        highest = products.reshape(around.width, count, -1).max(1)
        np.add(highest, beside[:, part], out=best[row, :, part])
    return Compared(space[: around.height, : around.width, :, : len(queries)], best)


def _beside(tile: Area, around: Area, radius: int) -> Floats:
    """0 where columns of a tile have those around it in reach, else -inf: (S, width)."""
    columns = np.arange(around.left, around.right)[:, None] - np.arange(tile.left, tile.right)
    return np.where(abs(columns) <= radius, 0, -np.inf).astype(np.float32)


def _nearest(compared: Compared, top_k: int) -> tuple[Floats, Places, Places]:
    """What is most similar to each query pixel.

    Returns:
        Of K pixels each, (Q, K): their similarity, -inf for those that are none, their place among
        the R*S around, and their frame.
    """
    count, pixels = compared.each.shape[2:]
    # a place with one of the nearest is among the places with the highest `best`
    best, places = _largest(compared.best.reshape(-1, pixels).T.copy(), top_k)
    rows, columns = np.divmod(places[:, :, None], compared.best.shape[1])
    query = np.arange(pixels)[:, None, None]
    each = compared.each[rows, columns, np.arange(count), query]  # (Q, K, T)
    each[best == -np.inf] = -np.inf
    similarity, where = _largest(each.reshape(pixels, -1), top_k)
    return similarity, np.take_along_axis(places, where // count, 1), where % count


def _largest(values: Floats, count: int) -> tuple[Floats, Places]:
    """The largest values of each row, in no order, and where they are; -inf is given for what is
    missing. It uses `values` up.

    Args:
        values: (Q, M).
        count: how many; all where there are fewer.
    """
    count = min(count, values.shape[1])
    if count > ONE_BY_ONE:
        where = np.argpartition(values, -count, 1)[:, -count:]
        return np.take_along_axis(values, where, 1), where
    rows = np.arange(len(values))
    where = np.empty((len(values), count), np.intp)
    largest = np.empty(where.shape, np.float32)
    for each in range(count):
        where[:, each] = values.argmax(1)
        largest[:, each] = values[rows, where[:, each]]
        values[rows, where[:, each]] = -np.inf
    return largest, where
