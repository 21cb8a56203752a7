"""Frames put together from cut-out objects and the ground behind them; the flow between frames."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from masktrail.dreams.warps import Warp, everywhere, fetched, in_units, lattice

SMOOTHING = 12
"""Steps of Jacobi's method along seams; they are two pixels wide, and settle in fewer."""

SURE = 0.999
"""Of what flow leads to, so much has to belong to the same thing."""


class Plates(NamedTuple):
    """What B dreams of a picture with N objects are made from.

    Attributes:
        grounds: pictures (B, 3, H, W) without the objects that move.
        kept: masks of the others, as far as they are still there, float (B, N, H, W).
        cutouts: pictures with a mask behind their colours (B * N, 4, H, W); of objects that do not
            move the mask is empty.
        order: rows of the objects from the lowest to the highest (B, N).
        unit: width of a pixel of these and of frames, see `warps`.
    """

    grounds: Tensor
    kept: Tensor
    cutouts: Tensor
    order: Tensor
    unit: float


class Frame(NamedTuple):
    """One frame of B dreams.

    Attributes:
        image: (B, 3, H, W) in [0, 1].
        owners: of every pixel (B, H, W), 0 the ground, n + 1 the n-th object, where it moves, as
            floats.
        masks: of all objects, bool (B, N, H, W).
        whole: of those that move, as if none hid another, bool (B, N, H, W).
        seams: pixels at the edge of what moves, bool (B, H, W).
    """

    image: Tensor
    owners: Tensor
    masks: Tensor
    whole: Tensor
    seams: Tensor


