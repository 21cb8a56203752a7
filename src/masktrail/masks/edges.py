"""Edges of masks drawn to those of the picture, at full resolution, in a thin band.

A guided filter with a colour guide (He, Sun and Tang, "Guided image filtering", PAMI 2013): in
every small window the mask is what an affine function of the colours can say of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from masktrail.masks import tight_box
from masktrail.masks.components import dilated
from masktrail.masks.filters import box_mean
from masktrail.results import NOT_KEPT, ObjectResult, Result, SoftMasks, described
from masktrail.settings import Edges, check_choice
from masktrail.types import Image, LabelMap

EDGES: tuple[str, ...] = get_args(Edges)
"""How edges may be asked for."""

BAND = 6
"""Pixels on either side of an edge that may change, of a picture 480 pixels high."""

RADIUS = 4
"""Of the windows, pixels, of a picture 480 pixels high."""

EPSILON = 1e-5
"""Variance of colours, of 0 to 1, that counts as none."""

Soft = NDArray[np.floating]


def check_edges(edges: str) -> None:
    """Refuses edges that there are not.

    Raises:
        InputError: it is none of `EDGES`.
    """
    check_choice(edges, EDGES, "edges")


def refined(image: Image, result: Result) -> Result:
    """The result of a frame with edges refined; what the user drew stays as it is.

    Args:
        image: the frame, uint8 RGB (H, W, 3).
        result: of it, with soft masks; without them it is given back.
    """
    if result.soft is NOT_KEPT:
        return result
    soft, labels = result.soft, result.labels.copy()
    masks, changed = _all_refined(image, soft)
    changed &= ~_drawn(soft, labels)
    labels[changed] = _winners(masks, changed, labels)
    objects = {i: _described(labels == i, old) for i, old in result.objects.items()}
    return Result(labels, objects, RefinedSoft(image, result.soft, masks))


@dataclass(frozen=True, eq=False)
class RefinedSoft(SoftMasks):
    """Refined soft masks; what is kept of them is what they are made from.

    Attributes:
        image: the frame, uint8 RGB (H, W, 3).
        plain: those that are refined.
        masks: by object id, where they are made already.
    """

    image: Image
    plain: SoftMasks
    masks: dict[int, NDArray[np.float32]] | None = None

    def make(self) -> dict[int, NDArray[np.float32]]:
        """See `SoftMasks.make`."""
        return self.masks or _all_refined(self.image, self.plain)[0]

    def packed(self) -> bytes:
        """The plain ones."""
        return self.plain.packed()


def guided(guide: Soft, mask: Soft, radius: int, epsilon: float = EPSILON) -> Soft:
    """A mask (H, W) smoothed where the guide is smooth and kept sharp where it has edges.

    Args:
        guide: colours (H, W, 3), 0 to 1.
        mask: soft, 0 to 1.
        radius: of the windows, pixels.
        epsilon: variance of colours that counts as none.
    """
    # of a grey picture the determinant is what is left of numbers 10 digits larger
    planes = [guide[..., c].astype(np.float64) for c in range(3)]
    mask = mask.astype(np.float64)
    means, mean = [box_mean(p, radius) for p in planes], box_mean(mask, radius)
    covariance = [box_mean(p * mask, radius) - m * mean for p, m in zip(planes, means, strict=True)]

    def spread(i: int, j: int) -> Soft:
        return box_mean(planes[i] * planes[j], radius) - means[i] * means[j] + epsilon * (i == j)

    slopes = _solved(
        [spread(*pair) for pair in ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))], covariance
    )
    rest = mean - sum(a * m for a, m in zip(slopes, means, strict=True))
    smooth = sum(box_mean(a, radius) * p for a, p in zip(slopes, planes, strict=True))
    return np.clip(smooth + box_mean(rest, radius), 0, 1).astype(np.float32)


def _solved(spread: Sequence[Soft], right: Sequence[Soft]) -> list[Soft]:
    """Solutions of symmetric 3x3 systems, one a pixel, by Cramer's rule."""
    a, b, c, d, e, f = spread
    inverse = (
        (d * f - e * e, c * e - b * f, b * e - c * d),
        (c * e - b * f, a * f - c * c, b * c - a * e),
        (b * e - c * d, b * c - a * e, a * d - b * b),
    )
    determinant = a * inverse[0][0] + b * inverse[0][1] + c * inverse[0][2]
    return [sum(m * r for m, r in zip(row, right, strict=True)) / determinant for row in inverse]


def _refine(image: Image, mask: Soft, scale: float) -> tuple[Soft, NDArray[np.bool_]] | None:
    """A soft mask with its edges refined, and where (H, W) it may have changed; None: no edge."""
    reach, radius = round(BAND * scale), round(RADIUS * scale)
    box = tight_box(mask > 0.5)
    if box is None:
        return None
    margin = reach + 2 * radius
    x0, y0, x1, y1 = box
    window = (slice(max(y0 - margin, 0), y1 + margin), slice(max(x0 - margin, 0), x1 + margin))
    part = mask[window]
    inside = dilated(part > 0.5, reach) & dilated(part <= 0.5, reach)
    guide = image[window].astype(np.float32) / 255
    out, band = mask.copy(), np.zeros(mask.shape, bool)
    out[window] = np.where(inside, guided(guide, part, radius), part)
    band[window] = inside
    return out, band


def _all_refined(
    image: Image, soft: Mapping[int, NDArray[np.float32]]
) -> tuple[dict[int, NDArray[np.float32]], NDArray[np.bool_]]:
    """Soft masks (H, W) with refined edges, and where any of them may have changed."""
    scale = max(1.0, min(image.shape[:2]) / 480)
    masks, changed = dict(soft), np.zeros(image.shape[:2], bool)
    for object_id, mask in soft.items():
        if not _is_hard(mask) and (result := _refine(image, mask, scale)) is not None:
            masks[object_id], band = result
            changed |= band
    return masks, changed


def _is_hard(mask: Soft) -> bool:
    return bool(np.all((mask == 0) | (mask == 1)))


def _drawn(soft: Mapping[int, Soft], labels: LabelMap) -> NDArray[np.bool_]:
    """Pixels (H, W) of objects whose masks the user drew."""
    hard = [object_id for object_id, mask in soft.items() if _is_hard(mask)]
    return np.isin(labels, hard)


def _winners(masks: Mapping[int, Soft], where: NDArray[np.bool_], labels: LabelMap) -> LabelMap:
    """Ids of the pixels `where`, in their order: who has the largest share, the background too."""
    ids = [0, *(i for i, mask in masks.items() if not _is_hard(mask))]
    shares = [masks[i][where] for i in ids[1:]]
    ground = 1 - np.sum(shares, axis=0) if shares else np.ones(np.count_nonzero(where))
    winner = np.argmax(np.stack([ground, *shares]), axis=0)
    return np.asarray(ids, labels.dtype)[winner]


def _described(mask: NDArray[np.bool_], result: ObjectResult) -> ObjectResult:
    """What is said of an object whose mask changed; one that was lost stays so."""
    found = described(mask, result.score, result.rotated is not None)
    return found if found.box is None else replace(found, state=result.state)
