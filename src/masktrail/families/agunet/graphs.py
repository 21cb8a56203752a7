"""The functions of AGUNet's network as files for any engine hold them."""

from masktrail.engines.graph import Graph, Shape
from masktrail.families.agunet.config import AgunetConfig, Levels

CHANNELS = {"f16": (256, 1), "f8": (128, 2), "f4": (64, 4), "f2": (64, 8)}
"""Of the encoder's levels, and how many of their pixels there are to one at stride 16."""


def graphs(config: AgunetConfig) -> dict[str, Graph]:
    """By name; h and w are the sides at stride 16, n objects, r marked frames."""
    levels: dict[str, Shape] = {
        name: (1, channels, f"{scale}h", f"{scale}w")
        for name, (channels, scale) in CHANNELS.items()
    }
    keys, masks = (config.key, "h", "w"), ("r", "n", "h", "w")
    return {
        "encode": Graph({"images": (1, "16h", "16w", 3)}, Levels._fields, ("images",)),
        "project": Graph({"f16": levels["f16"]}, ("key",), exact=True),
        "score": Graph(
            {"now": (1, *keys), "keys": ("r", *keys), "masks": masks}, ("scores",), exact=True
        ),
        "segment": Graph({**levels, "scores": (1, "n", "h", "w")}, ("logits",)),
    }
