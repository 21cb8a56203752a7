"""The functions of Lucid Tracker's network as files for any engine hold them."""

from masktrail.engines.graph import Graph, Shape
from masktrail.families.lucid.network import LucidConfig


def graphs(config: LucidConfig) -> dict[str, Graph]:
    """By name; n objects share a batch, all other sides are multiples of 16."""
    picture: Shape = (1, "16h", "16w", 3)
    maps: Shape = ("n", 1, "16h", "16w")
    return {
        "estimate": Graph(
            {"first": picture, "second": picture}, ("flow",), ("first", "second"), exact=True
        ),
        "segment": Graph(
            {"images": ("n", "16h", "16w", 3), "masks": maps, "motion": maps},
            ("logits",),
            ("images",),
        ),
    }
