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

BLOCK = 16
"""Pixels of a row that are compared together with all that is in reach of any of them."""

ROWS, COLUMNS = 2 * REACH + 1, BLOCK + 2 * REACH
"""Around a block."""

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
        (b, _, h, w), blocks = now.shape, _blocks(now.shape[3])
        scale, locality = self.scale.exp(), self.locality.exp()
        around = _around(b, h, blocks, now.device)
        squares = before.square().sum(1, keepdim=True)
        keys = torch.cat([_surrounded(before), _surrounded(squares, FAR)], 1)
        lifted = torch.cat([2 * scale * now, (-scale).expand(b, 1, h, w)], 1)
        lifted = F.pad(lifted, (0, blocks * BLOCK - w))
        queries = lifted.permute(0, 2, 3, 1).reshape(b * h * blocks, BLOCK, -1)
        distances, outside = _distances(now.device)
        bias = (-locality * distances).masked_fill(outside, -FAR)
        similarity = torch.baddbmm(bias, queries, _gathered(keys, around).transpose(1, 2))
        weights = similarity.softmax(2)  # (B*H*blocks, BLOCK, pixels around)
        warped = weights @ _gathered(_surrounded(values), around)
        # torch's logsumexp takes ten times as long
        confidence = similarity.amax(2) - weights.amax(2).log()
        confidence = confidence.view(b, 1, h, -1)[..., :w]
        confidence = confidence - scale * now.square().sum(1, keepdim=True)
        warped = warped.view(b, h, blocks * BLOCK, -1)[:, :, :w]
        return warped.permute(0, 3, 1, 2), confidence


def _surrounded(x: Tensor, value: float = 0.0) -> Tensor:
    """With what is out of the picture, as far as anything reaches, in whole blocks."""
    more = _blocks(x.shape[3]) * BLOCK - x.shape[3]
    return F.pad(x, (REACH, more + REACH, REACH, REACH), value=value)


def _blocks(width: int) -> int:
    """Blocks that hold a row; written so that ONNX, which rounds towards 0, agrees."""
    return (width + BLOCK - 1) // BLOCK


def _gathered(x: Tensor, around: Tensor) -> Tensor:
    """What there is of (B, C, H, W) at places (N, P) in (B*H*W, C): (N, P, C)."""
    pixels = x.permute(0, 2, 3, 1).flatten(0, 2)
    return pixels.index_select(0, around.flatten()).unflatten(0, around.shape)


def _around(b: int, h: int, blocks: int, device: torch.device) -> Tensor:
    """For every block of a row of what was surrounded the pixels in reach of any of its own:
    their places, (B*H*blocks, ROWS*COLUMNS)."""
    width = blocks * BLOCK + 2 * REACH
    first = [
        torch.arange(b, device=device)[:, None, None] * ((h + 2 * REACH) * width),
        torch.arange(h, device=device)[:, None] * width,
        torch.arange(blocks, device=device) * BLOCK,
    ]
    rows = torch.arange(ROWS, device=device)[:, None] * width
    near = (rows + torch.arange(COLUMNS, device=device)).flatten()
    return (first[0] + first[1] + first[2]).flatten()[:, None] + near


def _distances(device: torch.device) -> tuple[Tensor, Tensor]:
    """Squared distances from every pixel of a block to those around it, and which of these lie out
    of its reach, each (BLOCK, ROWS*COLUMNS)."""
    own = torch.arange(BLOCK, device=device)[:, None, None]
    rows = torch.arange(-REACH, REACH + 1, device=device)[:, None]
    across = torch.arange(-REACH, BLOCK + REACH, device=device) - own  # (BLOCK, 1, COLUMNS)
    squares = rows.square() + across.square()  # (BLOCK, ROWS, COLUMNS)
    outside = (across.abs() > REACH).expand(-1, ROWS, -1)
    return squares.flatten(1).float(), outside.flatten(1)
