"""The one function of a feature network as a file for any engine holds it."""

from typing import Any

from masktrail.engines.graph import Graph


def graphs(config: Any) -> dict[str, Graph]:
    """By name; `config` has nothing to say."""
    return {"forward": Graph({"images": ("b", "8h", "8w", 3)}, ("features",), ("images",))}
