"""The one function of networks that go from frame to frame as a file for any engine holds it."""

from typing import Any

from masktrail.engines.graph import Graph, Shape


def graphs(config: Any, stride: int = 16) -> dict[str, Graph]:
    """By name; n objects share a batch.

    Args:
        config: of the network; whatever it is, the function is the same.
        stride: which sides of pictures are multiples of.
    """
    height, width = f"{stride}h", f"{stride}w"
    picture: Shape = ("n", height, width, 3)
    mask: Shape = ("n", 1, height, width)
    inputs = {"previous": picture, "current": picture, "mask": mask}
    return {"forward": Graph(inputs, ("logits",), ("previous", "current"))}
