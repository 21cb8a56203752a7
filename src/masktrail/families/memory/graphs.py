"""The functions of a memory network as files for any engine hold them."""

from masktrail.engines.graph import Graph
from masktrail.families.memory.config import MASK_STRIDE, Encoded, MemoryConfig

CHANNELS = 256
"""Of the encoder at stride 16."""


def graphs(config: MemoryConfig) -> dict[str, Graph]:
    """By name; h and w are the sides at stride 16, n objects, m remembered
    pixels, q of those of a picture."""
    lifted, values = 2 * config.key + 1, f"{config.value}n"
    folded = f"{2 * (8 // MASK_STRIDE) ** 2}n"
    key, one, near = (
        (1, channels, *sides)
        for channels, sides in ((config.key, "hw"), (1, "hw"), (config.near, ("2h", "2w")))
    )
    skips = {
        f"skip{16 // scale}": (1, channels, f"{scale}h", f"{scale}w")
        for scale, channels in {
            1: config.hidden,
            2: config.stride8,
            4: config.stride4,
            8: config.stride2,
        }.items()
    }
    masks = (1, "n", "8h", "8w")
    return {
        "encode": Graph({"images": (1, "16h", "16w", 3)}, Encoded._fields, ("images",)),
        "lift": Graph(
            {"key": key, "shrinkage": one, "selection": key}, ("memory", "query"), exact=True
        ),
        "memorize": Graph({"f16": (1, CHANNELS, "h", "w"), "masks": masks}, ("values",)),
        "compare": Graph({"query": (1, lifted, "q"), "keys": (1, "m", lifted)}, ("similarity",)),
        "carry": Graph(
            {"before": near, "now": near, "masks": masks}, ("carried", "found"), exact=True
        ),
        "segment": Graph(
            {
                **skips,
                "readout": (1, "h*w", values),
                "carried": (1, folded, "2h", "2w"),
                "found": (1, 1, "2h", "2w"),
            },
            ("logits",),
            floats=("decoder.readout", "decoder.carried.conv"),
        ),
    }
