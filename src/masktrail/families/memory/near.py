"""What becomes of a mask from one frame to the next: it goes where its pixels went.

Every pixel at stride 8 is compared with those around it in the frame before, and takes over the
masks of those it resembles (the local matching of FEELVOS and CFBI, the short-term attention of
AOT). A pixel's masks are the 4x4 values at stride 2 that it covers, so that outlines travel whole.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from masktrail.devices import no_autocast

REACH = 4
"""Pixels at stride 8 that an object may move from frame to frame, in each direction."""

FAR = 1e4
"""Squared distance of what is out of the picture or out of reach."""


class Transport(nn.Module):
    """Similarity `-scale * |q - k|^2 - locality * distance^2`, softmax over the neighbourhood."""

    def __init__(self, scale: float = 3.0, locality: float = 0.05) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(scale).log())
        self.locality = nn.Parameter(torch.tensor(locality).log())

    def forward(self, before: Tensor, now: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Values where they went.

        Args:
            before: keys of the frame before (B, C, H, W).
            now: keys of this frame (B, C, H, W).
            values: of the frame before (B, V, H, W).

        Returns:
            The values (B, V, H, W), and how well each pixel was found again (B, 1, H, W), the
            logarithm of its summed similarities.
        """
        with no_autocast(before.device):
            return self._read(before.float(), now.float(), values.float())

    def _read(self, before: Tensor, now: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        b, _, h, w = now.shape
        scale, locality = self.scale.exp(), self.locality.exp()
        keys = torch.cat([_padded(before), _padded(before.square().sum(1, keepdim=True), FAR)], 1)
        lifted = torch.cat([2 * scale * now, (-scale).expand(b, 1, h, w)], 1)
        queries = lifted.permute(0, 2, 3, 1).flatten(0, 1)  # (B*H, W, C+1)
        squares, outside = _distances(w, now.device)
        bias = (-locality * squares).masked_fill(outside, -FAR).expand(b * h, -1, -1)
        similarity = torch.baddbmm(bias, queries, _around(keys))  # (B*H, W, rows*W)
        weights = similarity.softmax(2)
        warped = weights @ _around(_padded(values)).transpose(1, 2)  # (B*H, W, V)
        # torch's logsumexp takes ten times as long
        confidence = (similarity.amax(2) - weights.amax(2).log()).view(b, 1, h, w)
        confidence = confidence - scale * now.square().sum(1, keepdim=True)
        return warped.view(b, h, w, -1).permute(0, 3, 1, 2), confidence


def _padded(x: Tensor, value: float = 0.0) -> Tensor:
    """With rows above and below that are out of the picture, so as far as anything reaches."""
    return F.pad(x, (0, 0, REACH, REACH), value=value)


def _around(padded: Tensor) -> Tensor:
    """For every row of what was padded the rows within reach, (B*H, C, (2*REACH+1)*W)."""
    near = padded.unfold(2, 2 * REACH + 1, 1)  # (B, C, H, W, rows)
    return near.permute(0, 2, 1, 4, 3).flatten(3).flatten(0, 1)


def _distances(width: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Squared distances from every pixel of a row to those of the rows around it, and which of
    these lie out of reach, each (W, (2*REACH+1)*W)."""
    columns = torch.arange(width, device=device)
    rows = torch.arange(-REACH, REACH + 1, device=device)
    across = (columns - columns[:, None])[:, None].expand(-1, len(rows), -1)
    squares = rows[:, None].square() + across.square()  # (W, rows, W)
    return squares.flatten(1).float(), (across.abs() > REACH).flatten(1)
