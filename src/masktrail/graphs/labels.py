"""From the logits of objects to one label per pixel, as the tracker does it, as a graph.

`tracking.competition` says what is computed; this is for programs that run the files without us.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from masktrail.engines.graph import Graph
from masktrail.models.aggregate import soft_aggregate

NAME = "labels"

GRAPH = Graph({"logits": ("n", "h", "w"), "height": None, "width": None}, (NAME,), exact=True)


class Competition(nn.Module):
    """Objects compete for the pixels of a frame; it has no weights."""

    stride = 1

    def labels(self, logits: Tensor, height: int, width: int) -> Tensor:
        """The object that every pixel is of.

        Args:
            logits: (N, h, w), objects independent of each other.
            height: of the frame.
            width: of the frame.

        Returns:
            int32 (height, width): 0 is background, k the k-th object.
        """
        competing = soft_aggregate(logits[None])  # (1, N+1, h, w)
        ahead = competing[:, 1:] - competing[:, :1]
        large = F.interpolate(ahead, (height, width), mode="bilinear", align_corners=False)
        best, winner = large[0].max(0)
        return torch.where(best > 0, winner + 1, 0).int()