class Motion(NamedTuple):
    """From a frame of B dreams to where things were before.

    Attributes:
        ground: B warps.
        objects: B * N.
    """

    ground: Warp
    objects: Warp

    def on(self, device: torch.device) -> "Motion":
        """The same on a device."""
        return Motion(self.ground.on(device), self.objects.on(device))

    def __call__(self, positions: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """Where the ground was that is at positions (B, M, 2), and the objects (B * N, M, 2)."""
        return self.ground(positions[0]), self.objects(positions[1])


class Flow(NamedTuple):
    """Optical flow of B dreams.

    Attributes:
        vectors: (B, H, W, 2), x then y, in pixels.
        valid: where it leads to the same thing, bool (B, H, W): not where that is hidden or
            outside, nor at seams.
    """

    vectors: Tensor
    valid: Tensor


def composed(plates: Plates, motions: list[Motion], size: tuple[int, int]) -> Frame:
    """A frame of some height and width whose contents lie, motion after motion, where the plates
    have them."""
    (b, n), (height, width), unit = plates.order.shape, size, plates.unit
    nodes = lattice(height, width, unit, plates.grounds.device)
    places = nodes.expand(b, -1, -1), nodes.expand(b * n, -1, -1)
    for motion in motions:
        places = motion(places)
    ground, objects = (everywhere(p, height, width) for p in places)
    behind = fetched(torch.cat([plates.grounds, plates.kept], 1), ground, unit, "reflection")
    cut = fetched(plates.cutouts, objects, unit).view(b, n, 4, height, width)
    whole = _shrunk(cut[:, :, 3] > 0.5)
    image, owners = _painted(behind[:, :3], cut[:, :, :3], whole, plates.order)
    seams = _seams(owners)
    visible = owners[:, None] == torch.arange(1, n + 1, device=owners.device).view(1, n, 1, 1)
    kept = (behind[:, 3:] > 0.5) & (owners[:, None] == 0)
    return Frame(_smoothed(image, seams), owners, visible | kept, whole, seams)


def flows(motion: Motion, unit: float, before: Frame, now: Frame) -> tuple[Flow, Flow]:
    """From a frame back to the one before, and from that one to it."""
    b, n, height, width = now.masks.shape
    nodes = lattice(height, width, unit, now.image.device)
    layers = nodes.expand(b, -1, -1), nodes.expand(b * n, -1, -1)
    back = motion.ground(layers[0]), motion.objects(layers[1])
    forth = motion.ground.undone(layers[0]), motion.objects.undone(layers[1])
    moved = (
        torch.cat([ground[:, None], objects.unflatten(0, (b, n))], 1) - nodes[:, None]
        for ground, objects in (back, forth)
    )
    return _flow(next(moved), unit, now, before), _flow(next(moved), unit, before, now)


def _flow(moved: Tensor, unit: float, here: Frame, there: Frame) -> Flow:
    """Flow from one frame to another: of the ground and the N objects at the nodes of a lattice,
    (B, N+1, M, 2) in units, that of whatever a pixel shows."""
    (b, layers), (height, width) = moved.shape[:2], here.owners.shape[1:]
    fields = everywhere(moved.flatten(0, 1), height, width).view(b, layers, height, width, 2)
    owners = here.owners.long()[:, None]
    vectors = fields.take_along_dim(owners[..., None], 1)[:, 0]
    rows, columns = (torch.arange(side, device=moved.device) for side in (height, width))
    y, x = torch.meshgrid(rows, columns, indexing="ij")
    target = in_units(torch.stack([x, y], -1), height, width, unit) + vectors
    each = torch.arange(layers, device=moved.device).view(1, -1, 1, 1)
    same = (there.owners[:, None] == each) & ~there.seams[:, None]
    met = fetched(same.float(), target, unit).gather(1, owners)[:, 0]
    return Flow(vectors / unit, (met > SURE) & ~here.seams)


def _painted(image: Tensor, colours: Tensor, masks: Tensor, order: Tensor) -> tuple[Tensor, Tensor]:
    """Objects painted onto a picture in their order, and which of them is seen where.

    Args:
        image: (B, 3, H, W).
        colours: (B, N, 3, H, W).
        masks: bool (B, N, H, W).
        order: rows of the objects (B, N).

    Returns:
        (B, 3, H, W), and (B, H, W): 0 where none is, n + 1 for the n-th; whole numbers, as floats.
    """
    rows = torch.arange(len(order), device=order.device)
    owners = torch.zeros_like(image[:, 0])
    for row in order.unbind(1):
        mask = masks[rows, row]
        image = torch.where(mask[:, None], colours[rows, row], image)
        owners = torch.where(mask, (row + 1.0).view(-1, 1, 1), owners)
    return image, owners


def _shrunk(masks: Tensor) -> Tensor:
    """Masks bool (B, N, H, W) without their outermost pixels, in which there is ground, but for
    those of which less than half would be left."""
    smaller = F.max_pool2d(1 - masks.float(), 3, 1, 1) == 0
    left, area = (m.sum((2, 3), keepdim=True) for m in (smaller, masks))
    return torch.where(2 * left < area, masks, smaller)


def _seams(owners: Tensor) -> Tensor:
    """Pixels (B, H, W) beside one, across, down or at a corner, of another owner."""
    highest, lowest = F.max_pool2d(owners, 3, 1, 1), -F.max_pool2d(-owners, 3, 1, 1)
    return highest != lowest


def _smoothed(images: Tensor, seams: Tensor) -> Tensor:
    """Pictures (B, 3, H, W) whose pixels at seams lead smoothly from one side to the other.

    They solve Laplace's equation, between pixels that are not at a seam (the authors solve
    Poisson's in the same band).
    """
    padded = F.pad(images, (1, 1, 1, 1), mode="replicate")
    width = padded.shape[3]
    colours = padded.transpose(0, 1).reshape(3, -1)
    places = F.pad(seams, (1, 1, 1, 1)).flatten().nonzero()[:, 0]
    around = torch.stack([places - 1, places + 1, places - width, places + width])
    for _ in range(SMOOTHING):
        colours[:, places] = colours[:, around].mean(1)
    return colours.view(3, *padded[:, 0].shape)[..., 1:-1, 1:-1].transpose(0, 1)
