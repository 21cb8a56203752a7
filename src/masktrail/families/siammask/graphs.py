"""A SiamMask's functions as files for any engine hold them: an object at a time, no free size."""

from masktrail.engines.graph import Graph, Shape
from masktrail.families.siammask.config import (
    EXEMPLAR,
    SEARCH,
    TAPS,
    SiamMaskConfig,
    responses,
)

KERNEL = 5
"""Side of what is correlated with the search region."""


def graphs(config: SiamMaskConfig) -> dict[str, Graph]:
    """By name."""
    names = list(config.heads)
    kernels: dict[str, Shape] = {
        f"{name}_kernel": (1, config.width, KERNEL, KERNEL) for name in names
    }
    said = {"score": "scores", "box": "boxes"}
    count = responses(SEARCH)
    found: dict[str, Shape] = {"responses": (1, config.width, count, count)}
    sides = (SEARCH - 5) // 2, (SEARCH - 3) // 4, (SEARCH - 7) // 8
    maps: dict[str, Shape] = {
        f"p{i}": (1, channels, side, side)
        for i, (channels, side) in enumerate(zip(TAPS[config.backbone], sides, strict=False))
    }
    place: dict[str, Shape] = {"place": (2,)}
    outputs = (*(said[name] for name in names if name in said), *found, *maps)
    return {
        "exemplar": Graph(
            {"images": (1, EXEMPLAR, EXEMPLAR, 3)}, tuple(kernels), pictures=("images",)
        ),
        "search": Graph(
            {"images": (1, SEARCH, SEARCH, 3), **kernels}, outputs, pictures=("images",)
        ),
        "coarse": Graph({**found, **place}, ("logits",)),
        "refined": Graph({**found, **maps, **place}, ("logits",)),
    }
