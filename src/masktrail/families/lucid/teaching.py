"""Teaching Lucid Tracker's network one video, by dreams of the frames that were marked in it.

Source: Lucid Data Dreaming (Khoreva et al., IJCV 2019): 2,500 dreams a frame and 2,000 steps, hours
of a GPU. Here it is as many steps as there is time for, in windows around the object as it is
tracked in, from the mask of a dream's first frame, bent and too large, through all of its frames.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from masktrail.data.augment import corrupt, jitter_colour, motion, positions
from masktrail.devices import fast_autocast
from masktrail.dreams.dreamer import Dreamer, DreamSettings
from masktrail.families.fitting import fitted, learning
from masktrail.families.lucid.motion import MotionSettings
from masktrail.families.lucid.network import LucidNetwork
from masktrail.geometry import Window, resampled
from masktrail.losses import mask_loss
from masktrail.masks import tight_box
from masktrail.prompts.kinds import Box
from masktrail.tracking.shot import Shot
from masktrail.tracking.view import View

RATE = 2e-4
"""Learning rate at first."""

LEFT = ("flow.", "encoder.conv1.", "encoder.layer1.")
"""Parameters whose names start so are not learned: edges are edges in every video."""

SHARE = 1.0
"""Of the way that parameters went, so much is kept."""

FRAMES, BATCH = 3, 2
"""Of dreams: frames each, and how many together."""

DAMAGED, DAMAGE, BLOBS = 0.5, (0.6, 0.4), 6
"""Of the masks that dreams begin with: the share of those that lack parts, as of those that have
too much; at most so much of either; and how many blobs there are across."""

AROUND = 1.6
"""Dreams are of a part of the picture that is so many windows wide and high."""


class Teaching(NamedTuple):
    """How it is taught.

    Attributes:
        view: windows that it sees objects in.
        motion: what it is told of motion.
        dreams: whether it learns from dreams; else from the marked frame set in motion as a whole.
        device: where it learns.
    """

    view: View
    motion: MotionSettings
    dreams: bool
    device: str


def taught(
    network: nn.Module,
    shots: Sequence[Shot],
    teaching: Teaching,
    seconds: float,
    progress: Callable[[float], None],
) -> dict[str, NDArray[np.float32]]:
    """What a network's parameters become by learning from dreams of marked frames.

    Args:
        network: of which a copy need not be made; float32.
        shots: at least one.
        teaching: how.
        seconds: how long; at least one step is made of each object.
        progress: called with the share that is done, 0 to 1; what it raises ends the learning.

    Returns:
        Those that were learned, all but those of the flow, by name; none where no frame shows an
        object.
    """
    assert isinstance(network, LucidNetwork)
    network.to(teaching.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    learned = learning(network, lambda name: not name.startswith(LEFT))
    losses = (
        partial(_loss, network, teaching, scene)
        for shot in shots
        for scene in _scenes(shot, teaching)
    )
    return fitted(learned, losses, RATE, seconds, progress, SHARE)


class Lesson(NamedTuple):
    """Moments of B videos: pictures (B, T, 3, S, S) in [0, 1] and masks (B, T, S, S) of one object,
    0 or 1, and those that it is sought from in the first one, soft (B, S, S)."""

    images: Tensor
    masks: Tensor
    given: Tensor


Scene = Callable[[], Lesson]


def _scenes(shot: Shot, teaching: Teaching) -> Iterator[Scene]:
    """What there is to be learned of a frame, an object each."""
    for object_id in np.unique(shot.labels[shot.labels > 0]).tolist():
        image, labels = _part(shot, object_id, teaching.view)
        if not (labels == object_id).any():
            continue
        device = torch.device(teaching.device)
        pixels, ids = torch.from_numpy(image), torch.from_numpy(labels.astype(np.int32))
        side = teaching.view.side
        if teaching.dreams:
            dreamer = Dreamer(pixels, ids, object_id, DreamSettings(frames=FRAMES), device)
            yield partial(_dreamt, dreamer, dreamer.ids.index(object_id), side)
        else:
            generator = Generator().manual_seed(object_id)
            pair = pixels.to(device), (ids == object_id).to(device)
            yield partial(_augmented, *pair, side, generator)


def _part(shot: Shot, object_id: int, view: View) -> tuple[NDArray[np.uint8], NDArray[np.uint16]]:
    """What lies around an object: picture (H, W, 3) and labels (H, W), scaled as the object's
    window is for the network."""
    mask = (shot.labels == object_id).astype(np.float32)
    window, box = view.window(mask), tight_box(mask > 0.5)
    assert box is not None
    size = mask.shape
    longest = max(window.size)
    around = Window.around(Box(*box), AROUND * longest, (size[0], size[1]), (1, 1))
    sides = [
        max(view.side, round(whole * view.side / part))
        for whole, part in zip(around.size, window.size, strict=True)
    ]
    where = slice(around.y0, around.y1), slice(around.x0, around.x1)
    image = resampled(np.ascontiguousarray(shot.image[where]), (sides[0], sides[1]))
    rows, columns = (
        ((np.arange(n) + 0.5) * m / n).astype(int) for n, m in zip(sides, around.size, strict=True)
    )
    return image.copy(), shot.labels[where][rows[:, None], columns]


def _dreamt(dreamer: Dreamer, row: int, side: int) -> Lesson:
    images, masks = dreamer.moments(BATCH, side)
    chosen = masks[:, :, row]
    given = damaged(dreamer.spoilt(chosen[:, 0]), dreamer.generator)
    return Lesson(images, chosen, given)


def _augmented(image: Tensor, mask: Tensor, side: int, generator: Generator) -> Lesson:
    """The picture (H, W, 3) itself, turned, shifted, scaled and in other light; its mask (H, W)."""
    layers = torch.cat([image.permute(2, 0, 1).float() / 255, mask[None].float()])
    height, width = mask.shape
    moves = motion(BATCH, FRAMES, generator, 0.1, 0.05, 0.05)
    moves[..., :2] *= torch.tensor([[side / width], [side / height]])
    middle = mask.nonzero().float().mean(0).cpu()
    centre = 2 * (middle.flip(0) + 0.5) / torch.tensor([width, height]) - 1
    moves[..., 2] = moves[..., 2] * side / max(height, width) + centre
    grid = positions(moves.flatten(0, 1).to(image.device), None, side)
    moments = F.grid_sample(
        layers.expand(len(grid), -1, -1, -1), grid, padding_mode="reflection", align_corners=False
    ).unflatten(0, (BATCH, FRAMES))
    flipped = (torch.rand((BATCH, 1, 1, 1, 1), generator=generator) < 0.5).to(image.device)
    moments = torch.where(flipped, moments.flip(-1), moments)
    masks = (moments[:, :, 3] > 0.5).float()
    given = damaged(corrupt(masks[:, 0], generator), generator)
    return Lesson(jitter_colour(moments[:, :, :3], generator), masks, given)


def damaged(masks: Tensor, generator: Generator) -> Tensor:
    """Masks (B, S, S) some of which lack parts, or have some of what is around them, in blobs: what
    they were is to be told from what the object looks like.

    Args:
        masks: in [0, 1].
        generator: source of randomness.
    """
    b, size, device = len(masks), masks.shape[-1], masks.device
    blobs = F.interpolate(
        torch.rand((b, 2, BLOBS, BLOBS), generator=generator), masks.shape[1:], mode="bicubic"
    )
    shares = torch.rand((b, 2, 1, 1), generator=generator) * torch.tensor(DAMAGE).view(1, 2, 1, 1)
    shares = shares * (torch.rand((b, 2, 1, 1), generator=generator) < DAMAGED)
    lacks, has = (blobs < shares).to(device).unbind(1)
    reach = 1 + 2 * (size // 10)
    beside = F.max_pool2d(masks[:, None], (1, reach), 1, (0, reach // 2))
    near = F.max_pool2d(beside, (reach, 1), 1, (reach // 2, 0))[:, 0]
    return torch.where(lacks, 0.0, torch.maximum(masks, has * near))


def _loss(network: LucidNetwork, teaching: Teaching, scene: Scene) -> Tensor:
    """From the first moment to the last, the network's own masks going back in."""
    lesson = scene()
    previous, losses = lesson.given, []
    pixels = (lesson.images * 255).round().byte().permute(0, 1, 3, 4, 2).cpu().numpy()
    with fast_autocast(lesson.images.device):
        for i in range(1, lesson.images.shape[1]):
            warped, cue = _told(teaching.motion, pixels[:, i - 1], pixels[:, i], previous)
            logits = network.segment(lesson.images[:, i], warped[:, None], cue[:, None])[:, 0]
            parts = mask_loss(logits.float(), lesson.masks[:, i], "bce+dice")
            losses.append(torch.stack(list(parts.values())).sum(0).mean())
            previous = logits.detach().float().sigmoid()
    return torch.stack(losses).mean()


def _told(
    motion: MotionSettings, before: NDArray[np.uint8], now: NDArray[np.uint8], masks: Tensor
) -> tuple[Tensor, Tensor]:
    """Masks (B, S, S) moved along, and cues (B, S, S), of pictures uint8 (B, S, S, 3)."""
    between = [motion.between(*pair) for pair in zip(before, now, strict=True)]
    each = zip(between, masks.cpu().numpy(), strict=True)
    arrays = np.stack([m.moved(mask) for m, mask in each]), np.stack([m.cue for m in between])
    warped, cue = (torch.from_numpy(array).to(masks.device) for array in arrays)
    return warped, cue
