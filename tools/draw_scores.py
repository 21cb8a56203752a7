"""Draws what AGUNet looks at: its map S of one object, beside the masks that come of it.

    python tools/draw_scores.py sheet.jpg --data DAVIS2016_TRAIN --sequences dance-jump,bear

Two rows a sequence, tracked from its first mask: frames with the mask that was found, and S over
the same frames, from blue (0) to red (1).
"""

import argparse
import sys
from collections.abc import Sequence as Listed
from pathlib import Path

import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from masktrail.data.davis import find_sequences
from masktrail.data.sequence import Sequence
from masktrail.errors import InputError
from masktrail.evaluate.tracking import Clock, track_sequence
from masktrail.files import replacing
from masktrail.masks.draw import overlay, side_by_side
from masktrail.tracking.tracker import Tracker
from masktrail.zoo import load

HEIGHT = 160
"""Of every picture in the sheet."""

STRONG = 0.6
"""How much of a pixel is the colour of S."""

Pixels = NDArray[np.uint8]


def sheet(model: str | Path, sequences: Listed[Sequence], columns: int) -> Pixels:
    """Two rows for each sequence.

    Args:
        model: whatever `zoo.load` loads of an AGUNet.
        sequences: whose first frames are annotated.
        columns: frames of each, evenly from the second to the last.

    Returns:
        uint8 RGB (H, W, 3), white where a sequence has fewer.

    Raises:
        InputError: the model has no such maps, or a picture that cannot be read.
    """
    lines = [line for sequence in sequences for line in _lines(load(model), sequence, columns)]
    widest = max(line.shape[1] for line in lines)
    padded = [
        np.pad(line, ((0, 4), (0, widest - line.shape[1]), (0, 0)), constant_values=255)
        for line in lines
    ]
    return np.concatenate(padded)


def heated(image: Pixels, scores: NDArray[np.float32]) -> Pixels:
    """A picture (H, W, 3) below the colours of a map (h, w) in [0, 1]."""
    height, width = image.shape[:2]
    enlarged = Image.fromarray(scores).resize((width, height), Image.Resampling.BILINEAR)
    colours = matplotlib.colormaps["turbo"](np.asarray(enlarged))[..., :3] * 255
    mixed: Pixels = ((1 - STRONG) * image + STRONG * colours).astype(np.uint8)
    return mixed


def _lines(tracker: Tracker, sequence: Sequence, columns: int) -> tuple[Pixels, Pixels]:
    last = len(sequence) - 1
    if not hasattr(tracker.propagator, "maps"):
        raise InputError("Only models of the family agunet have a map S; choose one of these.")
    if not last:
        raise InputError(f"{sequence.name} has a single frame; choose longer ones.")
    wanted = set(np.linspace(1, last, min(columns, last)).round().astype(int).tolist())
    masked, maps = [], []
    found = track_sequence(tracker, sequence, "mask", Clock())
    for index, labels in enumerate(found):
        if index not in wanted:
            continue
        image = sequence.image(index)
        masked.append(_small(overlay(image, labels)))
        shown = next(iter(tracker.propagator.maps.values()), np.zeros((1, 1), np.float32))
        maps.append(_small(heated(image, shown)))
    return side_by_side(*masked), side_by_side(*maps)


def _small(image: Pixels) -> Pixels:
    width = round(image.shape[1] * HEIGHT / image.shape[0])
    return np.asarray(Image.fromarray(image).resize((width, HEIGHT), Image.Resampling.BOX))


def main() -> None:
    """Parses the arguments and draws."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, help="picture")
    parser.add_argument("--model", default="agunet", help="its name, or a folder of `train`")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sequences", type=lambda text: text.split(","), help="with commas")
    parser.add_argument("--frames", type=int, default=5, help="of each")
    arguments = parser.parse_args()
    kind = Image.registered_extensions().get(arguments.out.suffix.lower())
    if kind is None or arguments.frames < 1:
        parser.error("expected a picture as sheet.jpg, and 1 frame or more")
    try:
        sequences = find_sequences(arguments.data, arguments.sequences)
        picture = sheet(arguments.model, sequences, arguments.frames)
        with replacing(arguments.out) as part:
            Image.fromarray(picture).save(part, kind)
    except InputError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
