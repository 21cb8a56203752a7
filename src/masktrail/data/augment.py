"""Random geometry and colour for whole batches of clips, on whatever device the clips are.

Parameters are drawn on the CPU from an explicit generator and are tiny; whatever has a pixel axis
is computed where the pixels are.
Positions are in output units: the crop is [-1, 1] x [-1, 1], x to the right, y down.
"""

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from masktrail.data.rows import change_rows
from masktrail.data.thin_plate import CONTROLS, bend
from masktrail.devices import no_autocast, sent


def uniform(shape: tuple[int, ...], low: float, high: float, generator: Generator) -> Tensor:
    """Random numbers of `shape` between `low` and `high`."""
    return torch.rand(shape, generator=generator) * (high - low) + low


def motion(
    batch: int, frames: int, generator: Generator, rotation: float, zoom: float, shift: float
) -> Tensor:
    """Compounding affine motion, the first frame at rest.

    Args:
        batch: B.
        frames: T.
        generator: source of randomness.
        rotation: at most this many radians a step.
        zoom: at most this share of the size a step.
        shift: at most this far a step, as a share of the crop.

    Returns:
        (B, T, 2, 3) matrices from output positions to positions in the first frame.
    """
    angle = uniform((batch, frames), -rotation, rotation, generator)
    scale = (1 + uniform((batch, frames, 1), -zoom, zoom, generator)).clamp_min(0.5)
    stretch = 1 + uniform((batch, frames, 2), -zoom / 2, zoom / 2, generator)
    steps = torch.eye(3).repeat(batch, frames, 1, 1)
    turn = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()], -1)
    steps[..., :2, :2] = turn.view(batch, frames, 2, 2) * (scale * stretch)[..., None, :]
    steps[..., :2, 2] = uniform((batch, frames, 2), -2 * shift, 2 * shift, generator)
    steps[:, 0] = torch.eye(3)
    total = [steps[:, 0]]
    for t in range(1, frames):
        total.append(total[-1] @ steps[:, t])
    return torch.stack(total, 1)[..., :2, :]


def bending(batch: int, frames: int, generator: Generator, amount: float) -> Tensor:
    """Smooth non-rigid motion that grows from frame to frame, the first frame at rest.

    Args:
        batch: B.
        frames: T.
        generator: source of randomness.
        amount: standard deviation of a control point's displacement a step.

    Returns:
        Displacements (B, T, CONTROLS * CONTROLS, 2) in output units, for `thin_plate.bend`.
    """
    steps = torch.randn((batch, frames, CONTROLS * CONTROLS, 2), generator=generator) * amount
    steps[:, 0] = 0
    return steps.cumsum(1)


def positions(moves: Tensor, bends: Tensor | None, size: int) -> Tensor:
    """Where the pixels of a crop lie once it is moved and bent, on the device of `moves`.

    Args:
        moves: (M, 2, 3) matrices from output positions.
        bends: displacements (M, CONTROLS * CONTROLS, 2) of control points, in units of what the
            matrices lead to; None for none.
        size: S, of the crop, pixels.

    Returns:
        (M, S, S, 2).
    """
    centres = ((torch.arange(size, device=moves.device) + 0.5) * 2 / size - 1)[:, None]  # (S, 1)
    across, down, origin = moves[:, None].unbind(3)  # (M, 1, 2) each
    rows, columns = origin + down * centres, across * centres  # (M, S, 2) each
    straight = rows[:, :, None] + columns[:, None]
    return straight if bends is None else straight + bend(bends, size)


