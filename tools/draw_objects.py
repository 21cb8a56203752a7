"""Draws how a video of several objects became one sequence for each of them.

    masktrail prepare mose CLIPS packs/mose
    python tools/draw_objects.py packs/mose/train VIDEO objects.jpg

The first row shows frames of the video with all objects, each further row the track of one object
in the same frames: the mask that is trained on. A frame that a track leaves out stays white.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from masktrail.data.pack import Pack, PackedTrack, open_pack
from masktrail.errors import InputError
from masktrail.files import replacing
from masktrail.masks.draw import overlay, side_by_side

GAP = 4
"""White pixels below each row."""


def sheet(pack: Pack, video: str, frames: int) -> np.ndarray:
    """The rows as one picture, uint8 RGB.

    Args:
        pack: with tracks.
        video: name of a sequence of it.
        frames: columns, taken evenly from all frames that a track of the video shows.

    Raises:
        InputError: no object of such a video is followed in the pack.
    """
    tracks = [track for track in pack.tracks if track.video == video]
    if not tracks:
        names = ", ".join(sorted({track.video for track in pack.tracks}))
        has = f"follows objects of {names}" if names else "was not packed by `prepare mose`"
        raise InputError(f"No object of {video!r} is followed; the pack {has}.")
    all_rows = sorted({row for track in tracks for row in track.rows})
    rows = [
        all_rows[round(i)] for i in np.linspace(0, len(all_rows) - 1, min(frames, len(all_rows)))
    ]
    every = [overlay(pack.images[row].numpy(), pack.labels[row].numpy()) for row in rows]
    lines = [every, *([_mask(pack, track, row) for row in rows] for track in tracks)]
    return np.concatenate([_line(tiles) for tiles in lines])


def _mask(pack: Pack, track: PackedTrack, row: int) -> np.ndarray:
    """The mask of a track in a row of the pack, white on black; all white where it has none."""
    if row not in track.rows:
        return np.full(pack.images[row].shape, 255, np.uint8)
    mask = pack.labels[row].numpy() == track.id
    return np.repeat(mask[..., None], 3, 2).astype(np.uint8) * 255


def _line(tiles: list[np.ndarray]) -> np.ndarray:
    return np.pad(side_by_side(*tiles), ((0, GAP), (0, 0), (0, 0)), constant_values=255)


def main() -> None:
    """Parses the arguments and draws."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pack", type=Path)
    parser.add_argument("video", help="its name")
    parser.add_argument("out", type=Path, help="picture")
    parser.add_argument("--frames", type=int, default=6)
    arguments = parser.parse_args()
    kind = Image.registered_extensions().get(arguments.out.suffix.lower())
    if kind is None or arguments.frames < 1:
        parser.error("expected a picture as sheet.jpg, and 1 frame or more")
    try:
        picture = Image.fromarray(
            sheet(open_pack(arguments.pack), arguments.video, arguments.frames)
        )
        picture.thumbnail((900, 4000))
        with replacing(arguments.out) as part:
            picture.save(part, kind)
    except InputError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
