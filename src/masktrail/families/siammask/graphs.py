"""A SiamMask's functions as files for any engine hold them: an object at a time, no free size."""

from masktrail.engines.graph import Graph, Shape
from masktrail.families.siammask.config import (
    EXEMPLAR,
    SEARCH,
    TAPS,
    SiamMaskConfig,
    responses,
)

KERNEL, FEATURES = 5, 29
"""Sides of an exemplar's kernels and of what they are correlated with."""

SAID = {"score": "scores", "box": "boxes", "mask": "responses"}
"""What is found by which head."""


def graphs(config: SiamMaskConfig) -> dict[str, Graph]:
    """By name; matching, whose convolutions are of what it is given, is no matter of 8 bits."""
    width, count = config.width, responses(SEARCH)
    kernels: dict[str, Shape] = {f"{n}_kernel": (1, width, KERNEL, KERNEL) for n in config.heads}
    features: dict[str, Shape] = {
        f"{name}_features": (1, width, FEATURES, FEATURES) for name in config.heads
    }
    sides = (SEARCH - 5) // 2, (SEARCH - 3) // 4, (SEARCH - 7) // 8
    maps: dict[str, Shape] = {
        f"p{i}": (1, channels, side, side)
        for i, (channels, side) in enumerate(zip(TAPS[config.backbone], sides, strict=False))
    }
    found: dict[str, Shape] = {"responses": (1, width, count, count)}
    place: dict[str, Shape] = {"place": (2,)}
    pictures = ("images",)
    return {
        "exemplar": Graph({"images": (1, EXEMPLAR, EXEMPLAR, 3)}, tuple(kernels), pictures),
        "search": Graph({"images": (1, SEARCH, SEARCH, 3)}, (*features, *maps), pictures),
        "match": Graph(
            {**kernels, **features}, tuple(SAID[name] for name in config.heads), exact=True
        ),
        "coarse": Graph({**found, **place}, ("logits",)),
        "refined": Graph({**found, **maps, **place}, ("logits",)),
    }
