"""Lucid data dreaming: from one picture and its masks endless plausible moments of its video.

Source: Lucid Data Dreaming (Khoreva, Benenson, Ilg, Brox and Schiele, IJCV 2019), section 4. The
objects are cut out, the background behind them is inpainted, all are moved, bent, lit and laid over
each other anew. Unlike there, every frame is made from the picture itself, not from the frame
before: what was sampled twice is blurred, and a second background need not be invented. What is
moved how is known, and so the optical flow between the frames is exact.
"""

import math
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from masktrail.data.augment import grown, relit, uniform
from masktrail.data.thin_plate import Splines
from masktrail.devices import no_autocast, sent
from masktrail.dreams.composing import Frame, Motion, Plates, composed, flows
from masktrail.dreams.inpainting import inpainted
from masktrail.dreams.warps import Warp, bent, boxes_of, everywhere, fetched, lattice, turns

AROUND = 7 / 480
"""Ground within so many short sides of an object is inpainted too: it holds some of it."""

LIGHT = (0.03, 0.2, 0.05)
"""By how much a, b and c of saturation and value differ from 1, 1 and 0, see `augment.relit`."""

FLICKER = 0.2
"""How strongly light changes from frame to frame, beside how it does from dream to dream."""


@dataclass(frozen=True)
class DreamSettings:
    """How far dreams are from their picture; the defaults are those of the authors' program.

    Attributes:
        frames: of a dream, each a little later than that before; two or more where flow is asked
            for.
        bend: objects are bent by points of their contours moved by up to this share of their size.
        scale: objects become larger or smaller by up to this share, in the first frame.
        place: how far from where they are objects are put in the first frame: 1 anywhere, 0 there.
        turn: half of the first frames are turned by up to so many degrees, and cut out as large as
            that leaves them.
        mirror: share of the dreams that are mirrored, and of those whose ground is by itself.
        shift: objects move by up to this share of their size from frame to frame.
        camera_turn: the ground turns by up to so many degrees from frame to frame.
        camera_scale: it grows or shrinks by up to this share, across and down each by itself.
        camera_shift: it moves by up to this share of the picture.
        light: strength of changes of saturation and brightness: of the ground, of all, and, a fifth
            as strong, from frame to frame. 0 for none.
        grow: masks that are handed on are too large by so many pixels of a picture of 480.
    """

    frames: int = 2
    bend: float = 0.05
    scale: float = 0.15
    place: float = 1.0
    turn: float = 30.0
    mirror: float = 0.5
    shift: float = 0.05
    camera_turn: float = 3.0
    camera_scale: float = 0.05
    camera_shift: float = 0.05
    light: float = 1.0
    grow: float = 5.0


USUAL = DreamSettings()


@dataclass
class Dreams:
    """B dreams of T frames (H, W) that show N objects, perhaps not all.

    Attributes:
        images: (B, T, 3, H, W) in [0, 1].
        masks: (B, T, N, H, W), 0 or 1, never overlapping.
        spoilt: (B, T, N, H, W), the masks as a tracker might hand them on: bent and too large.
        backward: flow (B, T-1, H, W, 2), x then y, in pixels: from where what a frame shows is to
            where it was in the frame before.
        backward_valid: where it leads to the same thing, bool (B, T-1, H, W): not where that is
            hidden or outside, nor at the edge of what moves.
        forward: flow (B, T-1, H, W, 2) from the frame before to this one.
        forward_valid: the same of `forward`.
    """

    images: Tensor
    masks: Tensor
    spoilt: Tensor
    backward: Tensor
    backward_valid: Tensor
    forward: Tensor
    forward_valid: Tensor


