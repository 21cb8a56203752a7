"""The functions of a prompt network as files for any engine hold them."""

from typing import Any

from masktrail.engines.graph import Graph


def graphs(config: Any) -> dict[str, Graph]:
    """By name; p clicks on the object, q off it, b boxes, at least one each: what lies far off
    stands for none."""
    height, width = "32h", "32w"
    clicks = {"on": ("p", 2), "off": ("q", 2), "boxes": ("b", 4)}
    return {
        "draw": Graph(
            {**clicks, "previous": (1, 1, height, width)}, ("maps",), free="pqbhw", exact=True
        ),
        "segment": Graph(
            {"images": (1, height, width, 3), "maps": (1, 4, height, width)},
            ("logits",),
            ("images",),
            free="hw",
            floats=("encoder.conv1",),
        ),
    }
