"""Clips with nothing done to them: whole frames of single-object sequences, one after the other.

The report trained so. Pictures are stretched to a square, which costs nothing where they are packed
as one.
"""

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from masktrail.data.pack import Pack, PackedTrack
from masktrail.data.single_object import find_tracks
from masktrail.data.split import SplitSettings
from masktrail.devices import sent
from masktrail.errors import InputError


class WholeFrameClips:
    """Draws such clips from a pack.

    Args:
        pack: its tracks are drawn from; where it was packed without, those of
            `single_object.find_tracks`.
    """

    def __init__(self, pack: Pack) -> None:
        self.pack = pack
        usual = SplitSettings()
        self._tracks = pack.tracks or find_tracks(pack, usual.negatives, usual.seed)
        self._clips: dict[int, list[tuple[PackedTrack, tuple[int, ...]]]] = {}

    def draw(
        self, batch: int, frames: int, size: int, generator: Generator
    ) -> tuple[Tensor, Tensor]:
        """A batch of clips, every one as likely as any other.

        Args:
            batch: B.
            frames: T.
            size: S.
            generator: source of randomness.

        Returns:
            Pictures (B, T, 3, S, S) in [0, 1] and masks (B, T, 1, S, S), 0 or 1.

        Raises:
            InputError: no object is seen in so many frames running.
        """
        clips = self._all(frames)
        chosen = torch.randint(len(clips), (batch,), generator=generator).tolist()
        rows = torch.tensor([clips[i][1] for i in chosen])
        ids = torch.tensor([[clips[i][0].id] for i in chosen])
        return whole(self.pack, rows, ids, size)

    def require(self, frames: int) -> None:
        """Refuses to draw clips of so many frames where there is none.

        Raises:
            InputError: as `draw`.
        """
        self._all(frames)

    def _all(self, frames: int) -> list[tuple[PackedTrack, tuple[int, ...]]]:
        """Every clip of `frames` frames there is."""
        if frames not in self._clips:
            self._clips[frames] = [(t, rows) for t in self._tracks for rows in t.clips(frames)]
        if not self._clips[frames]:
            raise InputError(
                f"No object of {len(self.pack.sequences)} packed videos is in {frames} frames "
                "running; use shorter clips or longer videos."
            )
        return self._clips[frames]


def whole(pack: Pack, rows: Tensor, ids: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Whole pictures stretched to a square, which costs nothing where they are packed as one.

    Args:
        pack: where the pictures are.
        rows: (B, T) of the pack.
        ids: (B, N) of the objects.
        size: S.

    Returns:
        Pictures (B, T, 3, S, S) in [0, 1] and masks (B, T, N, S, S), 0 or 1.
    """
    device = pack.images.device
    rows, ids = sent(rows, device), sent(ids, device)
    images, labels = (
        source.index_select(0, rows.flatten()).unflatten(0, rows.shape)
        for source in (pack.images, pack.labels)
    )
    images = images.movedim(-1, 2)
    masks = (labels[:, :, None] == ids[:, None, :, None, None]).float()
    if images.shape[-2:] != (size, size):
        flat = images.flatten(0, 1)
        if device.type != "cpu":  # which alone stretches whole numbers
            flat = flat.float()
        flat = F.interpolate(flat, (size, size), mode="bilinear", antialias=True)
        images = flat.unflatten(0, rows.shape)
        flat = F.interpolate(masks.flatten(0, 1), (size, size), mode="nearest-exact")
        masks = flat.unflatten(0, rows.shape)
    return images.float() / 255, masks