class Dreamer:
    """Dreams of one annotated picture.

    Args:
        image: uint8 (H, W, 3) RGB, in the size that dreams are to have.
        labels: (H, W), object ids, 0 the background.
        seed: everything dreamed follows from it.
        settings: how far dreams go.
        device: where they are computed and lie.

    Attributes:
        ids: of the objects, ascending, in the order of the masks.
        ground: (3, H, W) in [0, 1], the picture without any of them.
        generator: source of randomness.
    """

    def __init__(
        self,
        image: Tensor,
        labels: Tensor,
        seed: int,
        settings: DreamSettings = USUAL,
        device: torch.device | None = None,
    ) -> None:
        self.generator = Generator().manual_seed(seed)
        self.settings = settings
        self.image = image.to(device).permute(2, 0, 1).float() / 255
        labels = labels.to(device).int()
        self.ids = [int(i) for i in labels.unique() if i]
        self._size = self.image.shape[1], self.image.shape[2]
        self._unit = 2 / max(self._size)
        self._masks = torch.stack([labels == i for i in self.ids] or [labels < 0])
        self._around = grown(self._masks, self._pixels(AROUND))
        self.ground = inpainted(self.image, self._around.any(0), self.generator)

    @torch.no_grad()
    def draw(self, count: int, window: int | None = None) -> Dreams:
        """So many dreams, other ones every time.

        Args:
            count: B.
            window: frames are no larger than so many pixels a side, and see each another part of
                the picture, objects anywhere in it; None: as large as the picture.
        """
        with no_autocast(self.image.device):
            frames, steps = self._dreamt(count, window)
            pairs = zip(steps, frames, frames[1:], strict=False)
            between = [flows(step, self._unit, *pair) for step, *pair in pairs]
            images, masks = self._stacked(frames)
            spoilt = self.spoilt(masks.flatten(0, 2)).view(masks.shape)
        back, forth = zip(*between, strict=True)
        fields = [torch.stack(part, 1) for way in (back, forth) for part in zip(*way, strict=True)]
        return Dreams(images, masks.float(), spoilt, *fields)

    @torch.no_grad()
    def spoilt(self, masks: Tensor) -> Tensor:
        """Masks of dreams as a tracker might hand them on, bent and too large: bool (M, H, W), or 0
        and 1, to 0 and 1."""
        height, width = masks.shape[1:]
        if not len(masks):
            return masks.float()
        nodes = lattice(height, width, self._unit, masks.device).expand(len(masks), -1, -1)
        with no_autocast(masks.device):
            bend = self._bend(masks > 0.5, torch.ones(len(masks), dtype=torch.bool))
            where = everywhere(nodes + bend.at(nodes), height, width)
            moved = fetched(masks[:, None].float(), where, self._unit)[:, 0] > 0.5
            return grown(moved, self._pixels(self.settings.grow / 480)).float()

    @torch.no_grad()
    def moments(self, count: int, window: int | None = None) -> tuple[Tensor, Tensor]:
        """Pictures and masks alone, as `Dreams` has them, of so many dreams; see `draw`."""
        with no_autocast(self.image.device):
            images, masks = self._stacked(self._dreamt(count, window)[0])
        return images, masks.float()

    def _dreamt(self, count: int, window: int | None) -> tuple[list[Frame], list[Motion]]:
        """The frames of dreams, and from each but the first to that before it."""
        plates = self._plates(count)
        sides = (min(side, window or side) for side in self.image.shape[1:])
        self._size = next(sides), next(sides)
        motions, steps = self._first(count), list[Motion]()
        frames = [composed(plates, motions, self._size)]
        for _ in range(self.settings.frames - 1):
            steps.append(self._step(frames[-1]))
            motions = [steps[-1], *motions]
            frames.append(composed(plates, motions, self._size))
        return frames, steps

    def seen(self, count: int, window: int | None = None) -> tuple[Tensor, Tensor]:
        """The picture itself, (B, 3, H, W) in [0, 1], and its masks (B, N, H, W), 0 or 1.

        Args:
            count: B.
            window: no more than so many pixels a side of it, around a pixel of some object each.
        """
        objects = self._masks.any(0)
        places = (objects if objects.any() else ~objects).nonzero()
        layers = torch.cat([self.image, self._masks[: len(self.ids)].float()])
        picks = torch.randint(len(places), (count,), generator=self.generator).tolist()
        parts = [self._around_pixel(layers, places[pick], window) for pick in picks]
        stacked = torch.stack(parts)
        return stacked[:, :3], stacked[:, 3:]

    def _around_pixel(self, layers: Tensor, place: Tensor, window: int | None) -> Tensor:
        """The part of layers (C, H, W) that has a pixel (row, column) somewhere in its middle."""
        for axis, centre in enumerate(place.tolist(), 1):
            side = min(layers.shape[axis], window or layers.shape[axis])
            off = int(side * float(self._between(0.25, 0.75, 1)))
            start = min(max(centre - off, 0), layers.shape[axis] - side)
            layers = layers.narrow(axis, start, side)
        return layers

    def _stacked(self, frames: list[Frame]) -> tuple[Tensor, Tensor]:
        """Pictures (B, T, 3, H, W), lit anew, and masks, bool (B, T, N, H, W)."""
        images = torch.stack([frame.image for frame in frames], 1)
        masks = torch.stack([frame.masks[:, : len(self.ids)] for frame in frames], 1)
        return self._lit(images), masks

    def _plates(self, count: int) -> Plates:
        """Some objects are to move; the others stay in the ground in half of the dreams, which is
        mirrored in `_first`, and lit anew, in half of them."""
        n, device = len(self._masks), self.image.device
        moved = self._chances(count, n) < 0.5
        moved[torch.arange(count), torch.randint(n, (count,), generator=self.generator)] = True
        stay = (self._chances(count, 1) < 0.5) & ~moved
        moved, stay = (sent(x[..., None, None], device) for x in (moved, stay))
        kept = stay & self._masks
        away = (~stay & self._around).any(1, keepdim=True) & ~kept.any(1, keepdim=True)
        grounds = self._lit(torch.where(away, self.ground, self.image)[:, None])[:, 0]
        colours = self.image.expand(count, n, -1, -1, -1)
        cutouts = torch.cat([colours, (moved & self._masks)[:, :, None].float()], 2)
        order = sent(self._chances(count, n).argsort(1), device)
        return Plates(grounds, kept.float(), cutouts.flatten(0, 1), order, self._unit)

    def _first(self, count: int) -> list[Motion]:
        """From first frames to the picture: all is turned and cut out, objects are put elsewhere
        and bent."""
        view, n = self._view(count), len(self._masks)
        mirror = torch.eye(2).repeat(count, 1, 1)
        mirror[:, 0, 0] = self._signs(count)
        ground = Warp(mirror, torch.zeros(count, 2))
        return [
            Motion(view, view.repeated(n)).on(self.image.device),
            Motion(ground, self._placed(view.repeated(n))).on(self.image.device),
        ]

    def _view(self, count: int) -> Warp:
        """From a frame to one that is turned and cut out of it, each in half of the dreams."""
        angle = math.radians(self.settings.turn) * self._between(-1, 1, count)
        angle = angle * (self._chances(count) < 0.5)
        spare = torch.tensor(self.image.shape[1:]) - torch.tensor(self._size)
        matrix = turns(angle) * self._inside(angle)[:, None, None]
        matrix[:, :, 0] *= self._signs(count)[:, None]
        middle = spare.flip(0) * self._unit / 2 * self._between(-1, 1, count, 2)
        return Warp(matrix, middle)

    def _inside(self, angle: Tensor) -> Tensor:
        """How much smaller the largest of the picture's shape is that lies turned in it, (B,)."""
        height, width = self.image.shape[1:]
        cos, sin = angle.cos(), angle.sin().abs()
        return torch.minimum(
            width / (width * cos + height * sin), height / (height * cos + width * sin)
        )

    def _placed(self, view: Warp) -> Warp:
        """From where objects are in what `view` leads to, to where the picture has them."""
        count = len(view.shift)
        masks = self._masks.repeat(count // len(self._masks), 1, 1)
        boxes = boxes_of(masks, self._unit).cpu()
        centre, half = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]) / 2
        scale = 1 + self.settings.scale * self._between(-1, 1, count)
        room = (self._sides() / 2 - half * scale[:, None]).abs()
        anywhere = room * self._between(-1, 1, count, 2)
        before = view.undone(centre[:, None])[:, 0]
        there = view((before + self.settings.place * (anywhere - before))[:, None])[:, 0]
        matrix = torch.eye(2) / scale[:, None, None]
        bend = self._bend(masks, self._chances(count) < 0.5)
        return Warp(matrix, centre - there / scale[:, None], bend)

    def _step(self, frame: Frame) -> Motion:
        """From the frame after to this one: the camera moves, or the objects, or both."""
        count, n = frame.whole.shape[:2]
        kinds, ways = (torch.randint(3, (c,), generator=self.generator) for c in (count, count * n))
        objects = (kinds != 1).repeat_interleave(n)
        whole = frame.whole.flatten(0, 1)
        boxes = boxes_of(whole, self._unit).cpu()
        shift = self.settings.shift * self._between(-1, 1, count * n, 2)
        shift = shift * (boxes[:, 2:] - boxes[:, :2]) * (objects & (ways != 1))[:, None]
        bend = self._bend(whole, objects & (ways != 2))
        alike = torch.eye(2).repeat(count * n, 1, 1)
        camera = self._camera(count, kinds != 0)
        return Motion(camera, Warp(alike, shift, bend)).on(self.image.device)

    def _camera(self, count: int, moves: Tensor) -> Warp:
        settings, still = self.settings, ~moves
        angle = math.radians(settings.camera_turn) * self._between(-1, 1, count)
        scale = 1 + settings.camera_scale * self._between(-1, 1, count, 2)
        matrix = turns(angle) * scale[:, None]
        matrix[still] = torch.eye(2)
        shift = settings.camera_shift * self._sides() * self._between(-1, 1, count, 2)
        return Warp(matrix, shift * moves[:, None])

    def _bend(self, masks: Tensor, which: Tensor) -> Splines:
        """Of those of the masks (M, H, W) that are to be bent, bool (M,)."""
        spline = bent(masks, self._unit, self.settings.bend, self.generator)
        which = sent(which[:, None, None], masks.device)
        return spline._replace(coefficients=spline.coefficients * which)

    def _lit(self, images: Tensor) -> Tensor:
        """Pictures (B, T, 3, H, W), half of the B in another light, which flickers in all."""
        if not self.settings.light:
            return images
        (b, t), most = images.shape[:2], self.settings.light * torch.tensor(LIGHT)
        curves = self._between(-1, 1, b, 1, 2, 3) * (self._chances(b, 1, 1, 1) < 0.5)
        curves = curves + FLICKER * self._between(-1, 1, b, t, 2, 3)
        saturation, value = (curves * most + torch.tensor([1.0, 1.0, 0.0])).flatten(0, 1).unbind(1)
        return relit(images.flatten(0, 1), saturation, value).view(images.shape)

    def _sides(self) -> Tensor:
        """Width and height of frames, (2,) in units."""
        return torch.tensor(self._size).flip(0) * self._unit

    def _chances(self, *shape: int) -> Tensor:
        return torch.rand(shape, generator=self.generator)

    def _between(self, low: float, high: float, *shape: int) -> Tensor:
        return uniform(shape, low, high, self.generator)

    def _signs(self, count: int) -> Tensor:
        """Which are mirrored: -1 or 1, (count,)."""
        return 1 - 2 * (self._chances(count) < self.settings.mirror).float()

    def _pixels(self, share: float) -> int:
        """A share of the short side in pixels, at least one."""
        return max(1, round(share * min(self.image.shape[1:])))
