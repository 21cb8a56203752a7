"""The demo from end to end: paint, track, compare."""

from pathlib import Path

import numpy as np

from masktrail.demo.clip import render_demo
from masktrail.evaluate.measures import region_similarity
from masktrail.masks import read_labels
from masktrail.prompts.text import read_prompts
from masktrail.run.loop import Report, track
from masktrail.run.progress import Progress
from masktrail.zoo import DEFAULT


def run_demo(
    out: Path,
    model: str | Path = DEFAULT,
    frames: int = 90,
    size: tuple[int, int] = (854, 480),
    progress: Progress = lambda done, expected: None,
) -> tuple[Report, float]:
    """Paints the clip into `out` and tracks it from its first true mask.

    Args:
        out: folder for the clip, its truth and the results.
        model: whatever `zoo.load` loads.
        frames: length of the clip.
        size: (width, height) of the clip, pixels.
        progress: called after every tracked frame.

    Returns:
        What the run did, and the mean J of all later frames against the true masks.

    Raises:
        InputError: `out` cannot be written, or no such model.
    """
    clip = render_demo(out, frames, size)
    prompts = read_prompts([("mask", str(out / "truth" / "00000.png"))])[0]
    report = track(clip, prompts, out, model, progress=progress, overwrite=True)
    return report, _similarity(out / "masks", out / "truth")


def _similarity(masks: Path, truth: Path) -> float:
    names = sorted(path.name for path in truth.glob("*.png"))[1:]
    pairs = ((read_labels(truth / name)[0], read_labels(masks / name)[0]) for name in names)
    return float(np.mean([region_similarity(true > 0, mask > 0) for true, mask in pairs]))