def corrupt(masks: Tensor, generator: Generator) -> Tensor:
    """Masks as a tracker might hand them on: moved, bent, and grown or shrunk a little.

    Source: Lucid Data Dreaming (Khoreva et al., IJCV 2019), section 3.2: the mask of the frame
    before is deformed by a thin-plate spline of up to 5 % and its edge is moved.

    Args:
        masks: (B, S, S) in [0, 1].
        generator: source of randomness.

    Returns:
        Same shape, soft at the edges.
    """
    b, size, device = len(masks), masks.shape[-1], masks.device
    moves = motion(b, 2, generator, 0.05, 0.06, 0.03)[:, 1]
    bends = bending(b, 2, generator, 0.03)[:, 1]
    reach = 1 + 2 * int(torch.randint(0, max(2, size // 48), (), generator=generator))
    grows = torch.rand((b, 1, 1, 1), generator=generator) < 0.5
    with no_autocast(device):  # bfloat16 knows no position to the pixel
        grid = positions(sent(moves, device), sent(bends, device), size)
        bent = F.grid_sample(masks[:, None].float(), grid, align_corners=False)
    grown = F.max_pool2d(bent, reach, 1, reach // 2)
    shrunk = -F.max_pool2d(-bent, reach, 1, reach // 2)
    return torch.where(sent(grows, device), grown, shrunk)[:, 0]


def corrupt_some(masks: Tensor, share: float, generator: Generator) -> Tensor:
    """Masks (B, S, S), a share of which `corrupt` changes."""
    chosen = torch.rand(len(masks), generator=generator) < share
    return change_rows(chosen, lambda true: corrupt(true, generator), masks)


def jitter_colour(images: Tensor, generator: Generator, amount: float = 0.25) -> Tensor:
    """Brightness, contrast and saturation, much the same over a clip; some clips in grey.

    Args:
        images: (B, T, 3, H, W) in [0, 1].
        generator: source of randomness.
        amount: at most this share over a clip, a fifth of it from frame to frame.

    Returns:
        Same shape, in [0, 1].
    """
    b, t = images.shape[:2]
    factors = 1 + uniform((b, 1, 3), -amount, amount, generator)
    factors = factors + uniform((b, t, 3), -amount / 5, amount / 5, generator)
    grey_clip = torch.rand((b, 1), generator=generator) < 0.05
    factors[..., 2].masked_fill_(grey_clip, 0)
    factors = sent(factors, images.device)[..., None, None, None]
    brightness, contrast, saturation = factors.unbind(2)
    grey = images.mean(2, keepdim=True)
    images = grey + (images - grey) * saturation
    mean = grey.mean((3, 4), keepdim=True)
    return ((mean + (images - mean) * contrast) * brightness).clamp(0, 1)


def relit(images: Tensor, saturation: Tensor, value: Tensor) -> Tensor:
    """Pictures in another light: saturation and value each become a x^b + c, the hue stays.

    Source: Lucid Data Dreaming (Khoreva et al., IJCV 2019), section 4.

    Args:
        images: (B, 3, H, W) in [0, 1].
        saturation: a, b and c (B, 3).
        value: the same of the value.

    Returns:
        Same shape, in [0, 1].
    """
    highest, lowest = images.amax(1, keepdim=True), images.amin(1, keepdim=True)
    range_ = (highest - lowest).clamp_min(1e-6)
    whiteness = (images - lowest) / range_  # 1 in the strongest colour, 0 in the weakest
    brightness = _curve(highest, value)
    return brightness * (1 - _curve(range_ / highest.clamp_min(1e-6), saturation) * (1 - whiteness))


def _curve(values: Tensor, curve: Tensor) -> Tensor:
    """a x^b + c of values (B, 1, H, W), in [0, 1]."""
    a, b, c = sent(curve, values.device)[:, :, None, None, None].unbind(1)
    return (a * values**b + c).clamp(0, 1)


def grown(masks: Tensor, radius: int) -> Tensor:
    """Where a pixel of bool masks (M, H, W) is at most `radius` pixels away."""
    axis = torch.arange(-radius, radius + 1, device=masks.device)
    disk = (axis[:, None] ** 2 + axis**2 <= radius**2).float()
    return F.conv2d(masks[:, None].float(), disk[None, None], padding=radius)[:, 0] > 0.5
